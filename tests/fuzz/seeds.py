"""Whole documents of each format, to be mutated: made here, and the sample company's own."""

from __future__ import annotations

import datetime
import io
import json
import runpy
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import texts

_TESTS = Path(__file__).resolve().parents[1]
_COMPOUND = runpy.run_path(str(_TESTS / "documents" / "compound.py"))["compound"]


@dataclass(frozen=True)
class Seed:
    """A whole document; of those that are containers also what is in them."""

    name: str
    content: bytes
    packed: Mapping[str, bytes] | None = None
    """Members of a ZIP archive."""
    streams: Mapping[str, bytes] | None = None
    """Streams of a compound file."""


def seeds() -> dict[str, list[Seed]]:
    """By format; every seed is read without an error."""
    made: dict[str, list[Seed]] = {
        "csv": [Seed("a.csv", _csv(",")), Seed("a.tsv", _csv("\t")), Seed("a.csv", _wide())],
        "docx": [_zip("a.docx", _docx())],
        "eml": [Seed("a.eml", _eml())],
        "epub": [_zipped("a.epub", _epub())],
        "html": [Seed("a.html", texts.HTML.encode()), Seed("b.html", texts.HTML.encode("utf-16"))],
        "json": [
            Seed("a.json", json.dumps(texts.VALUE, ensure_ascii=False).encode()),
            Seed("a.jsonl", b'{"a": 1, "b": [1, 2]}\n{"a": "x", "b": {"c": null}}\n'),
            Seed("a.ipynb", json.dumps(texts.NOTEBOOK).encode()),
        ],
        "msg": [_compound("a.msg", _msg())],
        "odf": [
            _zipped("a.odt", _opened("text", _ODT)),
            _zipped("a.ods", _opened("spreadsheet", _ODS)),
            _zipped("a.odp", _opened("presentation", _ODP)),
        ],
        "pdf": [Seed("a.pdf", _pdf(False)), Seed("b.pdf", _pdf(True))],
        "pptx": [_zip("a.pptx", _pptx())],
        "rtf": [Seed("a.rtf", text) for text in texts.RTF],
        "text": [
            Seed("a.md", texts.MARKDOWN.encode()),
            Seed("a.mdx", texts.MDX.encode()),
            Seed("a.rst", texts.RST.encode()),
            Seed("a.vtt", texts.VTT.encode()),
            Seed("a.txt", (texts.TEXT + "\n").encode() * 4),
            Seed("b.txt", (texts.TEXT + "\n").encode("utf-16-le") * 4),
            Seed(
                "c.txt", ("Die Kündigungsfrist beträgt für alle vier Wochen. " * 9).encode("cp1252")
            ),
        ],
        "xls": [_compound("a.xls", {"Workbook": _xls()})],
        "xlsx": [_zip("a.xlsx", _xlsx())],
        "xml": [Seed("a.xml", text.encode()) for text in texts.XML],
    }
    for path in sorted((_TESTS.parent / "knowledge").rglob("*.*")):
        form = "text" if path.suffix in (".md", ".txt") else path.suffix[1:]
        if form in made and path.stat().st_size < 20_000:
            content = path.read_bytes()
            is_zip = content.startswith(b"PK")
            made[form].append(_zip(path.name, content) if is_zip else Seed(path.name, content))
    inside = {f"{form}/{one[0].name}": one[0].content for form, one in made.items()}
    made["zip"] = [_zipped("a.zip", {**inside, "Lương.txt": texts.TEXT.encode()})]
    return made


