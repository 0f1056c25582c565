"""BM25 over Unicode words in two forms, as written and without accents."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_FOLDED = "~"
"""Before a folded word, so that it never equals a word as written."""


def tokens(text: str) -> list[str]:
    """Every word of a passage as it is written and, under another name, folded.

    Plural and singular share a folded form.
    """
    return [token for word in words(text) for token in (word, _folded(word))]


def question_tokens(question: str) -> list[str]:
    """The words a question is searched by.

    Typed with accents it meets both forms, so that passages with the same accents score higher.
    Typed without, it meets folded forms only: `cho` as written would favour the few passages
    where that very word stands, over those with `chó` or `chợ`, one of which is meant.
    """
    if fold(question) == nfc(question).casefold():
        return [_folded(word) for word in words(question)]
    return tokens(question)


@lru_cache(maxsize=100_000)
def _folded(word: str) -> str:
    return _FOLDED + singular(fold(word))


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

        bm25 = bm25s.BM25(method="lucene", k1=1.2, b=0.75)
        bm25.index([tokens(text) for text in texts], show_progress=False)
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

    def scores(self, question: str) -> NDArray[np.float32]:
        """The score of every passage."""
        import numpy as np

        asked = question_tokens(question)
        if not asked:
            return np.zeros(self._bm25.scores["num_docs"], dtype=np.float32)
        scores: NDArray[np.float32] = self._bm25.get_scores(asked)
        return scores
