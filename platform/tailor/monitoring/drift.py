"""Drift: served questions that are unlike anything the benchmark asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.scoring.groups import groups
from tailor.scoring.statistics import Interval, interval

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.benchmark import Question

    Vectors = NDArray[np.float32]

EXPECTED = 0.05
"""Share of the benchmark's questions that lies further from all others than the limit."""
ALARM = 0.15
"""Share of far questions from which on the benchmark no longer stands for what is asked."""
FEWEST = 20
"""Questions on either side below which nothing is told."""


@dataclass(frozen=True)
class Drift:
    """How far served questions are from those of the benchmark."""

    limit: float | None
    """Cosine to the nearest benchmark question below which one is far; None: too few."""
    far: Interval | None
    """Share of the served questions that are far."""
    nearest: tuple[float, ...]
    """Of each served question, in order."""
    languages: dict[str, tuple[float, float]]
    """Share of each language, of the benchmark and of what is served."""

    @property
    def drifted(self) -> bool:
        """Whether more than ``ALARM`` are far, beyond doubt."""
        return self.far is not None and self.far.low > ALARM


def drift(
    benchmark: Sequence[Question], known: Vectors, served: Sequence[str], vectors: Vectors
) -> Drift:
    """Served questions against the benchmark's, by the cosine to the nearest one.

    What is usual is told by the benchmark itself: each of its questions against those about other
    documents. Its 5 % quantile is the limit, so that about as many served questions lie below it
    where they are alike.

    Args:
        benchmark: the questions that ``known`` are the vectors of.
        known: unit vectors, (questions, dimension).
        served: the languages of the served questions.
        vectors: unit vectors of those, (served, dimension).
    """
    import numpy as np

    languages = _shares([q.lang for q in benchmark], served)
    if min(len(benchmark), len(served)) < FEWEST:
        return Drift(None, None, (), languages)
    own = np.array(groups(benchmark))
    alike = np.where(own[:, None] == own[None, :], -1.0, known @ known.T)
    limit = float(np.quantile(alike.max(axis=1), EXPECTED))
    nearest = (vectors @ known.T).max(axis=1)
    far = interval([float(value < limit) for value in nearest.tolist()])
    return Drift(limit, far, tuple(nearest.tolist()), languages)


def _shares(known: Sequence[str], served: Sequence[str]) -> dict[str, tuple[float, float]]:
    names = sorted({*known, *served})
    return {
        name: (known.count(name) / max(1, len(known)), served.count(name) / max(1, len(served)))
        for name in names
    }
