"""Mails of Outlook and of everybody else, with what is attached to them."""

from __future__ import annotations

import contextlib
import datetime
import io
import struct
from email.message import EmailMessage

import docx
import pytest

from tailor.documents.document import Document, document
from tailor.documents.readers.compressed_rtf import decompressed
from tailor.documents.refusal import Refused

from .compound import compound


def read(name: str, content: bytes) -> Document:
    return document(content, name)


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read(name, content)
    return caught.value.reason


def letter() -> bytes:
    made = docx.Document()
    made.add_heading("Offer", 1)
    made.add_paragraph("18 boxes.")
    stream = io.BytesIO()
    made.save(stream)
    return stream.getvalue()


# Outlook


def texts(folder: str, **values: str) -> dict[str, bytes]:
    return {f"{folder}__substg1.0_{tag}001F": v.encode("utf-16-le") for tag, v in values.items()}


def properties(header: int, *fixed: tuple[int, bytes]) -> bytes:
    return bytes(header) + b"".join(
        struct.pack("<II8s", tag, 0, value.ljust(8, b"\0")) for tag, value in fixed
    )


def message(folder: str = "", header: int = 32, **values: str) -> dict[str, bytes]:
    sent = datetime.datetime(2026, 3, 19, 9, 42) - datetime.datetime(1601, 1, 1)
    ticks = struct.pack("<Q", sent // datetime.timedelta(microseconds=1) * 10)
    own = properties(header, (0x00390040, ticks))
    return {f"{folder}__properties_version1.0": own, **texts(folder, **values)}


def attachment(number: int, content: bytes, method: int = 1, **values: str) -> dict[str, bytes]:
    folder = f"__attach_version1.0_#{number:08X}/"
    fixed = properties(8, (0x37050003, struct.pack("<i", method)))
    return {
        f"{folder}__properties_version1.0": fixed,
        **texts(folder, **values),
        **({f"{folder}__substg1.0_37010102": content} if content else {}),
    }


MAIL = {
    "_001A": "IPM.Note", "_0C1A": "Bình", "_5D01": "binh@x.example", "_0E04": "Chi; Long",
    "_0037": "Đổi ngày kiểm kê", "_1000": "Chào chị,\r\n\r\nDời sang 04/04.",
}  # fmt: skip
VALUES = {tag[1:]: text for tag, text in MAIL.items()}


def test_msg_with_attachments() -> None:
    inner = "__attach_version1.0_#00000002/__substg1.0_3701000D/"
    streams = {
        **message(**VALUES),
        **attachment(0, letter(), **{"3707": "offer.docx"}),
        **attachment(1, b"\x89PNG\r\n", **{"3707": "logo.png", "3712": "cid-1"}),
        **attachment(2, b"", method=5, **{"3001": "Forwarded"}),
        **message(inner, 24, **{"0037": "Lần trước", "1000": "Ngày 28/03."}),
        **attachment(3, b"\x00\x01\x02", **{"3707": "tool.exe"}),
    }
    found = read("doi-ngay.msg", compound(streams))
    assert places(found) == {
        "": "From: Bình <binh@x.example>\nTo: Chi; Long\nDate: 2026-03-19 09:42 UTC\n"
        "Subject: Đổi ngày kiểm kê\nAttachment: offer.docx\nAttachment: Forwarded\n"
        "Attachment: tool.exe\n\nChào chị,\n\nDời sang 04/04.",
        "attachment offer.docx, Offer": "Offer\n\n18 boxes.",
        "attachment Forwarded": "Date: 2026-03-19 09:42 UTC\nSubject: Lần trước\n\nNgày 28/03.",
    }
    assert "attachment tool.exe not read: unknown format .exe" in found.note


def test_msg_in_a_code_page_and_as_html() -> None:
    subject, body = "Nghỉ phép", "<p>Mười hai ngày</p><p>mỗi năm</p>"
    streams = {
        "__properties_version1.0": properties(
            32,
            (0x3FFD0003, struct.pack("<i", 1258)),
            (0x3FDE0003, struct.pack("<i", 65001)),
        ),
        "__substg1.0_0037001E": "Nghi\u0309 phe\u0301p".encode("cp1258"),
        "__substg1.0_10130102": body.encode(),
    }
    found = read("a.msg", compound(streams))
    assert found.text == f"Subject: {subject}\n\nMười hai ngày\n\nmỗi năm"


def test_msg_whose_text_is_packed_rtf() -> None:
    # The example of [MS-OXRTFCP] 3.2.
    packed = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )
    assert decompressed(packed) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"
    streams = {**message(**{"0037": "Hi"}), "__substg1.0_10090102": packed}
    assert read("a.msg", compound(streams)).text.endswith("Subject: Hi\n\nhello world")


def test_encrypted_msg_is_refused() -> None:
    streams = message(**{**VALUES, "001A": "IPM.Note.SMIME"})
    assert "encrypted mail" in refusal("a.msg", compound(streams))


def test_damaged_msg_is_refused_never_a_crash() -> None:
    whole = compound({**message(**VALUES), **attachment(0, letter(), **{"3707": "offer.docx"})})
    for cut in range(0, len(whole), len(whole) // 40):
        for content in (whole[:cut], whole[:cut] + b"\xff\x00\xff" + whole[cut + 3 :]):
            with contextlib.suppress(Refused):
                read("a.msg", content)


# Everybody else


def test_mail_in_a_mail_and_signed_mails() -> None:
    inner = EmailMessage()
    inner["Subject"] = "Lần trước"
    inner.set_content("Ngày 28/03.")
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "chi@x.example", "Chuyển tiếp"
    mail.set_content("Xem bên dưới.")
    mail.add_attachment(inner)
    mail.add_attachment(b"...", maintype="application", subtype="pgp-signature", filename="s.asc")
    assert places(read("a.eml", bytes(mail))) == {
        "": "From: chi@x.example\nSubject: Chuyển tiếp\nAttachment: Lần trước\n\nXem bên dưới.",
        "attachment Lần trước": "Subject: Lần trước\n\nNgày 28/03.",
    }


def test_encrypted_mail_is_refused() -> None:
    mail = b"Subject: x\nContent-Type: multipart/encrypted; boundary=b\n\n--b\n\nx\n--b--\n"
    assert "encrypted mail" in refusal("a.eml", mail)
    mail = b"Subject: x\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\n\nAAAA\n"
    assert "encrypted mail" in refusal("a.eml", mail)


def test_malformed_headers_do_not_lose_the_mail() -> None:
    mail = b"From: =?utf-8?q?B=C3=ACnh?= <binh@@x>, ,;\nDate: yesterday\nTo: <\nSubject: x\n\nHi\n"
    found = read("a.eml", mail)
    assert "Subject: x" in found.text
    assert "Bình" in found.text
