"""OpenDocument: texts by section, sheets by row, slides with notes (ODF 1.3, `content.xml`)."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from langchain_core.documents import Document
from lxml import etree

from tailor.documents.readers.archive import PASSWORD, opened, xml
from tailor.documents.readers.reader import FileReader, unit, whole
from tailor.documents.readers.rows import bars, labelled, one_line
from tailor.documents.readers.sections import Block, sections, tight_lists
from tailor.documents.readers.word_styles import written
from tailor.documents.refusal import Refused

_NAMESPACE = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_OFFICE, _TEXT, _TABLE, _DRAW, _SHOW, _STYLE = (
    _NAMESPACE % name for name in ("office", "text", "table", "drawing", "presentation", "style")
)
_UNSEEN = frozenset(
    [f"{_TEXT}{name}" for name in ("tracked-changes", "note", "table-of-content", "ruby-text",
                                   "sequence-decls", "variable-decls", "hidden-text")]
    + [f"{_OFFICE}annotation", f"{_OFFICE}forms", f"{_TABLE}shapes"]
)  # fmt: skip
_SHAPES = tuple(f"{_DRAW}{name}" for name in ("frame", "custom-shape", "rect", "ellipse", "line"))
_FORMS = {"1": "decimal", "a": "lowerLetter", "A": "upperLetter", "i": "lowerRoman",
          "I": "upperRoman"}  # fmt: skip
_LONGEST_REPEAT = 1000
"""Equal rows or cells in a run that count; a run to the sheet's end is formatting."""


class Reader(FileReader):
    """Yields sections, or one unit per sheet (``sheet EUR``) or slide (``slide 2``)."""

    def lazy_load(self) -> Iterator[Document]:
        """In reading order, then what stands in headers and footers; comments are left out."""
        root, styles = _parts(self.content)
        body = root.find(f"{_OFFICE}body")
        if body is None:
            raise Refused("broken: the OpenDocument file has no body")
        text = _Text(_numbered(root) | (_numbered(styles) if styles is not None else {}))
        for kind in body:
            if kind.tag == f"{_OFFICE}spreadsheet":
                yield from _sheets(kind, text, _hidden_styles(root))
            elif kind.tag in (f"{_OFFICE}presentation", f"{_OFFICE}drawing"):
                yield from _slides(kind, text, _hidden_styles(root))
            else:
                yield from sections(tight_lists(text.blocks(kind)))
                if edges := _edges(styles, text):
                    yield unit(edges, "header and footer")


def _parts(content: bytes) -> tuple[etree._Element, etree._Element | None]:
    """The content, and the styles where there are any."""
    with zipfile.ZipFile(opened(content)) as archive:
        names = archive.namelist()
        if "META-INF/manifest.xml" in names:
            manifest = archive.read("META-INF/manifest.xml")
            if b"encryption-data" in manifest:
                raise Refused(PASSWORD)
        if "content.xml" not in names:
            raise Refused("broken: the file has no content.xml, so it is no OpenDocument file")
        styles = archive.read("styles.xml") if "styles.xml" in names else b""
        return _root(archive.read("content.xml")), _root(styles) if styles else None


def _root(content: bytes) -> etree._Element:
    # OpenOffice.org 1 wrote the same words in namespaces of its own.
    old, new = b'"http://openoffice.org/2000/', b'"urn:oasis:names:tc:opendocument:xmlns:'
    if old in content:
        content = re.sub(old + rb'([a-z]+)"', new + rb'\1:1.0"', content)
    return xml(content)


def _edges(styles: etree._Element | None, text: _Text) -> str:
    """Headers and footers, each line once."""
    found = styles.iter(f"{_STYLE}header", f"{_STYLE}footer") if styles is not None else ()
    lines = (block.text for edge in found for block in text.blocks(edge))
    return "\n".join(dict.fromkeys(line for line in lines if sum(map(str.isalpha, line)) > 3))


