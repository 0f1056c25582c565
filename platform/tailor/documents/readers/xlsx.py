"""Excel workbooks: a unit per sheet, each row with its column names."""

import datetime
import re
import zipfile
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import openpyxl
from langchain_core.documents import Document

from tailor.documents.readers.archive import opened
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import labelled
from tailor.documents.refusal import Refused

_UNIT = re.compile(r'"([^"]+)"|\[\$([^\]-]+)')


class Reader(FileReader):
    """Yields one unit per sheet with cells; its place is ``sheet EUR``."""

    def lazy_load(self) -> Iterator[Document]:
        """Sheets in order, with the values that the formulas had when the file was saved."""
        stream = opened(self.content)
        book = openpyxl.load_workbook(stream, read_only=True, data_only=True)
        formulas = (
            openpyxl.load_workbook(opened(self.content), read_only=True)
            if _uncomputed(self.content)
            else None
        )
        if not book.worksheets:
            raise Refused("broken: no sheets are found in it; save it as an ordinary .xlsx")
        for sheet in book.worksheets:
            sheet.reset_dimensions()
            rows = ([shown(cell) for cell in row] for row in sheet.iter_rows())
            if formulas is not None:
                other = formulas[sheet.title]
                other.reset_dimensions()
                rows = (
                    [shown(cell) or shown(formula) for cell, formula in zip(*pair, strict=False)]
                    for pair in zip(sheet.iter_rows(), other.iter_rows(), strict=False)
                )
            if text := "\n".join(labelled(rows)):
                yield unit(text, f"sheet {sheet.title}", rows=True)


def shown(cell: Any) -> str:
    """A cell's value as a person reads it: 1480, 12.5%, 2026-03-01, 95 EUR."""
    value = cell.value
    if value is None:
        return ""
    if isinstance(value, datetime.datetime):
        midnight = value.time() == datetime.time(0)
        return str(value.date() if midnight else value.replace(microsecond=0))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value).strip()
    form = str(cell.number_format or "")
    if "%" in form:
        return f"{_number(value * 100)}%"
    sign = next((a or b for a, b in _UNIT.findall(form) if (a or b).strip()), "").strip()
    if not sign:
        return _number(value)
    before = form.find(sign) < min((form.find(d) for d in "0#?" if d in form), default=0)
    return f"{sign} {_number(value)}" if before else f"{_number(value)} {sign}"


def _number(value: float) -> str:
    """Up to 12 significant digits, never with an exponent."""
    text = format(Decimal(format(value, ".12g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _uncomputed(content: bytes) -> bool:
    """Whether formulas stand without a value, as in files that Excel never opened."""
    with zipfile.ZipFile(opened(content)) as archive:
        return any(
            re.search(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)", archive.read(name))
            for name in archive.namelist()
            if name.startswith("xl/worksheets/") and name.endswith(".xml")
        )
