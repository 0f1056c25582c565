"""What lies on and behind the pages of a PDF is read with them."""

from __future__ import annotations

from fpdf import FPDF

from tailor.documents.document import Document, document

FORM = b"""%PDF-1.7
1 0 obj <</Type /Catalog /Pages 2 0 R /AcroForm <</Fields [5 0 R 6 0 R 7 0 R]>> >> endobj
2 0 obj <</Type /Pages /Kids [3 0 R] /Count 1>> endobj
3 0 obj <</Type /Page /Parent 2 0 R /MediaBox [0 0 300 300] /Contents 4 0 R
 /Annots [5 0 R 6 0 R 7 0 R] /Resources <</Font <</F <</Type /Font /Subtype /Type1
 /BaseFont /Helvetica>> >> >> >> endobj
4 0 obj <</Length 46>> stream
BT /F 12 Tf 20 250 Td (Request for leave) Tj ET
endstream endobj
5 0 obj <</Type /Annot /Subtype /Widget /FT /Tx /T (Days) /V (12) /Rect [20 200 90 220]>> endobj
6 0 obj <</Type /Annot /Subtype /Widget /FT /Tx /T (n) /TU (Name) /V <FEFF00480075 1EBF>
 /Rect [20 170 90 190]>> endobj
7 0 obj <</Type /Annot /Subtype /Widget /FT /Tx /T (Empty) /Rect [20 140 90 160]>> endobj
trailer <</Root 1 0 R>>
%%EOF
"""


def read(content: bytes) -> Document:
    return document(content, "a.pdf")


def places(found: Document) -> dict[str, str]:
    return {place.name: found.text[place.start : place.end] for place in found.places}


def test_filled_form_fields() -> None:
    assert places(read(FORM)) == {"page 1": "Request for leave\n\nDays: 12\n\nName: Huế"}


def test_text_typed_onto_a_page_and_attached_files() -> None:
    made = FPDF()
    made.set_font("Helvetica", size=12)
    made.add_page()
    made.cell(text="Offer")
    made.free_text_annotation("Approved by Chi", x=20, y=60, w=80, h=20)
    made.embed_file(bytes=b"Box,Price\nA,5\n", basename="prices.csv")
    made.embed_file(bytes=b"\x7fELF", basename="tool")
    found = read(bytes(made.output()))
    assert places(found) == {
        "page 1": "Offer\n\nApproved by Chi",
        "attachment prices.csv": "Box: A; Price: 5",
    }
    assert "attachment tool not read: not a document but a program" in found.note
