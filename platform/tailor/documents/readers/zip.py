"""ZIP archives as folders: each file in them is a document of its own."""

from __future__ import annotations

import io
import lzma
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from langchain_core.documents import Document

from tailor.documents.readers import read
from tailor.documents.readers.archive import (
    ENCRYPTED,
    HIGHEST_RATIO,
    LARGEST,
    MOST_ENTRIES,
    SMALL,
)
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.magic import sniff, suffix_of
from tailor.documents.readers.reader import FileReader, refused
from tailor.documents.refusal import Refused
from tailor.text import nfc

LARGEST_MEMBER = 100 << 20
"""Bytes of one file in an archive, as of any file."""
DEEPEST = 2
"""An archive in an archive is opened, one in that is not."""

_UTF8_NAME = 0x800
_BROKEN = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError)


class Reader(FileReader):
    """Yields the units of each file, ``member`` being its path in the archive."""

    def lazy_load(self) -> Iterator[Document]:
        """Files in the archive's order; one that cannot be read is refused, the others go on."""
        return _members(self.content, _Room(LARGEST, MOST_ENTRIES), 1)


@dataclass
class _Room:
    """What an archive and those in it may still unpack to, together."""

    size: int
    entries: int

    def take(self, archive: zipfile.ZipFile) -> None:
        """Count the files of an archive, before any of them is unpacked.

        Raises:
            Refused: they are too many or too large, or unpack to far more than is there.
        """
        entries = archive.infolist()
        size = sum(entry.file_size for entry in entries)
        packed = sum(entry.compress_size for entry in entries)
        if size > self.size or len(entries) > self.entries:
            raise Refused(
                f"it unpacks to {size / (1 << 20):.0f} MB in {len(entries)} files, more than is "
                "opened at once; split it, or put the folder itself into knowledge/"
            )
        if size > SMALL and size > HIGHEST_RATIO * packed:
            raise Refused(
                f"it unpacks to {size // max(1, packed)} times its size, as no folder of "
                "documents does; unpack it yourself if you trust it"
            )
        self.size -= size
        self.entries -= len(entries)


def _members(content: bytes, room: _Room, depth: int) -> Iterator[Document]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (*_BROKEN, NotImplementedError) as error:
        raise Refused(f"broken: the archive is damaged or cut off ({error})") from None
    with archive:
        room.take(archive)
        seen: set[str] = set()
        for entry, name in _named(archive):
            shown = "/".join(part for part in name.split("/") if part not in ("", ".", ".."))
            if entry.is_dir() or _is_hidden(shown):
                continue
            try:
                _check(entry, name)
                if nfc(shown) in seen:
                    raise Refused("another file in the archive has the same name")
                yield from _documents(shown, _unpacked(archive, entry), room, depth)
            except Refused as refusal:
                shown = f"{shown} ({len(seen)})" if nfc(shown) in seen else shown
                yield refused(shown, refusal.reason, refusal.status)
            seen.add(nfc(shown))
        if not seen:
            raise Refused("an archive without files", "empty")


def _named(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, str]]:
    """The entries with their names; names that are not UTF-8 are decoded by evidence of all."""
    entries = archive.infolist()
    old = [entry for entry in entries if not entry.flag_bits & _UTF8_NAME]
    raw = [entry.orig_filename.split("\0")[0].encode("cp437", "replace") for entry in old]
    names = {id(entry): entry.filename for entry in entries}
    if any(not name.isascii() for name in raw):
        try:
            decoded = decode(b"\n".join(name.replace(b"\n", b" ") for name in raw))[0].split("\n")
        except Refused:
            decoded = []
        if len(decoded) == len(old):
            names |= {id(entry): name for entry, name in zip(old, decoded, strict=True)}
    return [(entry, names[id(entry)].replace("\\", "/")) for entry in entries]


def _is_hidden(name: str) -> bool:
    parts = name.split("/")
    return not name or "__MACOSX" in parts or any(p.startswith((".", "~$")) for p in parts)


def _check(entry: zipfile.ZipInfo, name: str) -> None:
    """What is known before an entry is unpacked.

    Raises:
        Refused: it must not or cannot be unpacked.
    """
    if name.startswith("/") or ".." in name.split("/") or re.match("[A-Za-z]:", name):
        raise Refused("its name leads out of the archive")
    kind = stat.S_IFMT(entry.external_attr >> 16) if entry.create_system == 3 else 0
    if kind not in (0, stat.S_IFREG):
        raise Refused("a link or device in an archive")
    if entry.flag_bits & ENCRYPTED:
        raise Refused("password-protected: put a copy without password into the archive")
    if entry.file_size > LARGEST_MEMBER:
        raise Refused(f"larger than {LARGEST_MEMBER >> 20} MB: split it")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """The content; never more than the archive says, which was counted."""
    try:
        with archive.open(entry) as file:
            content = file.read(entry.file_size + 1)
    except (NotImplementedError, RuntimeError):
        raise Refused("packed in a way that is not read here: pack it as plain ZIP") from None
    except _BROKEN as error:
        raise Refused(f"broken: damaged in the archive ({error})") from None
    if len(content) < entry.file_size:
        raise Refused("broken: cut off in the archive")
    return content


def _documents(name: str, content: bytes, room: _Room, depth: int) -> Iterator[Document]:
    """The units of one file, or of those in it where it is an archive."""
    if content and sniff(content, suffix_of(name)) == ".zip":
        if depth >= DEEPEST:
            raise Refused("an archive in an archive in an archive: unpack it")
        found: Iterator[Document] = _members(content, room, depth + 1)
    else:
        found = iter(read(name, content))
    for document in found:
        inner = document.metadata.get("member", "")
        document.metadata["member"] = f"{name}/{inner}" if inner else name
        yield document
