"""Where the marks of the report's pictures stand: shares of a plot's width and height, in percent.

Pictures are drawn by the template as SVG in percent, so that they are as wide as the page and
their letters stay as large as the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tailor.scoring.frontier import frontier


@dataclass(frozen=True)
class Bar:
    """A score and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Mark:
    """A number or a value at its place; ``y`` counts from the top."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Scatter:
    """Scores over a price, with the rows that no other beats in both joined by a line."""

    points: tuple[Mark, ...]
    """By number, from 1."""
    best: frozenset[int]
    """The numbers of the points on the line."""
    lines: tuple[tuple[Mark, Mark], ...]
    across: tuple[Mark, ...]
    """Marks of the price axis."""
    up: tuple[Mark, ...]
    """Marks of the score axis."""


def bar(mean: float, low: float, high: float) -> Bar:
    """Scores between 0 and 1 as percent of the width."""
    return Bar(*(_within(100 * x) for x in (mean, low, high)))


def scatter(
    points: Sequence[tuple[float, float]],
    price: Callable[[float], str],
    score: Callable[[float], str],
) -> Scatter:
    """Points (price, score between 0 and 1); ``price`` and ``score`` write an axis' values."""
    across, up = ticks([x for x, _ in points]), ticks([0.0, *(y for _, y in points)])

    def at(x: float, y: float, text: str = "") -> Mark:
        return Mark(_share(x, across), round(100 - _share(y, up), 2), text)

    line = frontier(points)
    joined = [at(*points[number]) for number in line]
    return Scatter(
        points=tuple(at(*point, str(number)) for number, point in enumerate(points, 1)),
        best=frozenset(number + 1 for number in line),
        lines=tuple(pairwise(joined)),
        across=tuple(at(x, 0.0, price(x)) for x in across),
        up=tuple(at(across[0], y, score(y)) for y in up),
    )


def ticks(values: Sequence[float]) -> list[float]:
    """Two to six round numbers around the values: from 0 on, unless all are far from it."""
    lowest, highest = min(values, default=0.0), max(values, default=0.0)
    if 0 < lowest < highest / 2:
        lowest = 0.0
    if highest <= lowest:
        return sorted((0.0, highest or 1.0))
    power = 10.0 ** math.floor(math.log10((highest - lowest) / 4))
    step = next(s for m in (1, 2, 5, 10) if (s := m * power) * 4.5 >= highest - lowest)
    first, last = math.floor(lowest / step + 1e-9), math.ceil(highest / step - 1e-9)
    return [number * step for number in range(first, last + 1)]


def _share(x: float, marks: Sequence[float]) -> float:
    """How far a value is from the first mark to the last, in percent."""
    return _within(100 * (x - marks[0]) / (marks[-1] - marks[0]))


def _within(x: float) -> float:
    return round(min(100.0, max(0.0, x)), 2)
