"""Whether an answer stands on the passages it was given, as far as words can show.

A judge reads for meaning (:mod:`tailor.scoring.judge`); this costs nothing and is the same every
time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from tailor.documents.passages import Passage
from tailor.scoring.tokens import tokens
from tailor.text import language, nfc

_NUMBERED = re.compile(r"\[\s*([0-9]{1,2}(?:\s*[,;]\s*[0-9]{1,2})*)\s*\]")
_MARK = re.compile(rf"(?<![ \t])[ \t]*{_NUMBERED.pattern}")
_NAMED = re.compile(
    r"(?<![\w./-])[\w./-]*\w\.(?:md|txt|pdf|docx?|xlsx?|pptx?|csv|html?|eml|json)\b", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")
_ENOUGH = 0.6
"""Share of a sentence's words that a passage must hold."""
_SAYS_YES_OR_NO = {"yes", "no", "co", "khong", "dung", "sai", "true", "false"}


def cited(text: str) -> tuple[tuple[int, int, int], ...]:
    """Start, end and number of each passage that an answer cites by a number in brackets."""
    return tuple(
        (m.start(1) + n.start(), m.start(1) + n.end(), int(n[0]))
        for m in _NUMBERED.finditer(text)
        for n in re.finditer("[0-9]+", m[1])
    )


def uncited(text: str) -> str:
    """The text without the numbers in brackets by which it cites passages."""
    return _MARK.sub("", text)


def citations_resolved(text: str, passages: Sequence[Passage]) -> float | None:
    """The share of the passages and documents an answer cites that it was given.

    Cited are numbers in square brackets (``[2]``, ``[1, 3]``: the passages are numbered so in the
    prompt) and file names (``leave-policy.pdf``, with or without folders). None without a citation.
    """
    numbers = [number for _, _, number in cited(text)]
    given = {nfc(p.document).casefold() for p in passages}
    given |= {PurePosixPath(name).name for name in given}
    names = [m[0].casefold() for m in _NAMED.finditer(nfc(text))]
    resolved = [1 <= n <= len(passages) for n in numbers] + [name in given for name in names]
    return sum(resolved) / len(resolved) if resolved else None


def supported(text: str, passages: Sequence[Passage]) -> float | None:
    """1 when the passages bear the answer out by their words, else 0.

    Every sentence must have all its numbers, and most of its words with or without accents, in one
    of the passages. None where words cannot tell: no passages, yes and no, an answer in another
    language than the passages.
    """
    if not passages:
        return None
    plain = _NAMED.sub(" ", _NUMBERED.sub(" ", nfc(text)))
    sentences = [own for part in _SENTENCE.split(plain) if (own := tokens(part, folded=True))]
    if not sentences or (len(sentences) == 1 and set(sentences[0]) <= _SAYS_YES_OR_NO):
        return None
    held = [_words(f"{p.text}\n{p.source}") for p in passages]
    if all(any(_holds(passage, own) for passage in held) for own in sentences):
        return 1.0
    foreign = all(language(plain) != language(p.text) for p in passages)
    return None if foreign and not _same_in_every_language(plain) else 0.0


def _same_in_every_language(text: str) -> bool:
    """Whether it is a name, or has a number."""
    return any(c.isdigit() for c in text) or all(word[:1].isupper() for word in text.split())


@lru_cache(maxsize=8192)
def _words(text: str) -> frozenset[str]:
    return frozenset(tokens(text, folded=True))


def _holds(passage: frozenset[str], sentence: Sequence[str]) -> bool:
    numbers = [token for token in sentence if any(c.isdigit() for c in token)]
    there = sum(token in passage for token in sentence)
    return all(number in passage for number in numbers) and there >= _ENOUGH * len(sentence)
