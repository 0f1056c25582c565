"""What a document says by its form: tables, records, ``key: value`` lines, FAQs, definitions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from tailor.benchmarking.stated import Fact
from tailor.benchmarking.structure_prose import in_prose
from tailor.benchmarking.structure_tables import in_tables
from tailor.documents.document import Document

_FENCED = re.compile(r"^[ \t]*(```|~~~|\$\$)[^\n]*\n.*?^[ \t]*\1", re.MULTILINE | re.DOTALL)
_ROLE = re.compile(r":\w+:`")
"""A reference in reStructuredText or MyST, which stands for a text that is not there."""
_MARKS = re.compile(r"\*\*|`|\[(?P<linked>[^\]]*)\]\([^)]*\)")
"""Of Markdown: they are no part of what is said."""


def facts(document: Document, called: str) -> Iterator[Fact]:
    """Every value in the document's tables, entries, own questions and definitions, code aside."""
    document = replace(document, text=_FENCED.sub(_blank, document.text))
    for fact in _marked(document, called):
        told = (fact.section, fact.subject, fact.attribute, fact.value)
        if not _ROLE.search(" ".join(told)):
            section, subject, attribute, value = map(_plain, told)
            yield replace(fact, section=section, subject=subject, attribute=attribute, value=value)


def _plain(text: str) -> str:
    return _MARKS.sub(lambda mark: mark["linked"] or "", text).strip()


def _marked(document: Document, called: str) -> Iterator[Fact]:
    """The facts with the marks of Markdown in them."""
    yield from in_tables(document, called)
    for place in document.places:
        if not place.rows:
            yield from in_prose(document, called, place)


def _blank(match: re.Match[str]) -> str:
    """Spaces in place of what matched, so that every other character stays where it is."""
    return re.sub(r"[^\n]", " ", match[0])
