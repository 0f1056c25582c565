"""Outlook messages ([MS-OXMSG]): headers, the text, and attachments of known formats."""

from __future__ import annotations

import codecs
import datetime
import io
from collections.abc import Iterator
from email import message_from_string
from email.policy import default
from struct import error as struct_error
from struct import unpack_from

import olefile
from langchain_core.documents import Document

from tailor.documents.readers import read
from tailor.documents.readers.compressed_rtf import decompressed
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.html import blocks
from tailor.documents.readers.mail import ENCRYPTED, Attachment, Mail
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.rtf import parsed
from tailor.documents.refusal import Refused

_DEEPEST = 3
_CLASS, _SUBJECT, _HEADERS = 0x001A, 0x0037, 0x007D
_SENDER, _SENDER_ADDRESS, _SENDER_SMTP = 0x0C1A, 0x0C1F, 0x5D01
_TO, _CC, _SUBMITTED, _DELIVERED = 0x0E04, 0x0E03, 0x0039, 0x0E06
_BODY, _RTF, _HTML, _HTML_CODE_PAGE, _CODE_PAGE = 0x1000, 0x1009, 0x1013, 0x3FDE, 0x3FFD
_FILE, _METHOD, _SHORT_NAME, _LONG_NAME = 0x3701, 0x3705, 0x3704, 0x3707
_DISPLAY_NAME, _CONTENT_ID, _HIDDEN = 0x3001, 0x3712, 0x7FFE
_EMBEDDED_MESSAGE = 5
_1601 = datetime.datetime(1601, 1, 1, tzinfo=datetime.UTC)


class Reader(FileReader):
    """Yields the mail as one unit, then the units of its attachments."""

    def lazy_load(self) -> Iterator[Document]:
        """The mail without a place; attachments as ``attachment prices.xlsx, sheet EUR``."""
        with olefile.OleFileIO(io.BytesIO(self.content)) as file:
            yield from _mail(file, [], 0).units()


class _Properties:
    """The properties of a message, or of one attachment, below one folder of the file."""

    def __init__(self, file: olefile.OleFileIO, folder: list[str], header: int) -> None:
        self.file, self.folder = file, folder
        self.fixed: dict[int, bytes] = {}
        data = self._stream("__properties_version1.0")
        for start in range(header, len(data) - 15, 16):
            self.fixed[unpack_from("<I", data, start)[0]] = data[start + 8 : start + 16]

    def text(self, tag: int) -> str:
        """A string, in Unicode or in the code page of the message."""
        if raw := self._stream(f"__substg1.0_{tag:04X}001F"):
            return raw.decode("utf-16-le", "replace").rstrip("\0")
        raw = self._stream(f"__substg1.0_{tag:04X}001E").rstrip(b"\0")
        return decode(raw, self.code_page(_CODE_PAGE, _HTML_CODE_PAGE))[0] if raw else ""

    def binary(self, tag: int) -> bytes:
        """A value of bytes."""
        return self._stream(f"__substg1.0_{tag:04X}0102")

    def number(self, tag: int) -> int | None:
        """A 32-bit number."""
        raw = self.fixed.get(tag << 16 | 0x0003)
        return int(unpack_from("<i", raw)[0]) if raw else None

    def flag(self, tag: int) -> bool:
        """A truth value."""
        return self.fixed.get(tag << 16 | 0x000B, b"\0")[0] != 0

    def time(self, tag: int) -> str:
        """A time in UTC as ``2026-03-19 09:42 UTC``."""
        raw = self.fixed.get(tag << 16 | 0x0040)
        ticks = int(unpack_from("<Q", raw)[0]) if raw else 0
        if not 0 < ticks < 1 << 58:
            return ""
        return f"{_1601 + datetime.timedelta(microseconds=ticks // 10):%Y-%m-%d %H:%M} UTC"

    def code_page(self, *tags: int) -> str | None:
        """The first of these properties that names a known code page."""
        for tag in tags:
            number = self.number(tag)
            name = "utf-8" if number == 65001 else f"cp{number}"
            try:
                return codecs.lookup(name).name
            except LookupError:
                continue
        return None

    def _stream(self, name: str) -> bytes:
        path = [*self.folder, name]
        return self.file.openstream(path).read() if self.file.exists(path) else b""


