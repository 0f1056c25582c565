"""Whether an answer can be read out of its evidence, as far as that shows without understanding."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import permutations
from typing import Literal

from tailor.scoring.metrics import contains
from tailor.scoring.tokens import tokens
from tailor.text import fold, language, words

Support = Literal["said", "computed", "unknown", "missing"]

_NUMBERS = {
    word: str(number)
    for line in (
        "zero one two three four five six seven eight nine ten eleven twelve",
        "khong mot hai ba bon nam sau bay tam chin muoi",
    )
    for number, word in enumerate(line.split())
}
YES_NO = {"yes", "no", "co", "khong", "dung", "sai", "true", "false", "duoc", "maybe"}
"""First words, without accents, of an answer that says yes, no or maybe (có thể)."""
_OF = re.compile(r"(?<=\w)['\u2019]s\b")
"""The ending of Anna's, which is part of the word elsewhere."""
_ENOUGH = 0.6
"""Share of an answer's words that its evidence must hold where their order differs."""
_SHORT, _ENOUGH_OF_LONG = 12, 0.3
"""Answers of more words are told in their author's own; of those this share is enough."""
_MOST = 40
"""Numbers of one evidence that are combined with each other."""
_DURATION = re.compile(
    r"(?=[0-9])(?:(?P<h>[0-9]+)\s*(?:h|hours?|giờ)\s*)?"
    r"(?:(?P<m>[0-9]+)\s*(?:min(?:ute)?s?|phút)\s*)?"
    r"(?:(?P<s>[0-9]+)\s*(?:seconds?|giây))?",
    re.IGNORECASE,
)


def support(answers: Sequence[str], quotes: str, rows: str = "", around: str = "") -> Support:
    """How the evidence bears out the best of the accepted answers.

    ``said``: the answer, its numbers, or most of its words stand in the quotes or in the text
    around them, with or without accents. ``computed``: its number (or duration) is the sum,
    difference, product, quotient or percentage of two in the quotes, or the sum or difference of
    two in the table rows that they are from. ``unknown``: yes, no, or an answer in another language
    than the evidence, which words cannot settle. ``missing``: none of these.
    """
    evidence = f"{quotes}\n{rows}\n{around}"
    evidence = "\n".join(dict.fromkeys((evidence, _OF.sub("", evidence))))
    if contains(evidence, answers) or contains(evidence, answers, folded=True):
        return "said"
    there = set(tokens(evidence, folded=True))
    for answer in answers:
        own = [_NUMBERS.get(token, token) for token in tokens(answer, folded=True)]
        numbers = [token for token in own if token[-1:].isdigit()]
        if numbers and all(_number_in(number, there) for number in numbers):
            return "said"
        enough = _ENOUGH if len(own) <= _SHORT else _ENOUGH_OF_LONG
        free = not numbers or len(own) > _SHORT
        if free and own and sum(token in there for token in own) >= enough * len(own):
            return "said"
    if any(_computed(a, quotes) or _computed(a, rows, scaled=False) for a in answers):
        return "computed"
    plain = [a for a in answers if not any(c.isdigit() for c in a)]
    if any(words(fold(a))[:1] and words(fold(a))[0] in YES_NO for a in answers):
        return "unknown"
    if plain and all(language(a) != language(evidence) and not _is_name(a) for a in plain):
        return "unknown"
    return "missing"


def _is_name(answer: str) -> bool:
    """Names are the same in every language."""
    return all(word[:1].isupper() for word in answer.split())


def _number_in(number: str, there: set[str]) -> bool:
    return number in there or any(_NUMBERS.get(token) == number for token in there)


def _computed(answer: str, quotes: str, scaled: bool = True) -> bool:
    values = _values(answer)
    if len(values) == 1:
        wanted = abs(values[0])
        # An answer is rounded: half a unit of its last digit is near enough.
        near = Decimal(1).scaleb(int(wanted.as_tuple().exponent)) / 2
        given = list(dict.fromkeys(abs(value) for value in _values(quotes)))[:_MOST]
        if any(abs(value - wanted) <= near for value in _combined(given, scaled)):
            return True
    lasting = _durations(answer)
    if len(lasting) != 1:
        return False
    return any(abs(a - b) == lasting[0] for a, b in permutations(_durations(quotes), 2))


def _combined(given: Sequence[Decimal], scaled: bool) -> Iterator[Decimal]:
    """Sums and differences, and where ``scaled`` also products, quotients and percentages."""
    yield from (1000 * value for value in given)  # a table in thousands
    if len(given) > 2:
        yield sum(given, Decimal(0))
    for a, b in permutations(given, 2):
        yield from (a + b, a - b)
        if scaled:
            yield from (a * b, a * b / 100, a * (100 - b) / 100, a * (100 + b) / 100)
        if scaled and b:
            yield from (a / b, 100 * a / b, 100 * (a - b) / b)


def _durations(text: str) -> list[int]:
    """Times such as 4 h 45 min or 3 phút 40 giây, in seconds."""
    found = ([int(part or 0) for part in m.group("h", "m", "s")] for m in _DURATION.finditer(text))
    return [3600 * h + 60 * m + s for h, m, s in found if h or m or s]


def _values(text: str) -> list[Decimal]:
    found = []
    for token in tokens(text, folded=True):
        try:
            value = Decimal(_NUMBERS.get(token, token))
        except InvalidOperation:
            continue
        if value.is_finite():
            found.append(value)
    return found
