"""A refusal as the reader's language has it: the sentence, or a frame around the English one."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import streamlit as st

from tailor.benchmarking.finding import HOW
from tailor.ui import opened
from tailor.ui.language import Language, literal

_SENTENCES = Path(__file__).parent / "vi_errors.json"
_PHRASES = Path(__file__).parent / "vi_phrases.json"
_LONGEST = 500
"""Characters of a value that may be a sentence itself."""
_SWAPPED = str.maketrans(",.", ".,")
"""From the signs in English numbers to those in Vietnamese ones."""
Patterns = tuple[tuple[re.Pattern[str], str], ...]
"""English sentences with a group for each value, and the Vietnamese ones."""


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
    return text if say.code == "en" else _translated(text, _sentences())


def phrase(text: str, say: Language) -> str:
    """What stands in a cell, in this language; as it is where that has no word for it."""
    return text if say.code == "en" else _value(text)


def _translated(text: str, known: Patterns) -> str | None:
    for pattern, sentence in known:
        if found := pattern.fullmatch(text):
            return _filled(sentence, found.groups())
    return None


def _filled(sentence: str, values: Sequence[str]) -> str:
    # Not str.format: the sentences hold braces of their own.
    return re.sub(r"\{(\d)\}", lambda place: _value(values[int(place[1])]), sentence)


def _value(text: str) -> str:
    """A value of a sentence: what it says in words, a list of such, an amount; else as it is.

    A bare ``0.5`` is left alone: it may be a setting, which is typed with a point.
    """
    words = text.strip()
    if words and len(words) <= _LONGEST:
        translated = _translated(words, _sentences()) or _translated(words, _phrases())
        if translated is not None:
            return text.replace(words, translated)
    if ", " in text:
        return ", ".join(map(_value, text.split(", ")))
    if text.endswith(" (a guess)"):
        return f"{_value(text.removesuffix(' (a guess)'))} (ước đoán)"
    if re.fullmatch(r"\$[\d,]+(\.\d+)?", text):
        return f"{text[1:].translate(_SWAPPED)} USD"
    if re.fullmatch(r"\d{1,3}(,\d{3})+|\d+\.\d+ ([KMGT]i?B|s)|(\d+ (h|min|s|ms) ?)+", text):
        swapped = text.translate(_SWAPPED)
        for unit, word in (("h", "giờ"), ("min", "phút"), ("s", "giây")):
            swapped = re.sub(rf"(?<=\d ){unit}\b", word, swapped)
        return swapped
    return text


@cache
def _sentences() -> Patterns:
    return _patterns(json.loads(_SENTENCES.read_text("utf-8")))


@cache
def _phrases() -> Patterns:
    """What stands within sentences."""
    return _patterns({**json.loads(_PHRASES.read_text("utf-8")), **dict(HOW.values())})


def _patterns(translations: Mapping[str, str]) -> Patterns:
    """Those with the most words of their own first: they say more than those of a few words."""
    longest = sorted(translations.items(), key=lambda pair: -len(pair[0]))
    return tuple((_pattern(english), vietnamese) for english, vietnamese in longest)


def _pattern(english: str) -> re.Pattern[str]:
    # A word or two after a value, as "3 near", count something: no other text ends in them.
    counted = re.fullmatch(r"\{\} [a-z]+( [a-z]+)?", english)
    value = r"([\d.,]+)" if counted else "(.*?)"
    return re.compile(value.join(map(re.escape, english.split("{}"))), re.DOTALL)