def zipped(parts: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A ZIP archive of these members."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


def compound(streams: Mapping[str, bytes]) -> bytes:
    """A compound file of these streams."""
    content: bytes = _COMPOUND(streams)
    return content


def _zip(name: str, content: bytes) -> Seed:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        parts = {one: archive.read(one) for one in archive.namelist()}
    return Seed(name, content, packed=parts)


def _zipped(name: str, parts: Mapping[str, bytes]) -> Seed:
    return Seed(name, zipped(parts), packed=parts)


def _compound(name: str, streams: Mapping[str, bytes]) -> Seed:
    return Seed(name, compound(streams), streams=streams)


def _saved(maker: Any) -> bytes:
    stream = io.BytesIO()
    maker.save(stream)
    return stream.getvalue()


def _csv(sign: str) -> bytes:
    rows = [["Name", "Site", "Note"], ["Bình", "Kho", '"a ""b"" c"'], ["An", "", "x\r\ny"]] * 6
    return "\n".join(sign.join(row) for row in rows).encode()


def _wide() -> bytes:
    return b'Price list 2026;;\n"Item";"Price, EUR";From\n' + b"FrostBox;1.480,00;2026-01-01\n" * 20


def _pdf(compressed: bool) -> bytes:
    from fpdf import FPDF

    made = FPDF()
    made.set_compression(compressed)
    made.set_font("helvetica")
    for number in range(2):
        made.add_page()
        made.start_section(f"Part {number}")
        made.multi_cell(0, text="The warranty starts on the day of delivery. " * 6)
        made.text_annotation(50, 50, "A note")
        made.link(10, 10, 50, 50, "https://acme.example")
        with made.table() as table:
            for row in (("Box", "Rent"), ("A", "5"), ("B", "7")):
                cells = table.row()
                for text in row:
                    cells.cell(text)
    return bytes(made.output())


def _docx() -> bytes:
    import docx

    made = docx.Document()
    made.sections[0].header.paragraphs[0].text = "Code: QT-05"
    made.add_heading("Travel", 0)
    made.add_heading("Hotels", 1)
    made.add_paragraph(texts.TEXT)
    for text in ("Keep the bill", "Share rooms"):
        made.add_paragraph(text, style="List Number")
    table = made.add_table(rows=3, cols=3)
    for row in table.rows:
        for number, cell in enumerate(row.cells):
            cell.text = f"Huế {number}"
    table.cell(1, 0).merge(table.cell(2, 1))
    body = made.element.body
    space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    for xml in (
        f"<w:p {space}><w:r><w:t>Kept </w:t></w:r><w:del><w:r><w:delText>gone</w:delText></w:r>"
        "</w:del><w:ins><w:r><w:t>added</w:t><w:tab/><w:br/></w:r></w:ins></w:p>",
        f"<w:p {space}><w:r><w:pict><w:txbxContent><w:p><w:r><w:t>In a box</w:t></w:r></w:p>"
        "</w:txbxContent></w:pict></w:r></w:p>",
        f"<w:p {space}><w:pPr><w:outlineLvl w:val='1'/><w:numPr><w:ilvl w:val='1'/>"
        "<w:numId w:val='1'/></w:numPr></w:pPr><w:r><w:t>Clause</w:t></w:r></w:p>",
    ):
        body.insert(len(body) - 1, docx.oxml.parse_xml(xml))
    return _saved(made)


def _xlsx() -> bytes:
    import openpyxl

    made = openpyxl.Workbook()
    sheet: Any = made.active
    for value, form in (
        (1480, "#,##0.00"),
        (-5.5, '#,##0.00 "kg"'),
        (0.125, "0.0%"),
        (1_500_000, '0.0,,"M"'),
        (datetime.datetime(2026, 3, 1, 8, 30), "dd/mm/yyyy hh:mm"),
        (datetime.time(16, 45), "h:mm"),
        (datetime.timedelta(hours=26), "[h]:mm"),
        (True, "General"),
        ("=2*3", "General"),
    ):
        sheet.append(["Tên", value])
        sheet.cell(sheet.max_row, 2).number_format = form
    for row in (["Region", "2025", None], [None, "Plan", "Actual"], ["North", 10, 11]):
        sheet.append(row)
    for cells in ("A10:A11", "B10:C10"):
        sheet.merge_cells(cells)
    made.create_sheet("Giá").append(["Hàng", "Tồn"])
    return _saved(made)


def _pptx() -> bytes:
    import pptx
    from pptx.util import Inches

    made = pptx.Presentation()
    for _ in range(2):
        slide = made.slides.add_slide(made.slide_layouts[5])
        slide.shapes.title.text = "Safety"
        box = slide.shapes.add_textbox(Inches(1), Inches(2), Inches(4), Inches(1))
        box.text_frame.text = texts.TEXT
        table = slide.shapes.add_table(3, 2, Inches(1), Inches(3), Inches(4), Inches(1)).table
        table.cell(0, 0).text, table.cell(0, 1).text = "Accidents", "3"
        table.cell(1, 0).merge(table.cell(2, 0))
        slide.notes_slide.notes_text_frame.text = "Two were cuts."
    return _saved(made)


_OPEN = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
    for name, long in (
        ("office", "office"),
        ("text", "text"),
        ("table", "table"),
        ("draw", "drawing"),
        ("style", "style"),
        ("presentation", "presentation"),
    )
)
_ODT = (
    '<text:h text:outline-level="1">Nghỉ phép</text:h><text:p>Mười<text:s text:c="2"/>hai'
    "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>Từ 2026."
    "</text:p></text:note-body></text:note> ngày.</text:p>"
    '<text:list text:style-name="L1"><text:list-item><text:p>Một</text:p><text:list>'
    "<text:list-item><text:p>sâu</text:p></text:list-item></text:list></text:list-item></text:list>"
    "<table:table><table:table-header-rows><table:table-row><table:table-cell><text:p>Nơi</text:p>"
    "</table:table-cell><table:table-cell><text:p>Mức</text:p></table:table-cell></table:table-row>"
    '</table:table-header-rows><table:table-row><table:table-cell table:number-rows-spanned="2">'
    "<text:p>Huế</text:p></table:table-cell><table:table-cell><text:p>300</text:p>"
    "</table:table-cell></table:table-row><table:table-row><table:covered-table-cell/>"
    "<table:table-cell><text:p>400</text:p></table:table-cell></table:table-row></table:table>"
)
_ODS = (
    '<table:table table:name="Giá" table:style-name="ta1"><table:table-row '
    'table:number-rows-repeated="2"><table:table-cell table:number-columns-repeated="3">'
    '<text:p>A</text:p></table:table-cell><table:table-cell office:value-type="date" '
    'office:date-value="2026-03-01"><text:p>01/03/26</text:p></table:table-cell></table:table-row>'
    "</table:table>"
)
_ODP = (
    "<draw:page><draw:frame><draw:text-box><text:p>Đeo găng</text:p></draw:text-box></draw:frame>"
    '<draw:frame presentation:class="title"><draw:text-box><text:p>An toàn</text:p>'
    "</draw:text-box></draw:frame><presentation:notes><draw:frame presentation:class='notes'>"
    "<draw:text-box><text:p>Nhắc lại.</text:p></draw:text-box></draw:frame></presentation:notes>"
    "</draw:page>"
)


