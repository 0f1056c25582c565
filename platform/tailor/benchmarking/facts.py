"""Whether two questions ask for the same fact, as far as answers and evidence show it."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Literal

from tailor.scoring.metrics import contains
from tailor.scoring.tokens import tokens
from tailor.text import fold, nfc, words

if TYPE_CHECKING:
    from tailor.benchmark import Question

_UNITS = frozenset("vnd eur usd gbp % °c kg g l m km mm cm w wh kwh v h".split())

Shared = Literal["fact", "answer", "elsewhere"]
"""What two questions share: the answer and a quote that bears it out; the answer, and no telling
about evidence; the answer, while each has evidence of its own."""

_ONE_FACT = 40
"""Words of a quote; longer ones hold several facts."""


def shared(a: Question, b: Question) -> Shared | None:
    """What two answerable questions have in common; None where their answers differ."""
    if not same_answer(a, b):
        return None
    quotes = _shared_quotes(a, b)
    if quotes:
        return "fact" if min(quotes) <= _ONE_FACT else "answer"
    return "elsewhere" if a.evidence and b.evidence else "answer"


def same_answer(a: Question, b: Question) -> bool:
    """Whether an accepted answer of one says what one of the other says.

    Answers with numbers must have the same ones, and the same unit as far as units are the same in
    all languages; of answers without numbers, one must hold the other.
    """
    return any(_same(one, other) for one in a.answers for other in b.answers)


def _same(one: str, other: str) -> bool:
    left, right = tokens(one, folded=True), tokens(other, folded=True)
    if _numbers(left) or _numbers(right):
        units, others = _UNITS.intersection(left), _UNITS.intersection(right)
        return _numbers(left) == _numbers(right) and (not units or not others or units == others)
    return bool(contains(one, [other], folded=True) or contains(other, [one], folded=True))


def _shared_quotes(a: Question, b: Question) -> list[int]:
    """The lengths, in words, of quotes of one that stand in quotes of the other."""
    found = []
    for one, other in product(a.evidence, b.evidence):
        if nfc(one.document) == nfc(other.document):
            short, long = sorted((words(fold(e.quote)) for e in (one, other)), key=len)
            if f" {' '.join(short)} " in f" {' '.join(long)} ":
                found.append(len(short))
    return found


def _numbers(of: tuple[str, ...]) -> list[str]:
    return sorted(token for token in of if any(c.isdigit() for c in token))
