"""Where the marks stand in the report's pictures of numbers and labels: shares in percent.

They show what the pictures of the page Compare show; here they are SVG of the template, since the
report holds no script.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from tailor.prediction import pictures as drawing
from tailor.prediction.pictures import Pictures
from tailor.reporting.charts import Mark, ticks
from tailor.reporting.facts import Facts
from tailor.run import Run
from tailor.scoring import format
from tailor.scoring.label import by_label, confusion
from tailor.scoring.number import Yardstick
from tailor.scoring.scored import Scored
from tailor.scoring.statistics import Interval

GRADES = ("good", "fair", "poor", "none")
CUT = "→ "


def pictures(facts: Facts) -> dict[str, Any]:
    """Values of the template; ``task`` says which pictures there are."""
    task = facts.result.task
    if task == "number":
        return {"task": task, **_numbers(facts)}
    return {"task": task, **(_labels(facts) if task == "label" else {})}


def _shown(facts: Facts) -> list[tuple[Run, Scored]]:
    """The best row and the one it is read beside, which comes first."""
    both = [run for run in (facts.rival, facts.best) if run is not None]
    scored = {id(run): one for run, one in zip(facts.runs, facts.scored, strict=True)}
    return [(run, scored[id(run)]) for run in both]


def _numbers(facts: Facts) -> dict[str, Any]:
    by = facts.workspace.target.by
    assert by is not None
    drawn = [(facts.name(run), drawing.pictures(one)) for run, one in _shown(facts)]
    drawn = [(name, own) for name, own in drawn if own.points]
    means = [row.metrics.get("absolute_error") for row in facts.result.rows]
    return {
        "rule": _rule(facts, by),
        "errors": _errors(facts, by),
        "cut": _cut(facts, means, drawing.reach(means, [by.errors[facts.result.split]]), by),
        "estimates": [_estimates(facts, name, own, by) for name, own in drawn],
        "running": _running(facts, drawn, by),
        "bands": _bands(facts, drawn, by),
    }


def _amount(x: float | None, by: Yardstick, lang: str) -> str:
    return format.amount(x, by.currency, by.unit, lang)


def _rule(facts: Facts, by: Yardstick) -> str:
    lang = facts.lang
    (good, good_share), (fair, fair_share) = by.good, by.fair
    return facts.words["grades_rule"].format(
        good=_amount(good, by, lang),
        good_share=format.percent(good_share, lang),
        fair=_amount(fair, by, lang),
        fair_share=format.percent(fair_share, lang),
    )


def _errors(facts: Facts, by: Yardstick) -> list[dict[str, Any]]:
    """Every row's mean error, and its numbers by grade."""
    lang, rows = facts.lang, []
    means = [row.metrics.get("absolute_error") for row in facts.result.rows]
    most = drawing.reach(means, [by.errors[facts.result.split]])
    for row, mean, one in zip(facts.result.rows, means, facts.scored, strict=True):
        own = drawing.pictures(one)
        total, at, parts = sum(own.grades.values()) or 1, 0.0, []
        for grade in GRADES:
            share = 100 * own.grades[grade] / total
            told = f"{facts.words[f'grade_{grade}']} {format.percent(share / 100, lang)}"
            parts.append({"kind": grade, "x": round(at, 2), "width": round(share, 2), "told": told})
            at += share
        ends = _ends(mean, most) if mean else None
        rows.append({
            "name": facts.name(row), "won": facts.won(row), "stale": bool(row.stale),
            "bar": ends, "told": _told(mean, most, by, lang), "parts": parts,
            "n": format.count(mean.n, lang) if mean and mean.n < row.scored else "",
        })  # fmt: skip
    return rows


def _told(error: Interval | None, most: float, by: Yardstick, lang: str) -> str:
    """The mean error, with a sign where its bar is cut."""
    cut = CUT if error and error.high > most else ""
    return f"{cut}{_amount(error.mean if error else None, by, lang)}"


def _cut(facts: Facts, errors: Sequence[Interval | None], most: float, by: Yardstick) -> str:
    """What is said where a bar is cut."""
    if not any(error and error.high > most for error in errors):
        return ""
    return facts.words["cut_note"].format(end=_amount(most, by, facts.lang), times=drawing.REACH)


def _ends(error: Interval, most: float) -> list[float]:
    """A mean error and its interval as shares of the width, from 0 to where bars end."""
    return [
        round(100 * min(max(0.0, x) / most, 1.0), 2) for x in (error.mean, error.low, error.high)
    ]


