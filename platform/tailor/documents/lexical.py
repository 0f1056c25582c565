"""BM25 over Unicode words in two forms, as written and without accents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import log
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Scores = NDArray[np.float32]

Forms = Literal["both", "written", "folded"]
"""Whether words are matched as they are written, without their accents, or in both forms."""

_AT_ONCE = 10_000
"""Texts whose tokens are counted together."""
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
    """BM25 scores of passages, which are numbered from 0."""

    def __init__(self, bm25: Any) -> None:
        self._bm25 = bm25

    @classmethod
    def build(cls, texts: Sequence[str]) -> LexicalIndex:
        """Index these texts; k1 1.2, b 0.75 as in Lucene."""
        import bm25s
        import numpy as np

        class Vectorized(bm25s.BM25):  # type: ignore[misc]
            """Counts all passages at once and not one by one."""

            def build_index_from_ids(
                self, unique_token_ids: list[int], corpus_token_ids: list[Any], **_: Any
            ) -> dict[str, Any]:
                self.nonoccurrence_array = None
                data, rows, columns = _bm25_scores(
                    corpus_token_ids, len(unique_token_ids), self.k1, self.b
                )
                shape = len(corpus_token_ids), len(unique_token_ids)
                values, indices, indptr = self._np_csc(data, rows, columns, shape)
                return {
                    "data": values.astype(np.float32),
                    "indices": indices.astype(np.int32),
                    "indptr": indptr,
                    "num_docs": shape[0],
                }

        bm25 = Vectorized(method="lucene", k1=1.2, b=0.75)
        bm25.index(_numbered(texts), show_progress=False)
        return cls(bm25)

    def save(self, folder: Path) -> None:
        """Write arrays and vocabulary into the folder."""
        self._bm25.save(str(folder), show_progress=False)

    @classmethod
    def load(cls, folder: Path) -> LexicalIndex:
        """Open what ``save`` wrote; arrays are mapped into memory.

        Raises:
            OSError, ValueError: files are missing or damaged.
        """
        import bm25s

        return cls(bm25s.BM25.load(str(folder), mmap=True, show_progress=False))

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


def _numbered(texts: Sequence[str]) -> tuple[list[NDArray[np.int32]], dict[str, int]]:
    """The tokens of each text as numbers, and the number of each token."""
    import numpy as np

    tokens: dict[str, int] = {}
    known: dict[str, int] = {}
    forms: list[tuple[int, int]] = []
    numbers: list[int] = []
    ends: list[int] = []
    for text in texts:
        found = words(text)
        for word in found:
            if word not in known:
                known[word] = len(forms)
                written = tokens.setdefault(word, len(tokens))
                forms.append((written, tokens.setdefault(_folded(word), len(tokens))))
        numbers += map(known.__getitem__, found)
        ends.append(2 * len(numbers))
    tokens.setdefault("", len(tokens))  # bm25s wants one
    table = np.array(forms or [(0, 0)], dtype=np.int32)
    return np.split(table[np.array(numbers, dtype=np.int32)].ravel(), ends[:-1]), tokens


def _bm25_scores(
    texts: Sequence[NDArray[np.int32]], tokens: int, k1: float, b: float
) -> tuple[Scores, NDArray[np.int32], NDArray[np.int32]]:
    """Lucene's BM25 (Kamphuis et al. 2020): scores with their texts' and tokens' numbers."""
    import numpy as np

    lengths = np.array([len(text) for text in texts])
    parts = []
    for first in range(0, len(texts), _AT_ONCE):
        some = texts[first : first + _AT_ONCE]
        rows = np.repeat(np.arange(first, first + len(some)), lengths[first : first + _AT_ONCE])
        found, times = np.unique(rows * tokens + np.concatenate(some), return_counts=True)
        parts.append((found // tokens, found % tokens, times))
    rows, columns, times = (np.concatenate(part) for part in zip(*parts, strict=True))
    holding = np.bincount(columns, minlength=tokens)
    idf = np.log(1 + (len(texts) - holding + 0.5) / (holding + 0.5))
    norm = k1 * (1 - b + b * lengths / max(lengths.mean(), 1))
    data = (idf[columns] * times / (norm[rows] + times)).astype(np.float32)
    return data, rows.astype(np.int32), columns.astype(np.int32)
