"""Rows against the goal of tailor.toml."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from tailor.config import Goal
from tailor.scoring.goal import has_limits, limits, sentence, standings
from tailor.scoring.statistics import Interval


def row(name: str, low: float, high: float, cost: float | None = 0.0, **fields: Any) -> Any:
    primary = Interval((low + high) / 2, low, high, 100)
    return SimpleNamespace(
        **{
            "row": name,
            "model": "m",
            "primary": primary,
            "cost_per_1000_usd": cost,
            "p95": 1.5,
            "stale": "",
            "origin": "",
            **fields,
        }
    )


def told(rows: list[Any], goal: Goal, lang: str = "en") -> str:
    return sentence(rows, goal, lang)


GOAL = Goal(score=0.7, cost_per_1000_usd=2.0, latency_s=2.0)


def test_the_whole_interval_has_to_reach_the_target() -> None:
    rows = [row("a", 0.5, 0.69), row("b", 0.6, 0.8), row("c", 0.7, 0.9)]
    assert [standing.score for standing in standings(rows, GOAL)] == [
        "missed",
        "unclear",
        "reached",
    ]
    assert [standing.all for standing in standings(rows, GOAL)] == ["missed", "unclear", "reached"]


def test_an_unknown_cost_is_not_zero() -> None:
    dear, cheap, unknown = row("a", 0.8, 1, 2.1), row("b", 0.8, 1, 2.0), row("c", 0.8, 1, None)
    assert [standing.cost for standing in standings([dear, cheap, unknown], GOAL)] == [
        "missed",
        "reached",
        "unclear",
    ]


def test_time_is_that_of_nearly_all_answers() -> None:
    rows = [row("slow", 0.8, 1, p95=2.1), row("quick", 0.8, 1), row("none", 0.8, 1, p95=None)]
    assert [s.latency for s in standings(rows, GOAL)] == ["missed", "reached", "unclear"]


def test_stale_rows_are_left_out() -> None:
    assert standings([row("a", 0.8, 1, stale="the benchmark changed")], GOAL) == ()
    assert told([row("a", 0.8, 1, stale="the benchmark changed")], GOAL) == ""


def test_the_sentence_names_the_rows_that_reach_most() -> None:
    low, maybe, good = row("low", 0.1, 0.2), row("maybe", 0.6, 0.8), row("good", 0.75, 0.9)
    asked = (
        "a score of at least 70.0%, at most $2.00 for 1,000 questions and 95 of 100 answers "
        "within 2.0 s"
    )
    assert limits(GOAL, "en") == asked
    assert told([low, maybe, good], GOAL) == f"The goal ({asked}) is reached by good."
    assert told([low, maybe], GOAL).startswith("No row surely reaches the goal")
    assert "maybe may" in told([low, maybe], GOAL)
    assert told([low], GOAL) == f"No row reaches the goal: {asked}."
    assert told([low, good], Goal(score=0.7), "vi") == (
        "Dòng đạt mục tiêu (điểm từ 70,0% trở lên): good."
    )


def test_without_limits_there_is_nothing_to_reach() -> None:
    assert not has_limits(Goal("to answer new employees"))
    assert told([row("a", 0.8, 1)], Goal()) == ""
