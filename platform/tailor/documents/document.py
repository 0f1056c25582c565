"""Documents: the text of one file, and which part of it came from which page, sheet or section."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tailor.documents.readers import read, vietnamese
from tailor.documents.refusal import Refused
from tailor.text import language, nfc

if TYPE_CHECKING:
    from langchain_core.documents import Document as Unit

LARGEST = 100 << 20
"""Bytes; larger files are refused."""
LONGEST_NAME = 1000
"""Characters; documents in a file with a longer path there are refused."""

# Neither follow a link nor wait for the other end of a pipe; Windows has neither flag.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000"), " ")
_LINES = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), "\n")
_CONTROLS = {c: None for c in range(0xA0) if unicodedata.category(chr(c)) == "Cc"}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_CLEAN = _CONTROLS | _INVISIBLE | _SPACES | _LINES | {ord("\n"): "\n", ord("\t"): "\t"}
_UNCLEAN = re.compile(f"[{''.join(map(chr, _CLEAN.keys() - {9, 10}))}]")
_WORD = re.compile(r"\w")
_SURROGATE = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True)
class Place:
    """A page, sheet, slide or section: characters ``start`` to ``end`` of the document's text."""

    name: str
    start: int
    end: int
    rows: bool = False
    """Each line is a table row."""


@dataclass(frozen=True)
class Document:
    """The text of one file in NFC, lines ending in ``\\n``, without gaps covered by ``places``."""

    path: str
    """Below ``knowledge/``, with ``/`` and in NFC; goes on below the file for one inside it."""
    text: str
    places: tuple[Place, ...]
    language: str
    sha256: str
    """Of the file's bytes."""
    note: str = ""
    """What the reader had to assume, such as an encoding; empty where nothing."""


@dataclass(frozen=True)
class Unread:
    """A document inside a file that cannot be read, and why."""

    path: str
    reason: str
    status: Literal["refused", "empty"] = "refused"


def read_bytes(path: Path) -> bytes:
    """The content of a regular file, never of a link, pipe or device put in its place."""
    with _opened(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > LARGEST:
            raise Refused(f"larger than {LARGEST >> 20} MB: split it")
        return file.read(size)


def content_hash(path: Path) -> str:
    """The SHA-256 of a regular file of any size."""
    with _opened(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    descriptor = os.open(path, os.O_RDONLY | _CAREFUL)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise Refused("not a regular file")
        yield file


def document(content: bytes, relative: str) -> Document:
    """The document that the file itself is, without those inside it.

    Raises:
        Refused: the bytes are not a readable document.
    """
    for found in documents(content, relative):
        if isinstance(found, Document) and found.path == relative:
            return found
    raise Refused("no text in it", "empty")


def documents(content: bytes, relative: str) -> tuple[Document | Unread, ...]:
    """All documents in these bytes: the file itself where it has text, then those inside it.

    Raises:
        Refused: they are not a readable document, and hold none.
    """
    members: dict[str, list[Unit]] = {}
    for unit in read(relative, content):
        members.setdefault(unit.metadata.get("member", ""), []).append(unit)
    own = members.pop("", [])
    sha256 = hashlib.sha256(content).hexdigest()
    found: list[Document | Unread] = []
    try:
        found.append(joined(own, relative, sha256))
    except Refused:
        if not members:
            raise
    found += [_member(units, relative, name, sha256) for name, units in members.items()]
    return tuple(found)


def _member(units: Iterable[Unit], relative: str, name: str, sha256: str) -> Document | Unread:
    """The document of this name inside the file; names are ids and lead nowhere."""
    parts = [part for part in re.split(r"[/\\]", clean(name).replace("\n", " ")) if part != "."]
    path = f"{relative}/" + "/".join(filter(None, parts))
    if ".." in parts:
        return Unread(path.replace("..", "__"), "its name leads out of the file it is in")
    if len(path) > LONGEST_NAME:
        return Unread(path[:LONGEST_NAME], f"its name is longer than {LONGEST_NAME} characters")
    try:
        return joined(units, path, sha256)
    except Refused as refused:
        return Unread(path, refused.reason, refused.status)


def joined(units: Iterable[Unit], path: str, sha256: str) -> Document:
    """One document out of its pages, sheets, slides or sections."""
    parts: list[str] = []
    places: list[Place] = []
    notes: dict[str, None] = {}
    refusal = Refused("no text in it", "empty")
    length = 0
    for unit in _legible(units):
        if reason := unit.metadata.get("refusal"):
            refusal = Refused(reason, unit.metadata["status"])
        text = clean(unit.page_content)
        if not text:
            continue
        if parts:
            length += 2
        name = clean(str(unit.metadata["place"])).replace("\n", " ")
        rows = bool(unit.metadata["rows"])
        places.append(Place(name, length, length + len(text), rows))
        parts.append(text)
        length += len(text)
        notes |= {unit.metadata["note"]: None}
    text = "\n\n".join(parts)
    if not _WORD.search(text):
        raise refusal
    note = "; ".join(filter(None, notes))
    return Document(path, text, tuple(places), main_language(text), sha256, note)


def _legible(units: Iterable[Unit]) -> list[Unit]:
    """With Vietnamese put right that was typed for TCVN3 or VNI fonts, and a note of it."""
    found = list(units)
    fonts = vietnamese.fonts("\n".join(unit.page_content for unit in found))
    if fonts:
        note = f"typed for {fonts} fonts (Vietnamese); put right by its spelling"
        for unit in found:
            unit.page_content = vietnamese.restored(unit.page_content, fonts)
            unit.metadata["place"] = vietnamese.restored(str(unit.metadata["place"]), fonts)
            unit.metadata["note"] = "; ".join(filter(None, (unit.metadata["note"], note)))
    return found


def clean(text: str) -> str:
    """NFC, lines ending in ``\\n``, no control characters, no space at line ends."""
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = nfc(text.translate(_CLEAN) if _UNCLEAN.search(text) else text)
    lines = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def main_language(text: str, samples: int = 40) -> str:
    """The language of most words in lines taken evenly from the text."""
    lines = [line for line in text.split("\n") if line.count(" ") >= 3] or [text[:2000]]
    step = max(1, len(lines) // samples)
    votes: Counter[str] = Counter()
    for line in lines[::step][:samples]:
        votes[language(line[:200])] += min(len(line), 200)
    return votes.most_common(1)[0][0]
