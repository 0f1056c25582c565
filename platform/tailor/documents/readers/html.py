"""HTML: a unit per section; tables as rows, lists as items, without menus, forms and scripts."""

import re
from collections.abc import Iterator

import lxml.html
from langchain_core.documents import Document
from lxml.etree import ParserError
from lxml.html import HtmlElement

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.html_table import flat, is_inline, is_layout, rows
from tailor.documents.readers.reader import FileReader, whole
from tailor.documents.readers.rows import one_line
from tailor.documents.readers.sections import Block, sections

_DROPPED = frozenset(
    "script style noscript template svg iframe object head audio video canvas map datalist".split()
)
_AROUND = frozenset(["nav", "button", "select", "dialog", "menu"])
_ROLES = frozenset("navigation search contentinfo menu menubar dialog alertdialog".split())
_PARTS = frozenset(["div", "ul", "ol", "aside", "section", "table"])
_MENU = re.compile(
    r"(?:^|[-_\s])(?:nav(?:bar|igation)?|menu|breadcrumbs?|sidebar|toc|footer|cookies?|share|social)"
    r"(?:$|[-_\s])",
    re.IGNORECASE,
)
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HEADING = re.compile(r"h[1-6]")
_CHARSET = re.compile(
    rb"<(?:meta[^>]{0,200}?charset|\?xml[^>]{0,200}?encoding)\s*=\s*[\"']?([\w.:-]+)", re.IGNORECASE
)
_LEAST_SHARE = 0.25
"""Of a page's words; where less is left without menus and the like, they are its content."""


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order."""
        declared = _CHARSET.search(self.content[:4096])
        text, note = decode(self.content, declared[1].decode("ascii") if declared else None)
        return sections(blocks(text), note=note)


def blocks(html: str) -> Iterator[Block]:
    """The title, then headings, paragraphs, list items and tables in reading order."""
    page, title = _parsed(html)
    everything = _length(page)
    for tag in list(page.iterdescendants()):
        if _is_surrounding(tag):
            tag.drop_tree()
    content = _main(page)
    if _length(content) < _LEAST_SHARE * everything:
        content, _ = _parsed(html)
    found = list(_blocks(content))
    if title and title not in {block.text for block in found[:3]}:
        yield Block(title)
    yield from found


def _parsed(html: str) -> tuple[HtmlElement, str]:
    """The page without what is never shown, and its title."""
    parser = lxml.html.HTMLParser(
        encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=True
    )
    try:
        page = lxml.html.document_fromstring(html.encode("utf-8", "replace"), parser=parser)
    except ParserError:  # nothing in it
        return lxml.html.Element("html"), ""
    title = one_line(next((flat(tag) for tag in page.iter("title")), ""))
    for tag in list(page.iterdescendants()):
        if _is_unseen(tag):
            tag.drop_tree()
    return page, title


def _is_unseen(tag: HtmlElement) -> bool:
    if tag.tag in _DROPPED or "hidden" in tag.attrib:
        return True
    return _UNSEEN.search(tag.get("style", "")) is not None and tag.tag != "body"


def _is_surrounding(tag: HtmlElement) -> bool:
    """Menus, forms' controls, and the page's own header and footer."""
    if tag.tag in _AROUND or tag.get("role") in _ROLES:
        return True
    if tag.tag in ("header", "footer"):
        inside = {around.tag for around in tag.iterancestors()}
        holds = {part.tag for part in tag.iterdescendants()}
        return not inside & {"article", "main", "section", "td"} and not holds & {
            *("h1", "h2", "article", "main")
        }
    if tag.tag in _PARTS:
        named = f"{tag.get('class', '')} {tag.get('id', '')}"
        return _MENU.search(named) is not None and _is_links(tag)
    return False


def _is_links(tag: HtmlElement) -> bool:
    """Whether most of the text leads elsewhere."""
    linked = sum(len(link.text_content()) for link in tag.iter("a"))
    return linked > 0.6 * len(one_line(tag.text_content()))


def _main(page: HtmlElement) -> HtmlElement:
    """What the page marks as its main content if that is most of it, else all."""
    for path in ("//main", "//*[@role='main']", "//article"):
        found = page.xpath(path)
        if len(found) == 1 and _length(found[0]) >= _length(page) / 2:
            return found[0]
    return page


def _length(tag: HtmlElement) -> int:
    return len(tag.text_content().split())


def _blocks(parent: HtmlElement) -> Iterator[Block]:
    line: list[str] = [parent.text or ""]

    def paragraph() -> Iterator[Block]:
        text = "\n".join(part for raw in "".join(line).split("\v") if (part := one_line(raw)))
        line.clear()
        if text:
            yield Block(text)

    for child in parent:
        if child.tag == "br":
            line.append("\v")
        elif all(is_inline(tag) for tag in child.iter()):
            line.append(child.text_content())
        else:
            yield from paragraph()
            yield from _block(child)
        line.append(child.tail or "")
    yield from paragraph()


def _block(tag: HtmlElement) -> Iterator[Block]:
    if _HEADING.fullmatch(tag.tag):
        if text := one_line(flat(tag)):
            yield Block(text, int(tag.tag[1]))
    elif tag.tag == "table" and not is_layout(tag):
        caption = next(tag.iter("caption"), None)
        if caption is not None and (text := one_line(flat(caption))):
            yield Block(text)
        yield Block("\n".join(rows(tag)))
    elif tag.tag in ("ul", "ol"):
        yield Block("\n".join(_items(tag)) or one_line(flat(tag)))
    elif tag.tag == "dl":
        yield Block("\n".join(_definitions(tag)))
    elif tag.tag == "pre":
        yield Block(tag.text_content().strip("\n"))
    else:
        yield from _blocks(tag)


def _items(tag: HtmlElement) -> Iterator[str]:
    number = whole(tag.get("start", "1"), 1)
    for child in tag.iterchildren("li", "ul", "ol"):
        if child.tag != "li":  # a list directly in a list
            yield from (f"  {item}" for item in _items(child))
        elif text := "\n".join(block.text for block in _blocks(child)):
            mark = f"{number}." if tag.tag == "ol" else "-"
            number += 1
            yield f"{mark} " + re.sub(r"\n(?=\s*(?:-|\d+\.) )", "\n  ", text)


def _definitions(tag: HtmlElement) -> Iterator[str]:
    """Terms with what they mean: ``Term: meaning``."""
    terms: list[str] = []
    for child in tag.xpath("./dt | ./dd | ./div/dt | ./div/dd"):
        if child.tag == "dt":
            terms.append(one_line(flat(child)))
        elif text := "\n".join(block.text for block in _blocks(child)):
            yield f"{', '.join(terms)}: {text}" if terms else text
            terms = []
    yield from terms
