"""Which rows are good enough: score, cost and time against the goal of tailor.toml."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailor.scoring import format

if TYPE_CHECKING:
    from tailor.config import Goal
    from tailor.scoring.comparison import Row

Reached = Literal["reached", "unclear", "missed"]
"""``unclear``: the interval of the score holds the target, or what is asked for is not known."""

_WORDS = {
    "en": {
        "score": "a score of at least {value}",
        "cost": "at most {value} for 1,000 questions",
        "latency": "95 of 100 answers within {value}",
        "and": " and ",
        "reached": "The goal ({limits}) is reached by {rows}.",
        "unclear": "No row surely reaches the goal ({limits}); {rows} may, as the questions are "
        "too few to tell or a figure is not known.",
        "missed": "No row reaches the goal: {limits}.",
    },
    "vi": {
        "score": "điểm từ {value} trở lên",
        "cost": "không quá {value} cho 1.000 câu hỏi",
        "latency": "95 trên 100 câu trả lời trong vòng {value}",
        "and": " và ",
        "reached": "Dòng đạt mục tiêu ({limits}): {rows}.",
        "unclear": "Chưa dòng nào chắc chắn đạt mục tiêu ({limits}); {rows} có thể đạt, vì còn quá "
        "ít câu hỏi để kết luận hoặc có số liệu chưa biết.",
        "missed": "Không dòng nào đạt mục tiêu: {limits}.",
    },
}


@dataclass(frozen=True)
class Standing:
    """A row against the goal; None for what the goal sets no limit to."""

    row: Row
    score: Reached | None
    """By its 95 % interval on test: reached when all of it is at the target or above."""
    cost: Reached | None
    latency: Reached | None
    """By the 95th percentile of the seconds from question to answer."""

    @property
    def all(self) -> Reached:
        """All limits together."""
        kinds = (self.score, self.cost, self.latency)
        return "missed" if "missed" in kinds else "unclear" if "unclear" in kinds else "reached"


def has_limits(goal: Goal) -> bool:
    """Whether there is anything to reach."""
    return (goal.score, goal.cost_per_1000_usd, goal.latency_s) != (None, None, None)


def standings(rows: Sequence[Row], goal: Goal) -> tuple[Standing, ...]:
    """Every row that still holds, in the given order, against the goal."""
    return tuple(
        Standing(
            row,
            _score(row, goal.score),
            _at_most(row.cost_per_1000_usd, goal.cost_per_1000_usd),
            _at_most(row.p95, goal.latency_s),
        )
        for row in rows
        if not row.stale
    )


def sentence(rows: Sequence[Row], goal: Goal, lang: str) -> str:
    """Which rows reach the goal; empty where it has no limits or no row holds."""
    from tailor.scoring.comparison import key, labels

    found, words, names = standings(rows, goal), _WORDS[lang], labels(rows)
    if not has_limits(goal) or not found:
        return ""
    kinds: tuple[Reached, ...] = ("reached", "unclear", "missed")
    best = min((standing.all for standing in found), key=kinds.index)
    told = [names[key(standing.row)] for standing in found if standing.all == best]
    return words[best].format(limits=limits(goal, lang), rows=_listed(told, words["and"]))


def limits(goal: Goal, lang: str) -> str:
    """What the goal asks for, in words."""
    shown = {
        "score": None if goal.score is None else format.percent(goal.score, lang),
        "cost": None
        if goal.cost_per_1000_usd is None
        else format.usd(goal.cost_per_1000_usd, lang),
        "latency": None if goal.latency_s is None else format.seconds(goal.latency_s, lang),
    }
    words = _WORDS[lang]
    parts = [words[name].format(value=value) for name, value in shown.items() if value is not None]
    return _listed(parts, words["and"])


def _score(row: Row, target: float | None) -> Reached | None:
    if target is None:
        return None
    if row.primary is None:
        return "unclear"
    if row.primary.low >= target:
        return "reached"
    return "missed" if row.primary.high < target else "unclear"


def _at_most(value: float | None, limit: float | None) -> Reached | None:
    if limit is None:
        return None
    return "unclear" if value is None else "reached" if value <= limit else "missed"


def _listed(parts: Sequence[str], word: str) -> str:
    return word.join(filter(None, (", ".join(parts[:-1]), parts[-1]))) if parts else ""
