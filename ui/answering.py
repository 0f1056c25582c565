"""People answer the benchmark blind, on the page Benchmark: one question at a time."""

from __future__ import annotations

import html
import time
from typing import Any

import streamlit as st

from tailor.answer_format import AnswerFormat
from tailor.benchmark import Question
from tailor.benchmarking import human, sitting
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

KEY = "answering"
"""In the URL: who answers."""
SPLITS = ("test", "dev", "train")


def people(workspace: Workspace, say: Language) -> None:
    """Begin or go on answering, how far people agree, and the way by a file."""
    st.caption(say("people.help"))
    with st.form("begin", border=True):
        name = st.text_input(say("people.name"), key="person")
        split = st.selectbox(say("people.split"), SPLITS, key="person split")
        if st.form_submit_button(say("people.begin"), type="primary"):
            if name.strip():
                st.query_params.update({KEY: name.strip(), "of": split})
                st.rerun()
            st.error(say("people.no_name"))
    found = human.people(workspace)
    for run in found:
        given = format.count(len(run.answers("train", "dev", "test")), say.code)
        st.markdown(literal(say("people.row", name=run.model, count=given)))
    for pair in human.agreement(found):
        st.markdown(literal(pair.sentence(say.code)))
    with st.expander(say("people.by_file")):
        words = ("benchmark", "human")
        lines = [
            opened.command(workspace, *words, "export", "-o", "blind.csv"),
            opened.command(workspace, *words, "import", "blind.csv", "--name", "Ann"),
        ]
        st.code("\n".join(lines), language=None, wrap_lines=True)


def sit(workspace: Workspace, name: str, say: Language) -> None:
    """One question at a time; nothing else of the benchmark is shown meanwhile."""
    asked = st.query_params.get("of")
    split: Any = asked if asked in SPLITS else "test"
    try:
        at = sitting.sitting(workspace, name, split)
    except TailorError as error:
        refusal(error)
        _leave(say)
        return
    done, n = len(at.given), len(at.questions)
    told = {"name": at.name, "done": format.count(done, say.code), "n": format.count(n, say.code)}
    st.progress(done / n, text=literal(say("people.progress", **told)))
    skipped = st.session_state.setdefault(f"skipped {name}", [])
    open = sorted(at.open, key=lambda question: question.id in skipped)
    if open:
        _ask(workspace, at.name, open[0], skipped, say)
    else:
        st.success(say("people.all_done"))
    st.divider()
    with st.container(horizontal=True):
        if st.button(
            say("people.finish", count=format.count(at.new, say.code)),
            type="secondary" if open else "primary",
            disabled=not at.new,
            help=say("people.finish_help"),
            key="finish",
        ):
            try:
                sitting.finish(workspace, name)
            except TailorError as error:
                refusal(error)
                return
            opened.go("compare")
        _leave(say)


def _ask(
    workspace: Workspace, name: str, question: Question, skipped: list[str], say: Language
) -> None:
    # The time runs from when the question is first shown.
    began = st.session_state.setdefault(f"asked {question.id}", time.monotonic())
    told = html.escape(question.question).replace("\n", "<br>")
    st.html(f'<p class="question">{told}</p>')
    with st.form(f"answer {question.id}", border=False):
        text = _field(workspace.format, question, say)
        with st.container(horizontal=True):
            given = st.form_submit_button(say("people.give"), type="primary", shortcut="Ctrl+Enter")
            cannot = "nothing" if workspace.config.task == "answer" else "cannot"
            nothing = st.form_submit_button(say(f"people.{cannot}"))
            later = st.form_submit_button(say("people.later"))
    if later:
        skipped.append(question.id)
        st.session_state.pop(f"asked {question.id}", None)
        st.rerun()
    if given or nothing:
        try:
            said = "-" if nothing else text
            sitting.give(workspace, name, question, said, time.monotonic() - began)
        except TailorError as error:
            refusal(error)
            return
        st.rerun()


def _field(wanted: AnswerFormat, question: Question, say: Language) -> str:
    """Where the answer goes: a text, a number, or one of the labels."""
    key = f"text {question.id}"
    if wanted.kind == "label":
        return st.pills(say("people.label"), wanted.labels, key=key, wrap=True) or ""
    if wanted.kind == "number":
        unit = wanted.currency or wanted.unit
        label = say("people.number_in", unit=unit) if unit else say("people.number")
        return st.text_input(label, key=key)
    return st.text_area(say("people.answer"), key=key, height=120)


def _leave(say: Language) -> None:
    if st.button(say("people.leave"), key="leave"):
        for key in (KEY, "of"):
            st.query_params.pop(key, None)
        st.rerun()
