"""Files to take away from the page Compare; each is made only when it is asked for."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import streamlit as st

from tailor.errors import TailorError
from tailor.exporting.answers import kept_back
from tailor.reporting.report import report
from tailor.run import Run
from tailor.scoring import export, format
from tailor.scoring.comparison import Comparison
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

Made = tuple[str, str, Callable[[], str]]


def downloads(workspace: Workspace, runs: Sequence[Run], result: Comparison, say: Language) -> None:
    """One button for each kind of file."""
    st.caption(say("compare.download_help"))
    with st.container(horizontal=True):
        for name, (suffix, mime, make) in contents(workspace, runs, result, say.code).items():
            st.download_button(
                say(f"compare.download_{name}"),
                data=make,
                file_name=f"{workspace.root.name}-{name}.{suffix}",
                mime=mime,
                on_click="ignore",
                type="primary" if name == "report" else "secondary",
                key=f"download {name}",
            )
    bring(workspace, say)


def bring(workspace: Workspace, say: Language) -> None:
    """Take in the rows that another machine has exported."""
    st.subheader(say("compare.bring"), anchor=False)
    st.caption(say("compare.bring_help"))
    if (done := st.session_state.pop("answers brought", None)) is not None:
        counts = {"count": done.answers, "new": done.new}
        told = {name: format.count(count, say.code) for name, count in counts.items()}
        st.success(literal(say("compare.brought", rows=", ".join(done.rows), **told)))
    times = st.session_state.get("answer files", 0)
    given = st.file_uploader(say("compare.bring_file"), type=["jsonl"], key=f"answers {times}")
    if given is None:
        st.code(opened.command(workspace, "import", "answers", "FILE"), language=None)
    elif st.button(say("compare.bring_do"), type="primary", key="bring answers"):
        try:
            with tempfile.TemporaryDirectory(prefix="tailor-answers-") as folder:
                path = Path(folder) / "answers.jsonl"
                path.write_bytes(given.getvalue())
                done = workspace.import_answers(path)
        except TailorError as error:
            refusal(error)
            return
        st.session_state["answers brought"] = done
        st.session_state["answer files"] = times + 1
        st.rerun()


def contents(
    workspace: Workspace, runs: Sequence[Run], result: Comparison, lang: str
) -> Mapping[str, Made]:
    """What can be taken away: its suffix, its MIME type, and what makes it."""
    made: dict[str, Made] = {
        "report": ("html", "text/html", lambda: report(workspace, runs, lang)),
        "rows": ("csv", "text/csv", lambda: _for_excel(export.to_csv(export.rows(result)))),
        "answers": ("csv", "text/csv", lambda: _for_excel(export.to_csv(export.answers(runs)))),
        "json": ("json", "application/json", lambda: _json(result)),
        "markdown": ("md", "text/markdown", lambda: export.to_markdown(export.rows(result))),
    }
    if not all(map(kept_back, runs)):
        made["exchange"] = ("jsonl", "application/jsonl", lambda: _exchange(workspace))
    return made


def _exchange(workspace: Workspace) -> str:
    """The rows with their answers, for another machine."""
    with tempfile.TemporaryDirectory(prefix="tailor-answers-") as folder:
        return workspace.export_answers(Path(folder) / "answers.jsonl").path.read_text("utf-8")


def _json(result: Comparison) -> str:
    return json.dumps(result.to_json(), ensure_ascii=False, indent=2) + "\n"


def _for_excel(text: str) -> str:
    """With the mark by which spreadsheets know UTF-8."""
    return f"\ufeff{text}"
