"""Readers: one file per format, each a LangChain loader named ``Reader``.

A new format is a new file here and a line in ``FORMATS``. A reader's module is imported only when
a file of its format is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from importlib import import_module
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tailor.documents.refusal import Refused

if TYPE_CHECKING:
    from langchain_core.documents import Document

VERSION = 1
"""Raised when a reader gives another text for the same file, so that files are read again."""

FORMATS: Mapping[str, str] = {
    ".csv": "csv",
    ".docx": "docx",
    ".eml": "eml",
    ".htm": "html",
    ".html": "html",
    ".json": "json",
    ".jsonl": "jsonl",
    ".log": "text",
    ".markdown": "markdown",
    ".md": "markdown",
    ".pdf": "pdf",
    ".pptx": "pptx",
    ".rst": "text",
    ".text": "text",
    ".tsv": "csv",
    ".txt": "text",
    ".xlsx": "xlsx",
}
"""File name suffix, lower case, to the module of its reader."""

_SAVE_AS = {".doc": ".docx", ".dot": ".docx", ".ppt": ".pptx", ".xls": ".xlsx", ".xlsb": ".xlsx"}
_OFFICE = ("docx", "pptx", "xlsx")
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_NOT_TEXT = {
    b"%PDF-": "a PDF",
    b"PK\x03\x04": "a ZIP archive or Office file",
    _OLE: "an old Office file",
    b"\x89PNG\r\n": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"GIF8": "a picture",
    b"\x1f\x8b\x08": "a gzip archive",
    b"7z\xbc\xaf\x27\x1c": "a 7-Zip archive",
    b"Rar!\x1a\x07": "a RAR archive",
    b"\x7fELF": "a program",
}


def read(name: str, content: bytes) -> list[Document]:
    """The structural units of a file: pages, sheets, slides, sections, in reading order.

    Each unit's metadata holds ``place``, its name for people (may be empty); ``rows``, whether
    each of its lines is a table row; and ``note``, what the reader had to assume.

    Raises:
        Refused: the file has another format than its name says, is encrypted, broken or empty.
    """
    suffix = PurePosixPath(name).suffix.lower()
    form = FORMATS.get(suffix)
    if form is None:
        hint = f"; save it as {_SAVE_AS[suffix]}" if suffix in _SAVE_AS else ""
        raise Refused(f"unknown format {suffix or 'without a suffix'}{hint}")
    if not content.strip(b"\0\t\n\r "):
        raise Refused("the file is empty", "empty")
    _check_magic(form, suffix, content)
    reader = import_module(f"{__name__}.{form}").Reader(content, name)
    try:
        with warnings.catch_warnings():
            # Parsers warn about what they pass over in a file; none of it is about text.
            warnings.simplefilter("ignore")
            units: list[Document] = list(reader.lazy_load())
    except Refused:
        raise
    except Exception as error:
        detail = " ".join(str(error).split())[:160] or type(error).__name__
        raise Refused(f"broken: it cannot be read as {suffix[1:]} ({detail})") from error
    if not any(unit.page_content.strip() for unit in units):
        if form == "pdf":
            raise Refused("scanned, no text: run text recognition (OCR) on it first")
        raise Refused("no text in it", "empty")
    return units


def _check_magic(form: str, suffix: str, content: bytes) -> None:
    if form == "pdf":
        if b"%PDF-" not in content[:1024]:
            raise Refused("broken: the name says PDF but the content does not start with %PDF")
    elif form in _OFFICE:
        if content.startswith(_OLE):
            if "EncryptedPackage".encode("utf-16-le") in content:
                raise Refused("password-protected: save a copy without password")
            raise Refused(f"broken: an old Office file named {suffix}; save it as {suffix}")
        if not content.startswith(b"PK"):
            raise Refused(f"broken: the name says {suffix} but the content is something else")
    else:
        for magic, what in _NOT_TEXT.items():
            if content.startswith(magic):
                raise Refused(f"broken: the name says {suffix} but the content is {what}")
