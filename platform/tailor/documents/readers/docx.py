"""Word documents: a unit per section under its headings, tables as rows."""

import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.oxml.ns import qn
from docx.table import Table
from docx.text.paragraph import Paragraph
from langchain_core.documents import Document

from tailor.documents.readers.archive import opened
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.rows import bars
from tailor.documents.readers.sections import Block, sections

_BREAKS = {qn("w:tab"): "\t", qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:noBreakHyphen"): "-"}


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order; headers, footers and comments are left out."""
        document = docx.Document(opened(self.content))
        return sections(_tight_lists(_blocks(document.element.body, document)))


def _blocks(parent: Any, document: Any) -> Iterator[Block]:
    """Paragraphs and tables in document order, also inside content controls."""
    for child in parent.iterchildren():
        if child.tag == qn("w:p"):
            paragraph = Paragraph(child, document)
            if text := _text(child).strip():
                yield _block(paragraph, text)
        elif child.tag == qn("w:tbl"):
            rows = [_row(row, document) for row in Table(child, document).rows]
            yield Block("\n".join(row for row in rows if row.strip("| ")))
        elif child.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml")):
            yield from _blocks(child, document)


def _block(paragraph: Paragraph, text: str) -> Block:
    style = (paragraph.style.name or "") if paragraph.style is not None else ""
    if style == "Title":
        return Block(text, 1)
    if match := re.fullmatch(r"[Hh]eading (\d)", style):
        return Block(text, int(match[1]) + 1)
    properties = paragraph._p.pPr
    numbered = properties is not None and properties.numPr is not None
    if (style.startswith("List") or numbered) and not re.match(r"[-•*]|\d+[.)]", text):
        return Block(f"- {text}")
    return Block(text)


def _tight_lists(blocks: Iterator[Block]) -> Iterator[Block]:
    """Neighbouring list items as one block, a line each."""
    items: list[str] = []
    for block in blocks:
        if not block.level and block.text.startswith("- "):
            items.append(block.text)
            continue
        if items:
            yield Block("\n".join(items))
            items = []
        yield block
    if items:
        yield Block("\n".join(items))


def _row(row: Any, document: Any) -> str:
    cells: list[str] = []
    last = None
    for cell in row.cells:
        if cell._tc is not last:  # a cell merged over several columns comes once per column
            cells.append("\n".join(block.text for block in _blocks(cell._tc, document)))
        last = cell._tc
    return bars(cells)


def _text(paragraph: Any) -> str:
    """All text that is shown: hyperlinks, fields and insertions, not deletions.

    `Paragraph.text` leaves out insertions that are still being tracked.
    """
    parts = []
    for element in paragraph.iter():
        if element.tag == qn("w:t"):
            if not any(a.tag.endswith("}Fallback") for a in element.iterancestors()):
                parts.append(element.text or "")
        elif element.tag in _BREAKS and element.getparent().tag == qn("w:r"):
            parts.append(_BREAKS[element.tag])
    return "".join(parts)
