"""A corpus: documents cut in one way, with what searches and rerankers look up in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from tailor.documents.generation import heading, searchable
from tailor.documents.lexical import LexicalIndex
from tailor.documents.passages import Passage
from tailor.retrieval.arrangement import REACH
from tailor.retrieval.features import Words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True)
class Corpus:
    """Documents cut in one way, with a unit vector for each passage."""

    passages: Sequence[Passage]
    vectors: NDArray[np.float32]
    """(passages, dimension)."""

    @cached_property
    def lexical(self) -> LexicalIndex:
        """The word search in whole passages."""
        return LexicalIndex.build([searchable(passage) for passage in self.passages])

    @cached_property
    def headings(self) -> LexicalIndex:
        """The word search in paths and headings."""
        return LexicalIndex.build([heading(passage) for passage in self.passages])

    @cached_property
    def _words(self) -> dict[int, Words]:
        return {}

    def around(self, number: int) -> tuple[Sequence[Passage], int]:
        """The passages around one, and which of them it is."""
        first = max(0, number - REACH)
        return self.passages[first : number + REACH + 1], number - first

    def words(self, numbers: Sequence[int]) -> list[Words]:
        """These passages as a reranker sees them."""
        for number in numbers:
            if number not in self._words:
                passage = self.passages[number]
                self._words[number] = Words.of(passage.text, heading(passage))
        return [self._words[number] for number in numbers]
