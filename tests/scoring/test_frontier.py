"""The rows that no other one beats in both score and price."""

from __future__ import annotations

from tailor.scoring.frontier import frontier


def test_the_frontier_rises_with_the_price() -> None:
    points = [(0.0, 0.2), (0.1, 0.3), (0.05, 0.5), (0.4, 0.8), (0.3, 0.45), (0.5, 0.9)]
    assert frontier(points) == (0, 2, 3, 5)


def test_of_equal_points_and_prices_one_is_on_it() -> None:
    assert frontier([(1.0, 0.5), (1.0, 0.7), (1.0, 0.7), (2.0, 0.7)]) == (1,)
    assert frontier([]) == ()
