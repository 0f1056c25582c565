"""The workspace that is shown: opened once for all tabs, again when its files change."""

from __future__ import annotations

import html
import os
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from tailor.documents import overview
from tailor.documents.document import Document
from tailor.documents.overview import FileState
from tailor.documents.passages import Passage
from tailor.run import Run, compare
from tailor.scoring.comparison import Comparison
from tailor.ui.language import LANGUAGES, Language, language, literal
from tailor.workspace import Workspace

_HERE = Path(__file__).parent
Stamp = tuple[tuple[int, int] | None, ...]


def workspace() -> Workspace:
    """The workspace that `tailor ui` was started for.

    Raises:
        TailorError: the folder is gone, or its tailor.toml is broken.
    """
    root = Path(os.environ.get("TAILOR_WORKSPACE", "."))
    return _workspace(str(root), stamp(root))


def stamp(root: Path) -> Stamp:
    """Changes when settings, benchmark, documents or index do."""
    names = (
        "tailor.toml",
        "knowledge/benchmark.jsonl",
        ".tailor/documents.db",
        ".tailor/index/current",
        ".tailor/reports/ingest.json",
        ".tailor/reports/curation.json",
    )
    return tuple(_changed(root / name) for name in names)


def spoken() -> Language:
    """The language that was chosen."""
    chosen = st.session_state.get("lang")
    return language((chosen if chosen in LANGUAGES else "EN").lower())


def go(page: str) -> None:
    """Open another page."""
    # Not at once: from a fragment, Streamlit would lose the language out of the URL.
    st.session_state["go"] = page
    st.rerun(scope="app")


def follow() -> None:
    """Open the page that :func:`go` has asked for, if it has."""
    if page := st.session_state.pop("go", None):
        # Without parameters it would refuse to drop the language, which is bound to the URL.
        st.switch_page(_HERE / f"{page}.py", query_params={})


def door(page: str) -> None:
    """A button that opens another page, where the next step is to be done."""
    say = spoken()
    if st.button(say(f"open.{page}"), type="primary", icon=":material/arrow_forward:"):
        go(page)


def number(label: str, now: float | None, step: float, key: str, most: float | None = None) -> Any:
    """A number of 0 or more that can be left out: an empty field is None."""
    kind = type(step)
    key = f"{key} {now}"  # another value from outside makes another widget
    # Given as the default, it could be changed but never taken out.
    st.session_state.setdefault(key, None if now is None else kind(now))
    top = None if most is None else kind(most)
    return st.number_input(label, kind(0), top, None, step, key=key)


def chart(make: Callable[..., Any], *about: Any, alt: str) -> None:
    """The chart that ``make`` returns for these values, made once: Altair checks every part of it.

    ``about`` is all that it shows, colours and language included.
    """
    spec = _drawn(make.__qualname__, about, make)
    st.vega_lite_chart(spec=spec, alt=alt, width="stretch")


def tiles(shown: Sequence[Sequence[str]]) -> None:
    """Figures beside each other: what each one counts, the number, then remarks."""
    st.html(
        '<div class="tiles">'
        + "".join(
            f"<div><span>{html.escape(name)}</span><b>{html.escape(number)}</b>"
            + "".join(f"<small>{html.escape(note)}</small>" for note in notes if note)
            + "</div>"
            for name, number, *notes in shown
        )
        + "</div>"
    )


def stored(workspace: Workspace) -> tuple[FileState, ...]:
    """Every file as it was last read; looked up again only when something was read."""
    return _stored(str(workspace.state), stamp(workspace.root))


def preview(workspace: Workspace, path: str) -> tuple[Document | None, tuple[Passage, ...]]:
    """A stored document and its passages."""
    return _preview(str(workspace.state), path, stamp(workspace.root))


def comparison(runs: Sequence[Run]) -> Comparison:
    """The runs side by side; counted again only when one of them or the files changed."""
    states = tuple((run.id, run.fingerprint, *_numbers(run)) for run in runs)
    return _comparison((stamp(runs[0].workspace.root), states), runs)


def staleness(run: Run) -> str:
    """``benchmark``, ``documents`` or ``metrics``: what changed since; empty where nothing did."""
    return run.changed() or ""


