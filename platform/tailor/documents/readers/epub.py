"""E-books (EPUB 2 and 3): the chapters in reading order, a unit per section."""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator
from urllib.parse import unquote

from langchain_core.documents import Document
from lxml import etree

from tailor.documents.readers.archive import opened, xml
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.html import blocks
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import one_line
from tailor.documents.readers.sections import Block, sections
from tailor.documents.refusal import Refused

_DECLARED = re.compile(rb"<\?xml[^>]{0,100}encoding\s*=\s*[\"']([\w.:-]+)")
_HEAD = re.compile(r"^\s*<\?xml[^>]*\?>|<title\b.*?</title>", re.DOTALL)
"""Not part of the text; the title is the book's in most chapters."""
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Ways to hide fonts; everything else that is encrypted needs a key."""


class Reader(FileReader):
    """Yields title and author, then one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Chapters as the book's spine orders them."""
        with zipfile.ZipFile(opened(self.content)) as archive:
            book = _Book(archive)
            if book.about:
                yield unit(book.about)
            yield from sections(book.blocks())


class _Book:
    """What the package document says about the book."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self.archive = archive
        self.names = set(archive.namelist())
        container = self._xml("META-INF/container.xml")
        root = container.find(".//{*}rootfile") if container is not None else None
        path = root.get("full-path", "") if root is not None else ""
        package = self._xml(path)
        if package is None:
            raise Refused("broken: the e-book does not name its contents")
        folder = posixpath.dirname(path)
        items = {item.get("id", ""): item for item in package.iter("{*}item")}
        self.chapters: list[str] = []
        for reference in package.iter("{*}itemref"):
            item = items.get(reference.get("idref", ""))
            if item is not None and "nav" not in item.get("properties", "").split():
                self.chapters.append(_target(folder, item.get("href", "")))
        told = [one_line(e.text or "") for e in package.iter("{*}title", "{*}creator")]
        self.about = "\n".join(dict.fromkeys(filter(None, told)))
        self.titles = self._titles(folder, list(items.values()))
        self._check_protection()

    def blocks(self) -> Iterator[Block]:
        """All chapters; one without headings gets the title that the table of contents gives."""
        for chapter in self.chapters:
            if chapter not in self.names:
                continue
            content = self.archive.read(chapter)
            declared = _DECLARED.search(content[:200])
            text, _ = decode(content, declared[1].decode() if declared else None)
            found = list(blocks(_HEAD.sub("", text)))
            title = self.titles.get(chapter, "")
            if title and found and not any(block.level for block in found):
                if found[0].text.casefold() == title.casefold():
                    del found[0]
                yield Block(title, 1)
            yield from found

    def _titles(self, folder: str, items: list[etree._Element]) -> dict[str, str]:
        """Chapter to its title, from the navigation of EPUB 3 or the NCX of EPUB 2."""
        titles: dict[str, str] = {}
        for item in items:
            path = _target(folder, item.get("href", ""))
            base = posixpath.dirname(path)
            if item.get("media-type") == "application/x-dtbncx+xml":
                root = self._xml(path)
                for point in root.iter("{*}navPoint") if root is not None else ():
                    content = point.find("{*}content")
                    source = content.get("src", "") if content is not None else ""
                    label = point.findtext("{*}navLabel/{*}text") or ""
                    titles.setdefault(_target(base, source), one_line(label))
            elif "nav" in item.get("properties", "").split():
                root = self._xml(path)
                for link in root.iter("{*}a") if root is not None else ():
                    label = one_line("".join(map(str, link.itertext())))
                    titles.setdefault(_target(base, link.get("href", "")), label)
        return titles

    def _check_protection(self) -> None:
        root = self._xml("META-INF/encryption.xml")
        for data in root.iter("{*}EncryptedData") if root is not None else ():
            method = data.find("{*}EncryptionMethod")
            if method is None or method.get("Algorithm") not in _FONTS:
                raise Refused("protected by its seller (DRM): only a copy without it can be read")

    def _xml(self, path: str) -> etree._Element | None:
        return xml(self.archive.read(path)) if path in self.names else None


def _target(folder: str, reference: str) -> str:
    path = unquote(reference.partition("#")[0])
    return posixpath.normpath(posixpath.join(folder, path))
