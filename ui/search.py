"""Search in the passages, on the page Knowledge."""

from __future__ import annotations

import streamlit as st

from tailor.documents.filters import Filters
from tailor.documents.highlight import highlights
from tailor.errors import TailorError
from tailor.models.provider import embedder_receiver
from tailor.text import words
from tailor.ui.language import Language, literal
from tailor.ui.marks import marked, quote
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

FOUND = 5
"""Passages shown."""


def search(workspace: Workspace, say: Language) -> None:
    """The passages closest to a question; no model is asked."""
    st.subheader(say("search.title"), anchor=False)
    question = st.text_input(
        say("search.label"), placeholder=say("search.placeholder"), key="search"
    )
    if to := embedder_receiver(workspace.config):
        st.caption(literal(say("search.sent", to=to)))
    with st.expander(say("search.filters")):
        entered = filters(workspace, say)
    if not words(question):
        return
    try:
        found = workspace.search(question, FOUND, Filters(*entered))
    except TailorError as error:
        refusal(error)
        return
    if not found:
        st.info(say("search.nothing"))
    for number, passage in enumerate(found, 1):
        ranks = say(
            "search.ranks", meaning=passage.dense_rank or "–", words=passage.lexical_rank or "–"
        )
        text = marked(passage.text, highlights(question, passage.text))
        st.html(quote(number, f"{passage.source} · {ranks}", text))


Entered = tuple[tuple[str, ...], tuple[str, ...], str, str, tuple[str, ...], tuple[str, ...]]


def filters(workspace: Workspace, say: Language) -> Entered:
    """The fields of `Filters` in their order, as somebody has entered them."""
    where = ""
    with st.container(horizontal=True):
        folder = st.text_input(say("search.folder"), key="search folder").strip()
        language = st.selectbox(
            say("search.language"),
            ("", "en", "vi"),
            format_func=lambda code: say(f"spoken.{code}") if code else say("search.any"),
            key="search language",
        )
        since = st.text_input(say("search.since"), key="search since").strip()
        until = st.text_input(say("search.until"), key="search until").strip()
        if workspace.config.enrich:
            where = st.text_input(say("search.where"), key="search where").strip()
    only = tuple((one,) if one else () for one in (folder, language, where))
    return only[0], only[1], since, until, (), only[2]
