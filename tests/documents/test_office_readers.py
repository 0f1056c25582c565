"""Word, Excel, PowerPoint, OpenDocument, RTF and e-books, made here or written by hand."""

from __future__ import annotations

import datetime
import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from openpyxl.worksheet.worksheet import Worksheet
from PIL import Image
from pptx.util import Inches

from tailor.documents.document import Document, document
from tailor.documents.refusal import Refused

from .compound import compound

_SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"


def read(name: str, content: bytes) -> Document:
    return document(content, name)


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read(name, content)
    return caught.value.reason


def saved(maker: Any) -> bytes:
    stream = io.BytesIO()
    maker.save(stream)
    return stream.getvalue()


def zipped(parts: Mapping[str, str | bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def changed(content: bytes, part: str, old: bytes, new: bytes) -> bytes:
    """An Office file with one part edited."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert old in parts[part]
    return zipped({**parts, part: parts[part].replace(old, new)})


def sheet_of(book: openpyxl.Workbook) -> Worksheet:
    assert isinstance(book.active, Worksheet)
    return book.active


# Word


def numbered(made: Any, text: str, style: str, level: int = 0) -> None:
    properties = made.add_paragraph(text, style=style)._p.get_or_add_pPr()
    number = OxmlElement("w:numPr")
    for name, value in (("w:ilvl", level), ("w:numId", 77)):
        child = OxmlElement(name)
        child.set(qn("w:val"), str(value))
        number.append(child)
    properties.append(number)


def test_docx_clauses_keep_the_numbers_that_word_counts() -> None:
    made = docx.Document()
    namespace = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    numbering = made.part.numbering_part.element
    for xml in (
        f'<w:abstractNum xmlns:w="{namespace}" w:abstractNumId="88">'
        '<w:lvl w:ilvl="0"><w:start w:val="4"/><w:numFmt w:val="decimal"/>'
        '<w:lvlText w:val="Điều %1."/></w:lvl>'
        '<w:lvl w:ilvl="1"><w:numFmt w:val="lowerLetter"/><w:lvlText w:val="%1.%2)"/></w:lvl>'
        "</w:abstractNum>",
        f'<w:num xmlns:w="{namespace}" w:numId="77"><w:abstractNumId w:val="88"/></w:num>',
    ):
        numbering.append(docx.oxml.parse_xml(xml))
    numbered(made, "Nghỉ phép", "Heading 1")
    made.add_paragraph("Mười hai ngày.")
    numbered(made, "Báo trước", "Normal", 1)
    numbered(made, "Ghi sổ", "Normal", 1)
    numbered(made, "Lương", "Heading 1")
    numbered(made, "Ngày 28", "Normal", 1)
    assert places(read("quy-che.docx", saved(made))) == {
        "Điều 4. Nghỉ phép": (
            "Điều 4. Nghỉ phép\n\nMười hai ngày.\n\n  4.a) Báo trước\n  4.b) Ghi sổ"
        ),
        "Điều 5. Lương": "Điều 5. Lương\n\n  5.a) Ngày 28",
    }


def test_docx_shows_what_the_page_shows() -> None:
    made = docx.Document()
    made.sections[0].header.paragraphs[0].text = "Mã số: QT-05"
    made.add_paragraph("Contents 1", style="Normal")
    body = made.element.body
    namespace = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    for xml in (
        "<w:p><w:r><w:t>Kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>"
        "<w:ins><w:r><w:t>added</w:t></w:r></w:ins>"
        "<w:r><w:rPr><w:vanish/></w:rPr><w:t>hidden</w:t></w:r>"
        "<w:r><w:instrText>PAGE</w:instrText></w:r></w:p>",
        "<w:p><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></w:r></w:p>",
        "<w:sdt><w:sdtPr><w:docPartObj><w:docPartGallery w:val='Table of Contents'/></w:docPartObj>"
        "</w:sdtPr><w:sdtContent><w:p><w:r><w:t>Scope 3</w:t></w:r></w:p></w:sdtContent></w:sdt>",
    ):
        tag, rest = xml.split(">", 1)
        body.insert(len(body) - 1, docx.oxml.parse_xml(f"{tag} {namespace}>{rest}"))
    assert places(read("a.docx", saved(made))) == {
        "": "Contents 1\n\nKept added\n\nIn a box",
        "header and footer": "Mã số: QT-05",
    }


def test_docx_tables() -> None:
    made = docx.Document()
    table = made.add_table(rows=3, cols=2)
    for row, texts in enumerate((("Site", "Staff"), ("Hải Phòng", "22"), ("", "4 guards"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(2, 0))
    made.add_paragraph("Between.")
    made.add_table(rows=1, cols=1).cell(0, 0).text = "A frame around a paragraph."
    assert read("a.docx", saved(made)).text == (
        "| Site | Staff |\n| Hải Phòng | 22 |\n| Hải Phòng | 4 guards |\n\nBetween.\n\n"
        "A frame around a paragraph."
    )


def test_docx_cells_stay_under_their_column() -> None:
    made = docx.Document()
    table = made.add_table(rows=3, cols=3)
    for row, texts in enumerate((("Item", "Unit", "Price"), ("Total", "", "5"), ("x", "", "7"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(1, 1))
    last = table.rows[2]._tr
    last.get_or_add_trPr().append(OxmlElement("w:gridBefore"))
    last.trPr[-1].set(qn("w:val"), "2")
    for cell in list(last.tc_lst)[:2]:
        last.remove(cell)
    assert read("a.docx", saved(made)).text == (
        "| Item | Unit | Price |\n| Total |  | 5 |\n|  |  | 7 |"
    )


def test_docx_of_the_strict_standard_and_with_macros() -> None:
    made = docx.Document()
    made.add_heading("Scope", 1)
    made.add_paragraph("All sites.")
    content = saved(made)
    usual = b"http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    strict = changed(
        content, "word/document.xml", usual, b"http://purl.oclc.org/ooxml/wordprocessingml/main"
    )
    macros = changed(
        content,
        "[Content_Types].xml",
        b"vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml",
        b"vnd.ms-word.document.macroEnabled.main+xml",
    )
    for name, variant in (("a.docx", strict), ("a.docm", macros)):
        assert places(read(name, variant)) == {"Scope": "Scope\n\nAll sites."}


def test_xml_entities_are_refused() -> None:
    secret = '<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY y "lol">]>'
    made = docx.Document()
    made.add_paragraph("Before MARK after.")
    hostile = changed(saved(made), "word/document.xml", b"MARK", b"&x;&y;")
    hostile = changed(hostile, "word/document.xml", b"?>", b"?>" + secret.encode())
    expected = "broken: it declares XML entities, as no document does"
    assert refusal("a.docx", hostile) == expected
    assert refusal("a.odt", odt(secret + "%s", "<text:p>a &x;&y; b</text:p>")) == expected
    plain = (
        '<!DOCTYPE office:document-content PUBLIC "-//OpenOffice.org//DTD 1.0//EN" "office.dtd">'
    )
    assert read("a.odt", odt(plain + "%s", "<text:p>Fine.</text:p>")).text == "Fine."


def test_xlsx_and_pptx_load_no_entities() -> None:
    declaration = b'<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    made = openpyxl.Workbook()
    sheet_of(made).append(["MARK", "text"])
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[5]).shapes.title.text = "MARK text"
    for name, content, part, root in (
        ("a.xlsx", saved(made), "xl/worksheets/sheet1.xml", b"<worksheet"),
        ("a.pptx", saved(slides), "ppt/slides/slide1.xml", b"<p:sld "),
    ):
        hostile = changed(content, part, b"MARK", b"&x;")
        hostile = changed(hostile, part, root, declaration + root)
        try:
            text = read(name, hostile).text
        except Refused as refused:
            text = refused.reason
        assert "root:" not in text


def test_vietnamese_typed_for_fonts_before_unicode() -> None:
    line = "Céng hoµ x· héi chñ nghÜa ViÖt Nam, §éc lËp, Tù do, H¹nh phóc"
    expected = "Cộng hoà xã hội chủ nghĩa Việt Nam, Độc lập, Tự do, Hạnh phúc"
    made = docx.Document()
    made.add_paragraph(line)
    bytes_of = "".join(rf"\'{byte:02x}" for byte in line.encode("cp1252"))
    rtf = rb"{\rtf1\ansi{\fonttbl{\f0\fcharset0 .VnTime;}}\f0 " + bytes_of.encode() + rb"\par}"
    for name, content in (("a.docx", saved(made)), ("a.rtf", rtf)):
        found = read(name, content)
        assert found.text == expected
        assert "TCVN3" in found.note


def test_files_without_text_say_what_is_in_them() -> None:
    picture = io.BytesIO()
    Image.new("RGB", (200, 100)).save(picture, "PNG")
    made = docx.Document()
    made.add_picture(picture)
    assert "only pictures: save it as PDF" in refusal("a.docx", saved(made))
    assert refusal("a.docx", saved(docx.Document())) == "no text in it"
    assert refusal("a.xlsx", saved(openpyxl.Workbook())) == "no text in it"


# Excel


def test_xlsx_values_are_as_shown() -> None:
    made = openpyxl.Workbook()
    sheet = sheet_of(made)
    for value, form in (
        (1480, "General"), (1480, "#,##0.00"), (-5.5, '#,##0.00 "kg"'), (0.125, "0.0%"),
        (1940, "[$€-407] #,##0"), (1_500_000, '0.0,,"M"'), (9.5, "0.0#"),
        (datetime.datetime(2026, 3, 1), "dd/mm/yyyy"), (datetime.datetime(2026, 3, 1), "mmm yy"),
        (datetime.datetime(2026, 3, 1, 8, 30), "dd/mm/yyyy hh:mm"), (datetime.time(16, 45), "h:mm"),
        (datetime.timedelta(hours=26, minutes=5), "[h]:mm"), (True, "General"),
    ):  # fmt: skip
        sheet.append(["x", value])
        sheet.cell(sheet.max_row, 2).number_format = form
    shown = [line.removeprefix("x; ") for line in read("a.xlsx", saved(made)).text.split("\n")]
    assert shown == [
        "1480", "1480.00", "-5.50 kg", "12.5%", "€ 1940", "1.5M", "9.5", "2026-03-01", "2026-03",
        "2026-03-01 08:30", "16:45", "26:05", "TRUE",
    ]  # fmt: skip


def test_xlsx_merged_cells_and_double_headers() -> None:
    made = openpyxl.Workbook()
    sheet = sheet_of(made)
    for row in (
        ["Region", "2025", None, "2026"],
        [None, "Plan", "Actual", "Plan"],
        ["North", 10, 11, 12],
        [None, 20, 21, 22],
    ):
        sheet.append(row)
    for cells in ("A1:A2", "B1:C1", "A3:A4"):
        sheet.merge_cells(cells)
    assert read("a.xlsx", saved(made)).text == (
        "Region: North; Plan 2025: 10; Actual 2025: 11; Plan 2026: 12\n"
        "Region: North; Plan 2025: 20; Actual 2025: 21; Plan 2026: 22"
    )


def test_xlsx_tables_side_by_side_and_hidden_sheets() -> None:
    made = openpyxl.Workbook()
    sheet = sheet_of(made)
    sheet.title = "Giá"
    sheet.append(["Box", "EUR", None, "Site", "Staff"])
    sheet.append(["A", 5, None, "Huế", 9])
    sheet.append([None, None, None, "Cần Thơ", 31])
    hidden = made.create_sheet("Old")
    hidden.append(["Box", "EUR"])
    hidden.append(["A", 4])
    hidden.sheet_state = "hidden"
    found = read("a.xlsx", saved(made))
    assert [(place.name, found.text[place.start : place.end]) for place in found.places] == [
        ("sheet Giá", "Box: A; EUR: 5"),
        ("sheet Giá", "Site: Huế; Staff: 9\nSite: Cần Thơ; Staff: 31"),
        ("sheet Old (hidden)", "Box: A; EUR: 4"),
    ]


def record(kind: int, content: bytes) -> bytes:
    return struct.pack("<HH", kind, len(content)) + content


def label(row: int, column: int, text: str) -> bytes:
    head = struct.pack("<HHHHB", row, column, 0, len(text), 1)
    return record(0x204, head + text.encode("utf-16-le"))


def xls(sheet: str, cells: bytes) -> bytes:
    """An Excel 97 workbook with one hidden sheet; format 1 of its cells is a percentage."""
    start = struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)
    font = struct.pack("<HHHHHBBBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0, 5, 0) + b"Arial"
    head = record(0x809, start) + record(0x42, struct.pack("<H", 1200)) + record(0x31, font)
    head += record(0xE0, bytes(20)) + record(0xE0, struct.pack("<HH16x", 0, 10))
    name = sheet.encode("utf-16-le")
    position = len(head) + 4 + 8 + len(name) + 4
    head += record(0x85, struct.pack("<IBBBB", position, 1, 0, len(sheet), 1) + name)
    start = struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)
    book = head + record(0x0A, b"") + record(0x809, start) + cells + record(0x0A, b"")
    return compound({"Workbook": book + bytes(max(0, 4096 - len(book)))})


def test_xls() -> None:
    cells = label(0, 0, "Sản phẩm") + label(0, 1, "Giảm giá") + label(1, 0, "FrostBox 40")
    cells += record(0x203, struct.pack("<HHHd", 1, 1, 1, 0.125)) + label(2, 1, "không")
    cells += record(0xE5, struct.pack("<H4H", 1, 1, 2, 0, 0))  # A2:A3 are merged
    assert places(read("gia.xls", xls("Giá 2026", cells))) == {
        "sheet Giá 2026 (hidden)": "Sản phẩm: FrostBox 40; Giảm giá: 12.50%\n"
        "Sản phẩm: FrostBox 40; Giảm giá: không"
    }


def test_encrypted_xls_is_refused() -> None:
    content = xls("A", record(0x2F, struct.pack("<HHH", 0, 1, 2)))
    encrypted = content.replace(record(0x42, struct.pack("<H", 1200)), record(0x2F, b"\0\0"))
    assert encrypted != content
    assert refusal("a.xls", encrypted) == "password-protected: save a copy without password"


# PowerPoint


def test_pptx_hidden_slides_merged_cells_and_shows() -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Sites"
    table = slide.shapes.add_table(3, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for row, texts in enumerate((("Site", "Staff", ""), ("Huế", "9", "2"), ("", "8", "3"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(0, 1).merge(table.cell(0, 2))
    table.cell(1, 0).merge(table.cell(2, 0))
    slide._element.set("show", "0")
    show = changed(
        saved(made), "[Content_Types].xml", b"presentation.main+xml", b"slideshow.main+xml"
    )
    for name, content in (("a.pptx", saved(made)), ("a.ppsx", show)):
        assert places(read(name, content)) == {
            "slide 1 (hidden)": "Sites\n\n| Site | Staff |\n| Huế | 9 | 2 |\n| Huế | 8 | 3 |"
        }


def test_pptx_cells_stay_under_their_column() -> None:
    made = pptx.Presentation()
    slide = made.slides.add_slide(made.slide_layouts[5])
    slide.shapes.title.text = "Prices"
    table = slide.shapes.add_table(2, 3, Inches(1), Inches(2), Inches(6), Inches(2)).table
    for row, texts in enumerate((("Item", "Unit", "Price"), ("Total", "", "5"))):
        for column, text in enumerate(texts):
            table.cell(row, column).text = text
    table.cell(1, 0).merge(table.cell(1, 1))
    assert read("a.pptx", saved(made)).text.endswith("| Item | Unit | Price |\n| Total |  | 5 |")


# OpenDocument

_OPEN = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for name, long in (("office", "office"), ("text", "text"), ("table", "table"),
                       ("draw", "drawing"), ("style", "style"), ("presentation", "presentation"))
)  # fmt: skip


def opened(kind: str, body: str, styles: str = "", before: str = "%s", edges: str = "") -> bytes:
    content = (
        f"<office:document-content {_OPEN}><office:automatic-styles>{styles}"
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )
    return zipped(
        {
            "mimetype": f"application/vnd.oasis.opendocument.{kind}",
            "content.xml": '<?xml version="1.0"?>' + before.replace("%s", content),
            "styles.xml": f"<office:document-styles {_OPEN}>{edges}</office:document-styles>",
        }
    )


def odt(before: str, body: str) -> bytes:
    return opened("text", body, before=before)


def test_odt() -> None:
    body = (
        "<text:tracked-changes><text:p>gone</text:p></text:tracked-changes>"
        '<text:h text:outline-level="1">Nghỉ phép</text:h>'
        '<text:p>Mười<text:s text:c="2"/>hai<text:note><text:note-citation>1</text:note-citation>'
        "<text:note-body><text:p>Từ 2026.</text:p></text:note-body></text:note> ngày.</text:p>"
        '<text:list text:style-name="L1"><text:list-item><text:p>Một</text:p><text:list>'
        "<text:list-item><text:p>sâu</text:p></text:list-item></text:list></text:list-item>"
        "<text:list-item><text:p>Hai</text:p></text:list-item></text:list>"
        "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Nơi"
        "</text:p></table:table-cell><table:table-cell><text:p>Mức</text:p></table:table-cell>"
        "</table:table-row></table:table-header-rows><table:table-row>"
        '<table:table-cell table:number-rows-spanned="2"><text:p>Huế</text:p></table:table-cell>'
        "<table:table-cell><text:p>300</text:p></table:table-cell></table:table-row>"
        "<table:table-row><table:covered-table-cell/><table:table-cell><text:p>400</text:p>"
        "</table:table-cell></table:table-row></table:table>"
    )
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" '
        'style:num-suffix="." style:num-format="1"/></text:list-style>'
    )
    edges = "<style:footer><text:p>Mã số QT-05</text:p></style:footer>"
    assert places(read("phep.odt", opened("text", body, styles, edges=edges))) == {
        "Nghỉ phép": "Nghỉ phép\n\nMười  hai[1] ngày.\n\n[1] Từ 2026.\n\n"
        "1. Một\n  - sâu\n2. Hai\n\n"
        "| Nơi | Mức |\n| Huế | 300 |\n| Huế | 400 |",
        "header and footer": "Mã số QT-05",
    }


def test_odt_cells_stay_under_their_column() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

    wide = cell("Tổng", 'table:number-columns-spanned="2"')
    body = (
        f"<table:table><table:table-row>{cell('Món')}{cell('Đơn vị')}{cell('Giá')}"
        f"</table:table-row><table:table-row>{wide}<table:covered-table-cell/>{cell('5')}"
        "</table:table-row></table:table>"
    )
    assert read("a.odt", opened("text", body)).text == "| Món | Đơn vị | Giá |\n| Tổng |  | 5 |"


def test_ods() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

    date = 'office:value-type="date" office:date-value="2026-03-01"'
    body = (
        '<table:table table:name="Giá" table:style-name="ta1">'
        f"<table:table-row>{cell('Tên')}{cell('Ngày')}</table:table-row>"
        f'<table:table-row table:number-rows-repeated="2">{cell("A")}{cell("01/03/26", date)}'
        '<table:table-cell table:number-columns-repeated="16000"/></table:table-row>'
        '<table:table-row table:number-rows-repeated="1048000"><table:table-cell/>'
        "</table:table-row></table:table>"
    )
    hidden = '<style:table-properties table:display="false"/>'
    styles = f'<style:style style:name="ta1">{hidden}</style:style>'
    assert places(read("gia.ods", opened("spreadsheet", body, styles))) == {
        "sheet Giá (hidden)": "Tên: A; Ngày: 2026-03-01\nTên: A; Ngày: 2026-03-01"
    }


def test_odp() -> None:
    body = (
        "<draw:page><draw:frame><draw:text-box><text:p>Đeo găng</text:p></draw:text-box>"
        '</draw:frame><draw:frame presentation:class="title"><draw:text-box><text:p>An toàn'
        "</text:p></draw:text-box></draw:frame><presentation:notes><draw:frame "
        'presentation:class="notes"><draw:text-box><text:p>Nhắc lại.</text:p></draw:text-box>'
        "</draw:frame></presentation:notes></draw:page>"
    )
    assert places(read("a.odp", opened("presentation", body))) == {
        "slide 1": "An toàn\n\nĐeo găng\n\nNotes: Nhắc lại."
    }


def test_open_document_refusals() -> None:
    locked = zipped(
        {
            "mimetype": "application/vnd.oasis.opendocument.text",
            "META-INF/manifest.xml": "<manifest:encryption-data/>",
            "content.xml": b"\x93\x01",
        }
    )
    assert refusal("a.odt", locked) == "password-protected: save a copy without password"
    assert "a part of the file is damaged" in refusal("a.odt", odt("<broken>%s", "<text:p/>"))
    assert refusal("a.odt", opened("text", "<text:p/>")) == "no text in it"


# E-books


def book(encryption: str = "") -> bytes:
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<container><rootfiles>"
        '<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Sổ tay</dc:title>'
        '<dc:creator>Mai Lan</dc:creator></metadata><manifest><item id="n" href="nav.xhtml" '
        'properties="nav"/><item id="b" href="b%20two.xhtml"/><item id="a" href="a.xhtml"/>'
        '</manifest><spine><itemref idref="n"/><itemref idref="b"/><itemref idref="a"/></spine>'
        "</package>",
        "OPS/nav.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><a href="a.xhtml">'
        "Ending</a></nav></body></html>",
        "OPS/a.xhtml": "<html><title>Sổ tay</title><body><p>The end.</p></body></html>",
        "OPS/b two.xhtml": "<?xml version='1.0' encoding='utf-8'?><html><body><h1>Mở đầu</h1>"
        "<p>Xin chào.</p></body></html>",
    }
    return zipped(parts | ({"META-INF/encryption.xml": encryption} if encryption else {}))


def test_epub_in_the_order_of_the_spine() -> None:
    assert places(read("so-tay.epub", book())) == {
        "": "Sổ tay\nMai Lan",
        "Mở đầu": "Mở đầu\n\nXin chào.",
        "Ending": "Ending\n\nThe end.",
    }


def test_epub_protected_by_its_seller() -> None:
    method = "<e:EncryptionMethod Algorithm='http://www.w3.org/2001/04/xmlenc#aes128-cbc'/>"
    locked = f"<d xmlns:e='urn:e'><e:EncryptedData>{method}</e:EncryptedData></d>"
    assert "protected by its seller" in refusal("a.epub", book(locked))
    fonts = locked.replace(
        "http://www.w3.org/2001/04/xmlenc#aes128-cbc", "http://www.idpf.org/2008/embedding"
    )
    assert "Xin chào." in read("a.epub", book(fonts)).text


# RTF


def test_rtf_vietnamese_in_unicode_and_code_pages() -> None:
    text = (
        rb"{\rtf1\ansi\ansicpg1252\uc1{\fonttbl{\f0\fcharset0 Arial;}{\f1\fcharset163 Arial;}"
        rb"{\f2\fcharset2 Symbol;}}{\stylesheet{\s1 heading 1;}{\s0 Normal;}}"
        rb"{\info{\author Nobody}}{\header M\u227? s\u7889? QT-05\par}"
        rb"\pard\s1 Ngh\u7881? ph\'e9p\par\pard\plain\f1 M\'fd\'f5\'cci hai ng\'e0y\f0 , \u-10179?"
        rb"\u-8704?.\par"
        rb"{\*\generator Secret;}{\v hidden}{\pard{\listtext\f2\'b7\tab}First\par}"
        rb"{\upr{ansi}{\*\ud{Second}}}\line half{\footnote A note.}\par}"
    )
    assert places(read("a.rtf", text)) == {
        "Nghỉ phép": "Nghỉ phép\n\nMười hai ngày, 😀.\n\n- First\n\nSecond\nhalf[1]\n\n[1] A note.",
        "header and footer": "Mã số QT-05",
    }


def test_rtf_groups_to_pass_over_and_bullets_of_unknown_fonts() -> None:
    text = (
        b"{\\rtf1\\ansi{\\fonttbl{\\f0 A;}{\\f3\\fcharset128 OpenSymbol;}}"
        b"{\r\n\\*\\wgrffmtfilter 013f}"
        b"\\pard One.\\par{\\listtext\\f3 \\'96\\tab}two\\par{\\listtext\\f0 \\'96\\tab}three\\par}"
    )
    assert read("a.rtf", text).text == "One.\n\n- two\n- three"


def test_rtf_tables_and_binary_data() -> None:
    text = (
        rb"{\rtf1\ansi\trowd\intbl Site\cell\intbl Staff\cell\row\trowd\intbl Hu\u7871 ?\cell"
        rb"\intbl 9\par two\cell\row\pard After {\pict\bin4 }{\\}it.\par}"
    )
    assert read("a.rtf", text).text == "| Site | Staff |\n| Huế | 9 two |\n\nAfter it."


def test_rtf_that_ends_early_says_so() -> None:
    assert "cut off" in read("a.rtf", rb"{\rtf1\ansi Half a {\b text").note
    assert refusal("a.rtf", rb"{\rtf1{\fonttbl{\f0 Arial;} Text").startswith("broken: cut off")
    assert "only pictures" in refusal("a.rtf", rb"{\rtf1{\pict 0123}}")
    assert refusal("a.rtf", b"no RTF at all").startswith("broken")


# Archives


def test_a_part_larger_than_declared_is_refused() -> None:
    content = bytearray(zipped({"[Content_Types].xml": "", "word/document.xml": bytes(1 << 20)}))
    declared = struct.pack("<I", 1 << 20)
    at = content.rindex(declared)
    content[at : at + 4] = struct.pack("<I", 100)
    assert "larger than the archive says" in refusal("a.docx", bytes(content))


def test_an_implausible_ratio_is_refused() -> None:
    content = zipped({"[Content_Types].xml": "", "word/document.xml": bytes(64 << 20)})
    assert "times its size" in refusal("a.docx", content)


def test_zip_that_is_no_office_file() -> None:
    assert refusal("a.docx", zipped({"word/document.xml": "<x/>"})).startswith("broken")
