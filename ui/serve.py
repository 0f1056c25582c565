"""The page Serve: the assistant for other programs, started and ended here."""

from __future__ import annotations

import html
import os
import time

import streamlit as st

from tailor.errors import TailorError
from tailor.scoring import format
from tailor.serving.server import TOKEN, Started, curl, serving
from tailor.serving.smoke import Smoke, smoke
from tailor.ui import address, job, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.playground import choices
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

BEST = "best"


def page() -> None:
    """Show the page; while a server starts or runs, it is looked at every other second."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("serve.title"))
    st.caption(say("serve.help"))
    if not opened.answerable(workspace):
        opened.next_step(workspace)
        return
    form(workspace, say)
    busy = bool(serving(workspace.state)) or started.server_starts()
    st.fragment(running, run_every=2 if busy else None)(len(serving(workspace.state)), busy)


def form(workspace: Workspace, say: Language) -> None:
    """Which row, at which port, and the button that starts it."""
    names = [BEST, *choices(workspace)]
    with st.container(border=True):
        left, right = st.columns([3, 1])
        with left:
            chosen = address.box(
                "row", say("serve.row"), names, BEST,
                lambda name: say("serve.best_row") if name == BEST else name,
            )  # fmt: skip
        with right:
            port = st.number_input(
                say("serve.port"), 0, 65535, workspace.config.serve.port, key="port",
                help=say("serve.port_help"),
            )  # fmt: skip
        pressed = st.button(
            say("serve.start"), type="primary", icon=":material/rocket_launch:", key="start"
        )
    st.caption(say("serve.token" if os.environ.get(TOKEN) else "serve.no_token", variable=TOKEN))
    if pressed:
        row, model = (BEST, "") if chosen == BEST else choices(workspace)[chosen]
        started.serve(workspace, row, model, int(port))
        st.rerun()


def running(count: int, busy: bool) -> None:
    """Every server of this workspace; what the page knew when it was drawn tells if it is old."""
    say, workspace = opened.spoken(), opened.workspace()
    found = serving(workspace.state)
    if sentence := started.server_failed():
        refusal(sentence)
    if started.server_starts():
        st.info(say("serve.starting"), icon=":material/hourglass_top:")
    elif not found:
        st.info(say("serve.none"))
    for server in found:
        with st.container(border=True):
            show(server, say)
    if (len(found), bool(found) or started.server_starts()) != (count, busy):
        st.rerun()


def show(server: Started, say: Language) -> None:
    """One server: what it serves, where, how to ask it, a test, and the button that ends it."""
    name = f"{server.row} ({server.model})"
    told = say("serve.best", row=name) if server.chosen == BEST else name
    st.markdown(f"**{literal(told)}**")
    since = format.seconds(time.time() - server.at, say.code)
    st.caption(literal(say("serve.since", time=since, pid=server.pid)))
    st.code(server.url, language=None)
    st.code(curl(server, say("serve.example")), language=None, wrap_lines=True)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        question = st.text_input(
            say("serve.question"), say("serve.example"), key=f"question {server.pid}"
        )
        asked = st.button(say("serve.test"), icon=":material/play_arrow:", key=f"test {server.pid}")
        ended = st.button(say("serve.stop"), icon=":material/stop:", key=f"stop {server.pid}")
    if ended:
        job.cancel(server.pid)
        st.session_state[f"ends {server.pid}"] = True
    if st.session_state.get(f"ends {server.pid}"):
        st.caption(say("serve.ending"))
    if asked:
        st.session_state[f"seen {server.pid}"] = test(server, question, say)
    if (seen := st.session_state.get(f"seen {server.pid}")) is not None:
        st.html(f'<div class="answer" aria-live="polite">{html.escape(seen.text)}</div>')
        st.caption(say("serve.answered", time=format.seconds(seen.seconds, say.code)))


def test(server: Started, question: str, say: Language) -> Smoke | None:
    """Ask the server as another program would; None where it did not answer."""
    try:
        with st.spinner(say("serve.asking")):
            return smoke(server, question)
    except TailorError as error:
        refusal(error)
        return None


if __name__ == "__main__":
    page()
