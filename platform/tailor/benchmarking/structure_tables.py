"""Facts that documents state in tables and records."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tailor.benchmarking.stated import UNNAMED, Fact, section_at, usable
from tailor.documents.document import Document, Place
from tailor.text import fold, language, words


@dataclass(frozen=True)
class Table:
    """Rows that give several values for each subject."""

    section: str
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], str], ...]
    """The cells, and the line of the document that holds them; a cell may be empty."""


_RULE = re.compile(r"\|?[\s|:+=-]*-{2,}[\s|:+=-]*")
_FIELD = re.compile(r"(?:^|; )([^:;|]{1,60}): ")
_ATTRIBUTES = {
    "", "chi so", "thong so", "dac diem", "hang muc", "noi dung", "tieu chi", "property",
    "feature", "item", "indicator", "specification", "figure", "measure", "key figure",
}  # fmt: skip
"""Headers of first columns that name attributes, so that the other columns are the subjects."""
_NAMED = {
    "name", "full name", "product", "item name", "service", "employee", "ten", "ho ten",
    "ho va ten", "san pham", "ten hang", "ten san pham", "hang muc", "dich vu",
}  # fmt: skip
"""Headers of columns that say what a row is about better than a number before them."""
_MOST_ROWS = 200
"""Of one table; those between are left out."""
_NUMBERS_ROWS = {"stt", "tt", "no", "#", "nr", "number", "so thu tu"}
_FORMULA = re.compile(r"\$[^$\d\s][^$]*\$|\\[a-z]+\b")


def in_tables(document: Document, called: str) -> Iterator[Fact]:
    """Every value in the document's tables."""
    for table in _tables(document, called):
        yield from _cells(document, called, table)


def _tables(document: Document, called: str) -> Iterator[Table]:
    """Tables with bars, rows of ``column: value; …``, and blocks of lines with the same keys."""
    for place in document.places:
        text = document.text[place.start : place.end]
        if place.rows:
            section = "" if UNNAMED.match(place.name) else place.name.removeprefix("sheet ")
            found = _records(section, [(line, line) for line in text.split("\n")], _FIELD)
        else:
            yield from _barred(document, place, called)
            blocks = [block.strip() for block in text.split("\n\n")]
            line = re.compile(r"(?:^|\n)([^:\n]{1,40}): ")
            found = _records(section_at(document, place, 0, called), [(b, b) for b in blocks], line)
        if found is not None:
            yield found


def _barred(document: Document, place: Place, called: str) -> Iterator[Table]:
    text = document.text[place.start : place.end]
    for block in re.finditer(r"(?:^[ \t]*\|.*(?:\n|\Z))+", text, re.MULTILINE):
        lines = [
            line for line in block[0].split("\n") if line.strip() and not _RULE.fullmatch(line)
        ]
        cells = [
            tuple(cell.strip(" *") for cell in line.strip().strip("|").split("|")) for line in lines
        ]
        if len(cells) < 2 or len(cells[0]) < 2 or any(map(_no_head, cells[0])):
            continue
        rows = [(c, line.strip()) for c, line in zip(cells[1:], lines[1:], strict=True)]
        rows = [(c, line) for c, line in rows if len(c) == len(cells[0])]
        yield Table(section_at(document, place, block.start(), called), cells[0], tuple(rows))


def _records(
    section: str, texts: Sequence[tuple[str, str]], field: re.Pattern[str]
) -> Table | None:
    """Texts of the form ``key: value`` with the same keys, as a table; None where there are few."""
    read: list[tuple[dict[str, str], str]] = []
    for text, line in texts:
        marks = list(field.finditer(text))
        if not marks or marks[0].start():
            continue
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        pairs = {
            mark[1].strip(): text[mark.end() : end].strip(" ;\n")
            for mark, end in zip(marks, ends, strict=True)
        }
        read.append((pairs, line))
    counts = Counter(key for pairs, _ in read for key in pairs)
    header = tuple(key for key, count in counts.items() if 2 * count > len(read) and count > 1)
    if len(header) < 2 or not read or header[0] != next(iter(read[0][0]), None):
        return None
    rows = [(tuple(pairs.get(key, "") for key in header), line) for pairs, line in read]
    return Table(section, header, tuple((cells, line) for cells, line in rows if cells[0]))


def _cells(document: Document, called: str, table: Table) -> Iterator[Fact]:
    at = _key(table)
    turned = fold(table.header[at]).strip() in _ATTRIBUTES or _things(table.header)
    keys = Counter(fold(cells[at]) for cells, _ in table.rows)
    lang = _language_of(table.header, document)
    for cells, line in table.rows[:: 1 + len(table.rows) // _MOST_ROWS]:
        key = cells[at]
        if keys[fold(key)] > 1 or not words(key):
            continue
        label = "" if turned or _telling(key) else table.header[at].replace("_", " ")
        for name, value in zip(table.header[at + 1 :], cells[at + 1 :], strict=True):
            subject, attribute = (name, key) if turned else (key, name)
            torn = re.search(r"\)\s+\w", name)  # two columns that the reader took for one
            formula = _FORMULA.search(f"{subject} {attribute} {value}")
            if torn or formula:
                continue
            if usable(subject, value) and 0 < len(words(attribute)) <= 10:
                quote = line if len(line) <= 400 else _part(line, name, value)
                yield Fact("cell", document.path, called, table.section, subject,
                           attribute.replace("_", " "), value, quote, lang, label)  # fmt: skip


def _key(table: Table) -> int:
    """The column that says what the rows are about: the first, or a name after a number."""
    first = 1 if fold(table.header[0]).strip(". ") in _NUMBERS_ROWS else 0
    for at in range(first, min(first + 3, len(table.header) - 1)):
        values = [fold(cells[at]) for cells, _ in table.rows]
        if fold(table.header[at]).strip() in _NAMED and len(set(values)) == len(values):
            return at
    return first


def _things(header: Sequence[str]) -> bool:
    """Whether all columns but the first are things or years, so that rows are their attributes."""
    others = [re.findall(r"\w+", name) for name in header[1:]]
    return len(others) > 1 and all(
        any(any(c.isdigit() for c in word) for word in name)
        and not any(word[0].islower() for word in name)
        for name in others
    )


def _telling(key: str) -> bool:
    """Whether a key holds a word rather than a code, a letter or a number."""
    return any(sum(c.islower() for c in word) > 1 for word in re.findall(r"[^\W\d_]+", key))


def _part(line: str, name: str, value: str) -> str:
    """Of a long record, the field itself."""
    field = re.search(rf"{re.escape(name)}:\s*{re.escape(value)}", line)
    return field[0] if field else line


def _language_of(header: Sequence[str], document: Document) -> str:
    names = " ".join(header).replace("_", " ")
    if language(names) == "vi":
        return "vi"
    return "en" if document.language == "en" or _english(names) else document.language


def _english(names: str) -> bool:
    told = set(words(names))
    return bool(told & {"name", "title", "date", "price", "product", "number", "customer", "item"})


def _no_head(name: str) -> bool:
    """Whether a table's first line is one of its rows: a figure, or ``key: value``."""
    figure = not any(c.isalpha() for c in name) and any(c.isdigit() for c in name)
    return figure or ": " in name
