"""E-mails: headers, the text, and attachments of known formats."""

from __future__ import annotations

from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import cast

from langchain_core.documents import Document

from tailor.documents.readers import read
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.html import blocks
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.refusal import Refused

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST = 3


class Reader(FileReader):
    """Yields the mail as one unit, then the units of its attachments."""

    def lazy_load(self) -> Iterator[Document]:
        """The mail without a place; attachments as ``attachment prices.xlsx, sheet EUR``."""
        content = self.content
        if b"\0" in content:  # UTF-16, as some programs save a mail
            content = decode(content)[0].encode()
        return units(message_from_bytes(content, policy=default))


def units(message: EmailMessage, depth: int = 0) -> Iterator[Document]:
    """A message and what is attached to it.

    Raises:
        Refused: no headers and no body, so not a mail; or its text cannot be decoded.
    """
    lines = [
        f"{name}: {' '.join(str(message[name]).split())}" for name in _HEADERS if message[name]
    ]
    if not lines:
        raise Refused("broken: no From, To, Date or Subject; not a mail")
    text, note = _body(message)
    notes = [note] if note else []
    inner: list[Document] = []
    for part in message.iter_attachments():
        name = part.get_filename() or part.get_content_type().replace("/", ".")
        if part.get_content_maintype() == "image" and not part.is_attachment():
            continue  # a logo in the text
        lines.append(f"Attachment: {name}")
        try:
            found = _attachment(part, name, depth)
        except Refused as refused:
            notes.append(f"attachment {name} not read: {refused.reason}")
            continue
        for document in found:
            place = document.metadata["place"]
            document.metadata["place"] = f"attachment {name}" + (f", {place}" if place else "")
            inner.append(document)
    yield unit("\n".join(lines) + "\n\n" + text, note="; ".join(notes))
    yield from inner


def _body(message: EmailMessage) -> tuple[str, str]:
    body = message.get_body(("plain", "html"))
    if body is None:
        return "", ""
    text, note = decode(_payload(cast(EmailMessage, body)), body.get_content_charset())
    if body.get_content_subtype() == "html":
        text = "\n\n".join(block.text for block in blocks(text))
    return text, note


def _attachment(part: EmailMessage, name: str, depth: int) -> list[Document]:
    if part.get_content_type() == "message/rfc822":
        if depth >= _DEEPEST:
            raise Refused("a mail in a mail in a mail")
        return list(units(cast(EmailMessage, part.get_content()), depth + 1))
    if name.lower().endswith(".eml"):
        if depth >= _DEEPEST:
            raise Refused("a mail in a mail in a mail")
        inner = message_from_bytes(_payload(part), policy=default)
        return list(units(inner, depth + 1))
    return read(name, _payload(part))


def _payload(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
