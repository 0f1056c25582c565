"""From how many questions a month on one row is cheaper than another."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

HOURS = 730
"""Of a month: 365 × 24 / 12."""

Outcome = Literal["always", "from", "until", "never", "equal", "unknown"]


@dataclass(frozen=True)
class Costs:
    """What a row costs, in US dollars; None where it is not known."""

    once: float | None = 0.0
    """Training and tuning."""
    month: float | None = 0.0
    """Whatever the number of questions: a machine that is kept on."""
    question: float | None = 0.0
    """Of one question."""

    def a_month(self, questions: float, months: float) -> float | None:
        """Of a month with so many questions, when what is paid once lasts for ``months``."""
        if self.once is None or self.month is None or self.question is None:
            return None
        return self.once / months + self.month + questions * self.question


@dataclass(frozen=True)
class BreakEven:
    """When the one is cheaper than the other."""

    outcome: Outcome
    """``from``: from ``questions`` a month on; ``until``: up to so many; ``always`` and ``never``:
    whatever their number; ``equal``: they cost the same; ``unknown``: a cost is not known."""
    questions: int | None = None
    """A month; None where there is no such number."""


def break_even(one: Costs, other: Costs, months: float = 12) -> BreakEven:
    """When ``one`` is cheaper than ``other``.

    A month with q questions costs ``once / months + month + q × question``. With the fixed parts
    F = once / months + month, both cost the same at

        q* = (F_one - F_other) / (question_other - question_one)

    Above q* the one with the cheaper question is cheaper, below it the one with the smaller fixed
    part. Where one row has both, it is cheaper at any q. q* is rounded to the side where ``one``
    is the cheaper.

    Args:
        one: The row that may be cheaper.
        other: The row it is held against.
        months: How long what is paid once lasts, until it is due again.
    """
    fixed, others_fixed = one.a_month(0, months), other.a_month(0, months)
    if fixed is None or others_fixed is None or one.question is None or other.question is None:
        return BreakEven("unknown")
    extra, saved = fixed - others_fixed, other.question - one.question
    if extra == saved == 0:
        return BreakEven("equal")
    if extra <= 0 <= saved:
        return BreakEven("always")
    if saved <= 0 <= extra:
        return BreakEven("never")
    same = round(extra / saved, 6)
    if saved > 0:
        return BreakEven("from", math.ceil(same))
    return BreakEven("until", math.floor(same))


def kept_on(gpu_hour_usd: float | None, once: float | None = 0.0) -> Costs:
    """A machine that is on all month and answers as many questions as it can."""
    return Costs(once, None if gpu_hour_usd is None else HOURS * gpu_hour_usd, 0.0)


def capacity(seconds: float | None) -> int | None:
    """How many questions a month one machine answers, one after the other."""
    return None if not seconds else math.floor(HOURS * 3600 / seconds)
