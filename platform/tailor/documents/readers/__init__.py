"""Readers: one file per format, each a LangChain loader named ``Reader``.

A new format is a new file here and a line in ``FORMATS``. A reader's module is imported only when
a file of its format is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import TYPE_CHECKING

from tailor.documents.readers.magic import binary, looks_like_text, sniff, sniff_text, suffix_of
from tailor.documents.refusal import Refused

if TYPE_CHECKING:
    from langchain_core.documents import Document

VERSION = 3
"""Raised when a reader gives another text for the same file, so that files are read again."""

FORMATS: Mapping[str, str] = {
    ".bmp": "picture",
    ".cfg": "text",
    ".conf": "text",
    ".csv": "csv",
    ".doc": "converted",
    ".docx": "docx",
    ".eml": "eml",
    ".epub": "epub",
    ".htm": "html",
    ".html": "html",
    ".ini": "text",
    ".ipynb": "ipynb",
    ".jpeg": "picture",
    ".jpg": "picture",
    ".json": "json",
    ".jsonl": "jsonl",
    ".log": "text",
    ".markdown": "markdown",
    ".md": "markdown",
    ".mdx": "markdown",
    ".msg": "msg",
    ".ndjson": "jsonl",
    ".odp": "odf",
    ".ods": "odf",
    ".odt": "odf",
    ".pdf": "pdf",
    ".png": "picture",
    ".ppt": "converted",
    ".pptx": "pptx",
    ".properties": "text",
    ".rst": "rst",
    ".rtf": "rtf",
    ".srt": "subtitles",
    ".text": "text",
    ".tif": "picture",
    ".tiff": "picture",
    ".toml": "text",
    ".tsv": "csv",
    ".txt": "text",
    ".vtt": "subtitles",
    ".webp": "picture",
    ".xhtml": "html",
    ".xls": "xls",
    ".xlsx": "xlsx",
    ".xml": "xml",
    ".yaml": "text",
    ".yml": "text",
    ".zip": "zip",
}
"""File name suffix, lower case, to the module of its reader."""

LONGEST = 100 << 20
"""Characters; files that give more text are refused."""

_NOT_DOCUMENTS = {".svg": "a drawing", ".css": "a style sheet of web pages"}
"""Texts whose words are not for people."""


def read(name: str, content: bytes) -> list[Document]:
    """The structural units of a file: pages, sheets, slides, sections, in reading order.

    The content decides which reader is taken; the name does where several would do. Each unit's
    metadata holds ``place``, its name for people (may be empty); ``rows``, whether each of its
    lines is a table row; ``note``, what the reader had to assume; and ``member``, the name of the
    document inside the file that it belongs to (may be empty).

    Raises:
        Refused: the format is unknown, or the file is encrypted, broken or empty.
        MemoryError: it needs more memory than there is.
    """
    if not content.strip(b"\0\t\n\r "):
        raise Refused("the file is empty", "empty")
    suffix = _format(name, content)
    form = FORMATS[suffix]
    try:
        reader = import_module(f"{__name__}.{form}").Reader(content, name)
        with warnings.catch_warnings():
            # Parsers warn about what they pass over in a file; none of it is about text.
            warnings.simplefilter("ignore")
            units = list(_bounded(reader.lazy_load()))
    except (Refused, MemoryError):
        raise
    except ImportError as error:
        raise Refused(f"its reader is not installed ({error}): install Tailor again") from error
    except RecursionError:
        raise Refused("broken: its parts are nested too deeply") from None
    except Exception as error:  # over a broken file, parsers raise about anything
        detail = " ".join(str(error).split())[:160] or type(error).__name__
        raise Refused(f"broken: it cannot be read as {suffix[1:]} ({detail})") from error
    if not any(unit.page_content.strip() or "refusal" in unit.metadata for unit in units):
        raise Refused("no text in it", "empty")
    named = suffix_of(name)
    if FORMATS.get(named) != form:
        said = f"named {named}" if named else "named without a suffix"
        note = f"{said}, read as {suffix[1:]} by its content"
        units[0].metadata["note"] = "; ".join(filter(None, [note, units[0].metadata["note"]]))
    return units


def _bounded(units: Iterable[Document]) -> Iterator[Document]:
    length = 0
    for unit in units:
        length += len(unit.page_content)
        if length > LONGEST:
            raise Refused(f"it holds more than {LONGEST >> 20} million characters: split it")
        yield unit


def _format(name: str, content: bytes) -> str:
    """The suffix in ``FORMATS`` by which this content is read.

    Raises:
        Refused: it is nothing that is read; the reason says what it is.
    """
    suffix = suffix_of(name)
    kind = sniff(content, suffix)
    if kind == "encrypted":
        raise Refused("password-protected: save a copy without password")
    if kind in FORMATS:
        return kind
    if kind:
        what = f"a {kind} file, which is not read" if kind.startswith(".") else kind
        if suffix in FORMATS:
            raise Refused(f"broken: the name says {suffix} but the content is {what}")
        raise Refused(f"not a document but {what}")
    if suffix in FORMATS and not binary(suffix):
        return suffix
    if suffix in _NOT_DOCUMENTS:
        raise Refused(f"not a document but {_NOT_DOCUMENTS[suffix]}")
    kind = sniff_text(content)
    if kind in FORMATS:
        return kind
    if suffix == ".pdf":
        raise Refused("broken: the name says PDF but the content does not start with %PDF")
    if binary(suffix):
        what = "plain text; rename it to .txt" if looks_like_text(content) else "something else"
        raise Refused(f"broken: the name says {suffix} but the content is {what}")
    if not suffix:
        return ".txt"
    hint = "" if b"\0" in content else "; if it is plain text, rename it to .txt"
    raise Refused(f"unknown format {suffix}{hint}")
