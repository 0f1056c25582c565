"""E-mails (RFC 5322, MIME): headers, the text, and attachments of known formats."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email import message_from_bytes
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.policy import default
from typing import cast

from langchain_core.documents import Document

from tailor.documents.readers import read
from tailor.documents.readers.decoding import decode
from tailor.documents.readers.html import blocks
from tailor.documents.readers.mail import ENCRYPTED, Attachment, Mail
from tailor.documents.readers.reader import FileReader
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
        return mail(message_from_bytes(content.lstrip(), policy=default)).units()


def mail(message: EmailMessage, depth: int = 0) -> Mail:
    """A parsed message.

    Raises:
        Refused: it is encrypted, or its text cannot be decoded.
    """
    kind = message.get_content_type()
    if kind == "multipart/encrypted" or (
        kind.endswith("pkcs7-mime") and "signed" not in str(message.get_param("smime-type"))
    ):
        raise Refused(ENCRYPTED)
    text, note = _body(message)
    attachments = [
        Attachment(_name(part), lambda part=part: _units(part, depth))  # type: ignore[misc]
        for part in _attached(message)
    ]
    return Mail([(name, _header(message, name)) for name in _HEADERS], text, attachments, note)


def _header(message: EmailMessage, name: str) -> str:
    try:
        return str(message[name] or "")
    except (ValueError, IndexError, AttributeError, KeyError, TypeError):
        # The standard library's parser gives up on some malformed headers.
        raw = next((v for k, v in message.raw_items() if k.casefold() == name.casefold()), "")
        try:
            return str(make_header(decode_header(str(raw))))
        except (ValueError, LookupError):
            return str(raw)


def _body(message: EmailMessage) -> tuple[str, str]:
    body = message.get_body(("plain", "html"))
    if body is None:
        return "", ""
    text, note = decode(_payload(cast(EmailMessage, body)), _charset(cast(EmailMessage, body)))
    if body.get_content_subtype() == "html":
        text = "\n\n".join(block.text for block in blocks(text))
    return text, note


def _charset(part: EmailMessage) -> str | None:
    try:
        return part.get_content_charset()
    except (LookupError, UnicodeDecodeError, ValueError):
        return None


def _attached(message: EmailMessage) -> Iterator[EmailMessage]:
    """Attached files; a logo in the text, a signature or a text's other form is none."""
    if not message.is_multipart() or message.get_content_type() == "message/rfc822":
        return
    body = message.get_body(("plain", "html"))
    for part in message.iter_parts():
        part = cast(EmailMessage, part)
        kind = part.get_content_type()
        if part is body or kind in ("application/pgp-signature", "application/pkcs7-signature",
                                    "application/x-pkcs7-signature"):  # fmt: skip
            continue
        if part.get_content_maintype() == "multipart":
            yield from _attached(part)
        elif part.get_filename() is None and message.get_content_subtype() == "alternative":
            continue
        elif part.get_content_maintype() != "image" or part.is_attachment():
            yield part


def _name(part: EmailMessage) -> str:
    name = part.get_filename()
    if not name and part.get_content_type() == "message/rfc822":
        name = _header(cast(EmailMessage, part.get_content()), "Subject")
    return name or part.get_content_type().replace("/", ".")


def _units(part: EmailMessage, depth: int) -> Iterator[Document]:
    if part.get_content_type() == "message/rfc822":
        if depth >= _DEEPEST:
            raise Refused("a mail in a mail in a mail")
        return mail(cast(EmailMessage, part.get_content()), depth + 1).units()
    name = _name(part)
    kind = part.get_content_type()
    if not re.search(r"\.\w{1,5}$", name) and kind in ("text/plain", "text/html"):
        name += ".txt" if kind == "text/plain" else ".html"
    return iter(read(name, _payload(part)))


def _payload(part: EmailMessage) -> bytes:
    payload = part.get_payload(decode=True)
    return payload if isinstance(payload, bytes) else b""
