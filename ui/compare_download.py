"""Files to take away from the page Compare; each is made only when it is asked for."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from tailor.reporting.report import report
from tailor.run import Run
from tailor.scoring import export
from tailor.scoring.comparison import Comparison
from tailor.ui.language import Language
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


def contents(
    workspace: Workspace, runs: Sequence[Run], result: Comparison, lang: str
) -> Mapping[str, Made]:
    """What can be taken away: its suffix, its MIME type, and what makes it."""
    return {
        "report": ("html", "text/html", lambda: report(workspace, runs, lang)),
        "rows": ("csv", "text/csv", lambda: _for_excel(export.to_csv(export.rows(result)))),
        "answers": ("csv", "text/csv", lambda: _for_excel(export.to_csv(export.answers(runs)))),
        "json": ("json", "application/json", lambda: _json(result)),
        "markdown": ("md", "text/markdown", lambda: export.to_markdown(export.rows(result))),
    }


def _json(result: Comparison) -> str:
    return json.dumps(result.to_json(), ensure_ascii=False, indent=2) + "\n"


def _for_excel(text: str) -> str:
    """With the mark by which spreadsheets know UTF-8."""
    return f"\ufeff{text}"
