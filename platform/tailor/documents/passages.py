"""Passages: the pieces of documents that are embedded, found and read."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from tailor.documents.document import Document, Place
    from tailor.documents.tokens import Lengths, TokenCounter

Strategy = Literal["structure", "sentences", "fixed"]

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
    """How documents are cut: the largest passage and the overlap, in tokens of the embedder."""

    size: int = 150
    overlap: int = 16
    """How far a passage that starts inside a paragraph reaches back."""
    strategy: Strategy = "structure"
    """``structure`` keeps paragraphs, lists and sections together as far as they fit;
    ``sentences`` fills passages with whole sentences; ``fixed`` with words."""

    @property
    def fingerprint(self) -> str:
        """Changes with anything that can move a passage's borders."""
        return f"{self.strategy}-3:{self.size}:{self.overlap}"


_ITEM = re.compile(r"\n(?=[ \t]*(?:[-*•–+●▪◦‣·]|\d{1,3}[.)])[ \t])")
_SENTENCE = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])")
_CLAUSE = re.compile(r"(?<=[;:,])\s+|(?<=[，、；：])")
_ENDS = (_ITEM, _SENTENCE, re.compile(r"\n"), _CLAUSE, re.compile(r"\s+"))
"""Ends of pieces, the strongest first: list items, sentences, lines, clauses, words."""
_ANY_SENTENCE = re.compile(f"{_ITEM.pattern}|{_SENTENCE.pattern}|\\n{{2,}}")
_BLOCK = re.compile(r"\n*[^\n]+(?:\n[^\n]+)*\n*")
_LINE = re.compile(r"[^\n]*\n+|[^\n]+")
_HEADING = re.compile(r"#{1,6}\s")
_SENTENCE_OR_ITEM = re.compile(r"[.!?…;,|]\W?$|^[-*•–●▪◦‣·|]")
_RULE = re.compile(r"[\s|:+=-]*-{2,}[\s|:+=-]*")
_BEGIN = re.compile(r"(?<=[.!?…。！？])\s+|\n+")


def split(document: Document, splitter: Splitter, counter: TokenCounter) -> list[Passage]:
    """Cut a document into passages of up to ``splitter.size`` tokens.

    A passage lies within one place, ends where a row, a sentence or at least a word ends, and is
    longer than ``size`` (and the overlap) only where one table row is. One that starts within a
    table has the table's first row in its place, since its cells say nothing without it.
    """
    text = document.text
    lengths = counter.lengths(text)
    passages: list[Passage] = []
    for place in document.places:
        for start, end, columns in _cuts(text, place, splitter, lengths):
            piece = text[start:end]
            start, end = start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())
            if any(c.isalnum() for c in piece):
                name = " > ".join(filter(None, (place.name, columns)))
                passages.append(Passage(document.path, start, end, text[start:end], name))
    return passages


def _cuts(
    text: str, place: Place, splitter: Splitter, lengths: Lengths
) -> Iterator[tuple[int, int, str]]:
    """Where passages start and end, and the first row of a table they start in."""
    size, overlap = splitter.size, splitter.overlap
    if splitter.strategy == "structure":
        for first, end in _packed(_atoms(text, place, size, lengths), size, lengths):
            start = first.start
            if first.inner:
                start = _reach_back(text, place.start, start, overlap, lengths)
            yield start, end, first.columns
    else:
        ends = _ANY_SENTENCE if splitter.strategy == "sentences" else _ENDS[-1]
        atoms = _even_atoms(text, place, size, lengths, ends)
        for first, end in _filled(atoms, size, overlap, lengths):
            yield first.start, end, first.columns


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


def _atoms(text: str, place: Place, size: int, lengths: Lengths) -> list[_Atom]:
    """Atoms that cover the place; headings, table heads and lead-ins go with what they announce."""
    atoms: list[_Atom] = []
    lead: int | None = None
    headed = False
    columns = ""
    in_table = False
    for start, end in _blocks(text, place):
        block = text[start:end]
        first = start if lead is None else lead
        is_row = block.lstrip().startswith("|")
        announces = _announces(block) or (is_row and not in_table)
        if is_row and not in_table:
            columns = _columns(block)
        continued = columns if is_row and in_table else ""
        in_table = is_row
        tokens = lengths.between(first, end)
        if not place.rows and announces and tokens < size / 2 and end < place.end:
            headed = _is_heading(block.strip()) if lead is None else headed
            lead = first
            continue
        headed = headed and lead is not None
        continued = continued if lead is None else ""
        lead = None
        if place.rows or is_row or tokens <= size:
            atoms.append(_Atom(first, end, headed=headed, columns=continued))
        else:
            atoms += _torn(text, first, end, size, headed, lengths)
    return atoms


