"""What a question's wording shows: its language, whether it stands alone, and borrowed words."""

from __future__ import annotations

import re

from tailor.text import fold, language, nfc, words

_POINTS = re.compile(
    r"\b(?:this|that|these|those|the (?:above|following|given|present|provided)) "
    r"(?:documents?|passages?|texts?|sections?|tables?|excerpts?|policy|article|page|report|list)\b"
    r"|\bthe (?:passages?|excerpt|text|documents?)\b"
    r"|\b(?:mentioned|stated|listed|described|shown|given) (?:above|below)\b"
    r"|\b(?:tài liệu|văn bản|đoạn(?: trích| văn)?|bảng|mục|báo cáo|trang) (?:này|trên|đó|sau)\b"
    r"|\b(?:đoạn trích|nói trên|nêu trên|ở trên|dưới đây)\b"
)
_RUN = 6


def written_in(text: str) -> str:
    """The language of the words that are no names: those that begin with a small letter."""
    plain = [word for word in re.findall(r"\w+", text) if word[0].islower()]
    return language(" ".join(plain) or text)


def stands_alone(question: str) -> bool:
    """Whether nothing in a question points at a text that the reader does not see."""
    return _POINTS.search(nfc(question).casefold()) is None


def borrows(question: str, text: str) -> bool:
    """Whether six words in a row of a question stand in a text."""
    asked, told = words(fold(question)), f" {' '.join(words(fold(text)))} "
    runs = (asked[at : at + _RUN] for at in range(len(asked) - _RUN + 1))
    return any(f" {' '.join(run)} " in told for run in runs)
