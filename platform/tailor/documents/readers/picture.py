"""Pictures of text, as scans and photographs: read by text recognition."""

from __future__ import annotations

import io
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

from langchain_core.documents import Document
from PIL import Image

from tailor.documents.readers import ocr
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.refusal import Refused

_LARGEST = 100_000_000
"""Pixels of one page; an A3 page at 600 dpi has 70 million."""

_SMALLEST = 5_000
"""Pixels of an icon."""


class Reader(FileReader):
    """Yields one unit per page with text; of pictures with several its place is ``page 2``."""

    def lazy_load(self) -> Iterator[Document]:
        """Pages in order."""
        if ocr.program() is None:
            raise Refused(f"a picture: {ocr.INSTALL}")
        suffix = _checked(self.content)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"picture.{suffix}"
            path.write_bytes(self.content)
            try:
                pages = ocr.recognised(path).rstrip("\f").split("\f")
            except ocr.TooSlow:
                raise Refused("recognising its text took too long: make it smaller") from None
        if not any(page.strip() for page in pages):
            raise Refused("a picture in which no text is found", "empty")
        for number, page in enumerate(pages, 1):
            if page.strip():
                yield unit(page, f"page {number}" if len(pages) > 1 else "", note=ocr.note())


def _checked(content: bytes) -> str:
    """The picture's format, once its header tells a sensible size."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            with Image.open(io.BytesIO(content)) as picture:
                width, height = picture.size
                form = picture.format or ""
        except Image.DecompressionBombError:
            raise Refused("a picture with too many pixels: make it smaller") from None
        except (OSError, SyntaxError, ValueError) as error:
            raise Refused(f"broken: the picture is damaged ({type(error).__name__})") from None
    if width * height < _SMALLEST:
        raise Refused("a picture too small to hold text", "empty")
    if width * height > _LARGEST:
        raise Refused(f"a picture of {width} x {height} pixels: make it smaller")
    return {"JPEG": "jpg", "MPO": "jpg"}.get(form, form.lower())