def _opened(kind: str, body: str) -> dict[str, bytes]:
    styles = (
        '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" '
        'style:num-suffix="." style:num-format="1"/></text:list-style>'
        '<style:style style:name="ta1"><style:table-properties table:display="false"/>'
        "</style:style>"
    )
    content = (
        f'<?xml version="1.0"?><office:document-content {_OPEN}><office:automatic-styles>{styles}'
        f"</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}>"
        "</office:body></office:document-content>"
    )
    edges = "<style:footer><text:p>Mã số QT-05</text:p></style:footer>"
    return {
        "mimetype": f"application/vnd.oasis.opendocument.{kind}".encode(),
        "content.xml": content.encode(),
        "styles.xml": f"<office:document-styles {_OPEN}>{edges}</office:document-styles>".encode(),
    }


def _epub() -> dict[str, bytes]:
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": "<container><rootfiles>"
        '<rootfile full-path="OPS/book.opf"/></rootfiles></container>',
        "OPS/book.opf": '<package xmlns="http://www.idpf.org/2007/opf" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata><dc:title>Sổ tay</dc:title>'
        '<dc:creator>Mai Lan</dc:creator></metadata><manifest><item id="n" href="nav.xhtml" '
        'properties="nav"/><item id="b" href="b%20two.xhtml"/><item id="a" href="a.xhtml"/>'
        '<item id="t" href="toc.ncx" media-type="application/x-dtbncx+xml"/>'
        '</manifest><spine><itemref idref="n"/><itemref idref="b"/><itemref idref="a"/></spine>'
        "</package>",
        "OPS/toc.ncx": "<ncx><navMap><navPoint><navLabel><text>Two</text></navLabel><content "
        'src="b%20two.xhtml#x"/></navPoint></navMap></ncx>',
        "OPS/nav.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><body><nav><a href="a.xhtml">'
        "Ending</a></nav></body></html>",
        "OPS/a.xhtml": f"<html><title>Sổ tay</title><body><p>{texts.TEXT}</p></body></html>",
        "OPS/b two.xhtml": "<?xml version='1.0' encoding='utf-8'?><html><body><h1>Mở đầu</h1>"
        "<p>Xin chào.</p></body></html>",
    }
    return {name: text.encode() for name, text in parts.items()}


