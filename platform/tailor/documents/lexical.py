"""BM25 over Unicode words in two forms, as written and without accents."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from math import log
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal

from tailor.documents.postings import Counted, counted, in_memory, on_disk, scored
from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

Forms = Literal["both", "written", "folded"]
"""Whether words are matched as they are written, without their accents, or in both forms."""

K1, B = 1.2, 0.75
_FOLDED = "~"
"""Before a folded word, so that it never equals a word as written."""


def tokens(text: str) -> list[str]:
    """Every word of a passage as it is written and, under another name, folded.

    Plural and singular share a folded form.
    """
    return [token for word in words(text) for token in (word, _folded(word))]


def question_tokens(question: str, forms: Forms = "both") -> list[str]:
    """The words a question is searched by: as written, folded, or in both forms.

    Typed with accents it meets both forms, so that passages with the same accents score higher.
    Typed without, it meets folded forms only: `cho` as written would favour the few passages
    where that very word stands, over those with `chó` or `chợ`, one of which is meant.
    """
    if forms == "written":
        return words(question)
    if forms == "folded" or fold(question) == nfc(question).casefold():
        return [_folded(word) for word in words(question)]
    return tokens(question)


@lru_cache(maxsize=32_768)
def folded(word: str) -> str:
    """A word without accents and English plural: the form in which words are compared."""
    return singular(fold(word))


@lru_cache(maxsize=32_768)
def _folded(word: str) -> str:
    return _FOLDED + folded(word)


def singular(word: str) -> str:
    """An English plural's singular by the three rules of the S-stemmer (Harman 1991)."""
    if len(word) > 3 and word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if len(word) > 3 and word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


class LexicalIndex:
    """BM25 scores of passages, which are numbered from 0; k1 1.2, b 0.75 as in Lucene."""

    def __init__(self, bm25: Any) -> None:
        self._bm25 = bm25

    @classmethod
    def build(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index these texts in memory."""
        import numpy as np

        found = counted(texts, _forms, in_memory)
        blocks = [*scored(found, K1, B), (np.zeros(0, np.float32), np.zeros(0, np.int32))]
        data, indices = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return cls(_bm25(found, data, indices))

    @classmethod
    def write(cls, texts: Iterable[str], folder: Path) -> None:
        """Index these texts into a new folder, of which some thousands are in memory at a time."""
        import numpy as np

        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".runs-") as aside:
            found = counted(texts, _forms, partial(on_disk, Path(aside)))
            nothing = np.zeros(0, np.float32), np.zeros(0, np.int32)
            _bm25(found, *nothing).save(str(folder), show_progress=False)
            size = int(found.holding.sum())
            with (
                _array(folder / "data.csc.index.npy", "<f4", size) as data,
                _array(folder / "indices.csc.index.npy", "<i4", size) as indices,
            ):
                for scores, rows in scored(found, K1, B):
                    data.write(scores.data)
                    indices.write(rows.data)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Open what ``write`` wrote; arrays are mapped into memory.

        Raises:
            OSError, ValueError: files are missing or damaged.
        """
        import bm25s

        return cls(bm25s.BM25.load(str(folder), mmap=True, show_progress=False))

    def save(self, folder: Path) -> None:
        """Write arrays and vocabulary into the folder."""
        self._bm25.save(str(folder), show_progress=False)

    def scores(self, question: str, forms: Forms = "both") -> Scores:
        """The score of every passage."""
        import numpy as np

        asked = question_tokens(question, forms)
        if not asked:
            return np.zeros(self._bm25.scores["num_docs"], dtype=np.float32)
        scores: Scores = self._bm25.get_scores(asked)
        return scores

    def rarity(self, bare: Sequence[str]) -> list[float]:
        """The inverse document frequency of folded words, as BM25 has it."""
        count, starts = self._bm25.scores["num_docs"], self._bm25.scores["indptr"]
        numbers = (self._bm25.vocab_dict.get(_FOLDED + word) for word in bare)
        holding = (0 if n is None else int(starts[n + 1] - starts[n]) for n in numbers)
        return [log(1 + (count - held + 0.5) / (held + 0.5)) for held in holding]


def _forms(word: str) -> tuple[str, ...]:
    return word, _folded(word)


def _bm25(found: Counted, data: Scores, indices: NDArray[np.int32]) -> Any:
    """What bm25s searches in and writes."""
    import bm25s
    import numpy as np

    bm25 = bm25s.BM25(method="lucene", k1=K1, b=B)
    tokens = dict(found.tokens)
    tokens.setdefault("", len(tokens))  # bm25s wants one
    starts = np.zeros(len(tokens) + 1, dtype=np.int64)
    starts[1 : len(found.holding) + 1] = np.cumsum(found.holding)
    starts[len(found.holding) + 1 :] = int(found.holding.sum())
    bm25.vocab_dict = tokens
    bm25.unique_token_ids_set = set(tokens.values())
    bm25.nonoccurrence_array = None
    bm25.scores = {
        "data": data, "indices": indices, "indptr": starts, "num_docs": len(found.lengths),
    }  # fmt: skip
    return bm25


@contextmanager
def _array(file: Path, kind: str, size: int) -> Iterator[IO[bytes]]:
    """A NumPy file of one dimension, to be written piece by piece."""
    import numpy as np

    with file.open("wb") as open_file:
        head = {"descr": kind, "fortran_order": False, "shape": (size,)}
        np.lib.format.write_array_header_1_0(open_file, head)
        yield open_file
