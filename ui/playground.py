"""The page Playground: one question, two rows side by side."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from tailor import playground
from tailor.errors import TailorError
from tailor.models.provider import embedder_receiver, receiver
from tailor.playground import Asked
from tailor.run import newest_runs
from tailor.text import words
from tailor.ui import address, opened, playground_answer, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

Row = tuple[str, str]
NONE = "–"
RECENT = 10  # earlier questions to come back to


def page() -> None:
    """Show the page; while a reply is written it looks for more four times a second."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("playground.title"))
    if not opened.answerable(workspace):
        opened.next_step(workspace)
        return
    rows = choices(workspace)
    names = list(rows)
    left, right = st.columns(2)
    with left:
        one = address.box("left", say("playground.left"), names, _first(names))
    with right:
        other = address.box("right", say("playground.right"), [NONE, *names], _last(names))
    chosen = tuple(rows[name] for name in dict.fromkeys((one, other)) if name != NONE)
    ask(workspace, chosen, say)
    found = playground.asked(workspace.state, st.query_params.get("asked", ""))
    if found is None:
        st.caption(say("playground.hint"))
    else:
        over = all(side.over for side in playground.sides(workspace.state, found))
        st.fragment(answers, run_every=None if over else 0.25)(found, over)
    earlier(workspace, found, say)


def choices(workspace: Workspace) -> dict[str, Row]:
    """The rows that could answer, by name: those of the ladder and those that were run."""
    model = workspace.config.model
    rows = [(name, model) for name in workspace.config.ladder]
    rows += [(run.row, run.model) for run in newest_runs(workspace) if not run.imported]
    return {
        row if own == model else f"{row} ({own})": (row, own) for row, own in dict.fromkeys(rows)
    }


def _first(names: Sequence[str]) -> str:
    return "prompting" if "prompting" in names else names[0]


def _last(names: Sequence[str]) -> str:
    return "retrieval" if "retrieval" in names else names[-1]


def ask(workspace: Workspace, rows: Sequence[Row], say: Language) -> None:
    """The question, what leaves the machine with it, and the button that asks."""
    with st.form("ask", border=False, enter_to_submit=True):
        answers = workspace.config.task == "answer"
        question = st.text_area(
            say("playground.question" if answers else "pictures.text"), height=80, key="question",
            placeholder=say("search.placeholder") if answers else "",
        )  # fmt: skip
        pressed = st.form_submit_button(
            say("playground.ask"), type="primary", icon=":material/send:"
        )
    for to in dict.fromkeys(filter(None, (receiver(m, workspace.config) for _, m in rows))):
        st.caption(literal(say("playground.sent", to=to)))
    if to := embedder_receiver(workspace.config):
        st.caption(literal(say("search.sent", to=to)))
    if not pressed:
        return
    if not words(question):
        st.warning(say("playground.empty"))
        return
    st.query_params["asked"] = start(workspace, question.strip(), rows)
    st.rerun()


def start(workspace: Workspace, question: str, rows: Sequence[Row]) -> str:
    """Put the question down, and see that a process takes it up."""
    id = playground.put(workspace.state, question, rows)
    started.answer(workspace)
    return id


def answers(asked: Asked, over: bool) -> None:
    """The replies beside each other; ``over`` is what the page knew when it was drawn."""
    try:
        say, workspace = opened.spoken(), opened.workspace()
        sides = playground.sides(workspace.state, asked)
        st.subheader(literal(asked.question), anchor=False)
        if not over:
            if st.button(say("playground.stop"), icon=":material/stop:", key="stop"):
                playground.stop(workspace.state, asked.id)
        elif any(side.status == "interrupted" for side in sides):
            st.warning(say("playground.interrupted"))
            if st.button(say("playground.again"), key="again"):
                st.query_params["asked"] = start(workspace, asked.question, asked.rows)
                st.rerun()
        for at, column in enumerate(st.columns(max(2, len(sides)))):
            if at < len(sides):
                with column, st.container(border=True):
                    name = choice_name(workspace, asked.rows[at])
                    playground_answer.show(workspace, asked, sides[at], name, at, say)
        if over:
            playground_answer.judge(workspace, asked, sides, say)
        if all(side.over for side in sides) != over:
            st.rerun()
    except TailorError as error:
        refusal(error)


def choice_name(workspace: Workspace, row: Row) -> str:
    """What a row is called here."""
    return row[0] if row[1] == workspace.config.model else f"{row[0]} ({row[1]})"


def earlier(workspace: Workspace, shown: Asked | None, say: Language) -> None:
    """Questions asked before, to look at again."""
    recent = playground.recent(workspace.state, RECENT)
    others = [each for each in recent if shown is None or each.id != shown.id]
    if not others:
        return
    with st.expander(say("playground.earlier", count=len(others))):
        for each in others:
            at = time.strftime("%H:%M", time.localtime(each.at))
            if st.button(literal(f"{at} · {each.question[:90]}"), type="tertiary", key=each.id):
                st.query_params["asked"] = each.id
                st.rerun()


if __name__ == "__main__":
    page()
