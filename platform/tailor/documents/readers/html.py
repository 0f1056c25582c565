"""HTML: a unit per section; tables as rows, lists as items, no scripts."""

import re
from collections.abc import Iterator

from bs4 import BeautifulSoup
from bs4.element import CData, NavigableString, PreformattedString, Tag
from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.rows import bars, one_line
from tailor.documents.readers.sections import Block, sections

_DROPPED = ["script", "style", "noscript", "template", "svg", "iframe", "object", "head"]
_INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i img input ins kbd label mark nobr q s "
    "samp small span strike strong sub sup time tt u var wbr button select option".split()
)
_CHARSET = re.compile(rb"<meta[^>]{0,200}?charset\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE)


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order."""
        declared = _CHARSET.search(self.content[:4096])
        text, note = decode(self.content, declared[1].decode("ascii") if declared else None)
        return sections(blocks(text), note=note)


def blocks(html: str) -> Iterator[Block]:
    """The title, then headings, paragraphs, list items and tables in reading order."""
    soup = BeautifulSoup(html, "lxml")
    title = one_line(soup.title.get_text()) if soup.title else ""
    for tag in soup.find_all(_DROPPED):
        tag.decompose()
    found = list(_blocks(soup))
    if title and title not in {block.text for block in found[:3]}:
        yield Block(title)
    yield from found


def _blocks(parent: Tag) -> Iterator[Block]:
    line: list[str] = []

    def paragraph() -> Iterator[Block]:
        text = "\n".join(part for raw in "".join(line).split("\v") if (part := one_line(raw)))
        line.clear()
        if text:
            yield Block(text)

    for child in parent.children:
        if isinstance(child, NavigableString):
            # Comments, doctypes and the like are preformatted strings; CDATA alone is text.
            if not isinstance(child, PreformattedString) or isinstance(child, CData):
                line.append(str(child))
        elif isinstance(child, Tag):
            if child.name == "br":
                line.append("\v")
            elif child.name in _INLINE and child.find(_is_block) is None:
                line.append(child.get_text())
            else:
                yield from paragraph()
                yield from _block(child)
    yield from paragraph()


def _block(tag: Tag) -> Iterator[Block]:
    if re.fullmatch(r"h[1-6]", tag.name):
        if text := one_line(tag.get_text(" ")):
            yield Block(text, int(tag.name[1]))
    elif tag.name == "table" and tag.find("table") is None:
        rows = [
            bars([cell.get_text(" ") for cell in row.find_all(["td", "th"])])
            for row in tag.find_all("tr")
        ]
        caption = tag.find("caption")
        if isinstance(caption, Tag) and (text := one_line(caption.get_text(" "))):
            yield Block(text)
        yield Block("\n".join(row for row in rows if row.strip("| ")))
    elif tag.name in ("ul", "ol"):
        items = [
            f"- {text}"
            for item in tag.find_all("li", recursive=False)
            if (text := "\n".join(block.text for block in _blocks(item)))
        ]
        yield Block("\n".join(items) or one_line(tag.get_text(" ")))
    elif tag.name == "pre":
        yield Block(tag.get_text().strip("\n"))
    else:
        yield from _blocks(tag)


def _is_block(tag: Tag) -> bool:
    return tag.name not in _INLINE
