"""BM25 over Unicode words in two forms, as written and without accents."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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
    Numbers = NDArray[np.integer[Any]]

Forms = Literal["both", "written", "folded"]
"""Whether words are matched as they are written, without their accents, or in both forms."""

K1, B = 1.2, 0.75
_ABOUT, _TOKENS = "params.index.json", "vocab.index.json"
_STARTS, _HOLDING, _DATA = (f"{name}.csc.index.npy" for name in ("indptr", "indices", "data"))
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


@dataclass(frozen=True)
class LexicalIndex:
    """BM25 scores of passages, which are numbered from 0; k1 1.2, b 0.75 as in Lucene.

    Its files are those of the package bm25s, which can read them, too.
    """

    count: int
    """How many passages there are."""
    tokens: Mapping[str, int]
    """The number of each token."""
    starts: Numbers
    """Where the passages of each token start in the two arrays below, and after them the end."""
    holding: Numbers
    """The passages that hold a token, token by token."""
    data: Scores
    """The score of the token in each of them."""

    @classmethod
    def build(cls, texts: Iterable[str]) -> LexicalIndex:
        """Index these texts in memory."""
        import numpy as np

        found = counted(texts, _forms, in_memory)
        blocks = [*scored(found, K1, B), (np.zeros(0, np.float32), np.zeros(0, np.int32))]
        data, holding = (np.concatenate(part) for part in zip(*blocks, strict=True))
        return cls(len(found.lengths), found.tokens, _starts(found), holding, data)

    @classmethod
    def write(cls, texts: Iterable[str], folder: Path) -> None:
        """Index these texts into a new folder, of which some thousands are in memory at a time."""
        folder.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".runs-") as aside:
            found = counted(texts, _forms, partial(on_disk, Path(aside)))
            starts = _starts(found)
            _describe(folder, len(found.lengths), found.tokens, starts)
            with (
                _array(folder / _DATA, "<f4", int(starts[-1])) as data,
                _array(folder / _HOLDING, "<i4", int(starts[-1])) as holding,
            ):
                for scores, rows in scored(found, K1, B):
                    data.write(scores.data)
                    holding.write(rows.data)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Open what ``write`` or ``save`` wrote; arrays are mapped into memory.

        Raises:
            OSError, ValueError, KeyError: files are missing or damaged.
        """
        import numpy as np

        count = json.loads((folder / _ABOUT).read_text("utf-8"))["num_docs"]
        tokens = json.loads((folder / _TOKENS).read_text("utf-8"))
        maps = (np.load(folder / name, mmap_mode="r") for name in (_STARTS, _HOLDING, _DATA))
        # As plain arrays over the maps: each slice of a memmap is made a memmap again, slowly.
        arrays = map(np.asarray, maps)
        return cls(count, tokens, *arrays)

    def save(self, folder: Path) -> None:
        """Write arrays and vocabulary into the folder."""
        import numpy as np

        _describe(folder, self.count, self.tokens, self.starts)
        np.save(folder / _HOLDING, self.holding)
        np.save(folder / _DATA, self.data)

    def scores(self, question: str, forms: Forms = "both") -> Scores:
        """The score of every passage."""
        import numpy as np

        scores = np.zeros(self.count, dtype=np.float32)
        for token in question_tokens(question, forms):
            if (number := self.tokens.get(token)) is not None:
                its = slice(self.starts[number], self.starts[number + 1])
                np.add.at(scores, self.holding[its], self.data[its])  # += takes twice as long
        return scores

    def rarity(self, bare: Sequence[str]) -> list[float]:
        """The inverse document frequency of folded words, as BM25 has it."""
        numbers = (self.tokens.get(_FOLDED + word) for word in bare)
        held = (0 if n is None else int(self.starts[n + 1] - self.starts[n]) for n in numbers)
        return [log(1 + (self.count - n + 0.5) / (n + 0.5)) for n in held]


def _forms(word: str) -> tuple[str, ...]:
    return word, _FOLDED + singular(fold(word))


def _starts(found: Counted) -> Numbers:
    import numpy as np

    return np.concatenate([np.zeros(1, np.int64), np.cumsum(found.holding, dtype=np.int64)])


def _describe(folder: Path, count: int, tokens: Mapping[str, int], starts: Numbers) -> None:
    """Write all but the two large arrays."""
    import numpy as np

    about = {"method": "lucene", "k1": K1, "b": B, "num_docs": count}
    (folder / _ABOUT).write_text(json.dumps(about), "utf-8")
    (folder / _TOKENS).write_text(json.dumps(tokens, ensure_ascii=False), "utf-8")
    np.save(folder / _STARTS, starts)


@contextmanager
def _array(file: Path, kind: str, size: int) -> Iterator[IO[bytes]]:
    """A NumPy file of one dimension, to be written piece by piece."""
    import numpy as np

    with file.open("wb") as open_file:
        head = {"descr": kind, "fortran_order": False, "shape": (size,)}
        np.lib.format.write_array_header_1_0(open_file, head)
        yield open_file
