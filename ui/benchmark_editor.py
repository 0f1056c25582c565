"""The questions as a table to edit, on the page Benchmark; nothing wrong is saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import streamlit as st

from tailor.benchmark import Line
from tailor.benchmarking import editing
from tailor.benchmarking.editing import Changes, Checked, Row
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import benchmark_check, opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from pandas import DataFrame

NAMES = [field.name for field in fields(Row)]
ITEM = ("line", "question", "answer", "split", "lang", "tags", "id")
"""The columns of an item of task number or label: it has no documents."""
SPLITS = ("train", "dev", "test")
LANGUAGES = ("en", "vi")
STATE = "edits"
"""In the session: how often the table was begun anew."""


def editor(workspace: Workspace, say: Language) -> None:
    """The table and what its changes would be; no other part of the page is drawn anew."""
    st.fragment(_edit)(workspace, say)


def _edit(workspace: Workspace, say: Language) -> None:
    if (saved := st.session_state.pop("saved rows", None)) is not None:
        st.success(say("edit.saved", count=format.count(saved, say.code)))
    lines = _lines(str(workspace.knowledge / "benchmark.jsonl"), opened.stamp(workspace.root))
    items = workspace.config.task != "answer"
    help = "edit.help_items" if items else "edit.help"
    st.caption(literal(say(help, between=editing.BETWEEN.strip())))
    key = f"editor {st.session_state.get(STATE, 0)}"
    st.data_editor(
        _columns(lines),
        num_rows="dynamic",
        hide_index=True,
        column_config=_config(workspace, lines, say),
        column_order=ITEM if items else None,
        height=min(37 + 35 * (len(lines) + 2), 480),
        key=key,
        placeholder="",
        alt=say("edit.table_items" if items else "edit.table"),
    )
    changes = _changes(st.session_state.get(key, {}))
    if not (changes.changed or changes.added or changes.deleted):
        st.caption(say("edit.nothing"))
        return
    try:
        found = editing.checked(workspace, lines, changes)
    except TailorError as error:
        refusal(error)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        if st.button(
            say("edit.save", count=format.count(found.count, say.code)),
            type="primary",
            icon=":material/save:",
            disabled=bool(found.errors) or not found.count,
            key="save",
        ):
            _save(workspace, found)
        if st.button(say("edit.discard"), icon=":material/undo:", key="discard"):
            st.session_state[STATE] = st.session_state.get(STATE, 0) + 1
            st.rerun(scope="fragment")
        st.caption(say("edit.stale_items" if items else "edit.stale"))
    _told(found, say)


def _save(workspace: Workspace, found: Checked) -> None:
    try:
        editing.save(workspace, found)
    except TailorError as error:
        refusal(error)
        return
    st.session_state["saved rows"] = found.count
    st.session_state[STATE] = st.session_state.get(STATE, 0) + 1
    st.rerun()


def _told(found: Checked, say: Language) -> None:
    """Why rows cannot be saved, and what to look at all the same."""
    wrong = {finding.line for finding in found.errors}
    if wrong:
        st.error(say("edit.blocked", count=format.count(len(wrong), say.code)))
    elif found.findings:
        st.warning(say("edit.warned"))
    if found.findings:
        listed = sorted(found.findings, key=lambda finding: finding.level != "error")
        benchmark_check.table(listed, say, found.last)


def _changes(state: Mapping[str, Any]) -> Changes:
    """What Streamlit tells of the edits."""

    def cells(row: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in row.items() if name in NAMES}

    return Changes(
        {int(at): cells(row) for at, row in state.get("edited_rows", {}).items()},
        [cells(row) for row in state.get("added_rows", [])],
        [int(at) for at in state.get("deleted_rows", [])],
    )


def _columns(lines: Sequence[Line]) -> DataFrame:
    """The table; its columns have their kinds even where there is no line yet."""
    import pandas as pd

    table = pd.DataFrame([asdict(editing.row(line)) for line in lines], columns=NAMES)
    table.insert(0, "line", [line.number for line in lines])
    return table.astype({"line": int, **dict.fromkeys(NAMES, object), "not_said": bool})


def _config(workspace: Workspace, lines: Sequence[Line], say: Language) -> dict[str, Any]:
    """Labels, widths, and the values that may be chosen."""
    documented = workspace.config.task == "answer"
    column = st.column_config
    documents = {state.path for state in opened.stored(workspace) if state.status == "indexed"}
    documents |= {e.document for line in lines for e in line.question.evidence}
    names = _names(workspace, say)
    languages = dict.fromkeys([*LANGUAGES, *(line.question.lang for line in lines)])
    return {
        "line": column.NumberColumn(say("benchmark.line"), disabled=True, width=50),
        "question": column.TextColumn(names[0], width=380 if documented else 600),
        "answer": column.TextColumn(names[1], width=220 if documented else 140),
        "not_said": column.CheckboxColumn(
            say("edit.not_said"), width=190, default=False, help=say("edit.not_said_help")
        ),
        "document": column.SelectboxColumn(
            say("edit.document"), options=["", *sorted(documents)], width=220
        ),
        "quote": column.TextColumn(say("edit.quote"), width=260),
        "split": column.SelectboxColumn(say("split.name"), options=["", *SPLITS], width=80),
        "lang": column.SelectboxColumn(say("file.language"), options=["", *languages], width=105),
        "tags": column.TextColumn(say("edit.tags"), width=140),
        "id": column.TextColumn("id", width=110),
    }


def _names(workspace: Workspace, say: Language) -> tuple[str, str]:
    """What the columns of questions and answers hold."""
    task, items = workspace.config.task, workspace.config.items
    if task == "answer":
        return say("edit.question"), say("edit.answer")
    if task == "label":
        return say("edit.text"), say("edit.label")
    unit = items.currency or items.unit
    number = say("edit.number")
    return say("edit.text"), f"{number} ({unit})" if unit else number


@st.cache_resource(max_entries=2, show_spinner=False)
def _lines(path: str, at: opened.Stamp) -> tuple[Line, ...]:
    return editing.editable(Path(path))
