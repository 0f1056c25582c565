"""The date of a document: as it says itself at its beginning, else when its file was changed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

HEAD = 2000
"""Characters of the text in which a document tells its date."""

_TOLD = re.compile(
    r"^[ \t]*(?:date|updated|last[ _-]updated|modified|last[ _-]modified|published|effective|"
    r"effective[ _-]date|ngày|ngày ban hành|ngày hiệu lực|cập nhật)[ \t]*:[ \t]*(\S[^\n]*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ISO = re.compile(r"\b(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})\b")
_DAY_FIRST = re.compile(r"\b(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})\b")
_LINES = 30


def day(head: str, mtime_ns: int) -> str:
    """The date as ``2025-01-31``; empty where nothing tells it.

    ``head`` is the beginning of the text: front matter (``date: 2025-01-31``) and the ``Date`` of
    a mail stand there. A date of numbers alone has the year or the day first (``31/01/2025``).
    ``mtime_ns`` is when the file was changed, 0 where there is no file.
    """
    beginning = "\n".join(head[:HEAD].split("\n")[:_LINES])
    for told in _TOLD.finditer(beginning):
        if found := _read(told[1]):
            return found
    return datetime.fromtimestamp(mtime_ns / 1e9, UTC).date().isoformat() if mtime_ns > 0 else ""


def _read(text: str) -> str:
    try:
        if found := _ISO.search(text):
            return date(*map(int, found.groups())).isoformat()
        if found := _DAY_FIRST.search(text):
            return date(*(int(part) for part in reversed(found.groups()))).isoformat()
        return parsedate_to_datetime(text).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return ""
