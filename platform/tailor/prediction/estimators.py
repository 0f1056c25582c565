"""Estimates of a number without a language model: each kind is one row of the baseline."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from tailor.prediction import features, heads
from tailor.prediction.bag_of_words import BagOfWords, bag_of_words
from tailor.prediction.scale import Scale
from tailor.prediction.word_vectors import WordVectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.prediction.neighbours import Neighbours

    Floats = NDArray[np.float64]

Kind = Literal[
    "random", "mean", "median", "features", "bag_of_words", "word2vec", "word2vec_svr",
    "word2vec_forest", "boosting", "neighbours",
]  # fmt: skip
BOOSTED = 2000
"""Words that boosting is given, the most frequent ones: each costs it time."""
_HEADS: Mapping[Kind, Callable[[Any, Sequence[float], Scale, int], heads.Linear | heads.Trees]] = {
    "word2vec_svr": heads.support_vectors,
    "word2vec_forest": heads.forest,
    "boosting": heads.boosting,
}
"""By kind; ridge regression for the others."""
SHOWN = 40
"""Weights that are kept to be shown."""


@dataclass(frozen=True)
class Constant:
    """The same number for every item."""

    value: float

    def numbers(self, texts: Sequence[str]) -> Floats:
        """(n,)."""
        import numpy as np

        return np.full(len(texts), self.value)


@dataclass(frozen=True)
class Random:
    """Any number between the least and the greatest, the same one for the same text."""

    low: float
    high: float
    seed: int

    def numbers(self, texts: Sequence[str]) -> Floats:
        """(n,)."""
        import numpy as np

        drawn = [
            int(hashlib.sha256(f"{self.seed} {text}".encode()).hexdigest()[:13], 16) / 16**13
            for text in texts
        ]
        found: Floats = self.low + np.array(drawn) * (self.high - self.low)
        return found


@dataclass(frozen=True)
class Estimator:
    """Texts become rows, and rows become numbers."""

    encoder: BagOfWords | WordVectors | features.Features
    head: heads.Linear | heads.Trees
    scale: Scale

    def numbers(self, texts: Sequence[str]) -> Floats:
        """(n,)."""
        return self.scale.numbers(self.head.values(self.encoder.rows(texts)))

    def save(self, folder: Path) -> None:
        """Write it as arrays and JSON."""
        self.encoder.save(folder)
        self.head.save(folder)
        (folder / "scale.json").write_text(json.dumps(asdict(self.scale)), "utf-8")

    @classmethod
    def load(cls, folder: Path) -> Estimator:
        """Read what :meth:`save` wrote."""
        encoder: Any = BagOfWords
        if (folder / "features.json").exists():
            encoder = features.Features
        elif (folder / "vectors.npz").exists():
            encoder = WordVectors
        head: Any = heads.Linear if (folder / "linear.npz").exists() else heads.Trees
        scale = Scale(**json.loads((folder / "scale.json").read_text("utf-8")))
        return cls(encoder.load(folder), head.load(folder), scale)


@dataclass(frozen=True)
class Nearest:
    """What the train items most like a text cost."""

    known: Neighbours
    values: Floats
    """Of the items, on the scale."""
    scale: Scale
    k: int
    weight: float

    def numbers(self, texts: Sequence[str]) -> Floats:
        """(n,)."""
        import numpy as np

        from tailor.prediction.neighbours import estimate

        scores = (self.known.scores(text, self.weight) for text in texts)
        return self.scale.numbers(np.array([estimate(own, self.values, self.k) for own in scores]))


def constant(kind: Kind, numbers: Sequence[float], seed: int = 0) -> Constant | Random | None:
    """The estimates that look at no text; None for other kinds."""
    if kind == "random":
        return Random(min(numbers), max(numbers), seed)
    if kind == "mean":
        return Constant(sum(numbers) / len(numbers))
    return Constant(median(numbers)) if kind == "median" else None


def fit(
    kind: Kind,
    texts: Sequence[str],
    numbers: Sequence[float],
    scale: Scale,
    vectors: Callable[[], WordVectors],
    vocabulary: int = 20_000,
    seed: int = 0,
) -> tuple[Estimator, list[Weight]]:
    """Fit a kind that reads the texts, but ``neighbours``; with what it learnt.

    Deterministic for a seed.

    Args:
        kind: of estimate.
        texts: of the train items.
        numbers: theirs.
        scale: on which is fitted.
        vectors: gives word vectors of the train items; asked for only where they are needed.
        vocabulary: words that a bag of words knows at most.
        seed: of trees, of parts for cross-validation and of initial values.
    """
    encoder: BagOfWords | WordVectors | features.Features
    rows: Any
    if kind == "features":
        encoder, rows = features.fitted(texts, scale.fitted(numbers))
    else:
        if kind in ("bag_of_words", "boosting"):
            most = vocabulary if kind == "bag_of_words" else min(BOOSTED, vocabulary)
            encoder = bag_of_words(texts, most, weighted=True)
        else:
            encoder = vectors()
        rows = encoder.rows(texts)
    head = _HEADS.get(kind, heads.ridge)(rows, numbers, scale, seed)
    return Estimator(encoder, head, scale), learnt(encoder, head, rows)


@dataclass(frozen=True)
class Weight:
    """What a feature or a word does to the estimate."""

    name: str
    effect: float | None
    """What it adds on the scale: a feature by one standard deviation, a word by standing there, or
    with word vectors by being one word in a hundred. None for trees, where all else matters."""
    share: float
    """How much it matters among all: its share of the spread, or of what the trees' splits gain."""


def learnt(encoder: Any, head: heads.Linear | heads.Trees, rows: Any) -> list[Weight]:
    """The columns that matter most, first; of word vectors the words that push hardest."""
    import numpy as np

    names = encoder.names
    if isinstance(head, heads.Trees):
        if isinstance(encoder, WordVectors):
            return []  # a dimension says nothing
        effects, matters = [None] * len(names), head.gains
    elif isinstance(encoder, WordVectors):
        names = encoder.words
        pushes = ((encoder.vectors - encoder.mean) / encoder.spread) @ head.weights / 100
        effects, matters = pushes.tolist(), np.abs(pushes)
    else:
        effects, matters = _linear(head, rows)
    order = np.argsort(-matters, kind="stable")[:SHOWN]
    total = float(matters.sum()) or 1.0
    return [Weight(names[at], effects[at], float(matters[at]) / total) for at in order]


def _linear(head: heads.Linear, rows: Any) -> tuple[list[Any], Floats]:
    import numpy as np

    if not hasattr(rows, "tocsc"):  # standardized
        return head.weights.tolist(), np.abs(head.weights)
    there = np.maximum(np.bincount(rows.indices, minlength=rows.shape[1]), 1)
    height = np.asarray(rows.sum(axis=0)).ravel() / there
    effects = head.weights * height
    share = there / rows.shape[0]
    return effects.tolist(), np.abs(effects) * np.sqrt(share * (1 - share))
