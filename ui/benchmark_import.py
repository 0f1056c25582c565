"""Questions from a file, on the page Benchmark: columns are matched before anything is taken."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import streamlit as st

from tailor.benchmarking.importing import Imported, Preview, import_questions, preview
from tailor.benchmarking.presets import COLUMNS
from tailor.benchmarking.rows import SUFFIXES
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

NONE = "–"
MAIN = ("question", "answer", "document", "quote", "tags", "split", "lang", "id")
MODES = ("append", "replace")


def bring(workspace: Workspace, say: Language) -> None:
    """Choose a file, see its first rows, match its columns, take it."""
    if (done := st.session_state.pop("brought", None)) is not None:
        _done(done, say)
    st.caption(literal(say("import.help", formats=" ".join(s[1:] for s in SUFFIXES))))
    given = st.file_uploader(
        say("import.file"),
        type=[suffix[1:] for suffix in SUFFIXES],
        key=f"import {st.session_state.get('imports', 0)}",
    )
    if given is None:
        st.code(opened.command(workspace, "benchmark", "import", "FILE"), language=None)
        return
    try:
        with _file(given.name, given.getvalue()) as path:
            found = preview(str(path))
        mapping = _mapping(found, say)
    except TailorError as error:
        refusal(error)
        return
    there = (workspace.knowledge / "benchmark.jsonl").exists()
    mode: Any = "append"
    if there:
        mode = st.radio(
            say("import.mode"), MODES, format_func=lambda name: say(f"import.{name}"), key="mode"
        )
    ready = mapping is None or {"question", "answer"} <= mapping.keys()
    if not ready:
        st.warning(say("import.missing"))
    if st.button(say("import.do"), type="primary", disabled=not ready, key="bring"):
        try:
            with _file(given.name, given.getvalue()) as path:
                done = import_questions(workspace, str(path), mode, mapping=mapping)
        except TailorError as error:
            refusal(error)
            return
        st.session_state["brought"] = done
        st.session_state["imports"] = st.session_state.get("imports", 0) + 1
        st.rerun()


def _mapping(found: Preview, say: Language) -> dict[str, str] | None:
    """Which column is what; None where the file is of a known set."""
    columns = {name: [_short(row.get(name)) for row in found.rows] for name in found.columns}
    st.dataframe(
        columns, hide_index=True, column_config=opened.widths(columns, 260), alt=say("import.first")
    )
    if found.form != "columns":
        st.info(literal(say("import.known", form=found.form)))
        return None
    chosen: dict[str, str] = {}
    options = [NONE, *found.columns]
    for row in (MAIN[:4], MAIN[4:]):
        for column, target in zip(st.columns(4), row, strict=True):
            guess = found.guessed.get(target, NONE)
            value = column.selectbox(
                say(f"import.{target}"),
                options,
                options.index(guess) if guess in options else 0,
                key=f"column {target}",
            )
            if value != NONE:
                chosen[target] = value
    return chosen | {t: c for t, c in found.guessed.items() if t in COLUMNS and t not in MAIN}


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= 200 else f"{text[:199]}…"


def _done(done: Imported, say: Language) -> None:
    counts = {"taken": done.taken, "rows": done.rows, "bare": done.without_evidence}
    told = {name: format.count(count, say.code) for name, count in counts.items()}
    st.success(say("import.done", **told))
    if done.dropped:
        with st.expander(
            say(
                "import.dropped", count=format.count(sum(map(len, done.dropped.values())), say.code)
            )
        ):
            lines = [f"{reason}: {', '.join(at)}" for reason, at in done.dropped.items()]
            st.code("\n".join(lines), language=None, wrap_lines=True)


@contextmanager
def _file(name: str, content: bytes) -> Iterator[Path]:
    """What was uploaded, as a file of its name for as long as it is read."""
    with tempfile.TemporaryDirectory(prefix="tailor-import-") as folder:
        path = Path(folder) / f"questions{Path(name).suffix.lower()}"
        path.write_bytes(content)
        yield path
