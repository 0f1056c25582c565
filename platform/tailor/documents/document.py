"""Documents: the text of one file, and which part of it came from which page, sheet or section."""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tailor.documents.readers import read
from tailor.documents.refusal import Refused
from tailor.text import language, nfc, words

LARGEST = 100 << 20
"""Bytes; larger files are refused."""

# Neither follow a link nor wait for the other end of a pipe; Windows has neither flag.
_CAREFUL = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000"), " ")
_LINES = dict.fromkeys(map(ord, "\v\f\x1c\x1d\x1e\x85\u2028\u2029"), "\n")
_CONTROLS = {c: None for c in range(0xA0) if unicodedata.category(chr(c)) == "Cc"}
_INVISIBLE = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_CLEAN = _CONTROLS | _INVISIBLE | _SPACES | _LINES | {ord("\n"): "\n", ord("\t"): "\t"}
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
    """Below ``knowledge/``, with ``/`` and in NFC."""
    text: str
    places: tuple[Place, ...]
    language: str
    sha256: str
    """Of the file's bytes."""
    note: str = ""
    """What the reader had to assume, such as an encoding; empty where nothing."""


def read_document(path: Path, relative: str) -> Document:
    """Read the file at ``path`` as the document named ``relative``.

    Raises:
        Refused: the file is not a readable document; the reason is for people.
        OSError: the file cannot be opened.
    """
    return document(read_bytes(path), relative)


def read_bytes(path: Path) -> bytes:
    """The content of a regular file, never of a link, pipe or device put in its place."""
    descriptor = os.open(path, os.O_RDONLY | _CAREFUL)
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Refused("not a regular file")
        if status.st_size > LARGEST:
            raise Refused(f"larger than {LARGEST >> 20} MB: split it")
        return file.read()


def document(content: bytes, relative: str) -> Document:
    """The document in these bytes.

    Raises:
        Refused: they are not a readable document.
    """
    parts: list[str] = []
    places: list[Place] = []
    notes: dict[str, None] = {}
    length = 0
    for unit in read(relative, content):
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
    joined = "\n\n".join(parts)
    if not words(joined):
        raise Refused("no text in it", "empty")
    return Document(
        path=relative,
        text=joined,
        places=tuple(places),
        language=main_language(joined),
        sha256=hashlib.sha256(content).hexdigest(),
        note="; ".join(filter(None, notes)),
    )


def clean(text: str) -> str:
    """NFC, lines ending in ``\\n``, no control characters, no space at line ends."""
    text = _SURROGATE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))
    text = nfc(text.translate(_CLEAN))
    lines = "\n".join(line.rstrip(" \t") for line in text.split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines).strip("\n")


def main_language(text: str, samples: int = 40) -> str:
    """The language of most words in lines taken evenly from the text."""
    lines = [line for line in text.split("\n") if line.count(" ") >= 3] or [text[:2000]]
    step = max(1, len(lines) // samples)
    votes: Counter[str] = Counter()
    for line in lines[::step][:samples]:
        votes[language(line[:500])] += min(len(line), 500)
    return votes.most_common(1)[0][0]
