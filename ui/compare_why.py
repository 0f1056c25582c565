"""Parts of the page Compare that say where rows are right and wrong, why, and what differs."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence

import streamlit as st

from tailor.differences import differences
from tailor.scoring import attribution, format
from tailor.scoring.attribution import Attribution
from tailor.scoring.comparison import Comparison
from tailor.scoring.slices import BYS, Cell, Slice
from tailor.ui import address, compared, opened
from tailor.ui.compare_sides import Sides
from tailor.ui.language import Language, literal
from tailor.ui.verdict import SIGNS
from tailor.workspace import Workspace


def slices(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """Both rows by tag, language, answerability or folder."""
    chosen = address.segments(
        "by", say("compare.slices"), BYS, "tag", lambda name: say(f"compare.by_{name}")
    )
    by = next(by for by in BYS if by == chosen)
    if sides.stale:
        st.warning(literal(say("compare.stale_left_out", rows=", ".join(sides.stale))))
    found = compared.slices(sides, by)
    if not found:
        st.info(say("compare.no_slices"))
        return
    names = [name for name in dict.fromkeys(sides.names) if name not in sides.stale]
    columns = {
        say("compare.slice"): [part.label(say.code) for part in found],
        say("stages.n"): [_n(part, say) for part in found],
    }
    for at, name in enumerate(names):
        columns[name] = [_score(part.cells[at], say) for part in found]
    if len(names) > 1:
        columns[say("compare.difference")] = [_difference(part.cells[-1], say) for part in found]
    _table(columns, say("compare.slices"))
    st.caption(say("compare.slices_help"))


def _n(part: Slice, say: Language) -> str:
    n = format.count(part.n, say.code)
    return say("compare.few", n=n) if part.small else n


def _score(cell: Cell, say: Language) -> str:
    if cell.score is None:
        return format.UNKNOWN
    mean, low, high = (
        format.percent(x, say.code) for x in (cell.score.mean, cell.score.low, cell.score.high)
    )
    return say("compare.interval", mean=mean, low=low, high=high)


def _difference(cell: Cell, say: Language) -> str:
    if cell.step is None:
        return format.UNKNOWN
    own = cell.step
    delta, low, high = (
        format.points(x, say.code) for x in (own.paired.delta, own.paired.low, own.paired.high)
    )
    told = say("compare.interval", mean=delta, low=low, high=high)
    return f"{SIGNS[own.verdict]} {told}"


def mistakes(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """How the answers of both rows ended, by the first broken link, and what to try next."""
    found = {
        name: compared.attributed(run)
        for name, run in zip(sides.names, (sides.base, sides.candidate), strict=True)
    }
    last = found[sides.candidate_name]
    st.markdown(literal(attribution.sentence(last, say.code)))
    kinds = attribution.occurring(found.values())
    heads = [say("compare.reason"), *found, say("compare.try")]
    rows = [
        [
            attribution.label(why, say.code),
            *(_count(own, why, say) for own in found.values()),
            attribution.advice(why, say.code),
        ]
        for why in kinds
    ]
    st.html(_html(heads, rows))
    if result.task == "answer":
        st.caption(say("compare.mistakes_help"))


def _html(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table whose long texts are not cut."""
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f'<table class="reasons"><tr>{head}</tr>{body}</table>'


def _count(found: Attribution, why: attribution.Why, say: Language) -> str:
    share = format.percent(found.share(why), say.code)
    return f"{format.count(found.counts[why], say.code)} ({share})"


def settings(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """What is not the same in both rows."""
    found = differences(sides.base, sides.candidate)
    if not found:
        st.info(say("compare.no_difference"))
        return
    columns = {
        say("compare.where"): [
            say("compare.of_run") if one.of == "run" else one.of for one in found
        ],
        say("settings.name"): [one.name for one in found],
        sides.base_name: [_value(one.base, say) for one in found],
        sides.candidate_name: [_value(one.candidate, say) for one in found],
    }
    _table(columns, say("compare.settings"))


def _value(value: object, say: Language) -> str:
    if value is None:
        return say("compare.none_there")
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _table(columns: Mapping[str, Sequence[str]], alt: str) -> None:
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        height=min(37 + 35 * max(map(len, columns.values())), 560),
        alt=alt,
    )
