"""The pictures of numbers and labels, drawn by Altair; the page's theme gives the colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tailor.ui.colours import accent, figures, ink
from tailor.ui.language import language

Lines = Sequence[Mapping[str, Any]]
PLAIN = ",.12~g"
GRADES = ("good", "fair", "poor", "none")
SHAPES = ("circle", "diamond", "cross")
LIGHT = {"good": "#2e8b57", "fair": "#e08a1e", "poor": "#c8402f", "none": "#b9c0bf"}
DARK = {"good": "#52b788", "fair": "#f0a94a", "poor": "#e8705f", "none": "#59615f"}


def _accents(night: bool) -> list[str]:
    return ["#8f9a98" if night else "#7a8583", accent(night)]


def _axis(alt: Any, code: str, **more: Any) -> Any:
    return alt.Axis(labelExpr=figures(code), labelFlush=True, **more)


def _grades(alt: Any, code: str, night: bool, kinds: Sequence[str], field: str = "kind") -> Any:
    say, colours = language(code), DARK if night else LIGHT
    words = {kind: say(f"pictures.{kind}") for kind in kinds}
    told = " : ".join(f"datum.value == '{kind}' ? '{word}'" for kind, word in words.items())
    return alt.Color(
        f"{field}:N",
        scale=alt.Scale(domain=list(kinds), range=[colours[kind] for kind in kinds]),
        legend=alt.Legend(title=None, orient="top", labelExpr=f"{told} : datum.value"),
    )


def bars(rows: Lines, code: str, night: bool) -> Any:
    """The mean error of each row with its interval; shorter is better."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(rows))).encode(
        y=alt.Y("row:N", sort=None, title=None, axis=_names(alt)),
        tooltip=[alt.Tooltip("row:N", title=language(code)("compare.row")),
                 alt.Tooltip("told:N", title=language(code)("pictures.error"))],
    )  # fmt: skip
    bar = base.mark_bar(height=15, cornerRadiusEnd=2, color=accent(night), opacity=0.55)
    room = 1.15 + 0.03 * max(len(row["text"]) for row in rows)  # for the figures
    most = room * max(row["high"] for row in rows)
    scale = alt.Scale(domain=[0, most], nice=False)
    x = alt.X("mean:Q", title=None, axis=_axis(alt, code, tickCount=5), scale=scale)
    rule = base.mark_rule(strokeWidth=2, color=ink(night)).encode(x="low:Q", x2="high:Q")
    text = base.mark_text(align="left", dx=6, color=ink(night), fontSize=12)
    chart = bar.encode(x=x) + rule + text.encode(x="high:Q", text="text:N")
    return chart.properties(height=27 * len(rows) + 55)


def shares(parts: Lines, code: str, night: bool) -> Any:
    """How many numbers of each row are good, fair, poor and missing."""
    import altair as alt

    say = language(code)
    chart = alt.Chart(alt.InlineData(values=list(parts))).mark_bar(height=15)
    return chart.encode(
        y=alt.Y("row:N", sort=None, title=None, axis=_names(alt)),
        x=alt.X("share:Q", title=None, axis=alt.Axis(format="%"), scale=alt.Scale(domain=[0, 1])),
        color=_grades(alt, code, night, GRADES),
        order="order:Q",
        tooltip=[alt.Tooltip("row:N", title=say("compare.row")),
                 alt.Tooltip("grade:N", title=say("pictures.grade")),
                 alt.Tooltip("text:N", title=say("pictures.share"))],
    ).properties(height=27 * len({part["row"] for part in parts}) + 115)  # fmt: skip


def _names(alt: Any) -> Any:
    return alt.Axis(labelLimit=230, labelFontSize=13, ticks=False, domain=False, labelOverlap=False)


