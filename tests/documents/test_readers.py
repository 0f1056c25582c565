"""Every format is read from a real file made by a real library, or refused with a reason."""

from __future__ import annotations

import contextlib
import datetime
import io
import json
import unicodedata
import zipfile
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl
import pptx
import pypdfium2
import pytest
from fpdf import FPDF
from pptx.util import Inches

from tailor.documents.document import Document, document, read_bytes
from tailor.documents.refusal import Refused


def read(name: str, content: str | bytes) -> Document:
    return document(content.encode() if isinstance(content, str) else content, name)


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def refusal(name: str, content: str | bytes) -> Refused:
    with pytest.raises(Refused) as caught:
        read(name, content)
    return caught.value


def pdf(*pages: str, password: str = "") -> bytes:
    made = FPDF()
    if password:
        made.set_encryption(owner_password="owner", user_password=password)
    made.set_font("Helvetica", size=12)
    for page in pages:
        made.add_page()
        made.multi_cell(0, text=page)
    return bytes(made.output())


def saved(maker: object) -> bytes:
    stream = io.BytesIO()
    maker.save(stream)  # type: ignore[attr-defined]
    return stream.getvalue()


def windows_1258(text: str) -> bytes:
    """Windows-1258 writes the five tone marks behind their vowels."""
    out = ""
    for letter in text:
        marks = unicodedata.normalize("NFD", letter)
        tone = [mark for mark in marks if mark in "\u0300\u0301\u0303\u0309\u0323"]
        vowel = unicodedata.normalize("NFC", "".join(m for m in marks if m not in tone))
        out += vowel + "".join(tone)
    return out.encode("cp1258")


def test_markdown_sections_are_places() -> None:
    text = (
        "---\ntitle: Leave\n---\n# Leave\n\n## Carry-over\n\nUp to **5 days**.\n\n"
        "```\n# no heading\n```\n\nPaid\n====\n\n12 days.\n"
    )
    found = places(read("leave.md", text))
    assert list(found) == ["", "Leave > Carry-over", "Paid"]
    assert found["Leave > Carry-over"].startswith("# Leave\n\n## Carry-over")
    assert "# no heading" in found["Leave > Carry-over"]


def test_text_is_nfc_with_plain_line_ends() -> None:
    decomposed = unicodedata.normalize("NFD", "Nghỉ phép năm\r\nhai ngày\u00a0rưỡi\ufeff\x07\r\n")
    assert read("phep.txt", decomposed).text == "Nghỉ phép năm\nhai ngày rưỡi"


@pytest.mark.parametrize(
    ("encoding", "note"),
    [
        ("utf-8-sig", ""),
        ("utf-16", ""),
        ("utf-16-le", "utf-16-le"),
        ("cp1258", "windows-1258"),
    ],
)
def test_vietnamese_encodings(encoding: str, note: str) -> None:
    text = "Nhân viên được nghỉ phép mười hai ngày mỗi năm. Ở kho lạnh phải đội mũ ấm."
    coded = windows_1258(text) if encoding == "cp1258" else text.encode(encoding)
    found = read("phep.txt", coded)
    assert found.text == text
    assert note in found.note
    assert bool(found.note) == bool(note)
    assert found.language == "vi"


def test_other_encodings_are_read_with_a_note_or_refused() -> None:
    german = "Die Kündigungsfrist beträgt für alle Beschäftigten größerer Büros vier Wochen. " * 5
    found = read("frist.txt", german.encode("cp1252"))
    assert "Kündigungsfrist beträgt für" in found.text
    assert "not UTF-8" in found.note
    assert refusal("a.txt", b"\x00\x01\x02\x03" * 9).reason == "binary data, not text"


def test_html_reads_as_a_page_does() -> None:
    html = (
        "<!doctype html><!-- hidden --><title>FAQ</title><style>p{}</style>"
        "<h1>FAQ</h1><div><h2>Returns</h2>Within <b>14</b> days.<br>Unused.</div>"
        "<ul><li>One</li><li>Two</li></ul><script>alert(1)</script>"
        "<table><tr><th>Box</th><th>Rent</th></tr><tr><td>A|B</td><td>5 €</td></tr></table>"
    )
    found = read("faq.html", html)
    assert list(places(found)) == ["FAQ > Returns"]
    assert found.text == (
        "FAQ\n\nReturns\n\nWithin 14 days.\nUnused.\n\n- One\n- Two\n\n"
        "| Box | Rent |\n| A/B | 5 € |"
    )


def test_html_declares_its_encoding() -> None:
    html = '<meta charset="windows-1252"><p>Caf\xe9</p>'.encode("cp1252")
    assert read("cafe.html", html).text == "Café"


