"""Excel workbooks: a unit per sheet, each row with its column names."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl
from langchain_core.documents import Document
from openpyxl.utils.cell import column_index_from_string, coordinate_from_string

from tailor.documents.readers.cells import Merged, shown, tables, written_out
from tailor.documents.readers.ooxml import DRAWING, Package
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import labelled, one_line
from tailor.documents.refusal import Refused

_MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*ref="([A-Z]+\d+):([A-Z]+\d+)"')
_UNCOMPUTED = re.compile(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)")
_LAST_ROW = 1 << 20
"""Of any sheet; those before a cell are filled up, wherever it says to be."""


class Reader(FileReader):
    """Yields one unit per table; its place is the sheet, as ``sheet EUR``."""

    def lazy_load(self) -> Iterator[Document]:
        """Sheets in order, with the values that the formulas had when the file was saved."""
        package = Package(self.content)
        stream = package.usual()
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True, keep_links=False)
        if not book.worksheets:
            raise Refused("broken: no sheets are found in it; save it as an ordinary .xlsx")
        raw = zipfile.ZipFile(stream)
        formulas = None
        is_read = False
        for sheet in book.worksheets:
            xml = raw.read(_part(sheet))
            rows = _rows(sheet)
            if _UNCOMPUTED.search(xml):
                formulas = formulas or openpyxl.load_workbook(package.usual(), read_only=True)
                rows = _with_formulas(rows, _rows(formulas[sheet.title]))
            grid = written_out(list(rows), _merged(xml))
            unseen = "" if sheet.sheet_state == "visible" else " (hidden)"
            for table in tables(grid):
                if text := "\n".join(labelled(table)):
                    is_read = True
                    yield unit(text, f"sheet {sheet.title}{unseen}", rows=True)
            if text := "\n".join(_drawn(package, _part(sheet))):
                is_read = True
                yield unit(text, f"sheet {sheet.title}{unseen}, shapes")
        if not is_read:
            raise package.without_text()


def _part(sheet: Any) -> str:
    return str(sheet._worksheet_path).lstrip("/")


def _drawn(package: Package, part: str) -> Iterator[str]:
    """The text of shapes and diagrams that lie on a sheet."""
    for drawing in package.related(part, "drawing"):
        for holder in (drawing, *package.related(drawing, "diagramData")):
            root = package.xml(holder)
            for paragraph in root.iter(f"{DRAWING}p") if root is not None else ():
                if text := one_line("".join(t.text or "" for t in paragraph.iter(f"{DRAWING}t"))):
                    yield text


def _rows(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what programs write there is often wrong
    for row in sheet.iter_rows(max_row=_LAST_ROW):
        yield [
            "" if cell.value is None else shown(cell.value, str(cell.number_format)) for cell in row
        ]


def _with_formulas(rows: Iterator[list[str]], formulas: Iterator[list[str]]) -> Iterator[list[str]]:
    """Formulas where no value was saved with them, as in files that Excel never opened."""
    for row, other in zip(rows, formulas, strict=False):
        yield [cell or formula for cell, formula in zip(row, other, strict=False)]


def _merged(xml: bytes) -> Iterator[Merged]:
    for first, last in _MERGED.findall(xml):
        left, top = coordinate_from_string(first.decode())
        right, bottom = coordinate_from_string(last.decode())
        columns = column_index_from_string(left) - 1, column_index_from_string(right) - 1
        yield Merged(top - 1, columns[0], bottom - 1, columns[1])