def estimates(points: Lines, ratio: bool, code: str, night: bool) -> Any:
    """Each estimate over its true number; on the diagonal it is right."""
    import altair as alt

    say = language(code)
    truths = [point["truth"] for point in points]
    low, high = min(truths), max([*truths, *(p["guess"] for p in points)])
    if ratio:  # far too large estimates would leave no room for the others
        high = min(high, 3 * max(truths))
        ends = [low / 1.5, high * 1.2]
        scale = alt.Scale(type="log", domain=ends, clamp=True, nice=False)
    else:
        ends = [min(low, 0.0), high * 1.05]
        scale = alt.Scale(domain=ends, clamp=True, nice=False)
    axis = _axis(alt, code, tickCount=6, format=PLAIN)
    x = alt.X("truth:Q", scale=scale, title=say("pictures.truth"), axis=axis)
    y = alt.Y("guess:Q", scale=scale, title=say("pictures.guess"), axis=axis)
    diagonal = (
        alt.Chart(alt.InlineData(values=[{"truth": end, "guess": end} for end in ends]))
        .mark_line(strokeDash=[5, 4], color=ink(night), opacity=0.6)
        .encode(x=x, y=y)
    )
    dots = alt.Chart(alt.InlineData(values=list(points))).mark_point(filled=True, opacity=0.75)
    drawn = dots.encode(
        x=x,
        y=y,
        color=_grades(alt, code, night, GRADES[:3]),
        shape=alt.Shape(
            "kind:N", legend=None, scale=alt.Scale(domain=list(GRADES[:3]), range=list(SHAPES))
        ),
        size=alt.value(38),
        tooltip=[alt.Tooltip("id:N", title="id"),
                 alt.Tooltip("text:N", title=say("pictures.text")),
                 alt.Tooltip("truth_text:N", title=say("pictures.truth")),
                 alt.Tooltip("guess_text:N", title=say("pictures.guess"))],
    )  # fmt: skip
    return (diagonal + drawn).properties(height=380)


def running(steps: Lines, ratio: bool, code: str, night: bool) -> Any:
    """The mean error so far, with its band; by ratio where rows are far apart."""
    import altair as alt

    say = language(code)
    rows = list(dict.fromkeys(step["row"] for step in steps))
    base = alt.Chart(alt.InlineData(values=list(steps))).encode(
        x=alt.X(
            "n:Q",
            title=say("pictures.items"),
            scale=alt.Scale(nice=False),
            axis=_axis(alt, code, format=PLAIN, tickCount=8),
        ),
        color=_rows(alt, rows, night),
    )
    least, most = min(step["mean"] for step in steps) / 2, max(step["high"] for step in steps)
    log = alt.Scale(type="log", domain=[least, most], clamp=True, nice=False)
    axis = _axis(alt, code, tickCount=5, format=PLAIN)
    y = alt.Y("mean:Q", title=say("pictures.error"), axis=axis, scale=log if ratio else alt.Scale())
    told = [alt.Tooltip("row:N", title=say("compare.row")),
            alt.Tooltip("n:Q", title=say("pictures.items")),
            alt.Tooltip("told:N", title=say("pictures.error"))]  # fmt: skip
    band = base.mark_area(opacity=0.2).encode(y="low:Q", y2="high:Q")
    line = base.mark_line(strokeWidth=2).encode(y=y, tooltip=told)
    return (band + line).properties(height=280)


def _rows(alt: Any, rows: Sequence[str], night: bool) -> Any:
    colours = _accents(night)[-len(rows) :] if len(rows) <= 2 else _accents(night)
    return alt.Color(
        "row:N",
        sort=None,
        scale=alt.Scale(domain=list(rows), range=colours),
        legend=alt.Legend(title=None, orient="top", labelLimit=300),
    )


