"""word2vec (Mikolov et al. 2013), trained on the texts at hand; a text is the mean of its words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import NotApplicable
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

SIZE, WINDOW, EPOCHS = 100, 10, 10
FEWEST = 3
"""Times a word must occur to have a vector."""


@dataclass(frozen=True)
class WordVectors:
    """A vector for each known word."""

    words: tuple[str, ...]
    vectors: Floats
    """(words, dimension)."""
    mean: Floats
    """Of the train texts, (dimension,)."""
    spread: Floats
    """Standard deviations of the train texts, (dimension,)."""

    @property
    def names(self) -> tuple[str, ...]:
        """A dimension has no meaning of its own."""
        return tuple(f"dimension {n}" for n in range(1, self.vectors.shape[1] + 1))

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: at for at, word in enumerate(self.words)}

    def rows(self, texts: Sequence[str]) -> Floats:
        """Standardized mean vectors, (n, dimension); a text without a known word is the average."""
        found: Floats = (self._means(texts) - self.mean) / self.spread
        return found

    def _means(self, texts: Sequence[str]) -> Floats:
        import numpy as np

        rows = np.tile(self.mean, (len(texts), 1))
        for at, text in enumerate(texts):
            known = [self._places[word] for word in words(text) if word in self._places]
            if known:
                rows[at] = self.vectors[known].mean(axis=0)
        return rows

    def save(self, folder: Path) -> None:
        """Write arrays and words."""
        import numpy as np

        np.savez(folder / "vectors.npz", vectors=self.vectors, mean=self.mean, spread=self.spread)
        (folder / "words.json").write_text(json.dumps(self.words, ensure_ascii=False), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> WordVectors:
        """Read what :meth:`save` wrote."""
        import numpy as np

        known = tuple(json.loads((folder / "words.json").read_text("utf-8")))
        with np.load(folder / "vectors.npz", allow_pickle=False) as stored:
            return cls(known, stored["vectors"], stored["mean"], stored["spread"])


def word_vectors(texts: Sequence[str], seed: int = 0) -> WordVectors:
    """Train skip-gram with negative sampling on the texts; the same for the same texts and seed.

    Raises:
        NotApplicable: no word occurs often enough.
    """
    import numpy as np
    from gensim.models import Word2Vec

    sentences = [words(text) for text in texts]
    try:
        # One worker: with more the order of updates, and with it the vectors, are left to chance.
        model = Word2Vec(
            sentences, vector_size=SIZE, window=WINDOW, min_count=FEWEST, epochs=EPOCHS, sg=1,
            seed=seed + 1, workers=1,
        )  # fmt: skip
    except RuntimeError:  # no vocabulary
        raise NotApplicable(
            f"word2vec needs words that occur at least {FEWEST} times in the train items, and "
            "there are none: add train items."
        ) from None
    vectors = model.wv.vectors.astype(np.float64)
    zero = np.zeros(SIZE)
    raw = WordVectors(tuple(model.wv.index_to_key), vectors, vectors.mean(axis=0), zero + 1)
    means = raw._means(texts)
    return WordVectors(raw.words, vectors, means.mean(axis=0), means.std(axis=0) + 1e-9)
