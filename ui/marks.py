"""Text of documents as HTML that shows exactly these characters, some of them marked."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from itertools import pairwise


def marked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text, escaped, with the characters of these ranges in ``<mark>``."""
    shown, at = "", 0
    for start, end in sorted(spans):
        start = max(start, at)
        if end > start:
            shown += html.escape(text[at:start]) + f"<mark>{html.escape(text[start:end])}</mark>"
            at = end
    return shown + html.escape(text[at:])


Mark = tuple[int, int, str, str]
"""First and last character, and the tags that open and close it."""


def decorated(text: str, marks: Sequence[Mark]) -> str:
    """The text, escaped, with tags around these ranges, which may overlap."""
    edges = sorted({0, len(text), *(at for mark in marks for at in mark[:2])})
    shown = ""
    for start, end in pairwise(edges):
        own = [mark for mark in marks if mark[0] <= start and end <= mark[1]]
        opening = "".join(mark[2] for mark in own)
        closing = "".join(mark[3] for mark in reversed(own))
        shown += opening + html.escape(text[start:end]) + closing
    return shown


def quote(number: int, source: str, text: str) -> str:
    """A passage under its number; ``text`` is HTML."""
    return (
        f'<div class="passage"><b>[{number}]</b> {html.escape(source)}'
        f"<blockquote>{text}</blockquote></div>"
    )
