"""Several models over the same rows, on the page Compare: one table and one chart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.scoring import format
from tailor.scoring.comparison import Comparison
from tailor.scoring.leaderboard import ROW, Leaderboard, leaderboard
from tailor.ui import colours, opened
from tailor.ui.language import Language, literal

PALETTE = {
    False: ("#0f766e", "#b4552d", "#4f62b8", "#7d7115", "#8a4286"),
    True: ("#3aa79c", "#f2a56d", "#93a4ee", "#cfc258", "#d08fcb"),
}


def show(result: Comparison, say: Language) -> None:
    """Nothing where there is only one model."""
    board = leaderboard(result)
    if board is None:
        return
    st.subheader(say("compare.leaderboard"), anchor=False)
    st.caption(say("compare.leaderboard_help"))
    values = [
        {"row": row, "model": model, "score": score.mean, "low": score.low, "high": score.high,
         "text": format.percent(score.mean, say.code)}
        for row in board.rows
        for model in board.models
        if (score := board.score(row, model)) is not None
    ]  # fmt: skip
    told = "; ".join(f"{v['row']} {v['model']}: {v['text']}" for v in values)
    dark = colours.dark()
    opened.chart(_bars, values, list(board.rows), list(board.models), dark, alt=told)
    st.table(_cells(board, say))


def _cells(board: Leaderboard, say: Language) -> dict[str, list[str]]:
    columns = {ROW[say.code]: [literal(row) for row in board.rows]}
    for model in board.models:
        columns[literal(model)] = [board.told(row, model, say.code) for row in board.rows]
    return columns


def _bars(
    values: Sequence[dict[str, Any]], rows: Sequence[str], models: Sequence[str], dark: bool
) -> Any:
    import altair as alt

    base = alt.Chart(alt.InlineData(values=list(values))).encode(
        y=alt.Y("row:N", title=None, sort=list(rows), axis=alt.Axis(labelLimit=230)),
        yOffset=alt.YOffset("model:N", sort=list(models)),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("row", "model", "text")],
    )
    colour = alt.Color(
        "model:N",
        title=None,
        scale=alt.Scale(domain=list(models), range=list(PALETTE[dark])),
        legend=alt.Legend(orient="top", labelLimit=300),
    )
    bar = base.mark_bar(height=alt.RelativeBandSize(0.8)).encode(
        x=alt.X("score:Q", title=None, axis=alt.Axis(format="%")), color=colour
    )
    whisker = base.mark_rule(color=colours.ink(dark)).encode(x="low:Q", x2="high:Q")
    return (bar + whisker).properties(height=alt.Step(18))
