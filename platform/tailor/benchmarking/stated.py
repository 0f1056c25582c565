"""A fact that a document states, and the heading that it stands under."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from tailor.documents.document import Document, Place
from tailor.text import fold, words

Form = Literal["cell", "entry", "faq", "definition"]


@dataclass(frozen=True)
class Fact:
    """A value that a document gives for something."""

    form: Form
    document: str
    title: str
    section: str
    """Below the title; empty where there is none."""
    subject: str
    """What it is about: a row, a key, a term, or the question that the document asks itself."""
    attribute: str
    """The column; empty where there is none."""
    value: str
    quote: str
    """The characters of the document that say it."""
    lang: str
    label: str = ""
    """The name of the subject's column, where the subject says nothing without it."""


_NUMBERING = re.compile(
    r"^(?:[#>*_\s]*)(?:(?:Điều|Mục|Phần|Chương|Article|Section|Part)\s+)?\d+(?:\.\d+)*[.):]\s+"
)
UNNAMED = re.compile(r"(?:page|slide|attachment) ?", re.IGNORECASE)
_LETTERHEAD = re.compile(r"(?:công ty|cộng h[oò][aà] xã hội|tập đoàn|company\b)", re.IGNORECASE)
_NAMED_BY_FILE = {".csv", ".tsv", ".xlsx", ".json", ".jsonl", ".yaml", ".yml"}
_LONGEST_TITLE = 90
_LONGEST_VALUE, _LONGEST_SUBJECT = 14, 12
"""In words."""


def title(document: Document) -> str:
    """What people call the document: its first heading or line, else the file's name."""
    path = PurePosixPath(document.path)
    if path.suffix.lower() in _NAMED_BY_FILE:
        return path.name
    if subject := re.search(r"^Subject: (.+)$", document.text[:2000], re.MULTILINE):
        return subject[1].strip()
    lines = (line.strip(" #*_>=-") for line in document.text[:2000].split("\n"))
    told = (re.split(r"\s{2,}", line)[0] for line in lines if words(line))
    first = next((line for line in told if not _LETTERHEAD.match(line)), "")
    if named := re.fullmatch(r"title: (['\"]?)(.+)\1", first):  # YAML in front of the text
        first = named[2]
    return first if 0 < len(first) <= _LONGEST_TITLE else path.name


def section_at(document: Document, place: Place, offset: int, called: str) -> str:
    """The heading that a character of a place stands under."""
    name = place.name.rsplit(" > ", 1)[-1]
    if not name or UNNAMED.match(name):
        lines = ["", *document.text[place.start : place.end].split("\n"), ""]
        until = document.text.count("\n", place.start, place.start + offset) + 1
        name = next((lines[at] for at in range(until, 0, -1) if _heads(lines, at)), "")
    name = " ".join(_NUMBERING.sub("", name.strip(" #*_>:")).strip(" #*_>:").split())
    known = fold(name) in (fold(called), fold(title(document)))
    return "" if known or len(name) > _LONGEST_TITLE else name


def _heads(lines: Sequence[str], at: int) -> bool:
    """Whether a line stands like a heading: after a gap, and before one, a list or a table."""
    line, after = lines[at], lines[at + 1]
    bare = line.strip(" #*_")
    return (
        0 < len(bare) <= 80
        and not lines[at - 1].strip()
        and (not after.strip() or after.startswith((" ", "\t", "-", "|", "•")))
        and not line.startswith((" ", "\t", "-", "|", "•"))
        and ": " not in bare
        and bare[-1:] not in ".;,!?"
    )


def usable(subject: str, value: str) -> bool:
    """Whether somebody could be asked for this value of it: short words or figures, no links."""
    given = words(value)
    return (
        0 < len(given) <= _LONGEST_VALUE
        and 0 < len(words(subject)) <= _LONGEST_SUBJECT
        and fold(value).strip(" .") not in {"none", "n/a", "no", "yes", "khong", "co", "nothing"}
        and not set(given) <= set(words(subject))
        and "://" not in f"{subject} {value}"
        and "](" not in value
        and all(text.count("(") == text.count(")") for text in (subject, value))
    )


def unambiguous(titles: dict[str, str]) -> dict[str, str]:
    """Titles by path, with the file's name where several documents have the same title."""
    counts = Counter(fold(name) for name in titles.values())
    return {
        path: PurePosixPath(path).name if counts[fold(name)] > 1 else name
        for path, name in titles.items()
    }
