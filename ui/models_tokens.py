"""A text token by token under several tokenizers, on the page Models."""

from __future__ import annotations

import html
import re
from collections.abc import Sequence

import streamlit as st

from tailor.scoring import format
from tailor.selection import wording
from tailor.selection.inspected import Inspected
from tailor.selection.kept import kept
from tailor.selection.tokenizer import Piece
from tailor.ui import job, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

COLOURS = 5


def show(workspace: Workspace, busy: bool, say: Language) -> None:
    """A form for a text, and what the tokenizers make of it."""
    st.subheader(say("models.tokens"), anchor=False)
    st.caption(say("models.tokens_help"))
    known = [one.name for one in kept(workspace.state).models] or [workspace.config.model]
    with st.form("tokens", border=False):
        text = st.text_area(say("models.text"), say("models.text_sample"), height=80)
        names = st.text_input(say("models.tokenizers"), ", ".join(known))
        pressed = st.form_submit_button(say("models.show"), disabled=busy)
    if pressed:
        asked = [name.strip() for name in names.split(",") if name.strip()]
        words = [name for name in asked if not name.startswith("-")]
        started.measurements().append(job.measure(workspace, [*words, f"--tokens={text}"]))
        st.rerun()
    done = [one for one in started.measurements() if not one.alive and _tokens(one)]
    if done:
        _results(done[-1], say)


def _tokens(one: job.Job) -> bool:
    return any(word.startswith("--tokens=") for word in one.names)


def _results(done: job.Job, say: Language) -> None:
    value = job.said(done)
    if value is None:
        refusal(done.failure() or job.last_line(done.log))
        return
    for item in value["models"]:
        one = Inspected.from_json(item)
        if one.problem:
            refusal(one.problem)
            continue
        st.markdown(literal(wording.tokens(one, say.code)))
        st.html(_marked(one.pieces))
        about = f"{one.kind}, {format.count(one.vocabulary, say.code)}"
        with st.expander(literal(f"{say('models.specials')} · {about}")):
            st.code(" ".join(one.specials) or "–", language=None, wrap_lines=True)
            st.caption(say("models.template") if one.template else say("models.no_template"))
            if one.template:
                st.code(one.template, language=None, wrap_lines=True)


def _shown(text: str) -> str:
    """Spaces as dots, but for those between the bytes of a part of a letter."""
    return text if re.fullmatch(r"<[0-9A-F ]+>", text) else text.replace(" ", "·")


def _marked(pieces: Sequence[Piece]) -> str:
    """Each token in a colour of its own, with its number; spaces are shown as dots."""
    parts = [
        f'<span class="token token{at % COLOURS}" title="{piece.id}">'
        f"{html.escape(_shown(piece.text)) or '∅'}</span>"
        for at, piece in enumerate(pieces)
    ]
    return f'<div class="tokens">{"".join(parts)}</div>'
