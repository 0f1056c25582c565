"""The exact prompts and raw replies behind an answer, on the pages Compare and Playground."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from tailor.explain import Exchange
from tailor.scoring import format
from tailor.ui.language import Language, literal


def show(exchanges: Sequence[Exchange], say: Language) -> None:
    """Every call in order, letter by letter: its messages, its reply, what it took."""
    for number, one in enumerate(exchanges, 1):
        if one.stored:
            told = say(
                "answer.call",
                number=format.count(number, say.code),
                of=format.count(len(exchanges), say.code),
                time=format.seconds(one.seconds, say.code),
                tokens=format.count(one.input_tokens + one.output_tokens, say.code),
            )
            st.caption(literal(told))
        else:
            st.caption(say("answer.rebuilt"))
        for message in one.messages:
            st.caption(say(f"role.{message.role}"))
            _letters(message.text)
        st.caption(say("role.reply"))
        _letters(one.reply or format.UNKNOWN)


def _letters(text: str) -> None:
    st.html(f'<pre class="document">{html.escape(text)}</pre>')
