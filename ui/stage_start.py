"""What a run would take, and the buttons that start it, on the page Stages."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from tailor.models.provider import is_local
from tailor.scoring import format
from tailor.ui import cluster, opened, stage_estimate, stage_run, started
from tailor.ui.language import Language, literal
from tailor.ui.stage_settings import Form
from tailor.workspace import Workspace

_ABOVE = "run above its limit"
"""Key of the run that waits for a yes, in the state of the tab."""


@dataclass(frozen=True)
class Start:
    """A run that could be started."""

    words: list[str]
    """What follows `tailor run`."""
    row: str
    model: str
    asked: int
    """How many answers there are."""
    left: int
    """How many answers a run that was begun has left."""
    status: str
    ready: bool
    """Whether anything can run."""
    able: bool
    """Whether this row can."""
    trains: bool
    """Whether it changes a model's weights, which takes memory and time."""


def buttons(
    workspace: Workspace,
    start: Start,
    entered: Form,
    say: Language,
) -> None:
    """Repeats and limit, what the run would take, Run or Resume, and the command of the same."""
    fresh = bool(start.left or start.status == "none" or entered.values)
    limit, limits, on = _limits(start, say)
    words = [*start.words, *entered.sets(start.row), *on, *limits]
    stage_run.sent(workspace, start.model, say)
    found = None
    if start.able:
        unlimited = [
            *start.words,
            *entered.sets(start.row),
            *limits[: len(limits) - 2 * bool(limit)],
        ]
        costly = fresh and (start.trains or not is_local(start.model))
        found = stage_estimate.estimate(workspace, unlimited, start.asked, costly, say)
    if start.left and not entered.values:
        label = say("run.resume", left=start.left)
    else:
        label = say("run.start" if start.status == "none" or entered.values else "run.again")
    with st.container(horizontal=True):
        if st.button(
            label, type="primary" if fresh else "secondary", icon=":material/play_arrow:",
            disabled=not start.able, key="run", shortcut="Ctrl+Enter",
        ):  # fmt: skip
            if limit and found and found.cost_usd and found.cost_usd > limit:
                st.session_state[_ABOVE] = words, found.cost_usd, limit
            else:
                started.run(workspace, words)
            st.rerun()
        if st.button(
            say("run.all"),
            type="tertiary",
            disabled=not start.ready,
            key="all",
            help=say("run.all_help"),
        ):
            started.run(workspace, ["all", *on])
            st.rerun()
    st.code(opened.command(workspace, "run", *words), language=None, wrap_lines=True)


def confirm(workspace: Workspace, say: Language) -> None:
    """Ask first, where the run that was pressed would pass its limit."""
    if (pressed := st.session_state.get(_ABOVE)) is None:
        return
    words, cost, limit = pressed

    def forget() -> None:
        st.session_state.pop(_ABOVE, None)

    @st.dialog(say("run.above_title"), on_dismiss=forget)
    def shown() -> None:
        told = {"cost": format.usd(cost, say.code), "limit": format.usd(limit, say.code)}
        st.markdown(literal(say("run.above", **told)))
        with st.container(horizontal=True):
            if st.button(say("run.above_do"), type="primary", key="above_do"):
                forget()
                started.run(workspace, words)
                st.rerun()
            if st.button(say("run.above_not"), key="above_not"):
                forget()
                st.rerun()

    shown()


def _limits(start: Start, say: Language) -> tuple[float | None, list[str], list[str]]:
    """What it may cost; with how often each question is asked, as options of `tailor run`.

    Last the option that names a cluster.
    """
    limit = None
    words: list[str] = []
    with st.popover(say("run.options"), icon=":material/tune:", type="tertiary"):
        repeats = st.number_input(
            say("run.repeats"), 1, 20, 1, 1, key="repeats", help=say("run.repeats_help")
        )
        if repeats > 1:
            words += ["--repeats", str(repeats)]
        if not is_local(start.model):
            limit = st.number_input(
                say("run.limit"), 0.0, None, None, 0.5, key="limit", help=say("run.limit_help"),
                placeholder=say("run.no_limit"),
            )  # fmt: skip
            if limit is not None:
                words += ["--max-cost", f"{limit:g}"]
        on = cluster.chosen(say, "on")
    return limit, words, on
