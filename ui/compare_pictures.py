"""Pictures of rows that give numbers or labels: each estimate, its error as it runs, by band."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.prediction.pictures import REACH, Pictures, far_apart, reach
from tailor.run import Run
from tailor.scoring import comparison as compared
from tailor.scoring import format
from tailor.scoring.comparison import Comparison
from tailor.scoring.label import by_label, confusion
from tailor.scoring.number import Yardstick
from tailor.scoring.statistics import Interval
from tailor.ui import colours, opened, picture_charts
from tailor.ui import compared as counted
from tailor.ui.compare_sides import Sides
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

GRADES = ("good", "fair", "poor", "none")
CUT = "→ "


def show(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """All rows beside each other, then the two that were chosen."""
    by = workspace.target.by
    if by is None:
        labels(workspace, sides, say)
    else:
        errors(workspace, result, by, say)
        numbers(sides, by, say)


def errors(workspace: Workspace, result: Comparison, by: Yardstick, say: Language) -> None:
    """The mean error of every row, and how many of its numbers are good, fair and poor."""
    names = compared.labels(result.rows)
    runs = {compared.key(run): run for run in workspace.runs()}
    bars: list[dict[str, Any]] = []
    shares: list[dict[str, Any]] = []
    means = [row.metrics.get("absolute_error") for row in result.rows if not row.stale]
    end = reach(means, [by.errors["test"]])
    for row in result.rows:
        mean, run = row.metrics.get("absolute_error"), runs.get(compared.key(row))
        if mean is None or run is None or row.stale:
            continue
        name = names[compared.key(row)]
        text, low, high = (_amount(x, by, say) for x in (mean.mean, mean.low, mean.high))
        few = f" (n = {format.count(mean.n, say.code)})" if mean.n < row.scored else ""
        bars.append({
            "row": name, **_within(mean, end), "text": f"{_cut(mean, end)}{text}{few}",
            "told": say("compare.interval", mean=text, low=low, high=high) + few,
        })  # fmt: skip
        shares += _shares(name, counted.pictured(run), say)
    if not bars:
        st.info(say("compare.no_scores"))
        return
    left, right = st.columns(2, gap="large")
    with left:
        st.subheader(say("pictures.errors"), anchor=False)
        st.caption(literal(say("pictures.errors_help", unit=by.currency or by.unit or "1")))
        _said_cut(means, end, by, say)
        told = "; ".join(f"{bar['row']}: {bar['told']}" for bar in bars)
        opened.chart(picture_charts.bars, bars, say.code, colours.dark(), alt=told)
    with right:
        st.subheader(say("pictures.shares"), anchor=False)
        st.caption(literal(_rule(by, say)))
        told = "; ".join(f"{part['row']}: {part['grade']} {part['text']}" for part in shares)
        opened.chart(picture_charts.shares, shares, say.code, colours.dark(), alt=told)


def _within(error: Interval, end: float) -> dict[str, float]:
    """A bar and its interval, from 0 to where bars end."""
    return {name: min(max(0.0, getattr(error, name)), end) for name in ("mean", "low", "high")}


def _cut(error: Interval, end: float) -> str:
    """The sign of what does not end within the picture."""
    return CUT if error.high > end else ""


def _said_cut(errors: Sequence[Interval | None], end: float, by: Yardstick, say: Language) -> None:
    if any(error and error.high > end for error in errors):
        st.caption(literal(say("pictures.cut", end=_amount(end, by, say), times=REACH)))


def _shares(name: str, own: Pictures, say: Language) -> list[dict[str, Any]]:
    total = sum(own.grades.values()) or 1
    return [
        {
            "row": name,
            "kind": grade,
            "order": at,
            "grade": say(f"pictures.{grade}"),
            "share": own.grades[grade] / total,
            "text": format.percent(own.grades[grade] / total, say.code),
        }
        for at, grade in enumerate(GRADES)
    ]


def _rule(by: Yardstick, say: Language) -> str:
    (good, good_share), (fair, fair_share) = by.good, by.fair
    return say(
        "pictures.rule",
        good=_amount(good, by, say), good_share=format.percent(good_share, say.code),
        fair=_amount(fair, by, say), fair_share=format.percent(fair_share, say.code),
    )  # fmt: skip


def numbers(sides: Sides, by: Yardstick, say: Language) -> None:
    """Estimates, running error and bands of both rows, beside each other."""
    chosen = [(sides.candidate_name, sides.candidate)]
    if not sides.one:
        chosen.insert(0, (sides.base_name, sides.base))
    shown = [(name, run, counted.pictured(run)) for name, run in chosen if not run.stale()]
    st.subheader(say("pictures.estimates"), anchor=False)
    st.caption(say("pictures.estimates_help"))
    for column, (name, _, own) in zip(st.columns(len(shown) or 1), shown, strict=False):
        with column:
            st.markdown(f"**{literal(name)}**")
            if own.points:
                _estimates(own, by, say)
            else:
                st.info(say("pictures.no_numbers"))
            if own.without:
                st.caption(say("pictures.without", count=format.count(own.without, say.code)))
    drawn = [(name, own) for name, _, own in shown if own.points]
    if drawn:
        st.subheader(say("pictures.running"), anchor=False)
        st.caption(say("pictures.running_help"))
        _running(drawn, by, say)
        st.subheader(say("pictures.bands"), anchor=False)
        st.caption(say("pictures.bands_help"))
        _bands(drawn, by, say)


def _estimates(own: Pictures, by: Yardstick, say: Language) -> None:
    points = [
        {
            "id": point.id, "text": point.text, "truth": point.truth, "guess": point.guess,
            "kind": point.grade, "truth_text": _amount(point.truth, by, say),
            "guess_text": _amount(point.guess, by, say),
        }
        for point in own.drawn
    ]  # fmt: skip
    counts = {grade: format.count(n, say.code) for grade, n in own.grades.items()}
    opened.chart(
        picture_charts.estimates, points, own.by_ratio, say.code, colours.dark(),
        alt=say("pictures.estimates_told", **counts),
    )  # fmt: skip
    if len(own.points) > len(own.drawn):
        counted_all = format.count(len(own.points), say.code)
        drawn = format.count(len(own.drawn), say.code)
        st.caption(say("pictures.drawn", drawn=drawn, n=counted_all))


def _running(drawn: Sequence[tuple[str, Pictures]], by: Yardstick, say: Language) -> None:
    steps = [
        {
            "row": name, "n": step.n, "mean": step.mean, "low": step.low, "high": step.high,
            "told": say(
                "compare.interval",
                mean=_amount(step.mean, by, say), low=_amount(step.low, by, say),
                high=_amount(step.high, by, say),
            ),
        }
        for name, own in drawn
        for step in own.running
    ]  # fmt: skip
    last = [(name, own.running[-1]) for name, own in drawn if own.running]
    told = "; ".join(f"{name}: {_amount(step.mean, by, say)}" for name, step in last)
    ratio = far_apart([own for _, own in drawn])
    opened.chart(picture_charts.running, steps, ratio, say.code, colours.dark(), alt=told)


def _bands(drawn: Sequence[tuple[str, Pictures]], by: Yardstick, say: Language) -> None:
    both = [band for _, own in drawn for band in own.bands]
    errors = [band.error for band in both]
    end = reach(errors, [band.constant for band in both])
    _said_cut(errors, end, by, say)
    bars = [
        {
            "row": name,
            "order": at,
            "band": band_name(band.low, band.high, by, say),
            **_within(band.error, end),
            "text": _amount(band.error.mean, by, say),
            "shown": f"{_cut(band.error, end)}{_amount(band.error.mean, by, say)}",
            "n": format.count(band.n, say.code),
        }
        for name, own in drawn
        for at, band in enumerate(own.bands)
        if band.error is not None
    ]  # fmt: skip
    told = "; ".join(f"{bar['row']}, {bar['band']}: {bar['text']}" for bar in bars)
    opened.chart(picture_charts.bands, bars, say.code, colours.dark(), alt=told)


def band_name(low: float | None, high: float | None, by: Yardstick, say: Language) -> str:
    """What a band of true numbers is called."""
    if low is None and high is None:
        return say("pictures.band_all")
    if low is None:
        return say("pictures.band_below", high=_amount(high, by, say))
    if high is None:
        return say("pictures.band_from", low=_amount(low, by, say))
    return say("pictures.band", low=_amount(low, by, say), high=_amount(high, by, say))


def labels(workspace: Workspace, sides: Sides, say: Language) -> None:
    """Which label was given in place of which, and how each label fares, of both rows."""
    names = workspace.target.labels
    chosen: list[tuple[str, Run]] = [(sides.candidate_name, sides.candidate)]
    if not sides.one:
        chosen.insert(0, (sides.base_name, sides.base))
    st.subheader(say("pictures.confusion"), anchor=False)
    st.caption(say("pictures.confusion_help"))
    for column, (name, run) in zip(st.columns(len(chosen)), chosen, strict=True):
        with column:
            st.markdown(f"**{literal(name)}**")
            scored = run.scored("test")
            found = confusion(scored, names)
            given = (*names, say("pictures.none"))
            cells: list[dict[str, Any]] = [
                {"true": true, "given": given[at], "count": count, "right": true == given[at],
                 "share": count / (sum(line) or 1), "text": format.count(count, say.code)}
                for true, line in zip(names, found.counts, strict=True)
                for at, count in enumerate(line)
            ]  # fmt: skip
            mixed = sorted((c for c in cells if not c["right"]), key=lambda c: -c["count"])[:5]
            told = "; ".join(f"{c['true']} → {c['given']}: {c['text']}" for c in mixed)
            opened.chart(
                picture_charts.confusion, cells, list(given), say.code, colours.dark(),
                alt=told,
            )  # fmt: skip
            st.dataframe(
                {
                    say("pictures.label"): list(names),
                    say("stages.n"): [
                        format.count(one.n, say.code) for one in by_label(scored, names)
                    ],
                    **{
                        say(f"pictures.{kind}"): [
                            format.percent(getattr(one, kind), say.code)
                            for one in by_label(scored, names)
                        ]
                        for kind in ("precision", "recall", "f1")
                    },
                },
                hide_index=True,
                alt=say("pictures.by_label"),
                height="content",
            )


def _amount(x: float | None, by: Yardstick, say: Language) -> str:
    return format.amount(x, by.currency, by.unit, say.code)
