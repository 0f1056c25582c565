"""CSV and TSV: each row with its column names."""

import csv
import io
import re
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import labelled

_LONGEST_FIELD = 1 << 24
csv.field_size_limit(_LONGEST_FIELD)
_MOST_LINES = 200
_SIGNS = ",;\t|"
_ANNOUNCED = re.compile(r"\s*\"?sep=(.)\"?[ \t]*\r?\n", re.IGNORECASE)


class Reader(FileReader):
    """Yields the table as one unit, a row a line."""

    def lazy_load(self) -> Iterator[Document]:
        """One unit without a place."""
        text, note = decode(self.content)
        if announced := _ANNOUNCED.match(text):  # as Excel writes it
            delimiter, text = announced[1], text[announced.end() :]
        else:
            delimiter = "\t" if self.name.lower().endswith(".tsv") else delimiter_of(text)
        rows, problem = _rows(text, delimiter)
        note = "; ".join(filter(None, (note, problem)))
        yield unit("\n".join(labelled(rows)), rows=True, note=note)


def delimiter_of(text: str) -> str:
    """The sign among ``, ; tab |`` that splits most of the first lines into equally many cells.

    Empty where none is in most lines: a table of one column.
    """
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def evidence(sign: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=sign)]
        common = max(set(counts), key=lambda n: (counts.count(n), n), default=1)
        return (counts.count(common) if common > 1 else 0, common)

    best = max(_SIGNS, key=evidence)
    return best if sum(best in line for line in lines) >= len(lines) / 2 else ""


def _rows(text: str, delimiter: str) -> tuple[list[list[str]], str]:
    """The cells, and a note where a quotation mark that is never closed counts as a sign."""
    if not delimiter:
        return [[line.strip().strip('"')] for line in text.splitlines()], ""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    if not rows or max(map(_lines_in_a_cell, rows)) <= _MOST_LINES:
        return rows, ""
    rows = list(csv.reader(text.splitlines(), delimiter=delimiter, quoting=csv.QUOTE_NONE))
    return rows, "a quotation mark is never closed, so all of them are read as text"


def _lines_in_a_cell(row: list[str]) -> int:
    """A cell of very many lines has swallowed the rows after it."""
    return max((cell.count("\n") for cell in row), default=0)
