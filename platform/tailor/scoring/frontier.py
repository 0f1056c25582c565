"""Which rows no other one beats in both score and price."""

from __future__ import annotations

from collections.abc import Sequence


def frontier(points: Sequence[tuple[float, float]]) -> tuple[int, ...]:
    """The positions of the points (price, score) that are on the Pareto frontier, by price.

    A point is on it when no other has a score at least as high for a price at most as high, one of
    the two better; of equal points the first is.
    """
    order = sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1], at))
    found: list[int] = []
    for at in order:
        if not found or points[at][1] > points[found[-1]][1]:
            found.append(at)
    return tuple(found)
