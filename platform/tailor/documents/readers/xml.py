"""XML: data as ``key: value`` lines and records, documents as headings and paragraphs."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from langchain_core.documents import Document
from lxml import etree

from tailor.documents.readers import html, json
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit, whole
from tailor.documents.readers.rows import labelled, one_line
from tailor.documents.readers.sections import Block, sections
from tailor.documents.refusal import Refused

_DECLARED = re.compile(rb"<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]+)")
_DECLARATION = re.compile(r"<\?xml[^>]{0,1000}?\?>")
_HTML = re.compile(r"<html\b", re.IGNORECASE)
_PARAGRAPHS = frozenset(["p", "para", "paragraph"])
_TITLES = frozenset("title head heading h1 h2 h3 h4 h5 h6 subtitle bridgehead".split())
_HARMLESS = re.compile(r"(?:Entity|Namespace prefix) .* not defined")
_WIDEST = 20_000
_LONGEST_ENTITY = 1000


class Reader(FileReader):
    """Yields the values at the top, then a unit per list of records; of a document, its sections.

    No entity beyond short ones of the file itself is put in, nothing is fetched.
    """

    def lazy_load(self) -> Iterator[Document]:
        """Units whose place is the path of the records or of the headings."""
        declared = _DECLARED.search(self.content[:4096])
        text, note = decode(self.content, declared[1].decode("ascii") if declared else None)
        try:
            root, problem = parsed(text)
        except Refused:
            if _HTML.search(text[:2000]) is None:
                raise
            return sections(html.blocks(text), note=note)
        note = "; ".join(filter(None, (note, problem)))
        if _name(root) == "html":
            return sections(html.blocks(text), note=note)
        if _name(root) == "Workbook":
            return _sheets(root, note)
        if _is_document(root):
            return sections(_blocks(root, 1), note=note)
        return json.units(_value(root), note=note)


def parsed(text: str) -> tuple[etree._Element, str]:
    """The root element, and a note where something is missing.

    Raises:
        Refused: it is not XML.
    """
    content = _DECLARATION.sub("", text, count=1).strip().encode()
    note = ""
    try:
        root = etree.fromstring(content, _parser(recover=False))
    except etree.XMLSyntaxError as error:
        if _HARMLESS.match(str(error)) is None:
            detail = one_line(str(error.msg)).removesuffix(".")
            raise Refused(f"broken: not XML ({detail[:160]})") from None
        root = etree.fromstring(content, _parser(recover=True))
        note = "not quite XML: it uses names that it does not declare; read as far as it can be"
    dtd = root.getroottree().docinfo.internalDTD
    known = {e.name: e.content or "" for e in dtd.iterentities()} if dtd is not None else {}
    left_out = 0
    for entity in list(root.iter(etree.Entity)):
        content_of = known.get(entity.name or "", "")
        if not content_of or len(content_of) > _LONGEST_ENTITY or re.search("[&<%]", content_of):
            content_of, left_out = "", left_out + 1
        _put(entity, content_of)
    if left_out and not note:
        note = f"{left_out} references to other parts or files are left out"
    return root, note


def _parser(recover: bool) -> etree.XMLParser:
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        recover=recover,
    )


def _put(entity: etree._Element, text: str) -> None:
    """The text in place of a reference."""
    parent, before = entity.getparent(), entity.getprevious()
    assert parent is not None
    text += entity.tail or ""
    entity.tail = None
    if before is not None:
        before.tail = (before.tail or "") + text
    else:
        parent.text = (parent.text or "") + text
    parent.remove(entity)


def _name(element: etree._Element) -> str:
    return _local(element.tag)


def _local(name: object) -> str:
    """A name without its namespace or prefix."""
    return str(name).rpartition("}")[2].rpartition(":")[2]


def _is_mixed(element: etree._Element) -> bool:
    """Whether text and elements stand side by side, as in a paragraph with emphasis."""
    if len(element) == 0:
        return False
    texts = [element.text, *(child.tail for child in element)]
    return any(text and not text.isspace() for text in texts)


def _is_document(root: etree._Element) -> bool:
    """Whether it is made of prose: mixed paragraphs, or titled parts with paragraphs."""
    names = Counter(_name(element).lower() for element in root.iter(etree.Element))
    prose = sum(names[name] for name in ("p", "para", "paragraph", "sect1", "section", "div"))
    mixed = sum(_is_mixed(element) for element in root.iter(etree.Element))
    return prose >= 2 or mixed > sum(names.values()) / 10


def _blocks(element: etree._Element, level: int) -> Iterator[Block]:
    for child in element.iterchildren(etree.Element):
        name = _name(child).lower()
        if len(child) == 0 or _is_mixed(child) or _is_paragraph(child):
            if text := one_line("".join(child.itertext())):
                yield Block(text, min(level, 9) if name in _TITLES else 0)
        elif name in ("row", "tr"):
            cells = [one_line("".join(cell.itertext())) for cell in child]
            yield Block(f"| {' | '.join(cells)} |")
        else:
            yield from _blocks(child, level + (name not in _TITLES and _has_title(child)))


def _is_paragraph(element: etree._Element) -> bool:
    """Whether it is a paragraph without others in it; Word's XML tears it into runs."""
    inside = (_name(part).lower() for part in element.iterdescendants(etree.Element))
    return _name(element).lower() in _PARAGRAPHS and not any(n in _PARAGRAPHS for n in inside)


def _sheets(root: etree._Element, note: str) -> Iterator[Document]:
    """The sheets of a workbook that a program saved as XML."""
    for sheet in root.iter("{*}Worksheet"):
        rows: list[list[str]] = []
        for row in sheet.iter("{*}Row"):
            cells: list[str] = []
            for cell in row.iter("{*}Cell"):
                index = next((v for k, v in cell.attrib.items() if _local(k) == "Index"), "")
                if len(cells) < (column := whole(str(index), 0)) <= _WIDEST:
                    cells += [""] * (column - 1 - len(cells))
                cells.append(one_line("".join(cell.itertext())))
            rows.append(cells)
        name = next((str(v) for k, v in sheet.attrib.items() if _local(k) == "Name"), "")
        text = "\n".join(labelled(rows))
        yield unit(text, f"sheet {name}" if name else "", rows=True, note=note)


def _has_title(element: etree._Element) -> bool:
    return any(_name(child).lower() in _TITLES for child in element.iterchildren(etree.Element))


def _value(element: etree._Element) -> Any:
    """An element as JSON would hold it: a text, or its attributes and children by name."""
    mixed = _is_mixed(element)
    text = one_line("".join(element.itertext() if mixed else [element.text or ""]))
    found: dict[str, Any] = {"": text} if text else {}
    for key, value in element.attrib.items():
        if "schemaLocation" not in str(key):
            found[_local(key)] = value
    if not mixed:
        for child in element.iterchildren(etree.Element):
            _add(found, _name(child), _value(child))
    return found if found.keys() - {""} else text


def _add(found: dict[str, Any], name: str, value: Any) -> None:
    if name not in found:
        found[name] = value
    elif isinstance(found[name], list):
        found[name].append(value)
    else:
        found[name] = [found[name], value]
