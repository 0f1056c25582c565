"""PDF: a unit per page, by pdfium; lines put together to paragraphs and table rows."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pypdfium2
from langchain_core.documents import Document

from tailor.documents.readers import ocr
from tailor.documents.readers.archive import PASSWORD
from tailor.documents.readers.mail import attached_units
from tailor.documents.readers.pdf_annotations import attached, typed
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import bars
from tailor.documents.refusal import Refused

_HYPHEN = ("\x02", "\ufffe")
"""What pdfium writes for a hyphen that only divides a word at a line end."""


_XFA = (pypdfium2.raw.FORMTYPE_XFA_FULL, pypdfium2.raw.FORMTYPE_XFA_FOREGROUND)
_DPI = 300
_MOST_PIXELS = 40_000_000
_SCANNED = "scanned, no text: {}, or run text recognition (OCR) on it"


class Reader(FileReader):
    """Yields one unit per page with text; its place is ``page 3``."""

    def lazy_load(self) -> Iterator[Document]:
        """Pages in order, then attached files.

        The text of scanned pages is recognised where tesseract is installed.
        """
        pdf = _opened(self.content)
        try:
            pages = [_text(pdf, number) for number in range(len(pdf))]
            inner, notes = attached_units(attached(pdf))
            if pdf.get_formtype() in _XFA:
                notes.append("an XFA form, whose fields are not read: print it to PDF")
            yield from _units(pages, [*_scans_read(pdf, pages, bool(inner)), *notes])
            yield from inner
        finally:
            pdf.close()


def _text(pdf: pypdfium2.PdfDocument, number: int) -> str:
    page = pdf[number]
    text = joined(lines_of(page.get_textpage()))
    return "\n\n".join([text, *typed(pdf, page)]).strip()


def _scans_read(pdf: pypdfium2.PdfDocument, pages: list[str], has_more: bool) -> list[str]:
    """Put the text of scanned pages into ``pages``; gives what is to be said about them."""
    blank = [number for number, text in enumerate(pages) if not _has_text(text)]
    scanned = [number for number in blank if _shows_something(pdf[number])]
    if not scanned:
        return []
    is_all = len(blank) == len(pages) and not has_more
    if ocr.program() is None:
        if is_all:
            raise Refused(_SCANNED.format(ocr.INSTALL))
        return [f"{_named(scanned)} scanned, not read: {ocr.INSTALL}"]
    unread = _recognise(pdf, pages, scanned)
    if is_all and not any(text.strip() for text in pages):
        if unread:
            raise Refused("scanned, and recognising its text took too long: split it")
        raise Refused("only pictures and drawings, in which no text is recognised", "empty")
    return list(_told(scanned, unread))


def _opened(content: bytes) -> pypdfium2.PdfDocument:
    try:
        pdf = pypdfium2.PdfDocument(content)
        if pdf.get_formtype() == pypdfium2.raw.FORMTYPE_ACRO_FORM:
            pdf.init_forms()
        return pdf
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise Refused(PASSWORD) from None
        raise Refused(f"broken: not a readable PDF ({error})") from None


def _units(pages: Sequence[str], notes: Sequence[str]) -> Iterator[Document]:
    note = "; ".join(notes)
    for number, text in enumerate(pages, 1):
        if text.strip():
            yield unit(text, f"page {number}", note=note)


def _has_text(text: str) -> bool:
    """Whether there is more than the page number that a copier stamps on scans."""
    return sum(map(str.isalnum, text)) > 8


def _shows_something(page: pypdfium2.PdfPage) -> bool:
    """Whether a page without text has a picture on it, or drawn letters."""
    kinds = [item.type for item in page.get_objects(max_depth=3)]
    paths = kinds.count(pypdfium2.raw.FPDF_PAGEOBJ_PATH)
    return pypdfium2.raw.FPDF_PAGEOBJ_IMAGE in kinds or paths > 20


def _recognise(
    pdf: pypdfium2.PdfDocument, pages: list[str], scanned: Sequence[int]
) -> Sequence[int]:
    """Put the recognised text into ``pages``; gives those for which there was no time."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "page.pgm"
        for index, number in enumerate(scanned):
            page = pdf[number]
            width, height = page.get_size()
            scale = min(_DPI / 72, (_MOST_PIXELS / max(1.0, width * height)) ** 0.5)
            bitmap = page.render(scale=scale, grayscale=True).to_numpy()
            head = f"P5 {bitmap.shape[1]} {bitmap.shape[0]} 255\n"
            path.write_bytes(head.encode() + bitmap.tobytes())
            try:
                text = ocr.recognised(path, dpi=max(70, round(scale * 72))).strip("\f\n ")
            except ocr.TooSlow:
                return scanned[index:]
            pages[number] = text or pages[number]
    return []


def _told(scanned: Sequence[int], unread: Sequence[int]) -> Iterator[str]:
    if len(unread) < len(scanned):
        yield f"{_named(scanned[: len(scanned) - len(unread)])}: {ocr.note()}"
    if unread:
        yield f"{_named(unread)} not read, as recognising took too long: split the file"


