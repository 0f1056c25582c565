"""Search in the passages, on the page Knowledge."""

from __future__ import annotations

import streamlit as st

from tailor.documents.highlight import highlights
from tailor.errors import TailorError
from tailor.models.provider import receiver
from tailor.text import words
from tailor.ui.language import Language, literal
from tailor.ui.marks import marked, quote
from tailor.workspace import Workspace

FOUND = 5
"""Passages shown."""


def search(workspace: Workspace, say: Language) -> None:
    """The passages closest to a question; no model is asked."""
    st.subheader(say("search.title"), anchor=False)
    question = st.text_input(
        say("search.label"), placeholder=say("search.placeholder"), key="search"
    )
    if to := receiver(workspace.config.embedder, workspace.config):
        st.caption(literal(say("search.sent", to=to)))
    if not words(question):
        return
    try:
        found = workspace.search(question, FOUND)
    except TailorError as error:
        st.error(literal(str(error)))
        return
    if not found:
        st.info(say("search.nothing"))
    for number, passage in enumerate(found, 1):
        ranks = say(
            "search.ranks", meaning=passage.dense_rank or "–", words=passage.lexical_rank or "–"
        )
        text = marked(passage.text, highlights(question, passage.text))
        st.html(quote(number, f"{passage.source} · {ranks}", text))
