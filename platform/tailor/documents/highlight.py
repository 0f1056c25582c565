"""Which characters of a passage stand for the words of a question."""

from __future__ import annotations

import re

from tailor.documents.lexical import singular
from tailor.text import fold, nfc, words

_WORD = re.compile(r"[\w\u0300-\u036f]+")
_COMMON = frozenset(
    "a an and are as at be by can do does for from has have how i if in is it its many much my of "
    "on or our the their there they this to was we what when where which who whom whose why will "
    "with you your "
    "ai bao bị bởi cho có của cái các gì hay khi là làm mà mấy mỗi một nào này những nhiêu như nếu "
    "ở ra sao tại thì thế theo trong từ và vào về với đâu được để đến đó".split()
)
"""Words of a question that say nothing about a passage."""

Span = tuple[int, int]


def highlights(question: str, text: str) -> tuple[Span, ...]:
    """Ranges ``(start, end)`` of characters of the text that the question's words stand for.

    Letter case and plurals do not matter. Accents do not where the question, or the whole text,
    was typed without them: ``nghi phep`` marks ``nghỉ phép``, while ``chó`` does not mark ``chợ``.
    Words that follow one another are one range. Words such as *the* or *của* are marked only in a
    question that has no others.
    """
    asked = words(question)
    asked = [word for word in asked if word not in _COMMON] or asked
    loose = _plain(question) or _plain(text)
    wanted = {_form(word, loose) for word in asked}
    found: list[Span] = []
    for match in _WORD.finditer(text):
        if _form(match[0], loose) in wanted:
            start, end = match.span()
            if found and not text[found[-1][1] : start].strip(" \n"):
                start = found.pop()[0]
            found.append((start, end))
    return tuple(found)


def _plain(text: str) -> bool:
    """Whether it is typed without accents."""
    return fold(text) == nfc(text).casefold()


def _form(word: str, loose: bool) -> str:
    return singular(fold(word) if loose else nfc(word).casefold())
