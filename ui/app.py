"""The interface around every page: navigation, language, and the workspace's name."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from tailor.benchmark import Benchmark
from tailor.errors import TailorError
from tailor.ui import opened
from tailor.ui.language import LANGUAGES, literal
from tailor.workspace import Workspace

_HERE = Path(__file__).parent


def main() -> None:
    """Show the page that the URL names; what a user can cause is a sentence, never a traceback."""
    st.set_page_config("Tailor", "🧵", layout="wide", initial_sidebar_state=250)
    dark = st.context.theme.type == "dark"
    accent, warm = ("#3aa79c", "#f2a56d") if dark else ("#0f766e", "#b4552d")
    st.html(_HERE / "style.css")
    st.html(f"<style>:root {{ --accent: {accent}; --warm: {warm}; }}</style>")
    with st.sidebar:
        st.segmented_control(
            "Language / Ngôn ngữ", LANGUAGES, default="EN", required=True, key="lang",
            bind="query-params",
        )  # fmt: skip
        say = opened.spoken()
        # Screen readers choose their voice by it.
        st.html(
            f"<script>document.documentElement.lang = '{say.code}'</script>",
            unsafe_allow_javascript=True,
        )
    page = st.navigation(
        [
            st.Page(
                _HERE / "stages.py",
                title=say("stages.title"),
                icon=":material/stairs_2:",
                url_path="stages",
                default=True,
            ),
            st.Page(
                _HERE / "compare.py",
                title=say("compare.title"),
                icon=":material/bar_chart:",
                url_path="compare",
            ),
            st.Page(
                _HERE / "benchmark.py",
                title=say("benchmark.title"),
                icon=":material/quiz:",
                url_path="benchmark",
            ),
            st.Page(
                _HERE / "knowledge.py",
                title=say("knowledge.title"),
                icon=":material/folder_open:",
                url_path="knowledge",
            ),
        ]
    )
    try:
        _about()
        page.run()
    except TailorError as error:
        st.error(literal(str(error)))


def _about() -> None:
    workspace, say = opened.workspace(), opened.spoken()
    with st.sidebar:
        st.markdown(f"**{literal(workspace.root.name)}**")
        lines = [say("about.model", model=workspace.config.model)]
        if (benchmark := _questions(workspace)) is not None:
            lines.append(
                say(
                    "about.questions",
                    test=len(benchmark.split("test")),
                    dev=len(benchmark.split("dev")),
                    train=len(benchmark.split("train")),
                )
            )
        st.caption(literal(" · ".join(lines)))


def _questions(workspace: Workspace) -> Benchmark | None:
    """The benchmark; None where there is none, or none that the pages could not say more of."""
    try:
        return workspace.benchmark
    except TailorError:
        return None


main()
