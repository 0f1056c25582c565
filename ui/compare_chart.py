"""The charts of the page Compare: scores with intervals, and quality against price or time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tailor.scoring import comparison as compared
from tailor.scoring import format, wording
from tailor.scoring.comparison import Comparison, Row
from tailor.scoring.frontier import frontier
from tailor.ui import address, colours, opened
from tailor.ui.language import Language, language, literal

MEASURES = ("cost", "latency")
# Rows in one chart; Streamlit would show a bare string here.
SHOWN = 16
Line = Mapping[str, Any]


def charts(result: Comparison, winner: tuple[str | None, str | None], say: Language) -> None:
    """Both charts beside each other, rows numbered alike in both."""
    lines = [_line(at, row, result, winner, say) for at, row in enumerate(result.rows, 1)]
    scored = [line for line in lines if line["score"] is not None]
    if not scored:
        st.info(say("compare.no_scores"))
        return
    left, right = st.columns([5, 4], gap="large")
    with left:
        st.subheader(say("compare.bars"), anchor=False)
        st.caption(
            literal(
                say(
                    "compare.axis" if result.task == "answer" else "compare.axis_items",
                    split=result.split,
                    n=result.n,
                )
            )
        )
        bars(_page(scored, say), say)
    with right:
        tradeoff(scored, say)


def _line(
    at: int, row: Row, result: Comparison, winner: tuple[str | None, str | None], say: Language
) -> Line:
    """A row as both charts take it."""
    name, mean = compared.labels(result.rows)[compared.key(row)], row.primary
    stale = f" ({say('status.stale')})" if row.stale else ""
    state = "stale" if row.stale else "winner" if compared.key(row) == winner else "other"
    cost = row.cost_per_1000_usd
    return {
        "number": str(at),
        "row": f"{at}  {name}{stale}",
        "name": name,
        # A skill below 0 has no bar: its text tells it.
        "score": max(0.0, mean.mean) if mean else None,
        "low": max(0.0, mean.low) if mean else None,
        "high": max(0.0, mean.high) if mean else None,
        "text": format.percent(mean.mean if mean else None, say.code),
        "told": wording.score(row, say.code),
        "state": state,
        "cost": cost,
        "cost_text": format.usd(cost, say.code),
        "latency": row.p50,
        "latency_text": format.seconds(row.p50, say.code),
    }


def _page(lines: Sequence[Line], say: Language) -> Sequence[Line]:
    """So many rows as one chart has room for."""
    pages = -(-len(lines) // SHOWN)
    if pages == 1:
        return lines
    first = (int(st.pagination(pages, key="chart page")) - 1) * SHOWN
    return lines[first : first + SHOWN]


def bars(lines: Sequence[Line], say: Language) -> None:
    """One horizontal bar per row, with its 95 % interval."""
    told = "; ".join(f"{line['name']}: {line['told']}" for line in lines)
    opened.chart(_bars, list(lines), say.code, colours.dark(), alt=told)


def _bars(lines: Sequence[Line], code: str, dark: bool) -> Any:
    import altair as alt

    say = language(code)
    ink, colour = colours.ink(dark), _colours(alt, dark)
    base = alt.Chart(alt.InlineData(values=list(lines))).encode(
        y=alt.Y(
            "row:N",
            sort=None,
            title=None,
            axis=alt.Axis(labelLimit=230, labelFontSize=13, ticks=False, domain=False),
        ),
        tooltip=_tooltip(alt, say),
    )
    bar = base.mark_bar(height=16, cornerRadiusEnd=2).encode(
        x=alt.X(
            "score:Q",
            scale=alt.Scale(domain=[0, 1.12]),
            title=None,
            axis=alt.Axis(format="%", values=[0, 0.2, 0.4, 0.6, 0.8, 1]),
        ),
        color=colour,
    )
    whisker = base.mark_rule(strokeWidth=2, color=ink).encode(x="low:Q", x2="high:Q")
    label = base.mark_text(align="left", dx=7, color=ink, fontSize=13).encode(
        x="high:Q", text="text:N"
    )
    return (bar + whisker + label).properties(height=31 * len(lines) + 30)


def tradeoff(lines: Sequence[Line], say: Language) -> None:
    """Score against what the answers cost or take, with the rows that no other one beats."""
    costs = {line["cost"] for line in lines}
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(say("compare.tradeoff"), anchor=False, width="content")
        measure = address.segments(
            "against",
            say("compare.against"),
            MEASURES,
            "cost" if len(costs - {None}) > 1 else "latency",
            lambda name: say(f"compare.by_{name}"),
        )
    st.caption(say(f"compare.{measure}_help"))
    known = [line for line in lines if line[measure] is not None]
    if not known:
        st.info(say(f"compare.no_{measure}"))
        return
    held = [line for line in known if line["state"] != "stale"]
    best = {held[at]["number"] for at in frontier([(one[measure], one["score"]) for one in held])}
    points = [_point(line, line["number"] in best) for line in known]
    opened.chart(
        _scatter,
        points,
        measure,
        say.code,
        colours.dark(),
        alt=say(
            "compare.tradeoff_told",
            rows="; ".join(f"{p['name']}: {p['text']}, {p[f'{measure}_text']}" for p in points),
            best=", ".join(p["name"] for p in points if p["best"]),
        ),
    )
    unknown = [line["name"] for line in lines if line[measure] is None]
    if unknown:
        st.caption(literal(say(f"compare.unknown_{measure}", rows=", ".join(unknown))))
    elif measure == "cost" and costs == {0.0}:
        st.caption(say("compare.all_free"))


def _point(line: Line, best: bool) -> Line:
    stale = line["state"] == "stale"
    return {**line, "best": best, "look": "stale" if stale else "best" if best else "other"}


def _scatter(points: Sequence[Line], measure: str, code: str, dark: bool) -> Any:
    import altair as alt

    say = language(code)
    ink = colours.ink(dark)
    comma = "replace(datum.label, '.', ',')" if say.code == "vi" else "datum.label"
    highest = max(point[measure] for point in points)
    x = alt.X(
        f"{measure}:Q",
        title=say(f"compare.{measure}_axis"),
        scale=alt.Scale(domain=[0, highest * 1.06 or 1], nice=False),
        axis=alt.Axis(labelExpr=comma, tickCount=5, labelFlush=True),
    )
    y = alt.Y(
        "score:Q",
        title=None,
        scale=alt.Scale(domain=[0, 1]),
        axis=alt.Axis(format="%", tickCount=5),
    )
    base = alt.Chart(alt.InlineData(values=list(points))).encode(
        x=x, y=y, tooltip=_tooltip(alt, say)
    )
    line = (
        base.transform_filter("datum.best")
        .mark_line(strokeDash=[4, 3], strokeWidth=2)
        .encode(color=alt.value(colours.accent(dark)), order=f"{measure}:Q")
    )
    whisker = base.mark_rule(color=ink, opacity=0.22, strokeWidth=2).encode(y="low:Q", y2="high:Q")
    dot = base.mark_circle(size=330, opacity=1).encode(
        color=alt.Color(
            "look:N",
            legend=None,
            scale=alt.Scale(
                domain=["best", "other", "stale"],
                range=[colours.accent(dark), _muted(dark), _grey(dark)],
            ),
        )
    )
    number = base.mark_text(fontSize=12, fontWeight="bold").encode(
        text="number:N",
        color=alt.condition("datum.best", alt.value("#ffffff"), alt.value(ink)),
    )
    return (whisker + line + dot + number).properties(height=max(230, 31 * len(points) + 30))


def _tooltip(alt: Any, say: Language) -> list[Any]:
    titles = {
        "name": "compare.row",
        "told": "stages.score",
        "cost_text": "compare.by_cost",
        "latency_text": "compare.by_latency",
    }
    return [alt.Tooltip(f"{field}:N", title=say(key)) for field, key in titles.items()]


def _colours(alt: Any, dark: bool) -> Any:
    return alt.Color(
        "state:N",
        legend=None,
        scale=alt.Scale(
            domain=["winner", "other", "stale"],
            range=[colours.accent(dark), _muted(dark), _grey(dark)],
        ),
    )


def _muted(dark: bool) -> str:
    return "#43615f" if dark else "#a9c6c3"


def _grey(dark: bool) -> str:
    return "#4a4f4e" if dark else "#dcdfde"
