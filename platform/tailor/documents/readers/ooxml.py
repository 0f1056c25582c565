"""The parts of an Office Open XML file (ECMA-376) and how they are related."""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from urllib.parse import unquote

from lxml import etree

from tailor.documents.readers.archive import opened, xml
from tailor.documents.refusal import Refused

_ISO, _ECMA = b"http://purl.oclc.org/ooxml/", b"http://schemas.openxmlformats.org/"
_STRICT = [
    (_ISO + name + b"/" + rest, _ECMA + name + b"/2006/" + rest)
    for name, rest in (
        (b"wordprocessingml", b"main"),
        (b"spreadsheetml", b"main"),
        (b"presentationml", b"main"),
        (b"drawingml", b""),
        (b"officeDocument", b"relationships"),
        (b"officeDocument", b"math"),
    )
]
"""Namespaces of ISO/IEC 29500 Strict files, and those everybody else writes."""


_SHOWS = re.compile(rb"presentationml\.(?:slideshow|template)\.main\+xml")
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


class Package:
    """The XML parts of one file, by name without a leading slash."""

    def __init__(self, content: bytes) -> None:
        self._stream = opened(content)
        self._archive = zipfile.ZipFile(self._stream)
        self._names = {name.lower(): name for name in self._archive.namelist()}
        if "[content_types].xml" not in self._names:
            raise Refused("broken: a ZIP archive, but no Office file")

    def xml(self, part: str) -> etree._Element | None:
        """The root of a part, None where the file has no such part."""
        content = self.content(part)
        if not content:
            return None
        return xml(_usual(content))

    def main(self) -> str:
        """The name of the part that is the document itself.

        Raises:
            Refused: the file names none.
        """
        for part in self.related("", "officeDocument"):
            return part
        raise Refused("broken: the Office file does not name its main part")

    def content(self, part: str) -> bytes:
        """The content of a part, nothing where the file has no such part."""
        name = self._names.get(part.lower())
        return self._archive.read(name) if name is not None else b""

    def usual(self) -> io.BytesIO:
        """The file as libraries know it, where it is a Strict one, a template or a show."""
        types = self.content("[Content_Types].xml")
        is_strict = _ISO in self.content(self.main())
        if not is_strict and _SHOWS.search(types) is None:
            return io.BytesIO(self._stream.getvalue())
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as copy:
            for name in self._archive.namelist():
                content = _usual(self._archive.read(name))
                if name.lower() == "[content_types].xml":
                    content = _SHOWS.sub(rb"presentationml.presentation.main+xml", content)
                copy.writestr(name, content)
        return stream

    def without_text(self) -> Refused:
        """What to say of a file in which no text is found."""
        parts = " ".join(self._names)
        if "/embeddings/" in parts:
            return Refused("no text in it, only embedded files: save them beside it", "empty")
        if "/media/" in parts:
            reason = "only pictures: save it as PDF to have their text recognised"
            return Refused(f"no text in it, {reason}", "empty")
        return Refused("no text in it", "empty")

    def related(self, part: str, kind: str, identifier: str = "") -> list[str]:
        """The parts that ``part`` names with relations of this kind, such as ``styles``.

        With an identifier only the one relation that has it.
        """
        folder, name = posixpath.split(part)
        relations = self.xml(posixpath.join(folder, "_rels", f"{name}.rels"))
        found = []
        for relation in relations.iter("{*}Relationship") if relations is not None else ():
            own = relation.get("TargetMode") != "External"
            meant = not identifier or relation.get("Id") == identifier
            if own and meant and relation.get("Type", "").endswith(f"/{kind}"):
                target = unquote(relation.get("Target", ""))
                found.append(posixpath.normpath(posixpath.join("/", folder, target)).lstrip("/"))
        return found


def _usual(content: bytes) -> bytes:
    for strict, usual in _STRICT:
        content = content.replace(strict, usual)
    return content