def test_pdf_pages_and_paragraphs() -> None:
    long = "The warranty starts on the day of delivery and is not extended by a repair. " * 3
    found = places(read("warranty.pdf", pdf(long, "", "Second page.")))
    assert found == {"page 1": long.strip(), "page 3": "Second page."}


def test_pdf_tables_keep_their_columns() -> None:
    made = FPDF()
    made.add_page()
    made.set_font("Helvetica", size=11)
    with made.table() as table:
        for row in (("Product", "Weight", "Price"), ("FrostBox 40", "18.5 kg", "690 EUR")):
            table.row(row)
    text = read("list.pdf", bytes(made.output())).text
    assert text == "| Product | Weight | Price |\n| FrostBox 40 | 18.5 kg | 690 EUR |"


def test_vietnamese_pdf_of_the_sample_company() -> None:
    path = Path(__file__).parents[2] / "knowledge" / "hop-dong"
    found = document(read_bytes(next(path.glob("*.pdf"))), "hop-dong.pdf")
    assert found.language == "vi"
    assert unicodedata.is_normalized("NFC", found.text)
    assert "| FrostBox 120S | 24 | 52.400.000 | 1.257.600.000 |" in found.text
    assert "Đại diện: bà Ngô Thị Hải Yến, Tổng Giám đốc." in found.text


def test_pdf_refusals() -> None:
    assert "password-protected" in refusal("a.pdf", pdf("secret", password="x")).reason
    blank = refusal("a.pdf", pdf(""))
    assert (blank.status, blank.reason) == ("empty", "no text in it")
    assert "does not start with %PDF" in refusal("a.pdf", b"hello").reason
    assert refusal("a.pdf", pdf("text")[:300]).reason.startswith("broken")


def test_docx() -> None:
    made = docx.Document()
    made.add_heading("Travel", 0)
    made.add_heading("Hotels", 1)
    made.add_paragraph("Up to the limit.")
    made.add_paragraph("Keep the bill", style="List Bullet")
    made.add_paragraph("Share rooms", style="List Bullet")
    table = made.add_table(rows=2, cols=3)
    for cell, text in zip(table.rows[0].cells, ("City", "Night", "Note"), strict=True):
        cell.text = text
    table.cell(1, 0).text = "Hà Nội"
    table.cell(1, 1).merge(table.cell(1, 2)).text = "1.100.000"
    found = places(read("travel.docx", saved(made)))
    assert found == {
        "Travel > Hotels": "Travel\n\nHotels\n\nUp to the limit.\n\n- Keep the bill\n- Share rooms"
        "\n\n| City | Night | Note |\n| Hà Nội | 1.100.000 |"
    }


def test_pptx() -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Safety"
    box = slide.shapes.add_textbox(Inches(1), Inches(2), Inches(4), Inches(1))
    box.text_frame.text = "Wear gloves"
    table = slide.shapes.add_table(1, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
    table.cell(0, 0).text, table.cell(0, 1).text = "Accidents", "3"
    slide.notes_slide.notes_text_frame.text = "Two were cuts."
    found = places(read("safety.pptx", saved(made)))
    assert found == {
        "slide 1": "Safety\n\nWear gloves\n\n| Accidents | 3 |\n\nNotes: Two were cuts."
    }


def test_xlsx_rows_carry_their_header() -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.title = "EUR"
    sheet.append(["Price list 2026"])
    sheet.append(["Item", "Price", "Discount", "From"])
    sheet.append(["FrostBox 120", 1480.0, 0.125, datetime.datetime(2026, 1, 1)])
    sheet["C3"].number_format = "0.0%"
    sheet.append(["Cable", 0.1 + 0.2, None, "1e5"])
    made.create_sheet("Empty")
    found = places(read("prices.xlsx", saved(made)))
    assert found == {
        "sheet EUR": "Price list 2026\n"
        "Item: FrostBox 120; Price: 1480; Discount: 12.5%; From: 2026-01-01\n"
        "Item: Cable; Price: 0.3; From: 1e5"
    }


def test_xlsx_formula_that_was_never_computed_is_shown() -> None:
    made = openpyxl.Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(["Item", "Total"])
    sheet.append(["Boxes", "=2*3"])
    assert read("sum.xlsx", saved(made)).text == "Item: Boxes; Total: =2*3"


def test_office_refusals() -> None:
    assert refusal("a.docx", b"PK\x03\x04 cut off").reason.startswith("broken")
    assert "the content is plain text" in refusal("a.xlsx", b"hello").reason
    encrypted = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + "EncryptedPackage".encode("utf-16-le")
    assert "password-protected" in refusal("a.docx", encrypted).reason


def test_zip_bomb_is_refused_before_unpacking(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailor.documents.readers.archive.LARGEST", 32 << 20)
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(3):
            archive.writestr(f"word/{number}.xml", bytes(16 << 20))
    assert len(stream.getvalue()) < 1 << 20
    assert "unpacks to 48 MB" in refusal("bomb.docx", stream.getvalue()).reason


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.csv", 'Name,Site,Extension\n"Trần, Bình",Kho,3001\nAnh,,1120\n'),
        ("people.csv", 'Name;Site;Extension\n"Trần, Bình";Kho;3001\nAnh;;1120\n'),
        ("people.tsv", "Name\tSite\tExtension\nTrần, Bình\tKho\t3001\nAnh\t\t1120\n"),
    ],
)
def test_csv(name: str, text: str) -> None:
    expected = "Name: Trần, Bình; Site: Kho; Extension: 3001\nName: Anh; Extension: 1120"
    assert read(name, text).text == expected