def _eml() -> bytes:
    inner = EmailMessage()
    inner["Subject"] = "Lần trước"
    inner.set_content("Ngày 28/03.")
    mail = EmailMessage()
    mail["From"], mail["To"] = "Bình <binh@x.example>", "chi@x.example"
    mail["Date"], mail["Subject"] = "Thu, 19 Mar 2026 16:42:00 +0700", "Đổi ngày kiểm kê"
    mail.set_content("Chào chị,\n\nDời sang 04/04.")
    mail.add_alternative("<p>HTML <b>it</b></p>", subtype="html")
    table = "Hàng,Tồn\nBox,58\n".encode()
    mail.add_attachment(table, maintype="text", subtype="csv", filename="tồn-kho.csv")
    mail.add_attachment(inner)
    return bytes(mail)


def _msg() -> dict[str, bytes]:
    def texts(folder: str, values: Mapping[str, str]) -> dict[str, bytes]:
        return {
            f"{folder}__substg1.0_{tag}001F": text.encode("utf-16-le")
            for tag, text in values.items()
        }

    def fixed(header: int, *values: tuple[int, bytes]) -> bytes:
        packed = (struct.pack("<II8s", tag, 0, value.ljust(8, b"\0")) for tag, value in values)
        return bytes(header) + b"".join(packed)

    sent = struct.pack("<Q", 134_181_133_200_000_000)
    file, mail = "__attach_version1.0_#00000000/", "__attach_version1.0_#00000001/"
    rtf = bytes.fromhex(
        "2d0000002b0000004c5a4675f1c5c7a703000a00726370673132354232"
        "0af32068656c090020627705b06c647d0a800fa0"
    )
    own = {"001A": "IPM.Note", "0C1A": "Bình", "0E04": "Chi; Long", "0037": "Đổi ngày"}
    return {
        "__properties_version1.0": fixed(32, (0x00390040, sent), (0x3FFD0003, b"\xea\x04")),
        **texts("", own),
        "__substg1.0_10090102": rtf,
        "__substg1.0_1000001E": "Chào chị".encode("cp1258", "replace"),
        f"{file}__properties_version1.0": fixed(8, (0x37050003, b"\x01")),
        **texts(file, {"3707": "ton-kho.csv"}),
        f"{file}__substg1.0_37010102": "Hàng,Tồn\nBox,58\n".encode(),
        f"{mail}__properties_version1.0": fixed(8, (0x37050003, b"\x05")),
        **texts(mail, {"3001": "Forwarded"}),
        f"{mail}__substg1.0_3701000D/__properties_version1.0": fixed(24, (0x00390040, sent)),
        **texts(f"{mail}__substg1.0_3701000D/", {"0037": "Lần trước", "1000": "Ngày 28/03."}),
    }


def _xls() -> bytes:
    def record(kind: int, content: bytes) -> bytes:
        return struct.pack("<HH", kind, len(content)) + content

    def label(row: int, column: int, text: str) -> bytes:
        head = struct.pack("<HHHHB", row, column, 0, len(text), 1)
        return record(0x204, head + text.encode("utf-16-le"))

    start = struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0)
    font = struct.pack("<HHHHHBBBBBB", 200, 0, 0x7FFF, 400, 0, 0, 0, 0, 0, 5, 0) + b"Arial"
    head = record(0x809, start) + record(0x42, struct.pack("<H", 1200)) + record(0x31, font)
    head += record(0xE0, bytes(20)) + record(0xE0, struct.pack("<HH16x", 0, 10))
    name = "Giá 2026".encode("utf-16-le")
    place = len(head) + 4 + 8 + len(name) + 4
    head += record(0x85, struct.pack("<IBBBB", place, 0, 0, len(name) // 2, 1) + name)
    cells = label(0, 0, "Sản phẩm") + label(0, 1, "Giảm giá") + label(1, 0, "FrostBox 40")
    cells += record(0x203, struct.pack("<HHHd", 1, 1, 1, 0.125)) + label(2, 1, "không")
    cells += record(0x27E, struct.pack("<HHHI", 3, 1, 0, 400 << 2 | 2))
    cells += record(0x205, struct.pack("<HHHBB", 4, 1, 0, 1, 0))
    cells += record(0xE5, struct.pack("<H4H", 1, 1, 2, 0, 0))
    start = struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)
    book = head + record(0x0A, b"") + record(0x809, start) + cells + record(0x0A, b"")
    return book + bytes(max(0, 4096 - len(book)))
