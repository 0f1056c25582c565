"""Drafts one by one, on the page Benchmark: approve or discard each beside its evidence."""

from __future__ import annotations

import html

import streamlit as st

from tailor.benchmark import Question
from tailor.documents.evidence import locate
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.text import nfc
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.marks import marked
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

# Characters shown before and after a quote; Streamlit would show a bare string here.
AROUND = 300


def drafts(workspace: Workspace, say: Language) -> None:
    """The draft at hand, and buttons for what becomes of it."""
    waits = workspace.drafts()
    if not waits:
        st.info(say("draft.none"))
        st.code(opened.command(workspace, "benchmark", "draft"), language=None)
        if workspace.config.model == "shipped":
            _make(workspace, say)
        return
    st.subheader(say("draft.title", count=format.count(len(waits), say.code)), anchor=False)
    st.caption(say("draft.help"))
    at = min(int(st.session_state.get("draft", 0)), len(waits) - 1)
    with st.container(border=True):
        _draft(workspace, waits[at], at, len(waits), say)
        buttons = st.container(horizontal=True)
        id = waits[at].id
        if buttons.button(say("draft.approve"), type="primary", key=f"approve {id}", shortcut="A"):
            workspace.approve([id])
            st.rerun()
        if buttons.button(say("draft.discard"), key=f"discard {id}", shortcut="D"):
            workspace.discard([id])
            st.rerun()
        if buttons.button(say("draft.skip"), key=f"skip {id}", shortcut="J"):
            st.session_state["draft"] = (at + 1) % len(waits)
            st.rerun()
        every = say("draft.approve_all", count=format.count(len(waits), say.code))
        if buttons.button(every, type="tertiary", key="approve all"):
            workspace.approve([draft.id for draft in waits])
            st.rerun()


def _make(workspace: Workspace, say: Language) -> None:
    """A button that drafts without a model, which takes seconds and sends nothing."""
    if not st.button(say("draft.make"), type="primary", key="make drafts"):
        return
    try:
        with st.spinner(say("draft.making")):
            made = workspace.draft().questions
    except TailorError as error:
        refusal(error)
        return
    if made:
        st.rerun()
    st.warning(say("draft.nothing"))


def _draft(workspace: Workspace, question: Question, at: int, of: int, say: Language) -> None:
    counted = (format.count(number, say.code) for number in (at + 1, of))
    where = dict(zip(("at", "of"), counted, strict=True))
    st.caption(literal(say("draft.of", tags=", ".join(question.tags), **where)))
    st.html(f'<p class="question">{html.escape(question.question)}</p>')
    answer = html.escape(" / ".join(question.answers) or say("answer.none_expected"))
    st.html(f'<p class="expected"><span>{html.escape(say("answer.expected"))}</span> {answer}</p>')
    for item in question.evidence:
        st.html(
            f'<div class="passage"><b>{html.escape(item.document)}</b>'
            f"<blockquote>{_quoted(workspace, item.document, item.quote)}</blockquote></div>"
        )


def _quoted(workspace: Workspace, document: str, quote: str) -> str:
    """The quote with the text around it, where the document holds it."""
    found, _ = opened.preview(workspace, nfc(document))
    place = locate(quote, found.text) if found else None
    if found is None or place is None:
        return marked(quote, [(0, len(quote))])
    start, end = max(0, place[0] - AROUND), place[1] + AROUND
    before, after = "… " if start else "", " …" if end < len(found.text) else ""
    inner = marked(found.text[start:end], [(place[0] - start, place[1] - start)])
    return f"{before}{inner}{after}"
