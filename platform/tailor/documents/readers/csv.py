"""CSV and TSV: each row with its column names."""

import csv
import io
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import labelled

_LONGEST_FIELD = 1 << 24


class Reader(FileReader):
    """Yields the table as one unit, a row a line."""

    def lazy_load(self) -> Iterator[Document]:
        """One unit without a place."""
        text, note = decode(self.content)
        csv.field_size_limit(_LONGEST_FIELD)
        delimiter = "\t" if self.name.lower().endswith(".tsv") else delimiter_of(text)
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        yield unit("\n".join(labelled(rows)), rows=True, note=note)


def delimiter_of(text: str) -> str:
    """The sign among ``, ; tab |`` that splits most of the first lines into equally many cells."""
    lines = [line for line in text.splitlines()[:50] if line.strip()]

    def evidence(sign: str) -> tuple[int, int]:
        counts = [len(row) for row in csv.reader(lines, delimiter=sign)]
        common = max(set(counts), key=lambda n: (counts.count(n), n), default=1)
        return (counts.count(common) if common > 1 else 0, common)

    return max([",", ";", "\t", "|"], key=evidence)
