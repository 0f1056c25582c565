"""Where in the documents a benchmark's evidence stands."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailor.text import nfc

if TYPE_CHECKING:
    from tailor.benchmark import Question

Located = tuple[str, int, int]
"""A document's path, and the first and last-plus-one character of a quote in its text."""

_ALIKE = {c: f"[{re.escape(group)}]" for group in ("-‐‑–—−", "'’‘`", '"“”„«»') for c in group}


def locate(quote: str, text: str) -> tuple[int, int] | None:
    """The characters of a text that a quote stands for, or None.

    Tried in order: exactly; with other white space; with other letter case, dashes and quotation
    marks, and over emphasis marks or table bars. The text is in NFC, the quote need not be.
    """
    quote = nfc(quote).strip()
    if not quote:
        return None
    if (start := text.find(quote)) >= 0:
        return start, start + len(quote)
    characters = [c for c in quote if not c.isspace()]
    spaced = r"\s*".join(map(re.escape, characters))
    loose = r"[\s*_`|\\]*".join(_ALIKE.get(c) or re.escape(c) for c in characters if c not in "*_|")
    for pattern, flags in ((spaced, 0), (loose, re.IGNORECASE)):
        if pattern and (match := re.search(pattern, text, flags)):
            return match.span()
    return None


def spans(
    question: Question, texts: Mapping[str, str]
) -> tuple[tuple[Located, ...], tuple[str, ...]]:
    """Where a question's evidence stands, and a sentence for each item that is not found.

    A quote from a copy counts where the first document with the same text is indexed.
    """
    found: list[Located] = []
    missing: list[str] = []
    for item in question.evidence:
        path = nfc(item.document)
        text = texts.get(path)
        if text is None:
            missing.append(f"{question.id}: there is no document {path}.")
        elif (place := locate(item.quote, text)) is None:
            shown = item.quote if len(item.quote) <= 60 else f"{item.quote[:57]}..."
            missing.append(f'{question.id}: {path} does not say "{shown}".')
        else:
            first = min(other for other, content in texts.items() if content == text)
            found.append((first, *place))
    return tuple(found), tuple(missing)
