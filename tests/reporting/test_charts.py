"""Where the marks of the report's pictures stand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.reporting.charts import bar, scatter, ticks


@pytest.mark.parametrize(
    ("values", "marks"),
    [
        ([0.5, 7.2], [0, 2, 4, 6, 8]),
        ([0.03, 0.045], [0.03, 0.035, 0.04, 0.045]),
        ([0.0, 0.0], [0, 1]),
        ([], [0, 1]),
        ([3.0], [0, 3]),
        ([-18.0, -4.0], [-20, -15, -10, -5, 0]),
        ([-0.3, 0.0, 0.4], [-0.4, -0.2, 0, 0.2, 0.4]),
        ([-3.0], [-3, 0]),
    ],
)
def test_round_numbers(values: list[float], marks: list[float]) -> None:
    assert ticks(values) == pytest.approx(marks)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_few_marks_that_hold_all_values(values: list[float]) -> None:
    marks = ticks(values)
    rounding = 1e-6 * max(map(abs, values))
    assert 2 <= len(marks) <= 8
    assert marks[0] <= min(values) + rounding
    assert max(values) <= marks[-1] + rounding
    assert marks == sorted(set(marks))


def test_the_line_joins_what_nothing_beats() -> None:
    found = scatter([(1, 0.5), (2, 0.4), (4, 0.9)], lambda x: f"{x:g} s", lambda y: f"{y:.0%}")
    assert found.best == {1, 3}
    assert len(found.lines) == 1
    assert [mark.text for mark in found.across] == ["0 s", "1 s", "2 s", "3 s", "4 s"]
    assert found.up[0].y == 100
    first, second, third = found.points
    assert first.x < second.x < third.x
    assert third.y < first.y < second.y


def test_bars_stay_within_the_plot() -> None:
    assert (bar(0.5, -0.1, 1.2).low, bar(0.5, -0.1, 1.2).high) == (0, 100)
