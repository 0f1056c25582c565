"""The page Benchmark: the questions, what is wrong with them, their split, drafts and people."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st

from tailor.benchmarking.power import power
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import (
    address,
    answering,
    benchmark_check,
    benchmark_curate,
    benchmark_editor,
    benchmark_import,
    benchmark_split,
    drafts,
    opened,
)
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

View = Callable[[Workspace, Language], None]
VIEWS: Mapping[str, View] = {
    "edit": benchmark_editor.editor,
    "check": benchmark_check.findings,
    "curate": benchmark_curate.curated,
    "drafts": drafts.drafts,
    "split": benchmark_split.split,
    "people": answering.people,
    "import": benchmark_import.bring,
}


def page() -> None:
    """Show the page; who answers blind sees nothing but the question."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("benchmark.title"))
    if name := st.query_params.get(answering.KEY):
        answering.sit(workspace, name, say)
        return
    path = workspace.knowledge / "benchmark.jsonl"
    own = _own(workspace)
    empty = not own and (not path.exists() or not path.read_bytes().strip())
    waiting = len(workspace.drafts())
    if empty and not waiting:
        st.info(literal(say("benchmark.none", file=path)))
        st.code(opened.command(workspace, "benchmark", "draft"), language=None)
    elif not empty and workspace.config.task != "number":
        st.info(literal(power(_tested(workspace), workspace.config.task).sentence(say.code)))
    labels = {name: say(f"benchmark.view_{name}") for name in VIEWS}
    if workspace.config.task != "answer":
        labels["edit"] = say("benchmark.view_items")
    if waiting:
        labels["drafts"] += f" ({format.count(waiting, say.code)})"
    offered = ("edit", "drafts", "import") if empty else _offered(workspace)
    view = address.segments(
        "view", say("benchmark.view"), offered, offered[0], lambda name: labels[name]
    )
    try:
        VIEWS[view](workspace, say)
    except TailorError as error:
        refusal(error)


def _own(workspace: Workspace) -> bool:
    """Whether the items lie elsewhere than the questions, where this page changes nothing."""
    return workspace.config.task != "answer" and workspace.config.items.elsewhere


def _offered(workspace: Workspace) -> tuple[str, ...]:
    """The parts of the page that go with the task."""
    if _own(workspace):
        return ("curate", "people")
    left_out = "curate" if workspace.config.task == "answer" else "drafts"
    return tuple(name for name in VIEWS if name != left_out)


def _tested(workspace: Workspace) -> int:
    """How many questions the results are told on; none where the file holds no usable one."""
    try:
        return len(workspace.benchmark.split("test"))
    except TailorError:
        return 0


if __name__ == "__main__":
    page()
