"""The page Monitor: what is asked of the served assistant, how it does, and what to learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.errors import TailorError
from tailor.monitoring import wording
from tailor.monitoring.monitored import Monitored, monitor
from tailor.monitoring.retrained import proposal, switch
from tailor.monitoring.traffic import Traffic
from tailor.scoring import format
from tailor.serving import kept
from tailor.serving import pinned as pins
from tailor.ui import colours, monitor_question, opened
from tailor.ui.colours import figures
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

DAYS = (7, 30, 90)
ENDS = ("answered", "refused", "unparseable", "errors")


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("monitor.title"))
    st.caption(say("monitor.help"))
    days = st.segmented_control(
        say("monitor.days"), DAYS, default=30, required=True, key="monitor days"
    )
    told = len(kept.feedbacks(workspace))  # what was said just now is to be seen at once
    found = _monitored((str(workspace.root), float(days or DAYS[1]), told), workspace)
    if not found.served:
        st.info(say("monitor.empty"))
        opened.door("serve")
        st.code(opened.command(workspace, "serve"), language=None, wrap_lines=True)
        return
    opened.tiles(_tiles(found, say))
    _standing_out(found, say)
    left, right = st.columns([5, 6], gap="medium")
    with left:
        st.subheader(say("monitor.traffic"), anchor=False)
        _traffic(found.by_day, say)
    with right:
        st.subheader(say("monitor.beside"), anchor=False)
        _measures(found, say)
    _topics(workspace, found, say)
    _recent(workspace, found, say)
    _proposal(workspace, say)


@st.cache_resource(max_entries=4, ttl=15, show_spinner=False)
def _monitored(key: tuple[str, float, int], _workspace: Workspace) -> Monitored:
    return monitor(_workspace, key[1])


def _tiles(found: Monitored, say: Language) -> list[tuple[str, ...]]:
    liked = sum(one.rating == "up" for one in found.feedback.values())
    said = format.count(len(found.feedback), say.code)
    all, refused = found.all, found.all.refused / found.all.questions
    return [
        (say("monitor.questions"), format.count(all.questions, say.code), _row(found)),
        (say("monitor.refused"), format.percent(refused, say.code)),
        (
            say("monitor.time"),
            format.seconds(all.p50, say.code),
            say("monitor.p95", time=format.seconds(all.p95, say.code)),
        ),
        (say("monitor.cost"), format.usd(all.cost_usd, say.code)),
        (
            say("monitor.liked"),
            format.count(liked, say.code),
            say("monitor.of", count=said),
        ),
    ]


def _row(found: Monitored) -> str:
    last = found.served[-1]
    return f"{last.row} · {last.model}"


def _proposal(workspace: Workspace, say: Language) -> None:
    """What the last repetition of the ladder proposed, and how to repeat it."""
    st.subheader(say("monitor.retrain"), anchor=False)
    if (done := proposal(workspace)) is not None:
        told = literal(wording.proposal(done, say.code))
        (st.success if done.switch else st.info)(told)
        if done.switch and st.button(say("monitor.switch"), icon=":material/swap_horiz:"):
            try:
                switch(workspace)
                st.success(say("monitor.switched", row=literal(done.best[0])))
            except TailorError as error:
                refusal(error)
    if (held := pins.pinned(workspace.state)) is not None:
        left, right = st.columns([3, 1])
        left.caption(literal(say("monitor.pinned", row=held[0], model=held[1])))
        if right.button(say("monitor.follow"), icon=":material/trending_up:"):
            pins.unpin(workspace.state)
            st.rerun()
    st.caption(say("monitor.retrain_help"))
    st.code(opened.command(workspace, "retrain"), language=None, wrap_lines=True)


def _standing_out(found: Monitored, say: Language) -> None:
    for alarming, sentence in wording.sentences(found, say.code):
        (st.warning if alarming else st.info)(literal(sentence))


def _traffic(days: Sequence[Traffic], say: Language) -> None:
    values = [
        {"day": day.day, "end": say(f"monitor.{end}"), "order": at, "count": count}
        for day in days
        for at, (end, count) in enumerate(zip(ENDS, _ends(day), strict=True))
    ]
    told = "; ".join(f"{day.day}: {format.count(day.questions, say.code)}" for day in days)
    ends = [say(f"monitor.{end}") for end in ENDS]
    dark = colours.dark()
    opened.chart(_bars, values, ends, say("monitor.questions"), dark, say.code, alt=told)
    with st.expander(say("monitor.days_table")):
        names = [wording.WORDS[say.code][name] for name in wording.COLUMNS]
        lines = [wording.traffic(day, say.code) for day in days]
        st.table(dict(zip(names, map(list, zip(*lines, strict=True)), strict=True)))


def _ends(day: Traffic) -> tuple[int, ...]:
    other = (day.refused, day.unparseable, day.errors)
    return (day.questions - sum(other), *other)


def _bars(
    values: Sequence[dict[str, Any]], ends: Sequence[str], title: str, dark: bool, code: str
) -> Any:
    import altair as alt

    shown = (
        ["#3aa79c", "#f2a56d", "#8f9b99", "#e5736b"]
        if dark
        else ["#0f766e", "#d98b4a", "#a7b3b1", "#b4342d"]
    )
    return (
        alt.Chart(alt.InlineData(values=list(values)))
        .mark_bar()
        .encode(
            x=alt.X("day:O", title=None, axis=alt.Axis(labelAngle=-40)),
            y=alt.Y("count:Q", title=title, axis=alt.Axis(tickMinStep=1, labelExpr=figures(code))),
            color=alt.Color(
                "end:N",
                title=None,
                scale=alt.Scale(domain=list(ends), range=shown),
                legend=alt.Legend(orient="bottom"),
            ),
            order="order:Q",
            tooltip=[alt.Tooltip(f"{name}:N") for name in ("day", "end", "count")],
        )
        .properties(height=260)
    )


def _measures(found: Monitored, say: Language) -> None:
    if not found.measures:
        st.caption(say("monitor.not_run"))
        return
    names = [wording.WORDS[say.code][name] for name in ("measure", "benchmark", "online")]
    lines = [wording.measure(one, say.code) for one in found.measures]
    marked = [
        (
            f"{name} ≠" if differs else name,
            *(share.replace("n = ", "n\u00a0=\u00a0") for share in told),
        )
        for name, *told, differs in lines
    ]
    st.table(dict(zip(names, map(list, zip(*marked, strict=True)), strict=True)))
    st.caption(say("monitor.beside_help"))


def _topics(workspace: Workspace, found: Monitored, say: Language) -> None:
    st.subheader(say("monitor.unanswered"), anchor=False)
    if not found.unanswered:
        st.caption(say("monitor.all_answered"))
        return
    st.caption(say("monitor.unanswered_help"))
    names = [
        f"{' · '.join(topic.words)} ({format.count(len(topic.questions), say.code)})"
        for topic in found.unanswered
    ]
    at = st.selectbox(
        say("monitor.topic"), range(len(names)), format_func=names.__getitem__, key="topic"
    )
    chosen = found.unanswered[int(at or 0)]
    asked = {found.served[place].question: found.served[place] for place in chosen.questions}
    for one in list(asked.values())[: wording.SHOWN]:
        monitor_question.show(workspace, one, found.feedback.get(one.id), "topic", say)


def _recent(workspace: Workspace, found: Monitored, say: Language) -> None:
    st.subheader(say("monitor.recent"), anchor=False)
    st.caption(say("monitor.recent_help"))
    for one in sorted(found.served, key=lambda one: -one.at)[: wording.SHOWN]:
        monitor_question.show(workspace, one, found.feedback.get(one.id), "recent", say)


if __name__ == "__main__":
    page()
