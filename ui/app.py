"""The interface around every page: navigation, language, and the workspace's name."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import streamlit as st

from tailor.benchmark import Benchmark
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import colours, opened
from tailor.ui.language import LANGUAGES, Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

_HERE = Path(__file__).parent

# The pages by the step they belong to, each with its icon of Streamlit's own font.
STEPS = {
    "understand": {"overview": "dashboard"},
    "prepare": {"knowledge": "folder_open", "benchmark": "quiz"},
    "select": {"models": "memory"},
    "customize": {"stages": "stairs_2", "compare": "bar_chart", "playground": "forum"},
    "productionize": {"serve": "rocket_launch", "monitor": "monitoring"},
    "settings": {"settings": "settings"},
}


def main() -> None:
    """Show the page that the URL names; what a user can cause is a sentence, never a traceback."""
    st.set_page_config("Tailor", "🧵", layout="wide", initial_sidebar_state=270)
    dark = colours.dark()
    accent, warm = colours.accent(dark), colours.warm(dark)
    button = "#1f7d74" if dark else accent  # white letters have to stand out from it
    st.html(_HERE / "style.css")
    st.html(f"<style>:root {{ --accent: {accent}; --warm: {warm}; --button: {button}; }}</style>")
    typed = st.query_params.get("lang", "")
    if typed not in LANGUAGES and typed.upper() in LANGUAGES:
        # The switch takes no spelling but its own, and drops any other out of the URL.
        st.session_state["lang"] = typed.upper()
        st.html(
            "<script>const typed = new URL(location.href);"
            f"typed.searchParams.set('lang', '{typed.upper()}'); location.replace(typed)</script>",
            unsafe_allow_javascript=True,
        )
    with st.sidebar:
        st.segmented_control(
            "Language / Ngôn ngữ", LANGUAGES, default="EN", required=True, key="lang",
            bind="query-params",
        )  # fmt: skip
        say = opened.spoken()
        # Streamlit writes on an uploader in English alone; see style.css.
        texts = {"button": say("upload.button_files"), "limit": say("upload.drop")}
        rules = "".join(
            f"--upload-{k}: {json.dumps(v, ensure_ascii=False)};" for k, v in texts.items()
        )
        st.html(f"<style>:root {{ {rules} }}</style>")
        # Screen readers choose their voice by it.
        st.html(
            f"<script>document.documentElement.lang = '{say.code}'</script>",
            unsafe_allow_javascript=True,
        )
    page = st.navigation(_pages(say))
    opened.follow()
    try:
        _about()
        page.run()
    except TailorError as error:
        refusal(error)
    except Exception:  # Streamlit's own box offers to search for it outside of this machine
        logging.getLogger(__name__).exception("The page %s failed.", page.url_path or "start")
        with st.container(key="unexpected"):  # style.css hides Streamlit's own box beside it
            st.error(say("refusal.unexpected"))


def _pages(say: Language) -> dict[str, list[st.Page]]:
    """The pages under the name of their step; the first one opens by default."""
    pages = {
        say(f"step.{step}"): [
            st.Page(
                _HERE / f"{name}.py",
                title=say(f"{name}.title"),
                icon=f":material/{icon}:",
                url_path="start" if name == "overview" else name,
                default=name == "overview",
            )
            for name, icon in icons.items()
        ]
        for step, icons in STEPS.items()
    }
    # Streamlit shows the default page at / and denies that it is at its own address.
    typed = st.Page(
        _HERE / "overview.py", title=say("overview.title"), url_path="overview", visibility="hidden"
    )
    pages[say("step.understand")].append(typed)
    return pages


def _about() -> None:
    workspace, say = opened.workspace(), opened.spoken()
    with st.sidebar:
        st.markdown(f"**{literal(workspace.root.name)}**")
        lines = [say("about.model", model=workspace.config.model)]
        if (benchmark := _questions(workspace)) is not None:
            lines.append(
                say(
                    "about.questions" if workspace.config.task == "answer" else "about.items",
                    test=format.count(len(benchmark.split("test")), say.code),
                    dev=format.count(len(benchmark.split("dev")), say.code),
                    train=format.count(len(benchmark.split("train")), say.code),
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