def _named(pages: Sequence[int]) -> str:
    """Pages, counted from 0, as ``pages 1-3, 7``."""
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1].append(page)
        else:
            runs.append([page])
    names = [f"{r[0] + 1}-{r[-1] + 1}" if len(r) > 1 else str(r[0] + 1) for r in runs]
    return f"page{'s' if len(pages) > 1 else ''} {', '.join(names)}"


@dataclass(frozen=True)
class Line:
    """A line on a page, or two that a divided word connects; positions in points from below."""

    text: str
    cells: tuple[str, ...] = ()
    """The text cut where gaps are as wide as the line is high."""
    left: float = 0.0
    right: float = 0.0
    """Where its last word ends."""
    first: float = 0.0
    """The lower edge of its first word."""
    last: float = 0.0
    """The lower edge of its last word."""
    height: float = 0.0

    @property
    def column(self) -> tuple[int, int]:
        """Equal for lines of one size that start at about the same margin."""
        return round(self.height), round(self.left / 24)


def lines_of(page: pypdfium2.PdfTextPage) -> list[Line]:
    """The lines of a page in the order of the file."""
    count = page.count_chars()
    text = page.get_text_range(0, count) if count else ""
    if len(text) != count:  # signs beyond the basic plane shift the positions
        return [Line(line, (line,)) for line in text.split("\r\n") if line.strip()]
    lines = []
    start = 0
    for raw in text.split("\r\n"):
        if raw.strip():
            lines.append(_line(page, raw, start))
        start += len(raw) + 2
    return lines


def _line(page: pypdfium2.PdfTextPage, raw: str, start: int) -> Line:
    words = [match.span() for match in re.finditer(r"\S+", raw)]
    boxes = [
        (page.get_charbox(start + a, loose=True), page.get_charbox(start + b - 1, loose=True))
        for a, b in words
    ]
    (left, first, _, top), _ = boxes[0]
    _, (_, last, right, _) = boxes[-1]
    cells = [raw[slice(*words[0])]]
    for (_, before), (after, _), word in zip(boxes, boxes[1:], words[1:], strict=False):
        piece = raw[slice(*word)]
        if after[0] - before[2] > top - first:
            cells.append(piece)
        else:
            cells[-1] += f" {piece}"
    return Line(raw.strip(), tuple(cells), left, right, first, last, top - first)


def joined(lines: Sequence[Line]) -> str:
    """The text of a page: wrapped lines as paragraphs, lines with wide gaps as table rows."""
    pitch = _pitch(lines)
    margins: dict[tuple[int, int], float] = {}
    for line in lines:
        margins[line.column] = max(line.right, margins.get(line.column, 0.0))
    parts: list[str] = []
    before = Line("")
    in_table = False
    for line, is_row in _tables(lines):
        if is_row:
            parts.append("" if not parts else "\n" if in_table else "\n\n")
        elif parts:
            usual = pitch.get(round(line.height), 0.0)
            margin = margins.get(before.column, 0.0)
            parts.append("\n\n" if in_table else _joint(before, line, usual, margin))
        parts.append(bars(line.cells) if is_row else line.text)
        before, in_table = line, is_row
    return "".join(c for c in "".join(parts) if c not in _HYPHEN)


def _tables(lines: Sequence[Line]) -> list[tuple[Line, bool]]:
    """Each line, and whether it is a table row: it has cells, and so has a neighbour."""
    wide = [len(line.cells) > 1 for line in lines]
    return [
        (line, wide[i] and (any(wide[max(0, i - 1) : i]) or any(wide[i + 1 : i + 2])))
        for i, line in enumerate(lines)
    ]


def _joint(before: Line, line: Line, usual: float, margin: float) -> str:
    """What stands between two lines: a blank, a line break, or the blank line of a paragraph.

    ``usual`` is the distance of lines of this size, ``margin`` where lines like the upper end.
    """
    step = before.last - line.first
    if abs(step) < 0.5 * before.height and line.left >= before.right - 1:
        return "" if line.text[0] in ",.;:)" else " "
    if abs(before.height - line.height) > 0.1 * line.height or not 0 < step < 1.15 * usual:
        return "\n\n"
    word = len(line.text.split()[0]) + 1
    width = (line.right - line.left) * word / max(word, len(line.text))
    wraps = before.right + width > margin and not re.match(r"[-•–*●▪◦‣·]\s", line.text)
    if not wraps:
        return "\n"
    return "" if before.text.endswith(("-", *_HYPHEN)) else " "


def _pitch(lines: Sequence[Line]) -> dict[int, float]:
    """The distance of lines in a paragraph, in points, by their rounded height.

    It is the smallest of the common ones, since paragraphs may stand further apart.
    """
    steps: dict[int, list[float]] = {}
    for above, below in pairwise(lines):
        step = above.last - below.first
        if abs(above.height - below.height) < 0.1 * below.height and step > 0.7 * below.height:
            steps.setdefault(round(below.height), []).append(round(step * 2) / 2)
    return {
        height: min(step for step in found if found.count(step) >= 0.15 * len(found))
        for height, found in steps.items()
        if any(found.count(step) >= 0.15 * len(found) for step in found)
    }
