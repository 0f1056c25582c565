"""What lies on or behind a PDF's pages: filled form fields, typed-on text, attached files."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator

import pypdfium2
import pypdfium2.raw as pdfium
from langchain_core.documents import Document

from tailor.documents.readers import read
from tailor.documents.readers.mail import Attachment
from tailor.documents.readers.rows import one_line

_UNANSWERED = ("", "Off")


def typed(pdf: pypdfium2.PdfDocument, page: pypdfium2.PdfPage) -> Iterator[str]:
    """Form fields as ``name: value``, and texts that were typed onto the page."""
    for index in range(pdfium.FPDFPage_GetAnnotCount(page)):
        annotation = pdfium.FPDFPage_GetAnnot(page, index)
        if not annotation:
            continue
        try:
            kind = pdfium.FPDFAnnot_GetSubtype(annotation)
            if kind == pdfium.FPDF_ANNOT_FREETEXT:
                if text := _string(pdfium.FPDFAnnot_GetStringValue, annotation, b"Contents"):
                    yield text
            elif kind == pdfium.FPDF_ANNOT_WIDGET and pdf.formenv is not None:
                form = pdf.formenv
                value = _string(pdfium.FPDFAnnot_GetFormFieldValue, form, annotation)
                name = _string(
                    pdfium.FPDFAnnot_GetFormFieldAlternateName, form, annotation
                ) or _string(pdfium.FPDFAnnot_GetFormFieldName, form, annotation)
                if value not in _UNANSWERED:
                    yield f"{name}: {value}" if name else value
        finally:
            pdfium.FPDFPage_CloseAnnot(annotation)


def attached(pdf: pypdfium2.PdfDocument) -> list[Attachment]:
    """The files of a PDF portfolio."""
    return [_attachment(pdf.get_attachment(index)) for index in range(pdf.count_attachments())]


def _attachment(file: pypdfium2.PdfAttachment) -> Attachment:
    name = one_line(file.get_name()) or "file"

    def units() -> list[Document]:
        return read(name, bytes(file.get_data()))

    return Attachment(name, units)


def _string(get: object, *arguments: object) -> str:
    """What one of pdfium's functions writes into a buffer, as UTF-16."""
    assert callable(get)
    length = get(*arguments, None, 0)
    if length <= 2:
        return ""
    buffer = (ctypes.c_ushort * (length // 2 + 1))()
    get(*arguments, buffer, length)
    return one_line(bytes(buffer)[: length - 2].decode("utf-16-le", "replace").rstrip("\0"))
