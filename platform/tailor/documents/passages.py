"""Passages: the pieces of documents that are embedded, found and read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailor.documents.document import Document

Span = tuple[int, int]


@dataclass(frozen=True)
class Passage:
    """A run of characters of one document; ``text`` is exactly ``document_text[start:end]``."""

    document: str
    """Path below ``knowledge/``, with ``/`` and in NFC."""
    start: int
    end: int
    text: str
    place: str = ""
    """Where in the document, for people: ``page 3``, ``sheet EUR``, ``Leave > Carry-over``."""
    score: float | None = None
    dense_rank: int | None = None
    lexical_rank: int | None = None

    @property
    def source(self) -> str:
        """The document and, where known, the place in it."""
        return f"{self.document}, {self.place}" if self.place else self.document


@dataclass(frozen=True)
class Splitter:
    """How documents are cut: the largest passage and the overlap, in characters."""

    size: int = 700
    overlap: int = 80
    """How far a passage that starts inside a paragraph reaches back."""

    @property
    def fingerprint(self) -> str:
        """Changes with anything that can move a passage's borders."""
        return f"structure-2:{self.size}:{self.overlap}"


# Ends of pieces, the strongest first: list items, sentences, lines, words.
_SEPARATORS = [
    r"\n(?=[ \t]*(?:[-*•–+●▪◦‣·]|\d{1,3}[.)])[ \t])",
    r"(?<=[.!?…])[\"'”’)\]]*\s+",
    r"\n",
    r"(?<=[;:,])\s+",
    r"\s+",
    "",
]
_BLOCK = re.compile(r"(?:[^\n]|\n(?!\n))+\n*")
_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_HEADING = re.compile(r"#{1,6}\s")
_SENTENCE_OR_ITEM = re.compile(r"[.!?…;,|]\W?$|^[-*•–●▪◦‣·|]")
_RULE = re.compile(r"[\s|:+=-]*-{2,}[\s|:+=-]*")
_BEGIN = re.compile(r"(?<=[.!?…])\s+|\n+")


def split(document: Document, size: int = 700, overlap: int = 80) -> list[Passage]:
    """Cut a document into passages of up to ``size`` characters.

    A passage lies within one place, ends where a row, a paragraph, a sentence or at least a word
    ends, and is longer than ``size`` only where one table row is. One that starts within a table
    has the table's first row in its place, since its cells say nothing without it.
    """
    passages: list[Passage] = []
    for place in document.places:
        atoms = _atoms(document.text, (place.start, place.end), place.rows, size)
        for first, end in _packed(atoms, size):
            start = first.start
            if first.inner:
                start = _reach_back(document.text, place.start, start, overlap)
            piece = document.text[start:end]
            start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
            if any(c.isalnum() for c in piece):
                text = document.text[start:end]
                name = " > ".join(filter(None, (place.name, first.columns)))
                passages.append(Passage(document.path, start, end, text, name))
    return passages


@dataclass(frozen=True)
class _Atom:
    """What is kept together: a row, a paragraph, or a piece of a paragraph that is too long."""

    start: int
    end: int
    inner: bool = False
    """It continues the paragraph of the atom before it."""
    headed: bool = False
    """It begins with a heading."""
    columns: str = ""
    """The first row of the table it continues."""


def _atoms(text: str, span: Span, rows: bool, size: int) -> list[_Atom]:
    """Atoms that cover the span; headings, table heads and lead-ins go with what they announce."""
    atoms: list[_Atom] = []
    lead: int | None = None
    headed = False
    columns = ""
    in_table = False
    for start, end in _blocks(text, span, rows):
        block = text[start:end]
        first = start if lead is None else lead
        is_row = block.lstrip().startswith("|")
        announces = _announces(block) or (is_row and not in_table)
        if is_row and not in_table:
            columns = _columns(block)
        continued = columns if is_row and in_table else ""
        in_table = is_row
        if not rows and announces and end - first < size / 2 and end < span[1]:
            headed = _is_heading(block.strip()) if lead is None else headed
            lead = first
            continue
        headed = headed and lead is not None
        continued = continued if lead is None else ""
        lead = None
        if rows or is_row or end - first <= size:
            atoms.append(_Atom(first, end, headed=headed, columns=continued))
        else:
            atoms += _torn(text, first, end, size, headed)
    return atoms


