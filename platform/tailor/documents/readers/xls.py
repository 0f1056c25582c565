"""Excel workbooks of 1997 to 2003 and older: a unit per sheet, each row with its column names."""

from __future__ import annotations

import io
from collections.abc import Iterator

import xlrd
from langchain_core.documents import Document

from tailor.documents.readers.archive import PASSWORD
from tailor.documents.readers.cells import Merged, shown, tables, written_out
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import labelled
from tailor.documents.refusal import Refused


class Reader(FileReader):
    """Yields one unit per table; its place is the sheet, as ``sheet EUR``."""

    def lazy_load(self) -> Iterator[Document]:
        """Sheets in order, with the values that the formulas had when the file was saved."""
        book = _opened(self.content)
        for sheet in book.sheets():
            grid = [[_shown(book, cell) for cell in sheet.row(row)] for row in range(sheet.nrows)]
            merged = [
                Merged(top, left, bottom - 1, right - 1)
                for top, bottom, left, right in sheet.merged_cells
            ]
            unseen = " (hidden)" if sheet.visibility else ""
            for table in tables(written_out(grid, merged)):
                if text := "\n".join(labelled(table)):
                    yield unit(text, f"sheet {sheet.name}{unseen}", rows=True)


def _opened(content: bytes) -> xlrd.Book:
    try:
        try:
            return xlrd.open_workbook(
                file_contents=content, formatting_info=True, logfile=io.StringIO()
            )
        except (NotImplementedError, IndexError, KeyError, AssertionError):
            # Formats are damaged or older than this can read; the values may still be there.
            return xlrd.open_workbook(file_contents=content, logfile=io.StringIO())
    except xlrd.XLRDError as error:
        if "encrypted" in str(error):
            raise Refused(PASSWORD) from None
        raise


def _shown(book: xlrd.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return ""
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return shown(bool(cell.value))
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    form = _form(book, cell)
    if cell.ctype == xlrd.XL_CELL_DATE:
        try:
            moment = xlrd.xldate_as_datetime(cell.value, book.datemode)
        except (ValueError, OverflowError):
            return shown(cell.value)
        return shown(moment.time() if 0 <= cell.value < 1 else moment, form)
    return shown(cell.value, form)


def _form(book: xlrd.Book, cell: xlrd.sheet.Cell) -> str:
    if cell.xf_index is None or cell.xf_index >= len(book.xf_list):
        return "General"
    form = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    return str(form.format_str) if form is not None else "General"
