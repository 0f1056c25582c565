"""Texts as rows of the words that stand in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

FEWEST = 2
"""Texts a word must stand in to be known."""


@dataclass(frozen=True)
class BagOfWords:
    """Known words and pairs of neighbouring words, with the weight of each."""

    words: tuple[str, ...]
    weights: tuple[float, ...] = ()
    """Inverse document frequencies; empty: a row says only whether a word stands there."""

    @property
    def names(self) -> tuple[str, ...]:
        """What each column is."""
        return self.words

    @cached_property
    def _columns(self) -> dict[str, int]:
        return {word: column for column, word in enumerate(self.words)}

    def rows(self, texts: Sequence[str]) -> Any:
        """A sparse matrix (n, words).

        Without weights 1 where a word stands; with weights TF-IDF, 1 + ln(count) times weight, in
        rows of length 1 (Salton and Buckley 1988).
        """
        import numpy as np
        from scipy.sparse import csr_array

        values: list[float] = []
        columns: list[int] = []
        ends = [0]
        known = self._columns
        for text in texts:
            counts = Counter(known[term] for term in terms(text) if term in known)
            columns += counts
            if self.weights:
                row = [(1 + np.log(n)) * self.weights[at] for at, n in counts.items()]
                length = float(np.linalg.norm(row)) or 1.0
                values += [value / length for value in row]
            else:
                values += [1.0] * len(counts)
            ends.append(len(columns))
        shape = len(texts), len(self.words)
        places = np.array(columns, dtype=np.int32), np.array(ends, dtype=np.int32)
        return csr_array((np.array(values), *places), shape=shape)

    def save(self, folder: Path) -> None:
        """Write words and weights as JSON."""
        value = {"words": self.words, "weights": self.weights}
        (folder / "words.json").write_text(json.dumps(value, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> BagOfWords:
        """Read what :meth:`save` wrote."""
        value = json.loads((folder / "words.json").read_text("utf-8"))
        return cls(tuple(value["words"]), tuple(value["weights"]))


def bag_of_words(texts: Sequence[str], most: int, weighted: bool = False) -> BagOfWords:
    """The words and pairs that stand in most of the texts, at least in two; ties by the alphabet.

    Pairs matter in Vietnamese, where a word often has two syllables.
    """
    from math import log

    held: Counter[str] = Counter()
    for text in texts:
        held.update(set(terms(text)))
    ranked = sorted(
        ((n, term) for term, n in held.items() if n >= FEWEST), key=lambda one: (-one[0], one[1])
    )[:most]
    weights = tuple(log((1 + len(texts)) / (1 + n)) + 1 for n, _ in ranked) if weighted else ()
    return BagOfWords(tuple(term for _, term in ranked), weights)


def terms(text: str) -> Iterator[str]:
    """The words of a text, and its pairs of neighbouring words."""
    found = words(text)
    yield from found
    yield from (f"{one} {other}" for one, other in pairwise(found))