def bands(parts: Lines, code: str, night: bool) -> Any:
    """The mean error by band of the true number, rows beside each other."""
    import altair as alt

    say = language(code)
    rows = list(dict.fromkeys(part["row"] for part in parts))
    order = list(dict.fromkeys(p["band"] for p in sorted(parts, key=lambda p: p["order"])))
    base = alt.Chart(alt.InlineData(values=list(parts))).encode(
        x=alt.X("band:N", sort=order, title=say("pictures.truth"),
                axis=alt.Axis(labelAngle=0, labelLimit=200)),
        xOffset=alt.XOffset("row:N", sort=rows),
        tooltip=[alt.Tooltip("row:N", title=say("compare.row")),
                 alt.Tooltip("band:N", title=say("pictures.truth")),
                 alt.Tooltip("text:N", title=say("pictures.error")),
                 alt.Tooltip("n:N", title=say("pictures.items"))],
    )  # fmt: skip
    y = alt.Y("mean:Q", title=say("pictures.error"), axis=_axis(alt, code, tickCount=5))
    bar = base.mark_bar(cornerRadiusEnd=2).encode(y=y, color=_rows(alt, rows, night))
    rule = base.mark_rule(strokeWidth=2, color=ink(night)).encode(y="low:Q", y2="high:Q")
    text = base.mark_text(dy=-8, color=ink(night), fontSize=12).encode(y="high:Q", text="shown:N")
    return (bar + rule + text).properties(height=280)


def confusion(cells: Lines, given: Sequence[str], code: str, night: bool) -> Any:
    """True labels down, given labels across; the diagonal is right."""
    import altair as alt

    say = language(code)
    true = [label for label in given if any(cell["true"] == label for cell in cells)]
    base = alt.Chart(alt.InlineData(values=list(cells))).encode(
        x=alt.X("given:N", sort=list(given), title=say("pictures.given"),
                axis=alt.Axis(labelAngle=-40, labelLimit=130, orient="top", domain=False,
                              labelOverlap=False)),
        y=alt.Y("true:N", sort=true, title=say("pictures.true"), axis=alt.Axis(domain=False)),
        tooltip=[alt.Tooltip("true:N", title=say("pictures.true")),
                 alt.Tooltip("given:N", title=say("pictures.given")),
                 alt.Tooltip("text:N", title=say("pictures.items"))],
    )  # fmt: skip
    colours = DARK if night else LIGHT
    box = base.mark_rect(cornerRadius=2).encode(
        color=alt.condition("datum.right", alt.value(colours["good"]), alt.value(colours["poor"])),
        opacity=alt.Opacity(
            "share:Q", legend=None, scale=alt.Scale(domain=[0, 1], range=[0.04, 1])
        ),
    )
    number = base.mark_text(fontSize=12, color=ink(night)).encode(
        text="text:N", opacity=alt.condition("datum.count > 0", alt.value(1), alt.value(0))
    )
    return (box + number).properties(height=34 * len(true) + 110)


def histogram(bins: Lines, title: str, ratio: bool, code: str, night: bool) -> Any:
    """How many values there are from each low to its high."""
    import altair as alt

    scale = alt.Scale(type="log" if ratio else "linear", nice=False, zero=False)
    axis = _axis(alt, code, format=PLAIN, tickCount=6)
    return (
        alt.Chart(alt.InlineData(values=list(bins)))
        .mark_bar(color=accent(night), opacity=0.75, binSpacing=1)
        .encode(
            x=alt.X("low:Q", scale=scale, title=title or None, axis=axis),
            x2="high:Q",
            y=alt.Y("count:Q", title=language(code)("pictures.items"), axis=_axis(alt, code)),
            y2=alt.datum(0),
            tooltip=[
                alt.Tooltip("range:N", title=title or " "),
                alt.Tooltip("text:N", title=language(code)("pictures.items")),
            ],
        )
        .properties(height=230)
    )


def categories(lines: Lines, code: str, night: bool) -> Any:
    """Items by tag or label."""
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(lines))).encode(
        y=alt.Y("name:N", sort=None, title=None, axis=_names(alt))
    )
    x = alt.X("count:Q", title=language(code)("pictures.items"), axis=_axis(alt, code))
    bar = base.mark_bar(height=15, cornerRadiusEnd=2, color=accent(night), opacity=0.75)
    text = base.mark_text(align="left", dx=6, color=ink(night), fontSize=12)
    return (bar.encode(x=x) + text.encode(x=x, text="text:N")).properties(
        height=25 * len(lines) + 40
    )
