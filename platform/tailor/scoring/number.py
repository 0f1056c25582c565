"""Scores of a number against the true one, and measures of all numbers of a row together.

``skill`` is what is saved of the error of the best constant, the median of the train items (the
constant with the least mean absolute error): 1 - error / the constant's mean error on the split.
A paired test on it is a paired test on absolute errors.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from statistics import fmean, median, quantiles
from typing import TYPE_CHECKING, Literal

from tailor.errors import TailorError
from tailor.prediction.items import truth
from tailor.prediction.parsing import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.assistant import Answer
    from tailor.benchmark import Benchmark, Question
    from tailor.config import Items
    from tailor.scoring.pooled import Measure
    from tailor.scoring.scored import Scored
    from tailor.scoring.statistics import Interval

    Floats = NDArray[np.float64]

GUESS = "_guess"
"""Among the scores of an answer: the number it gave, which is no metric."""
ERRORS = ("absolute_error", "percent_error", "squared_log_error")
"""Metrics that are never below 0."""
FREE = ("skill", *ERRORS)
"""Metrics that are no shares between 0 and 1."""
BANDS = 4
"""Parts of equal size that the train numbers are cut into."""
Grade = Literal["good", "fair", "poor"]
"""Green, orange and red."""


@dataclass(frozen=True)
class Yardstick:
    """What numbers are measured by."""

    constant: float
    """The best constant: the median of the train items."""
    errors: Mapping[str, float]
    """The constant's mean absolute error, by split."""
    good: tuple[float, float]
    """Good is off by less than the first, or by less than this share of the true number."""
    fair: tuple[float, float]
    bounds: tuple[float, ...]
    """Where bands of the true number end, ascending."""
    currency: str = ""
    unit: str = ""

    @classmethod
    def of(cls, benchmark: Benchmark, items: Items) -> Yardstick:
        """That of the items of a workspace.

        Raises:
            TailorError: no item is for training.
        """
        train = [truth(q) for q in benchmark.split("train")]
        if not train:
            raise TailorError(
                "There is no train item to find the best constant by, which numbers are held "
                'against: give some items "split": "train".'
            )
        constant = median(train)
        parts: dict[str, list[Question]] = {}
        for q in benchmark.questions:
            parts.setdefault(q.split, []).append(q)
        return cls(
            constant=constant,
            errors={
                name: fmean(abs(constant - truth(q)) for q in own) for name, own in parts.items()
            },
            good=(items.good_within[0], items.good_within[1]),
            fair=(items.fair_within[0], items.fair_within[1]),
            bounds=_bounds(train),
            currency="" if items.unit else items.currency,
            unit=items.unit,
        )

    def grade(self, guess: float, truth: float) -> Grade:
        """Green, orange or red, as published with the price task."""
        error = abs(guess - truth)
        for name, (amount, share) in (("good", self.good), ("fair", self.fair)):
            if error < amount or (truth and error / abs(truth) < share):
                return "good" if name == "good" else "fair"
        return "poor"

    def bands(self) -> tuple[tuple[float | None, float | None], ...]:
        """From (inclusive) and up to which number each band goes; None where it has no end."""
        ends = (None, *self.bounds, None)
        return tuple(pairwise(ends))


def scores(question: Question, answer: Answer, by: Yardstick) -> dict[str, float | None]:
    """Each metric of an answer; None where it does not apply, and all where it is an error.

    What holds no number counts in ``skill`` as the best constant would, is not good, and has no
    error.
    """
    names = ("skill", "absolute_error", "percent_error", "good", "fair", "squared_log_error", GUESS)
    found: dict[str, float | None] = dict.fromkeys(names)
    if answer.outcome == "error":
        return found
    true = truth(question)
    guess = number(answer.text, by.currency, by.unit) if answer.outcome == "ok" else None
    error = abs((by.constant if guess is None else guess) - true)
    typical = by.errors[question.split]
    found["skill"] = 1 - error / typical if typical else float(error == 0)
    found |= {"good": 0.0, "fair": 0.0}
    if guess is None:
        return found
    grade = by.grade(guess, true)
    return found | {
        "absolute_error": error,
        "percent_error": error / abs(true) if true else None,
        "good": float(grade == "good"),
        "fair": float(grade != "poor"),
        "squared_log_error": (_log(true) - _log(guess)) ** 2,
        GUESS: guess,
    }