def _estimates(facts: Facts, name: str, own: Pictures, by: Yardstick) -> dict[str, Any]:
    truths = [point.truth for point in own.points]
    high = max([*truths, *(point.guess for point in own.points)])
    if own.by_ratio:
        high = min(high, 3 * max(truths))
        marks = _decades(min(truths) / 1.5, high * 1.2)
        at = _along(min(truths) / 1.5, high * 1.2, math.log)
    else:
        marks = ticks([min([0.0, *truths]), high])
        at = _along(marks[0], marks[-1], float)
    told = [(mark, format.amount(mark, lang=facts.lang).removesuffix(".00").removesuffix(",00"))
            for mark in marks]  # fmt: skip
    return {
        "name": name,
        "points": [
            {
                "x": at(point.truth),
                "y": round(100 - at(point.guess), 2),
                "kind": point.grade,
                "told": f"{point.text}: {_amount(point.truth, by, facts.lang)} → "
                f"{_amount(point.guess, by, facts.lang)}",
            }
            for point in own.drawn
        ],
        "across": [Mark(at(mark), 0.0, text) for mark, text in told],
        "up": [Mark(0.0, round(100 - at(mark), 2), text) for mark, text in told],
        "counts": ", ".join(
            f"{format.count(n, facts.lang)} {facts.words[f'grade_{grade}']}"
            for grade, n in own.grades.items()
        ),
    }


def _along(low: float, high: float, scale: Callable[[float], float]) -> Callable[[float], float]:
    """How far a value is from one end to the other, in percent; what is beyond stands on it."""

    def at(value: float) -> float:
        inside = min(max(value, low), high)
        share = (scale(inside) - scale(low)) / ((scale(high) - scale(low)) or 1.0)
        return round(100 * share, 2)

    return at


def _decades(low: float, high: float) -> list[float]:
    """Powers of ten between two numbers; with 2 and 5 times as much where those are few."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    steps = (1,) if last - first > 3 else (1, 2, 5)
    found = [step * 10.0**power for power in range(first, last + 1) for step in steps]
    return [mark for mark in found if low <= mark <= high]


def _running(
    facts: Facts, drawn: Sequence[tuple[str, Pictures]], by: Yardstick
) -> dict[str, Any] | None:
    steps = [step for _, own in drawn for step in own.running]
    if not steps:
        return None
    across, most = ticks([step.n for step in steps]), max(step.high for step in steps)
    x = _along(0, max(step.n for step in steps), float)
    if drawing.far_apart([own for _, own in drawn]):
        least = min(step.mean for step in steps) / 2
        up, y = _decades(least, most), _along(least, most, math.log)
    else:
        up = ticks([0.0, most])
        y = _along(up[0], up[-1], float)

    def path(values: Sequence[tuple[int, float]]) -> str:
        return " ".join(f"{x(n)},{round(100 - y(value), 2)}" for n, value in values)

    lines = []
    for name, own in drawn:
        high = [(step.n, step.high) for step in own.running]
        low = [(step.n, step.low) for step in reversed(own.running)]
        lines.append({
            "name": name,
            "line": path([(step.n, step.mean) for step in own.running]),
            "band": path(high + low),
            "told": _amount(own.running[-1].mean, by, facts.lang) if own.running else "",
        })  # fmt: skip
    last = max(step.n for step in steps)
    return {
        "lines": lines,
        "across": [
            Mark(x(mark), 0.0, format.count(round(mark), facts.lang))
            for mark in across
            if mark <= last
        ],
        "up": [
            Mark(0.0, round(100 - y(mark), 2), format.count(round(mark), facts.lang)) for mark in up
        ],
    }


def _bands(facts: Facts, drawn: Sequence[tuple[str, Pictures]], by: Yardstick) -> dict[str, Any]:
    lang = facts.lang
    errors = [band.error for _, own in drawn for band in own.bands if band.error]
    most = drawing.reach(errors, [band.constant for _, own in drawn for band in own.bands])
    lines = []
    for at, (low, high) in enumerate(by.bands()):
        cells = []
        for _, own in drawn:
            error = own.bands[at].error
            ends = _ends(error, most) if error else None
            cells.append({"bar": ends, "told": _told(error, most, by, lang)})
        n = drawn[0][1].bands[at].n if drawn else 0
        lines.append({
            "name": _band_name(facts, low, high, by), "n": format.count(n, lang), "cells": cells,
        })  # fmt: skip
    names = [name for name, _ in drawn]
    return {"names": names, "lines": lines, "cut": _cut(facts, errors, most, by)}


def _band_name(facts: Facts, low: float | None, high: float | None, by: Yardstick) -> str:
    key = {(True, True): "band_all", (True, False): "band_below", (False, True): "band_from"}
    words = facts.words[key.get((low is None, high is None), "band")]
    return words.format(low=_amount(low, by, facts.lang), high=_amount(high, by, facts.lang))


def _labels(facts: Facts) -> dict[str, Any]:
    names = facts.workspace.target.labels
    (_, scored), *_ = _shown(facts)[-1:]
    table = confusion(scored, names)
    return {
        "row": facts.name(facts.best),
        "given": [*names, facts.words["grade_none"]],
        "lines": [
            {
                "name": name,
                "cells": [
                    {
                        "text": format.count(count, facts.lang) if count else "",
                        "kind": "right" if at == place else "mixed",
                        "share": round(count / (sum(counts) or 1), 3),
                    }
                    for place, count in enumerate(counts)
                ],
            }
            for at, (name, counts) in enumerate(zip(names, table.counts, strict=True))
        ],
        "by_label": [
            (
                one.label,
                format.count(one.n, facts.lang),
                *(format.percent(x, facts.lang) for x in (one.precision, one.recall, one.f1)),
            )
            for one in by_label(scored, names)
        ],
    }
