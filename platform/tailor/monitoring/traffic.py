"""Traffic: how much was asked, how it ended, how long it took and what it cost, day by day."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailor.serving.kept import Ended, Served


@dataclass(frozen=True)
class Traffic:
    """Served questions of one day, or of all days together."""

    day: str
    """ISO 8601, UTC; empty for all together."""
    questions: int
    refused: int
    unparseable: int
    errors: int
    p50: float | None
    """Seconds from the request to the end of the reply, errors left out."""
    p95: float | None
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None when the price of one answer is not known."""


def traffic(served: Sequence[Ended | Served]) -> Traffic:
    """All of them together."""
    return _told("", served)


def by_day(served: Sequence[Ended | Served]) -> tuple[Traffic, ...]:
    """By the day they were asked on, the first day first; days without any are left out."""
    days: dict[str, list[Ended | Served]] = defaultdict(list)
    for one in served:
        days[datetime.fromtimestamp(one.at, UTC).date().isoformat()].append(one)
    return tuple(_told(day, days[day]) for day in sorted(days))


def _told(day: str, served: Sequence[Ended | Served]) -> Traffic:
    import numpy as np

    ended = [one.outcome for one in served]
    seconds = [one.seconds for one in served if one.outcome != "error"]
    p50, p95 = np.quantile(seconds, (0.5, 0.95)).tolist() if seconds else (None, None)
    costs = [one.cost_usd for one in served]
    return Traffic(
        day=day,
        questions=len(served),
        refused=ended.count("refused"),
        unparseable=ended.count("unparseable"),
        errors=ended.count("error"),
        p50=p50,
        p95=p95,
        input_tokens=sum(one.input_tokens for one in served),
        output_tokens=sum(one.output_tokens for one in served),
        cost_usd=None if any(c is None for c in costs) else math.fsum(filter(None, costs)),
    )
