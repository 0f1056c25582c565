"""The rows of the ladder as they stand in tailor.toml, edited on the page Stages."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st

from tailor import ladder_file
from tailor.errors import TailorError
from tailor.rows import CARRIES
from tailor.stage import broken_plugins, stage_types
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

Edit = Callable[[], str | None]
"""Changes tailor.toml; returns the id of a row that is new."""
_REFUSED = "ladder refused"
"""Key of what could not be done, in the state of the tab."""


def edit(workspace: Workspace, row: str, say: Language) -> None:
    """Add a stage; move, duplicate and remove the chosen row, and say what it builds on."""
    for reason in broken_plugins().values():
        refusal(reason)
    with st.expander(say("ladder.edit"), icon=":material/edit:"):
        st.caption(say("ladder.help"))
        _add(workspace, say)
        if row in workspace.config.ladder:
            _row(workspace, row, say)
        if error := st.session_state.pop(_REFUSED, None):
            refusal(error)


def _add(workspace: Workspace, say: Language) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        stage = st.selectbox(
            say("ladder.stage"), list(stage_types(workspace.own_stages)), key="ladder stage"
        )
        st.button(
            say("ladder.add"), icon=":material/add:", key="ladder add",
            on_click=_do, args=(lambda: ladder_file.add(workspace, stage),),
        )  # fmt: skip


def _row(workspace: Workspace, row: str, say: Language) -> None:
    st.markdown(f"**{literal(row)}**")
    at, last = workspace.config.ladder.index(row), len(workspace.config.ladder) - 1
    edits: tuple[tuple[str, str, bool, Edit], ...] = (
        ("up", "arrow_upward", at == 0, lambda: ladder_file.move(workspace, row, -1)),
        ("down", "arrow_downward", at == last, lambda: ladder_file.move(workspace, row, 1)),
        ("duplicate", "content_copy", False, lambda: ladder_file.duplicate(workspace, row)),
        ("remove", "delete", last == 0, lambda: ladder_file.remove(workspace, row)),
    )
    with st.container(horizontal=True):
        for name, icon, disabled, made in edits:
            st.button(
                say(f"ladder.{name}"), icon=f":material/{icon}:", disabled=disabled,
                key=f"ladder {name}", on_click=_do, args=(made,),
            )  # fmt: skip
    if bases := ladder_file.bases(workspace, row):
        now = workspace.config.builds_on.get(row, CARRIES[0])
        # Another key for each saved value, so that the field follows tailor.toml.
        key = f"ladder base {row} {now}"

        def build_on() -> None:
            _do(lambda: ladder_file.build_on(workspace, row, st.session_state[key]))

        st.selectbox(
            say("ladder.builds_on"), bases, bases.index(now) if now in bases else 0,
            lambda base: say(f"ladder.{base}") if base in CARRIES else base,
            key=key, on_change=build_on,
        )  # fmt: skip


def _do(edit: Edit) -> None:
    """Change the file and show it; a new row is the chosen one."""
    try:
        if added := edit():
            st.query_params["stage"] = added
    except TailorError as error:
        st.session_state[_REFUSED] = error