def test_json() -> None:
    value = {
        "title": "Devices",
        "address": {"city": "Đà Nẵng", "open": True},
        "tags": ["cold", "box"],
        "devices": [{"name": "A", "price": 12.0, "parts": [{"id": 1}]}, {"name": "B", "x": None}],
    }
    found = places(read("d.json", json.dumps(value)))
    assert found == {
        "": "title: Devices\naddress.city: Đà Nẵng\naddress.open: yes\ntags: cold, box",
        "devices": "name: A\nprice: 12\nparts 1\n  id: 1\n\nname: B",
    }
    assert read("d.jsonl", '{"a": 1}\n\n{"a": 2}').text == "a: 1\n\na: 2"
    assert "line 2 is not JSON" in refusal("d.jsonl", '{"a": 1}\n{"a"').reason
    assert "not JSON" in refusal("d.json", "{").reason


def test_mail_with_attachments() -> None:
    mail = EmailMessage()
    mail["From"], mail["To"] = "Bình <binh@x.example>", "chi@x.example"
    mail["Date"], mail["Subject"] = "Thu, 19 Mar 2026 16:42:00 +0700", "Đổi ngày kiểm kê"
    mail.set_content("Chào chị,\n\nDời sang 04/04.")
    mail.add_alternative("<p>HTML</p>", subtype="html")
    mail.add_attachment(
        "Hàng,Tồn\nBox,58\n".encode(), maintype="text", subtype="csv", filename="ton-kho.csv"
    )
    mail.add_attachment(
        pdf("x", password="y"), maintype="application", subtype="pdf", filename="k.pdf"
    )
    found = read("mail.eml", bytes(mail))
    assert places(found) == {
        "": "From: Bình <binh@x.example>\nTo: chi@x.example\n"
        "Date: Thu, 19 Mar 2026 16:42:00 +0700\nSubject: Đổi ngày kiểm kê\n"
        "Attachment: ton-kho.csv\nAttachment: k.pdf\n\n"
        "Chào chị,\n\nDời sang 04/04.",
        "attachment ton-kho.csv": "Hàng: Box; Tồn: 58",
    }
    assert "attachment k.pdf not read: password-protected" in found.note


def test_html_mail() -> None:
    mail = EmailMessage()
    mail["Subject"] = "Hi"
    mail.set_content("<h1>Title</h1><p>Body</p>", subtype="html")
    assert read("m.eml", bytes(mail)).text == "Subject: Hi\n\nTitle\n\nBody"


def test_unknown_and_empty() -> None:
    assert refusal("a.xyz", "text").reason.startswith("unknown format .xyz")
    assert "the name says .doc but the content" in refusal("a.doc", "text").reason
    assert refusal("a.md", " \n").status == "empty"
    assert refusal("a.md", "---\n***\n").status == "empty"
    assert read("a.md", pdf("x")).note == "named .md, read as pdf by its content"


@pytest.mark.parametrize(
    "name", ["a.pdf", "a.docx", "a.pptx", "a.xlsx", "a.html", "a.json", "a.eml"]
)
def test_damaged_files_are_refused_never_a_crash(name: str) -> None:
    whole = {
        "a.pdf": pdf("Some text on a page. " * 20),
        "a.docx": saved(docx.Document()),
        "a.pptx": saved(pptx.Presentation()),
        "a.xlsx": saved(openpyxl.Workbook()),
    }.get(name, b'From: a\n\n<p>{"a": [1, 2, {"b": "c"}]}</p>')
    for cut in range(0, len(whole), max(1, len(whole) // 25)):
        for content in (whole[:cut], whole[:cut] + b"\xff\x00<" + whole[cut + 3 :]):
            with contextlib.suppress(Refused):
                read(name, content)


def test_a_page_is_read_even_if_pdfium_reads_others(tmp_path: Path) -> None:
    # pdfium keeps global state; a document left open must not disturb the next.
    kept = pypdfium2.PdfDocument(pdf("kept"))
    assert read("b.pdf", pdf("other")).text == "other"
    kept.close()
