"""A refusal as the reader's language has it: the sentence, or a frame around the English one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from tailor.ui import opened
from tailor.ui.language import Language, literal

_FILE = Path(__file__).parent / "vi_errors.json"


def refusal(error: Exception | str) -> None:
    """Show a sentence with a cause and a next step."""
    say, text = opened.spoken(), str(error)
    translated = told(text, say)
    if translated is not None:
        st.error(literal(translated))
        return
    # A voice that reads Vietnamese would garble the sentence; its paths and commands are as typed.
    st.error(say("refusal.frame"))
    st.html(f'<p class="refusal" lang="en">{html.escape(text)}</p>')


def note(text: str, say: Language) -> None:
    """Show a remark, such as what a run left out; letter by letter where it is not translated."""
    if (translated := told(text, say)) is not None:
        st.caption(literal(translated))
    else:
        st.html(f'<p class="refusal" lang="en">{html.escape(text)}</p>')


def told(text: str, say: Language) -> str | None:
    """The sentence in this language; None where it has not been translated."""
    if say.code == "en":
        return text
    for pattern, sentence in _patterns():
        if found := pattern.fullmatch(text):
            return _filled(sentence, found.groups())
    return None


def _filled(sentence: str, values: Sequence[str]) -> str:
    # Not str.format: the sentences hold braces of their own.
    return re.sub(r"\{(\d)\}", lambda place: _value(values[int(place[1])]), sentence)


def _value(text: str) -> str:
    """An amount that the sentence tells, as Vietnamese writes it; any other value as it is.

    A bare ``0.5`` is left alone: it may be a setting, which is typed with a point.
    """
    if text.endswith(" (a guess)"):
        return f"{_value(text.removesuffix(' (a guess)'))} (ước đoán)"
    if re.fullmatch(r"\d{1,3}(,\d{3})+|\d+\.\d+ ([KMGT]i?B|s)|(\d+ (h|min|s|ms) ?)+", text):
        swapped = text.translate(str.maketrans(",.", ".,"))
        for unit, word in (("h", "giờ"), ("min", "phút"), ("s", "giây")):
            swapped = re.sub(rf"(?<=\d ){unit}\b", word, swapped)
        return swapped
    return text


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    """Those with the most words of their own first: they say more than those of a few words."""
    sentences: Mapping[str, str] = json.loads(_FILE.read_text("utf-8"))
    return tuple(
        (re.compile("(.*?)".join(map(re.escape, english.split("{}"))), re.DOTALL), vietnamese)
        for english, vietnamese in sorted(sentences.items(), key=lambda pair: -len(pair[0]))
    )