def _even_atoms(
    text: str, place: Place, size: int, lengths: Lengths, ends: re.Pattern[str]
) -> list[_Atom]:
    """Rows, and between them all pieces with one of these ends, whatever they belong to."""
    atoms: list[_Atom] = []
    columns = ""
    in_table = False
    for start, end in _blocks(text, place):
        is_row = text[start:end].lstrip().startswith("|")
        if is_row and not in_table:
            columns = _columns(text[start:end])
        continued = columns if is_row and in_table else ""
        in_table = is_row
        if place.rows or is_row:
            atoms.append(_Atom(start, end, columns=continued))
        else:
            for piece in _parted(text, start, end, ends):
                atoms += [_Atom(*span) for span in _pieces(text, *piece, size, lengths, _ENDS[2:])]
    return atoms


def _columns(row: str) -> str:
    """A table's first row as the end of a place; nothing where it is too long to be a header."""
    names = " | ".join(cell.strip() for cell in row.strip().strip("|").split("|"))
    return names if len(names) <= 200 else ""


def _blocks(text: str, place: Place) -> Iterator[Span]:
    """Paragraphs with the blank lines after them; in tables, rows."""
    rows = place.rows
    for match in (_LINE if rows else _BLOCK).finditer(text, place.start, place.end):
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


def _torn(
    text: str, start: int, end: int, size: int, headed: bool, lengths: Lengths
) -> Iterator[_Atom]:
    """A paragraph that is too long, cut at list items, sentences, lines or words."""
    for first, last in _pieces(text, start, end, max(1, size // 3), lengths, _ENDS):
        yield _Atom(first, last, first > start, headed and first == start)


def _pieces(
    text: str, start: int, end: int, limit: int, lengths: Lengths, ends: Sequence[re.Pattern[str]]
) -> Iterator[Span]:
    """Pieces of up to ``limit`` tokens with the strongest of these ends that allow it."""
    if end - start < 2 or lengths.between(start, end) <= limit:
        yield start, end
    elif ends:
        for piece in _merged(_parted(text, start, end, ends[0]), limit, lengths):
            yield from _pieces(text, *piece, limit, lengths, ends[1:])
    else:
        middle = (start + end) // 2
        yield from _pieces(text, start, middle, limit, lengths, ())
        yield from _pieces(text, middle, end, limit, lengths, ())


def _parted(text: str, start: int, end: int, ends: re.Pattern[str]) -> Iterator[Span]:
    """The span cut after every match of ``ends``."""
    for match in ends.finditer(text, start, end):
        if start < match.end() < end:
            yield start, match.end()
            start = match.end()
    yield start, end


def _merged(spans: Iterator[Span], limit: int, lengths: Lengths) -> Iterator[Span]:
    """Neighbouring spans together, as far as they fit."""
    start, end = next(spans)
    for first, last in spans:
        if lengths.between(start, last) > limit:
            yield start, end
            start = first
        end = last
    yield start, end


def _filled(
    atoms: Sequence[_Atom], size: int, overlap: int, lengths: Lengths
) -> Iterator[tuple[_Atom, int]]:
    """As many atoms as fit, then on from the last ones that fit into the overlap."""
    starts = [lengths.at(atom.start) for atom in atoms]
    ends = [lengths.at(atom.end) for atom in atoms]
    first, end = 0, 0
    while end < len(atoms):
        end += 1
        while end < len(atoms) and ends[end] - starts[first] <= size:
            end += 1
        yield atoms[first], atoms[end - 1].end
        following, first = first, end
        while (
            end < len(atoms)
            and first - 1 > following
            and ends[end - 1] - starts[first - 1] <= overlap
            and ends[end] - starts[first - 1] <= size
        ):
            first -= 1


def _packed(atoms: Sequence[_Atom], size: int, lengths: Lengths) -> Iterator[tuple[_Atom, int]]:
    """Neighbouring atoms together: the first one, and where the last one ends; at most ``size``.

    Wanted are few passages, full ones, whole paragraphs and tables. The cheapest way to cut is
    found by dynamic programming: a passage costs 1, up to 1 more for what is missing to ``size``,
    0.5 more for a start inside a paragraph or table and 0.25 less for one at a heading.
    """
    starts = [lengths.at(atom.start) for atom in atoms]
    ends = [lengths.at(atom.end) for atom in atoms]
    costs = [0.0]
    first = [0]
    for end in range(1, len(atoms) + 1):
        best, chosen = math.inf, end - 1
        for start in range(end - 1, -1, -1):
            length = ends[end - 1] - starts[start]
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


def _reach_back(text: str, floor: int, start: int, overlap: int, lengths: Lengths) -> int:
    """Up to ``overlap`` tokens before ``start``: from a sentence's start, else a word's."""
    low = max(floor, lengths.word_before(start, overlap))
    begins = (m.end() for m in _BEGIN.finditer(text, max(floor, low - 1), start))
    return next((begin for begin in begins if low <= begin < start), min(low, start))
