"""Train items like a text, by words and by meaning, and what they say about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.text import fold, words

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    from tailor.benchmark import Question
    from tailor.documents.embedding import Vector
    from tailor.documents.lexical import LexicalIndex
    from tailor.prediction.scale import Scale
    from tailor.workspace import Workspace

    Floats = NDArray[np.float64]

POWER = 4
"""A neighbour counts by this power of its score."""
KS = (3, 5, 10, 20)
WEIGHTS = (0.0, 0.25, 0.5, 0.75, 1.0)
TRIED = 500
"""Train items that k and weight are chosen on, at most."""


@dataclass(frozen=True)
class Sides:
    """How like a text all items are, by words and by meaning."""

    lexical: Floats
    cosines: Floats
    same: tuple[int, ...]
    """The places of the text itself."""

    def scores(self, weight: float) -> Floats:
        """0 to 1, below 0 for the text itself; ``weight`` is the share of the words."""
        from tailor.retrieval.ranking import fused

        found: Floats = fused(self.lexical, self.cosines, weight)
        found[list(self.same)] = -1.0
        return found


@dataclass(frozen=True)
class Neighbours:
    """Train items with their vectors and words."""

    items: tuple[Question, ...]
    vectors: Vector
    """Of length 1, (items, dimension)."""
    lexical: LexicalIndex
    embeddings: Embeddings = field(repr=False, compare=False)
    fingerprint: str = ""
    """Content hash of the items' texts and the embedder."""
    embedder: str = ""
    """As tailor.toml writes it; empty: the workspace's own."""

    @cached_property
    def _forms(self) -> dict[tuple[str, ...], list[int]]:
        found: dict[tuple[str, ...], list[int]] = {}
        for at, item in enumerate(self.items):
            found.setdefault(_form(item.question), []).append(at)
        return found

    def scores(self, text: str, weight: float) -> Floats:
        """How like the text each item is, 0 to 1; below 0 for the text itself.

        ``weight`` is the share of the words (BM25); the rest is by meaning.
        """
        from tailor.documents.embedding import vectors

        vector = vectors(self.embeddings, [text])[0] if weight < 1 else None
        return self.sides(text, vector).scores(weight)

    def sides(self, text: str, vector: Vector | None) -> Sides:
        """What words and meaning each say of all items; without a vector words alone."""
        import numpy as np

        cosines = np.zeros(len(self.items)) if vector is None else self.vectors @ vector
        by_words = self.lexical.scores(text).astype(np.float64)
        same = self._forms.get(_form(text), [])
        return Sides(by_words, cosines.astype(np.float64), tuple(same))

    def nearest(self, text: str, k: int, weight: float) -> list[tuple[int, float]]:
        """The k items most like the text, with their scores, the best first."""
        scores = self.scores(text, weight)
        return [(at, float(scores[at])) for at in best(scores, k)]


def neighbours(workspace: Workspace, items: Sequence[Question], embedder: str = "") -> Neighbours:
    """The index of these items; made once for the same items and embedder."""
    import numpy as np

    from tailor.documents.embedding import vectors
    from tailor.documents.lexical import LexicalIndex

    texts = [item.question for item in items]
    embeddings = workspace.embedder(embedder)

    def build(folder: Path) -> None:
        np.save(folder / "vectors.npy", vectors(embeddings, texts))
        LexicalIndex.build(texts).save(folder)

    name = embedder or workspace.config.embedder
    folder = workspace.artifact("neighbours", [name, texts], build)
    found = np.load(folder / "vectors.npy", allow_pickle=False)
    lexical = LexicalIndex.load(folder)
    return Neighbours(tuple(items), found, lexical, embeddings, folder.name, embedder)


def best(scores: Floats, k: int) -> list[int]:
    """The places of the k best scores, none below 0; ties in order of place."""
    import numpy as np

    order = np.argsort(-scores, kind="stable")[:k]
    return [int(at) for at in order if scores[at] >= 0]


def estimate(scores: Floats, values: Floats, k: int) -> float:
    """The mean value of the k nearest items, each counted by the 4th power of its score."""
    import numpy as np

    at = best(scores, k)
    weights = np.maximum(scores[at], 1e-6) ** POWER
    return float((weights * values[at]).sum() / weights.sum()) if at else float(values.mean())


def vote(scores: Floats, labels: Sequence[str], k: int) -> str:
    """The label that the k nearest items have, each counted by the 4th power of its score."""
    votes: dict[str, float] = {}
    for at in best(scores, k):
        votes[labels[at]] = votes.get(labels[at], 0.0) + max(float(scores[at]), 1e-6) ** POWER
    return max(sorted(votes), key=lambda label: votes[label]) if votes else labels[0]


@dataclass(frozen=True)
class Setting:
    """How many neighbours are looked at, and what share words have in finding them."""

    k: int
    weight: float
    error: float
    """The mean error by which it was chosen."""


def tried(
    sides: Sequence[Sides],
    error: Callable[[int, Floats, int], float],
    ks: Sequence[int] = KS,
    weights: Sequence[float] = WEIGHTS,
) -> list[Setting]:
    """Every setting with its mean error, the least first; of equal ones the smaller k.

    Args:
        sides: of the texts that are estimated.
        error: from the place of a text, its scores and k to the error.
        ks: numbers of neighbours.
        weights: shares of the words.
    """
    found: list[Setting] = []
    for weight in weights:
        scores = [own.scores(weight) for own in sides]
        for k in ks:
            errors = [error(at, own, k) for at, own in enumerate(scores)]
            found.append(Setting(k, weight, sum(errors) / max(1, len(errors))))
    return sorted(found, key=lambda one: (one.error, one.k))


def left_out(known: Neighbours, numbers: Sequence[float], scale: Scale) -> Setting:
    """The best setting by train items, each estimated from the others (leave one out)."""
    step = max(1, len(known.items) // TRIED)
    places = range(0, len(known.items), step)
    values = scale.fitted(numbers)
    sides = [known.sides(known.items[at].question, known.vectors[at]) for at in places]
    wanted = [numbers[at] for at in places]
    return tried(sides, off(values, scale, wanted))[0]


def off(
    values: Floats, scale: Scale, wanted: Sequence[float]
) -> Callable[[int, Floats, int], float]:
    """The absolute error of what the neighbours of a text say, for :func:`tried`."""

    def error(at: int, scores: Floats, k: int) -> float:
        import numpy as np

        guess = scale.numbers(np.array([estimate(scores, values, k)]))[0]
        return abs(float(guess) - wanted[at])

    return error


def _form(text: str) -> tuple[str, ...]:
    return tuple(words(fold(text)))
