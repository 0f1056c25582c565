"""What the pictures of a row show: its numbers against the true ones, and how its error runs."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from tailor.prediction.items import truth
from tailor.scoring.number import GUESS, Grade, no_less
from tailor.scoring.resampling import student
from tailor.scoring.scored import Scored
from tailor.scoring.statistics import Interval, intervals

T = TypeVar("T")
SHOWN = 1000
"""Points in one picture; of more, so many spread evenly over the items are drawn."""
STEPS = 150
"""Places of a running mean that are drawn."""
LONG = 90
"""Letters of an item's text that name its point."""
WIDE = 50
"""Axes grow by ratio where the largest true number is so many times the smallest."""
REACH = 3
"""Bars of mean errors end at so many times the best constant's error."""
FEW = 5
"""Items from which a running mean is drawn."""
APART = 10
"""The running errors grow by ratio where one row's is so many times another's."""


@dataclass(frozen=True)
class Point:
    """An item's true number, and the one that a row gave."""

    id: str
    text: str
    truth: float
    guess: float
    grade: Grade


@dataclass(frozen=True)
class Running:
    """The mean absolute error of the first ``n`` items that got a number, with its 95 % band."""

    n: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Band:
    """The mean absolute error of items whose true number is from ``low`` to below ``high``."""

    low: float | None
    high: float | None
    n: int
    """Items of the band, those without a number included."""
    error: Interval | None
    constant: float
    """The mean absolute error of the best constant on all of them; 0 where there are none."""


@dataclass(frozen=True)
class Pictures:
    """All that is drawn of a row; of the first answers where it was asked repeatedly."""

    points: tuple[Point, ...]
    without: int
    """Items whose answer holds no number; errors are left out."""
    running: tuple[Running, ...]
    bands: tuple[Band, ...]

    @property
    def grades(self) -> dict[str, int]:
        """How many items are green, orange, red, and without a number."""
        found = Counter(point.grade for point in self.points)
        return {
            "good": found["good"],
            "fair": found["fair"],
            "poor": found["poor"],
            "none": self.without,
        }

    @property
    def drawn(self) -> tuple[Point, ...]:
        """The points of the picture, at most ``SHOWN``."""
        return tuple(_spread(self.points, SHOWN))

    @property
    def by_ratio(self) -> bool:
        """Whether axes should grow by ratio: the true numbers are above 0 and far apart."""
        truths = [point.truth for point in self.points]
        return bool(truths) and min(truths) > 0 and max(truths) > WIDE * min(truths)


def pictures(run: Scored) -> Pictures:
    """What is drawn of a row of task ``number``.

    Raises:
        ValueError: the row is of another task.
    """
    by = run.target.by
    if by is None:
        raise ValueError(f"{run.row} gives no numbers")
    points, without = [], 0
    for question in run.questions:
        one = run.answers.get(question.id)
        if one is None or one.scores.get("good") is None:
            continue
        guess = one.scores.get(GUESS)
        if guess is None:
            without += 1
            continue
        told = " ".join(question.question.split())
        short = told if len(told) <= LONG else f"{told[: LONG - 1]}…"
        true = truth(question)
        points.append(Point(question.id, short, true, guess, by.grade(guess, true)))
    errors = [abs(point.guess - point.truth) for point in points]
    return Pictures(tuple(points), without, running(errors), _bands(run, points))


def reach(errors: Iterable[Interval | None], constants: Iterable[float]) -> float:
    """Where bars of mean errors end, so that a row that is absurdly off hides no other.

    At the largest end of an interval, but at ``REACH`` times the best constant's error; its number
    tells what a bar that is cut cannot show.
    """
    most = max((error.high for error in errors if error), default=0.0)
    usual = REACH * max(constants, default=0.0)
    return (min(most, usual) if usual > 0 else most) or 1.0


def far_apart(drawn: Sequence[Pictures]) -> bool:
    """Whether the running errors of rows are so unlike that an axis should grow by ratio."""
    ends = [own.running[-1].mean for own in drawn if own.running]
    return bool(ends) and min(ends) > 0 and max(ends) > APART * min(ends)


def running(errors: Sequence[float]) -> tuple[Running, ...]:
    """The mean of the first 5, 6, … errors with Student's 95 % interval.

    Fewer have one so wide that nothing else could be seen beside it; of 2 to 4 only all together.
    """
    found: list[Running] = []
    first = max(2, min(FEW, len(errors)))
    mean = squares = 0.0
    for n, error in enumerate(errors, 1):  # Welford 1962
        off = error - mean
        mean += off / n
        squares += off * (error - mean)
        if n >= first:
            half = student(n - 1) * math.sqrt(squares / (n - 1) / n)
            found.append(Running(n, mean, max(0.0, mean - half), mean + half))
    return tuple(_spread(found, STEPS))


def _spread(items: Sequence[T], most: int) -> list[T]:
    if len(items) <= most:
        return list(items)
    last = len(items) - 1
    return [items[round(at * last / (most - 1))] for at in range(most)]


def _bands(run: Scored, points: Sequence[Point]) -> tuple[Band, ...]:
    assert run.target.by is not None
    known = {point.id: point for point in points}
    bands = []
    for low, high in run.target.by.bands():
        inside = {
            q.id: truth(q)
            for q in run.questions
            if (low is None or truth(q) >= low) and (high is None or truth(q) < high)
        }
        errors = [abs(known[id].guess - true) for id, true in inside.items() if id in known]
        usual = [abs(run.target.by.constant - true) for true in inside.values()]
        constant = sum(usual) / len(usual) if usual else 0.0
        bands.append(Band(low, high, len(inside), _mean(errors), constant))
    return tuple(bands)


def _mean(errors: Sequence[float]) -> Interval | None:
    import numpy as np

    if not errors:
        return None
    found = intervals(np.array(errors)[:, None], free=(0,))[0]
    return no_less(found) if found else None