@dataclass
class _Text:
    """Reads paragraphs, lists and tables; ``numbered`` tells which lists are."""

    numbered: dict[tuple[str, int], tuple[str, str, str]]
    """List style and depth to what stands before the number, its form, and what follows."""
    counts: dict[tuple[str, int], int] = field(default_factory=dict)

    def blocks(self, parent: etree._Element, depth: int = 0, style: str = "") -> Iterator[Block]:
        """Everything below an element, in reading order."""
        for child in parent:
            tag = child.tag
            if tag == f"{_TEXT}h":
                level = child.get(f"{_TEXT}outline-level", "1")
                if text := one_line(_shown(child)):
                    yield Block(text, min(max(whole(level, 1), 1), 9))
                yield from self._beside(child)
            elif tag == f"{_TEXT}p":
                if text := _shown(child).strip():
                    yield Block(text)
                yield from self._beside(child)
            elif tag == f"{_TEXT}list":
                yield from self._items(child, depth, child.get(f"{_TEXT}style-name", style))
            elif tag == f"{_TABLE}table":
                yield from self._table(child)
            elif tag == f"{_DRAW}frame":
                yield from self.frame(child)
            elif isinstance(tag, str) and tag not in _UNSEEN:
                yield from self.blocks(child, depth, style)

    def _items(self, parent: etree._Element, depth: int, style: str) -> Iterator[Block]:
        before, form, after = self.numbered.get((style, depth + 1), ("", "", ""))
        if parent.get(f"{_TEXT}continue-numbering") != "true" or depth:
            self.counts[style, depth] = 0
        for item in parent:
            first = item.tag == f"{_TEXT}list-item"
            for block in self.blocks(item, depth + 1, style):
                if block.item or block.level or not first:
                    yield block
                    continue
                first = False
                count = self.counts[style, depth] = self.counts[style, depth] + 1
                label = f"{before}{written(count, form)}{after}" if form else "-"
                yield Block(f"{'  ' * depth}{label} {block.text}", item=True)

    def _beside(self, paragraph: etree._Element) -> Iterator[Block]:
        """What hangs at a paragraph: its footnotes, and the text boxes drawn there."""
        for note in paragraph.iter(f"{_TEXT}note"):
            body = note.find(f"{_TEXT}note-body")
            if body is not None:
                text = " ".join(one_line(_shown(p)) for p in body.iter(f"{_TEXT}p"))
                yield Block(f"[{note.findtext(f'{_TEXT}note-citation') or ''}] {text}")
        for shape in paragraph.iter(*_SHAPES):
            if not any(ancestor.tag in _SHAPES for ancestor in shape.iterancestors()):
                yield from self.frame(shape)

    def frame(self, shape: etree._Element) -> Iterator[Block]:
        """The text in a drawn shape."""
        if shape.tag != f"{_DRAW}frame":
            yield from self.blocks(shape)
        for box in shape:
            if box.tag == f"{_DRAW}text-box":
                yield from self.blocks(box)
            elif box.tag == f"{_TABLE}table":
                yield from self._table(box)

    def _table(self, table: etree._Element) -> Iterator[Block]:
        """Rows; a table of one column is only a frame around paragraphs."""
        grid = [list(_cells(row)) for row in _rows(table)]
        if all(len(row) <= 1 for row in grid):
            for row in grid:
                for cell in row:
                    yield from self.blocks(cell)
            return
        above: dict[int, tuple[int, str]] = {}
        lines = []
        for row in grid:
            texts: list[str] = []
            for column, cell in enumerate(row):
                left, text = above.get(column, (0, ""))
                if cell.tag == f"{_TABLE}covered-table-cell":
                    if not left:
                        continue
                    above[column] = (left - 1, text)
                else:
                    text = self.cell(cell)
                    above[column] = (_count(cell, "number-rows-spanned") - 1, text)
                texts += [*[""] * (column - len(texts)), text]
            if any(text.strip() for text in texts):
                lines.append(bars(texts))
        if lines:
            yield Block("\n".join(lines))

    def cell(self, cell: etree._Element) -> str:
        """The text of a table cell."""
        return "\n".join(block.text.strip("| ") for block in self.blocks(cell))


def _shown(element: etree._Element) -> str:
    parts = [element.text or ""]
    for child in element:
        tag = child.tag
        if tag == f"{_TEXT}s":
            count = child.get(f"{_TEXT}c", "1")
            parts.append(" " * min(whole(count, 1), 100))
        elif tag == f"{_TEXT}tab":
            parts.append("\t")
        elif tag == f"{_TEXT}line-break":
            parts.append("\n")
        elif tag == f"{_TEXT}note":
            parts.append(f"[{child.findtext(f'{_TEXT}note-citation') or ''}]")
        elif isinstance(tag, str) and tag not in _UNSEEN and tag.startswith((_TEXT, f"{_DRAW}a")):
            parts.append(_shown(child))
        parts.append(child.tail or "")
    return "".join(parts)


