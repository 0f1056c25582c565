"""A document cut into pieces that a model takes in whole; nothing of it is left out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from tailor.documents.document import Document, Place
from tailor.documents.passages import Span, Splitter, split
from tailor.documents.tokens import TokenCounter

_PARAGRAPH = re.compile(r"\S.*?(?=\n\s*\n|\Z)", re.DOTALL)

Count = Callable[[str], int]
"""How many tokens a text has for the model."""


def pieces(document: Document, most: int, count: Count) -> list[Span]:
    """Where to cut: between paragraphs and sentences, so that each has ``most`` tokens at most."""
    counter = TokenCounter(lambda words: [count(word) for word in words])
    cut = split(document, Splitter(most, 0, "structure"), counter)
    text = document.text
    return [span for p in cut for span in _fitting(text, p.start, p.end, most, count)]


def paragraphs(document: Document) -> Document:
    """The document with each paragraph as a place of its own, so that no piece holds two."""
    found = _PARAGRAPH.finditer(document.text)
    return replace(document, places=tuple(Place("", one.start(), one.end()) for one in found))


def _fitting(text: str, start: int, end: int, most: int, count: Count) -> Iterator[Span]:
    """A piece as it is where it fits, else its halves: table rows are cut nowhere else."""
    if end - start < 2 or count(text[start:end]) <= most:
        yield start, end
        return
    middle = (start + end) // 2
    space = max(text.rfind(sign, start + 1, middle) for sign in " \n\t|")
    at = space if space > start else middle
    yield from _fitting(text, start, at, most, count)
    yield from _fitting(text, at, end, most, count)