def pooled(run: Scored, questions: Sequence[Question], by: Yardstick) -> list[Measure]:
    """Measures of the row as a whole, over the answers that hold a number.

    ``skill``, over all answers; ``median_error``; ``rmse``; ``rmsle``, the root of the mean
    squared difference of the logarithms of number + 1; ``r2``; and by band of the true number
    ``skill`` (over all answers), ``absolute_error`` and ``good``.
    """
    import numpy as np

    from tailor.scoring.pooled import Measure

    def column(name: str) -> NDArray[np.float64]:
        values = run.values(name)
        return np.array([values.get(q.id) for q in questions], dtype=float)

    truths = np.array([truth(q) for q in questions])
    error, good = column("absolute_error"), column("good")
    out = [
        Measure("median_error", error[:, None], None),
        Measure("rmse", error[:, None] ** 2, _root),
        Measure("rmsle", column("squared_log_error")[:, None], _root),
        Measure("r2", np.stack([error**2, truths, truths**2], axis=1), _r2),
    ]
    whole = skill(run, questions, by)
    out.append(whole)
    for low, high in by.bands():
        inside = (truths >= (-math.inf if low is None else low)) & (
            truths < (math.inf if high is None else high)
        )
        name = band(low, high)
        measures = (
            ("skill", whole.columns, _saved),
            ("absolute_error", error[:, None], _mean),
            ("good", good[:, None], _mean),
        )
        for metric, columns, value in measures:
            own = np.where(inside[:, None], columns, np.nan)
            out.append(Measure(f"{metric} {name}", own, value))
    return out


def skill(run: Scored, questions: Sequence[Question], by: Yardstick) -> Measure:
    """The share of the constant's error on these questions that is saved.

    Over a whole split it is the mean of the answers' skill. It is drawn with the constant's error,
    so that its interval is that of the difference from the constant.
    """
    import numpy as np

    from tailor.scoring.pooled import Measure

    values = run.values("skill")
    own = np.array([values.get(q.id) for q in questions], dtype=float)
    lost = (1 - own) * [by.errors[q.split] for q in questions]
    constant = [abs(by.constant - truth(q)) for q in questions]
    return Measure("skill", np.stack([lost, np.array(constant)], axis=1), _saved)


def no_less(error: Interval) -> Interval:
    """An interval of errors, none of which is below 0; of few ones it may reach below."""
    return replace(error, low=max(0.0, error.low))


def _root(sums: Floats) -> Floats:
    return (sums[..., 0] / sums[..., 1]) ** 0.5


def _mean(sums: Floats) -> Floats:
    return sums[..., 0] / sums[..., 1]


def _saved(sums: Floats) -> Floats:
    return 1 - sums[..., 0] / sums[..., 1]


def _r2(sums: Floats) -> Floats:
    return 1 - sums[..., 0] / (sums[..., 2] - sums[..., 1] ** 2 / sums[..., 3])


def band(low: float | None, high: float | None) -> str:
    """What a band is called in the names of metrics: ``<20``, ``20-45``, ``>=120``."""
    if low is None:
        return f"<{high:g}" if high is not None else "all"
    return f">={low:g}" if high is None else f"{low:g}-{high:g}"


def _log(value: float) -> float:
    """Of number + 1; what is below 0 counts as 0."""
    return math.log1p(max(0.0, value))


def _bounds(train: Sequence[float]) -> tuple[float, ...]:
    """The quantiles of the train numbers, to two digits; fewer where they are the same."""
    if len(train) < BANDS:
        return ()
    cuts = quantiles(train, n=BANDS)
    rounded = [float(f"{cut:.2g}") for cut in cuts]
    return tuple(sorted(set(rounded) - {min(train)}))
