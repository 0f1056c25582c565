"""The groups that examples are balanced over: labels, ranges of numbers, or kinds of answers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from tailor.scoring.tokens import tokens
from tailor.text import fold

if TYPE_CHECKING:
    from tailor.benchmark import Question

LABELS = 20
"""Answers are labels where there are at most so many of them, each twice on average."""


def groups(questions: Sequence[Question], parts: int) -> list[object]:
    """The group of each question.

    Where the answers are few labels, the label; where most are numbers, in which of so many parts
    of equal size the number lies; else whether the documents say it, and the language.
    """
    answers = [fold(q.answers[0]).strip() if q.answerable else None for q in questions]
    said = [answer for answer in answers if answer is not None]
    if len(set(said)) <= min(LABELS, len(said) // 2):
        return list(answers)
    values = [_value(q) for q in questions]
    known = sorted(value for value in values if value is not None)
    if len(known) > len(said) / 2:
        return [None if v is None else known.index(v) * parts // len(known) for v in values]
    return [(q.answerable, q.lang) for q in questions]


def _value(question: Question) -> Fraction | None:
    """The number that the answer is, with or without a unit."""
    found = tokens(question.answers[0]) if question.answerable else ()
    if not found or len(found) > 2:
        return None
    try:
        return Fraction(found[0])
    except ValueError:
        return None