def command(workspace: Workspace, *words: str) -> str:
    """A command of Tailor for this workspace, as it would be typed."""
    return shlex.join(["tailor", *words, "-w", str(workspace.root)])


def answerable(workspace: Workspace) -> bool:
    """Whether questions can be answered: documents are indexed, or items need none."""
    indexed = (workspace.state / "index" / "current").exists()
    return indexed or workspace.config.task != "answer"


def next_step(workspace: Workspace) -> bool:
    """Say what is still missing before stages can run; True when nothing is.

    Raises:
        TailorError: there are lines in the benchmark, but no question.
    """
    if workspace.config.task != "answer":  # no documents are needed
        _problems(workspace)
        return True
    say = spoken()
    knowledge = workspace.knowledge
    benchmark = knowledge / "benchmark.jsonl"
    if not any(p.is_file() for p in knowledge.rglob("*") if p != benchmark):
        st.info(literal(say("missing.documents", folder=knowledge)))
        door("knowledge")
        st.code(command(workspace, "ingest"), language=None)
        return False
    if not (workspace.state / "index" / "current").exists():
        st.info(say("missing.index"))
        door("knowledge")
        st.code(command(workspace, "ingest"), language=None)
        return False
    if not benchmark.exists() or not benchmark.stat().st_size:
        st.info(literal(say("missing.benchmark", file=benchmark)))
        door("benchmark")
        st.code(
            '{"question": "…", "answer": "…", '
            '"evidence": [{"document": "hr/leave.md", "quote": "…"}]}',
            language=None,
        )
        return False
    _problems(workspace)
    return True


def _problems(workspace: Workspace) -> None:
    if problems := workspace.benchmark.problems:
        with st.expander(spoken()("benchmark.problems", count=len(problems))):
            st.code("\n".join(map(str, problems)), language=None, wrap_lines=True)


def widths(columns: Mapping[str, Sequence[str]], widest: int = 420) -> dict[str, Any]:
    """Columns as wide as their longest text, which the table itself cuts where others are short."""
    return {
        name: st.column_config.TextColumn(
            width=min(widest, 20 + round(7 * max(map(len, (name, *texts)))))
        )
        for name, texts in columns.items()
    }


def select(
    name: str,
    columns: Mapping[str, Sequence[str]],
    chosen: int,
    alt: str,
    height: int | None = None,
    widest: int = 420,
) -> int:
    """A table with one selected line; returns the number of the line that was clicked.

    ``name`` tells tables apart, also those of one place with other lines.
    """
    event = st.dataframe(
        columns,
        hide_index=True,
        column_config=widths(columns, widest),
        key=f"{name} {chosen}",  # another key makes another grid, with the new line marked
        on_select="rerun",
        selection_mode=["single-row-required", "single-cell"],
        selection_default={"selection": {"rows": [chosen], "columns": [], "cells": []}},
        height=height or "content",
        alt=alt,
    )
    selection = event.selection
    if selection.cells:
        return int(selection.cells[0][0])
    return int(selection.rows[0]) if selection.rows else chosen


@st.cache_resource(max_entries=2, show_spinner=False)
def _workspace(root: str, at: Stamp) -> Workspace:
    return Workspace(root)


@st.cache_resource(max_entries=2, show_spinner=False)
def _stored(state: str, at: Stamp) -> tuple[FileState, ...]:
    return overview.stored(Path(state))


@st.cache_resource(max_entries=4, show_spinner=False)
def _preview(state: str, path: str, at: Stamp) -> tuple[Document | None, tuple[Passage, ...]]:
    return overview.preview(Path(state), path)


@st.cache_resource(max_entries=20, show_spinner=False)
def _comparison(key: object, _runs: Sequence[Run]) -> Comparison:
    return compare(_runs)


@st.cache_data(max_entries=60, show_spinner=False)
def _drawn(name: str, about: tuple[Any, ...], _make: Callable[..., Any]) -> dict[str, Any]:
    made: dict[str, Any] = _make(*about).to_dict()
    return made


def _numbers(run: Run) -> tuple[str, int, int]:
    state = run.state()
    return state.status, state.done, state.errors


def _changed(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size