def _mail(file: olefile.OleFileIO, folder: list[str], depth: int) -> Mail:
    found = _Properties(file, folder, 24 if folder else 32)
    kind = found.text(_CLASS)
    if kind.upper().startswith("IPM.NOTE.SMIME") and "MULTIPARTSIGNED" not in kind.upper():
        raise Refused(ENCRYPTED)
    sent = message_from_string(found.text(_HEADERS), policy=default)
    address = found.text(_SENDER_SMTP) or found.text(_SENDER_ADDRESS)
    sender = found.text(_SENDER)
    if "@" in address and address != sender:
        sender = f"{sender} <{address}>".strip()
    text, note = _body(found)
    headers = [
        ("From", sender),
        ("To", found.text(_TO)),
        ("Cc", found.text(_CC)),
        ("Date", str(sent["Date"] or "") or found.time(_SUBMITTED) or found.time(_DELIVERED)),
        ("Subject", found.text(_SUBJECT)),
    ]
    if not any(value for _, value in headers) and text:
        headers = [("Type", kind or "message")]
    attachments = list(_attachments(file, folder, depth))
    if any(attachment.name.endswith(".pgp-encrypted") for attachment in attachments):
        raise Refused(ENCRYPTED)
    return Mail(headers, text, attachments, note)


def _body(found: _Properties) -> tuple[str, str]:
    """The plain text, else that of the HTML, else that of the RTF."""
    if text := found.text(_BODY).strip():
        return text, ""
    if html := found.binary(_HTML) or found.text(_HTML).encode():
        text, note = decode(html, found.code_page(_HTML_CODE_PAGE, _CODE_PAGE))
        return "\n\n".join(block.text for block in blocks(text)), note
    if packed := found.binary(_RTF):
        try:
            rtf = decompressed(packed)
        except (ValueError, IndexError, struct_error) as error:
            return "", f"its text is damaged ({error})"
        return "\n\n".join(block.text for block in parsed(rtf).blocks), ""
    return "", ""


def _attachments(file: olefile.OleFileIO, folder: list[str], depth: int) -> Iterator[Attachment]:
    depth_of_folder = len(folder)
    names = {
        path[depth_of_folder]
        for path in file.listdir()
        if path[:depth_of_folder] == folder and len(path) > depth_of_folder
    }
    for name in sorted(names):
        if not name.startswith("__attach_version1.0_"):
            continue
        found = _Properties(file, [*folder, name], 8)
        if found.flag(_HIDDEN) or (found.text(_CONTENT_ID) and _is_picture(found)):
            continue  # a logo in the text
        title = found.text(_LONG_NAME) or found.text(_SHORT_NAME) or found.text(_DISPLAY_NAME)
        yield _attachment(found, title or "file", depth)


def _attachment(found: _Properties, title: str, depth: int) -> Attachment:
    def units() -> Iterator[Document]:
        if found.number(_METHOD) == _EMBEDDED_MESSAGE:
            if depth >= _DEEPEST:
                raise Refused("a mail in a mail in a mail")
            inner = [*found.folder, f"__substg1.0_{_FILE:04X}000D"]
            return _mail(found.file, inner, depth + 1).units()
        return iter(read(title, found.binary(_FILE)))

    return Attachment(title, units)


def _is_picture(found: _Properties) -> bool:
    name = found.text(_LONG_NAME) or found.text(_SHORT_NAME)
    return name.lower().endswith((".png", ".jpg", ".jpeg", ".gif", ".bmp"))