def _columns(row: str) -> str:
    """A table's first row as the end of a place; nothing where it is too long to be a header."""
    names = " | ".join(cell.strip() for cell in row.strip().strip("|").split("|"))
    return names if len(names) <= 200 else ""


def _blocks(text: str, span: Span, rows: bool) -> Iterator[Span]:
    """Paragraphs with the blank lines after them; in tables, rows."""
    for match in (_LINE if rows else _BLOCK).finditer(text, *span):
        if rows or "|" not in match[0]:
            yield match.span()
            continue
        start = match.start()
        for line in _LINE.finditer(text, *match.span()):
            is_row = line[0].lstrip().startswith("|")
            if is_row:
                if line.start() > start:
                    yield start, line.start()
                yield line.span()
                start = line.end()
        if start < match.end():
            yield start, match.end()


def _announces(block: str) -> bool:
    """Whether a block says nothing without the next one: a heading, a table's head, `…:`."""
    line = block.strip()
    return line.endswith(":") or _RULE.fullmatch(line) is not None or _is_heading(line)


def _is_heading(line: str) -> bool:
    """A single short line that is no sentence, list item or row."""
    if "\n" in line or len(line) > 100:
        return False
    return _HEADING.match(line) is not None or _SENTENCE_OR_ITEM.search(line) is None


def _torn(text: str, start: int, end: int, size: int, headed: bool) -> Iterator[_Atom]:
    """A paragraph that is too long, cut at list items, sentences, lines or words."""
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    # Nothing is stripped, dropped or repeated, so that the pieces' lengths are their offsets.
    splitter = RecursiveCharacterTextSplitter(
        separators=_SEPARATORS,
        is_separator_regex=True,
        keep_separator="end",
        chunk_size=max(1, size // 3),
        chunk_overlap=0,
        strip_whitespace=False,
    )
    position = start
    for piece in splitter.split_text(text[start:end]):
        is_first = position == start
        yield _Atom(position, position + len(piece), not is_first, headed and is_first)
        position += len(piece)


def _packed(atoms: list[_Atom], size: int) -> Iterator[tuple[_Atom, int]]:
    """Neighbouring atoms together: the first one, and where the last one ends; at most ``size``.

    Wanted are few passages, full ones, whole paragraphs and tables. The cheapest way to cut is
    found by dynamic programming: a passage costs 1, up to 1 more for what is missing to ``size``,
    0.5 more for a start inside a paragraph or table and 0.25 less for one at a heading.
    """
    costs = [0.0]
    first = [0]
    for end in range(1, len(atoms) + 1):
        best, chosen = math.inf, end - 1
        for start in range(end - 1, -1, -1):
            length = atoms[end - 1].end - atoms[start].start
            if length > size and start < end - 1:
                break
            missing = max(0.0, 1 - length / size)
            opening = atoms[start]
            torn = opening.inner or opening.columns != ""
            cost = costs[start] + 1 + missing**2 + 0.5 * torn - 0.25 * opening.headed
            if cost < best:
                best, chosen = cost, start
        costs.append(best)
        first.append(chosen)
    cuts = []
    end = len(atoms)
    while end:
        cuts.append((atoms[first[end]], atoms[end - 1].end))
        end = first[end]
    yield from reversed(cuts)


def _reach_back(text: str, floor: int, start: int, overlap: int) -> int:
    """Up to ``overlap`` characters before ``start``: from a sentence's start, else a word's."""
    low = max(floor, start - overlap)
    begins = [m.end() for m in _BEGIN.finditer(text, low, start) if m.end() < start]
    if begins:
        return begins[0]
    word = re.compile(r"\s+").search(text, low, start)
    return word.end() if word and word.end() < start else start