def _rows(parent: etree._Element) -> Iterator[etree._Element]:
    """Rows, also those in groups and headers, as often as they are repeated."""
    for child in parent:
        if child.tag == f"{_TABLE}table-row":
            count = _count(child, "number-rows-repeated")
            for _ in range(count if count <= _LONGEST_REPEAT else 1):
                yield child
        elif child.tag in (f"{_TABLE}table-header-rows", f"{_TABLE}table-rows",
                           f"{_TABLE}table-row-group"):  # fmt: skip
            yield from _rows(child)


def _cells(row: etree._Element) -> Iterator[etree._Element]:
    for cell in row:
        if cell.tag in (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell"):
            count = _count(cell, "number-columns-repeated")
            for _ in range(count if count <= _LONGEST_REPEAT else 1):
                yield cell


def _count(element: etree._Element, name: str) -> int:
    value = element.get(f"{_TABLE}{name}", "1")
    return max(1, whole(value, 1))


def _sheets(book: etree._Element, text: _Text, hidden: set[str]) -> Iterator[Document]:
    for table in book.iter(f"{_TABLE}table"):
        if table.getparent() is not book:
            continue
        rows = ([_value(cell, text) for cell in _cells(row)] for row in _rows(table))
        if lines := "\n".join(labelled(rows)):
            unseen = " (hidden)" if table.get(f"{_TABLE}style-name", "") in hidden else ""
            yield unit(lines, f"sheet {table.get(f'{_TABLE}name', '')}{unseen}", rows=True)


def _value(cell: etree._Element, text: _Text) -> str:
    """A cell as it is shown; of dates the ISO form, which cannot be misread."""
    if cell.get(f"{_OFFICE}value-type") == "date":
        return str(cell.get(f"{_OFFICE}date-value", "")).removesuffix("T00:00:00").replace("T", " ")
    return text.cell(cell)


def _slides(show: etree._Element, text: _Text, hidden: set[str]) -> Iterator[Document]:
    for number, page in enumerate(show.iter(f"{_DRAW}page"), 1):
        titles: list[str] = []
        parts: list[str] = []
        notes: list[str] = []
        for shape in page.iter(*_SHAPES):
            kind = shape.get(f"{_SHOW}class", "")
            told = "\n".join(block.text for block in tight_lists(text.frame(shape)))
            in_notes = any(a.tag == f"{_SHOW}notes" for a in shape.iterancestors())
            target = notes if in_notes else titles if kind == "title" else parts
            if told and (not in_notes or kind == "notes"):
                target.append(told)
        if notes:
            parts.append("Notes: " + "\n".join(notes))
        if titles or parts:
            unseen = " (hidden)" if page.get(f"{_DRAW}style-name", "") in hidden else ""
            yield unit("\n\n".join(titles + parts), f"slide {number}{unseen}")


def _hidden_styles(root: etree._Element | None) -> set[str]:
    """Styles of sheets and slides that are not shown."""
    return {
        style.get(f"{_STYLE}name", "")
        for style in (root.iter(f"{_STYLE}style") if root is not None else ())
        for properties in style
        if properties.get(f"{_TABLE}display") == "false"
        or properties.get(f"{_SHOW}visibility") == "hidden"
    }


def _numbered(root: etree._Element) -> dict[tuple[str, int], tuple[str, str, str]]:
    found = {}
    for style in root.iter(f"{_TEXT}list-style"):
        for level in style.iter(f"{_TEXT}list-level-style-number"):
            depth = level.get(f"{_TEXT}level", "1")
            before, after = (
                level.get(f"{_STYLE}num-prefix", ""),
                level.get(f"{_STYLE}num-suffix", ""),
            )
            form = _FORMS.get(level.get(f"{_STYLE}num-format", ""), "")
            if form:
                found[style.get(f"{_STYLE}name", ""), whole(depth, 1)] = (before, form, after)
    return found
