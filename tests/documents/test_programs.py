"""Readers that run other programs: tesseract for scans, LibreOffice for old Office files.

Small scripts stand in for both, so that what is done with their output is tested everywhere. One
test runs the real tesseract and is skipped where it is not installed.
"""

from __future__ import annotations

import io
import shutil
import stat
import sys
import zlib
from pathlib import Path

import docx
import pypdfium2
import pytest
from fpdf import FPDF
from PIL import Image, ImageDraw

from tailor.documents.document import Document, document
from tailor.documents.refusal import Refused

from .compound import compound

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the scripts are shell scripts")


def read(name: str, content: bytes) -> Document:
    return document(content, name)


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def refusal(name: str, content: bytes) -> str:
    with pytest.raises(Refused) as caught:
        read(name, content)
    return caught.value.reason


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for programs, the only one beside the system's own shell tools."""
    folder = tmp_path / "programs"
    folder.mkdir()
    for name in ("sh", "cat", "cp", "env", "sleep"):
        found = shutil.which(name)
        assert found is not None
        (folder / name).symlink_to(found)
    monkeypatch.setenv("PATH", str(folder))
    return folder


def script(folder: Path, name: str, body: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)


def tesseract(folder: Path, said: str) -> None:
    """A stand-in that "recognises" the same text in every picture."""
    text = folder / "said.txt"
    text.write_text(said, encoding="utf-8")
    languages = 'if [ "$1" = --list-langs ]; then echo List:; echo eng; echo vie; exit; fi'
    script(folder, "tesseract", f"{languages}\ncat {text}")


def picture(width: int = 400, height: int = 200) -> Image.Image:
    made = Image.new("L", (width, height), 255)
    ImageDraw.Draw(made).text((20, 20), "scan")
    return made


def png(made: Image.Image, form: str = "PNG") -> bytes:
    stream = io.BytesIO()
    made.save(stream, form)
    return stream.getvalue()


def pdf(*pages: str | Image.Image) -> bytes:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    for page in pages:
        made.add_page()
        if isinstance(page, str):
            made.multi_cell(0, text=page)
        else:
            made.image(page, w=180)
    return bytes(made.output())


def test_scanned_pdf_without_tesseract(programs: Path) -> None:
    reason = refusal("scan.pdf", pdf(picture(), picture()))
    assert reason.startswith("scanned, no text: install tesseract")
    found = read("mixed.pdf", pdf("A page of text.", picture(), picture(), "More text.", picture()))
    assert list(places(found)) == ["page 1", "page 4"]
    assert found.note.startswith("pages 2-3, 5 scanned, not read: install tesseract")


def test_scanned_pages_are_recognised_and_said_to_be(programs: Path) -> None:
    tesseract(programs, "Hóa đơn số 7\n\f")
    found = read("mixed.pdf", pdf("A page of text.", picture()))
    assert places(found) == {"page 1": "A page of text.", "page 2": "Hóa đơn số 7"}
    assert found.note.startswith("page 2: text recognised by tesseract (vie+eng)")
    tesseract(programs, "\f")
    assert "no text is recognised" in refusal("photo.pdf", pdf(picture()))


def test_pictures(programs: Path) -> None:
    assert refusal("a.png", png(picture())).startswith("a picture: install tesseract")
    tesseract(programs, "Trang một\n\fTrang hai\n\f")
    for name, form in (("a.png", "PNG"), ("a.jpg", "JPEG"), ("a.tiff", "TIFF")):
        found = read(name, png(picture(), form))
        assert places(found) == {"page 1": "Trang một", "page 2": "Trang hai"}
        assert "text recognised by tesseract" in found.note
    assert "too small" in refusal("icon.png", png(picture(16, 16)))
    assert "damaged" in refusal("a.png", png(picture())[:20])
    tesseract(programs, "")
    assert refusal("a.png", png(picture())) == "a picture in which no text is found"
    script(programs, "tesseract", "echo 'Error in pixRead' >&2; exit 1")
    assert "tesseract cannot read it (Error in pixRead)" in refusal("b.png", png(picture()))


def test_a_picture_of_far_too_many_pixels_is_refused_unread(programs: Path) -> None:
    tesseract(programs, "never asked")
    whole = bytearray(png(picture()))
    for place in (16, 20):  # width and height in the header
        whole[place : place + 4] = (20_000).to_bytes(4, "big")
    whole[29:33] = zlib.crc32(whole[12:29]).to_bytes(4, "big")
    assert "pixels" in refusal("bomb.png", bytes(whole))


def old_word(flags: int = 0) -> bytes:
    head = b"\xec\xa5\xc1\x00" + bytes(6) + flags.to_bytes(2, "little")
    return compound({"WordDocument": head + bytes(5000)})


def test_old_office_files_without_libreoffice(programs: Path) -> None:
    reason = "old Word file: install LibreOffice, or save it as .docx"
    assert refusal("a.doc", old_word()) == reason
    slides = compound({"PowerPoint Document": bytes(5000), "Current User": bytes(20)})
    reason = "old PowerPoint file: install LibreOffice, or save it as .pptx"
    assert refusal("a.ppt", slides) == reason


def test_old_office_files_with_passwords() -> None:
    assert refusal("a.doc", old_word(0x0100)).startswith("password-protected")
    user = bytes(12) + b"\xdf\xc4\xd1\xf3" + bytes(4)
    locked = compound({"PowerPoint Document": bytes(5000), "Current User": user})
    assert refusal("a.ppt", locked).startswith("password-protected")


def test_old_word_files_go_through_libreoffice(programs: Path, tmp_path: Path) -> None:
    # The script takes LibreOffice's arguments and puts a ready .docx where that would put its own.
    made = docx.Document()
    made.add_heading("Nghỉ phép", 1)
    made.add_paragraph("Mười hai ngày.")
    made.save(str(tmp_path / "ready.docx"))
    script(
        programs,
        "soffice",
        'while [ $# -gt 1 ]; do case "$1" in --outdir) out="$2";; --convert-to) to="$2";; esac\n'
        f'shift; done; [ "$to" = docx ] && cp {tmp_path}/ready.docx "$out/file.docx"',
    )
    found = read("a.doc", old_word())
    assert places(found) == {"Nghỉ phép": "Nghỉ phép\n\nMười hai ngày."}
    assert found.note == "converted by LibreOffice"
    script(programs, "soffice", "echo 'source file could not be loaded' >&2")
    assert "cannot read it (source file could not be loaded)" in refusal("a.doc", old_word())


def test_real_tesseract_reads_a_vietnamese_scan() -> None:
    if shutil.which("tesseract") is None:
        pytest.skip("tesseract is not installed")
    folder = Path(__file__).parents[2] / "knowledge" / "hop-dong"
    original = pypdfium2.PdfDocument(next(folder.glob("*.pdf")))
    scan = original[0].render(scale=150 / 72, grayscale=True).to_pil().convert("L")
    found = read("scan.pdf", pdf(scan.crop((0, 0, scan.width, scan.height // 4))))
    original.close()
    assert "text recognised by tesseract" in found.note
    if "vie" in found.note:
        assert "HỢP ĐỒNG" in found.text.upper()
    assert "FrostBox" in found.text or "MARLEN" in found.text.upper()
