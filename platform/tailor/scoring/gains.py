"""Every metric of a row against another row: of numbers and labels, where several matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from tailor.scoring import label, number
from tailor.scoring import pooled as drawn
from tailor.scoring.statistics import Interval, Paired, differences, holm

if TYPE_CHECKING:
    from tailor.scoring.pooled import Measure
    from tailor.scoring.scored import Scored
    from tailor.scoring.step import Aligned

PAIRED: Mapping[str, tuple[str, ...]] = {
    "answer": (),
    "number": ("absolute_error", "percent_error", "good", "fair"),
    "label": ("coverage", "accuracy_when_answered"),
}
"""Metrics of single answers, besides the primary one, that rows are held against each other by."""


def measures(run: Scored, aligned: Aligned) -> list[Measure]:
    """The measures of a row as a whole, by its task; none of answers."""
    target = run.target
    if target.by is not None:
        return number.pooled(run, aligned.questions, target.by)
    if target.task == "label":
        return label.pooled(run, aligned.questions, target.labels)
    return []


def pooled(run: Scored, aligned: Aligned) -> dict[str, Interval | None]:
    """The measures of a row as a whole with their intervals, by name."""
    return drawn.intervals(measures(run, aligned), aligned.groups)


def gains(
    runs: Sequence[Scored], before: Sequence[Scored | None], aligned: Aligned
) -> list[dict[str, Paired]]:
    """For each row its metrics minus those of the row before it, by name; nothing without one.

    Those of bands are left out.

    The p values of a metric are adjusted for all rows (Holm).
    """
    found = [
        _against(run, base, aligned) if base is not None else {}
        for run, base in zip(runs, before, strict=True)
    ]
    adjusted: list[dict[str, Paired]] = [{} for _ in found]
    for name in dict.fromkeys(name for own in found for name in own):
        for own, one in zip(adjusted, holm([own.get(name) for own in found]), strict=True):
            if one is not None:
                own[name] = one
    return adjusted


def _against(run: Scored, base: Scored, aligned: Aligned) -> dict[str, Paired]:
    import numpy as np

    names = PAIRED[run.target.task]
    if not names:
        return {}
    left, right = (
        np.array([[values.get(q.id) for values in own] for q in aligned.questions], dtype=float)
        for own in ([one.values(name) for name in names] for one in (base, run))
    )
    free = [at for at, name in enumerate(names) if name in number.FREE]
    single = zip(names, differences(left, right, aligned.groups, free=free), strict=True)
    before, after = (
        [one for one in measures(of, aligned) if " " not in one.name] for of in (base, run)
    )
    whole = drawn.differences(before, after, aligned.groups)
    return {name: gain for name, gain in single if gain is not None} | whole
