"""Word documents: a unit per section under its headings, lists numbered, tables as rows."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from langchain_core.documents import Document
from lxml import etree

from tailor.documents.readers import read
from tailor.documents.readers.ooxml import DRAWING, Package
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import bars, one_line
from tailor.documents.readers.sections import Block, sections, tight_lists
from tailor.documents.readers.word_styles import (
    Numbering,
    Style,
    W,
    numbering_of,
    outline_of,
    styles,
)
from tailor.documents.refusal import Refused

_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_MATH = "{http://schemas.openxmlformats.org/officeDocument/2006/math}"
_SIGNS = {f"{W}tab": "\t", f"{W}ptab": "\t", f"{W}br": "\n", f"{W}cr": "\n",
          f"{W}noBreakHyphen": "-"}  # fmt: skip
_TEXTS = (f"{W}t", f"{_MATH}t", f"{DRAWING}t")
_UNSEEN = frozenset(
    [f"{W}{name}" for name in "del moveFrom instrText delText rPr pPr sdtPr rt txbxContent".split()]
)
_WIDEST = 63
"""Word's own limit of columns."""
_THROUGH = frozenset(
    f"{W}{name}" for name in "sdt sdtContent ins moveTo customXml smartTag".split()
)


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order, then what stands in headers and footers; comments are left out."""
        package = Package(self.content)
        main = package.main()
        root = package.xml(main)
        body = root.find(f"{W}body") if root is not None else None
        if body is None:
            raise Refused("broken: the Word document has no body")
        text = _Text(package, main)
        note = _embedded(package, main)
        found = list(sections(tight_lists(text.blocks(body)), note=note))
        yield from found
        edges = dict.fromkeys(
            block.text
            for kind in ("header", "footer")
            for part in package.related(main, kind)
            if (edge := package.xml(part)) is not None
            for block in text.blocks(edge)
        )
        if lines := [line for line in edges if sum(c.isalpha() for c in line) > 3]:
            yield unit("\n".join(lines), "header and footer")
        elif not found:
            raise package.without_text()


class _Text:
    """The parts that the text refers to, and the paragraphs read with them."""

    def __init__(self, package: Package, main: str) -> None:
        self.package, self.main = package, main

        def root(kind: str) -> etree._Element | None:
            return next((package.xml(part) for part in package.related(main, kind)), None)

        self.styles = styles(root("styles"))
        self.numbering = Numbering.of(root("numbering"))
        self.notes = {
            (kind, note.get(f"{W}id", "")): note
            for kind in ("footnote", "endnote")
            if (notes := root(f"{kind}s")) is not None
            for note in notes.iter(f"{W}{kind}")
        }
        self.told = 0

    def blocks(self, parent: etree._Element) -> Iterator[Block]:
        """Paragraphs and tables in document order, also inside content controls."""
        for child in parent:
            if child.tag == f"{W}p":
                yield from self._paragraph(child)
            elif child.tag == f"{W}tbl":
                yield from self._table(child)
            elif child.tag == f"{W}altChunk":
                yield from self._inserted(child)
            elif child.tag in _THROUGH and not _is_contents(child):
                yield from self.blocks(child)

    def _inserted(self, chunk: etree._Element) -> Iterator[Block]:
        """A web page that is shown as part of the text."""
        for part in self.package.related(self.main, "aFChunk", chunk.get(_ID, "")):
            for found in read(part, self.package.content(part)):
                yield Block(found.page_content)

    def _paragraph(self, paragraph: etree._Element) -> Iterator[Block]:
        properties = paragraph.find(f"{W}pPr")
        named = properties.find(f"{W}pStyle") if properties is not None else None
        style = self.styles.get(named.get(f"{W}val", "") if named is not None else "", Style())
        notes: list[str] = []
        text = "".join(self._runs(paragraph, notes)).strip()
        if text and not style.name.startswith("toc "):
            yield self._block(text, properties, style)
        for box in _boxes(paragraph):
            yield from self.blocks(box)
        yield from map(Block, notes)

    def _block(self, text: str, properties: etree._Element | None, style: Style) -> Block:
        number, depth = numbering_of(properties)
        if number is None:
            number, depth = style.list, depth or style.depth
        label = self.numbering.label(number, depth)
        if not label and style.name.startswith("list") and number != "0":
            label = "- "
        outline = outline_of(properties)
        level = style.level or (outline + 2 if outline is not None and len(text) < 200 else 0)
        if level:
            text = one_line(f"{label.removeprefix('- ')}{text}")
            return Block(text, level)
        if label == "- " and re.match(r"[-•*–]\s|\d+[.)]", text):
            label = ""
        return Block(f"{'  ' * depth if label else ''}{label}{text}", item=bool(label))

    def _runs(self, parent: etree._Element, notes: list[str]) -> Iterator[str]:
        """All text that is shown: links, fields, insertions; not deletions or hidden text."""
        for child in parent:
            tag = child.tag
            if tag in _TEXTS:
                yield child.text or ""
            elif tag in _SIGNS:
                yield _SIGNS[tag]
            elif tag in (f"{W}footnoteReference", f"{W}endnoteReference"):
                note = self.notes.get((tag[len(W) : -len("Reference")], child.get(f"{W}id", "")))
                if note is not None:
                    self.told += 1
                    lines = (one_line("".join(self._runs(p, []))) for p in note.iter(f"{W}p"))
                    notes.append(f"[{self.told}] {' '.join(filter(None, lines))}")
                    yield f"[{self.told}]"
            elif tag == f"{W}r" and _is_hidden(child):
                continue
            elif isinstance(tag, str) and tag not in _UNSEEN and not tag.endswith("}Fallback"):
                yield from self._runs(child, notes)

    def _table(self, table: etree._Element) -> Iterator[Block]:
        """Rows; a table of one column is only a frame around paragraphs."""
        rows = list(_rows(table))
        if all(len(list(_cells(row))) <= 1 for row in rows):
            for row in rows:
                for cell in _cells(row):
                    yield from self.blocks(cell)
            return
        lines: list[str] = []
        above: dict[int, str] = {}
        for row in rows:
            texts: list[str] = []
            column = _before(row)
            for cell in _cells(row):
                continued, width = _merged(cell)
                above[column] = above.get(column, "") if continued else self._cell(cell)
                texts += [*[""] * (column - len(texts)), above[column]]
                column += width
            if any(text.strip() for text in texts):
                lines.append(bars(texts))
        if lines:
            yield Block("\n".join(lines))

    def _cell(self, cell: etree._Element) -> str:
        return "\n".join(block.text.strip("| ") for block in self.blocks(cell))


def _embedded(package: Package, main: str) -> str:
    count = sum(len(package.related(main, kind)) for kind in ("package", "oleObject"))
    return f"embedded files are not read ({count}): save them beside it" if count else ""


def _rows(parent: etree._Element) -> Iterator[etree._Element]:
    for child in parent:
        if child.tag == f"{W}tr" and child.find(f"{W}trPr/{W}del") is None:
            yield child
        elif child.tag in _THROUGH:
            yield from _rows(child)


def _cells(parent: etree._Element) -> Iterator[etree._Element]:
    for child in parent:
        if child.tag == f"{W}tc":
            yield child
        elif child.tag in _THROUGH:
            yield from _cells(child)


def _merged(cell: etree._Element) -> tuple[bool, int]:
    """Whether the cell continues the one above it, and how many columns it spans."""
    merge = cell.find(f"{W}tcPr/{W}vMerge")
    continued = merge is not None and merge.get(f"{W}val", "continue") == "continue"
    return continued, max(1, _columns(cell.find(f"{W}tcPr/{W}gridSpan")))


def _before(row: etree._Element) -> int:
    """Columns that a row leaves out at its start."""
    return _columns(row.find(f"{W}trPr/{W}gridBefore"))


def _columns(told: etree._Element | None) -> int:
    number = told.get(f"{W}val", "") if told is not None else ""
    return min(int(number), _WIDEST) if re.fullmatch("[0-9]{1,4}", number) else 0


def _boxes(paragraph: etree._Element) -> Iterable[etree._Element]:
    """Text boxes that are drawn at this paragraph, without the copies for older programs."""
    for box in paragraph.iter(f"{W}txbxContent"):
        outer = {str(a.tag) for a in _up_to(box, paragraph)}
        if f"{W}txbxContent" not in outer and not any(t.endswith("}Fallback") for t in outer):
            yield box


def _up_to(element: etree._Element, top: etree._Element) -> Iterator[etree._Element]:
    for ancestor in element.iterancestors():
        if ancestor is top:
            return
        yield ancestor


def _is_hidden(run: etree._Element) -> bool:
    hidden = run.find(f"{W}rPr/{W}vanish")
    return hidden is not None and hidden.get(f"{W}val", "1") not in ("0", "false")


def _is_contents(control: etree._Element) -> bool:
    """Whether a content control is the table of contents, which repeats the headings."""
    gallery = control.find(f"{W}sdtPr/{W}docPartObj/{W}docPartGallery")
    return gallery is not None and gallery.get(f"{W}val") == "Table of Contents"
