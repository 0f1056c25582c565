"""Text of documents as HTML that shows exactly these characters, some of them marked."""

from __future__ import annotations

import html
from collections.abc import Iterable


def marked(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """The text, escaped, with the characters of these ranges in ``<mark>``."""
    shown, at = "", 0
    for start, end in sorted(spans):
        start = max(start, at)
        if end > start:
            shown += html.escape(text[at:start]) + f"<mark>{html.escape(text[start:end])}</mark>"
            at = end
    return shown + html.escape(text[at:])


def quote(number: int, source: str, text: str) -> str:
    """A passage under its number; ``text`` is HTML."""
    return (
        f'<div class="passage"><b>[{number}]</b> {html.escape(source)}'
        f"<blockquote>{text}</blockquote></div>"
    )
