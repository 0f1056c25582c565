"""Whether the accepted answers of a question can be what it is scored by."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import combinations

from tailor.assistant import is_refusal
from tailor.benchmark import Line, Question
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.support import YES_NO
from tailor.scoring.metrics import contains
from tailor.scoring.tokens import tokens
from tailor.text import fold, nfc, words

_CHOICE = {"or", "hay", "hoac", "which", "nao"}
"""Words of a question that offers its answers to choose from."""


def accepted(lines: Sequence[Line]) -> Iterator[Finding]:
    """Answers with nothing to compare, that contradict each other, or that the question holds."""
    for line in lines:
        for kind, values in (*_each(line.question), *_together(line.question)):
            yield Finding(kind, line.number, line.question.id, values)


def _each(question: Question) -> Iterator[tuple[str, dict[str, str]]]:
    if not question.answerable and question.evidence:
        yield "answer_null", {}
    for answer in question.answers:
        if not tokens(answer):
            yield "answer_empty", {"answer": answer}
        if is_refusal(answer):
            yield "answer_refuses", {"answer": answer}
        if question.format and not re.fullmatch(nfc(question.format), nfc(answer).strip()):
            yield "answer_format", {"answer": answer, "pattern": question.format}


def _together(question: Question) -> Iterator[tuple[str, dict[str, str]]]:
    for one, two in combinations(question.answers, 2):
        if _disagree(one, two):
            yield "answers_disagree", {"one": one, "two": two}
            break
    said = words(fold(question.question))
    asked = " ".join(said)
    if _CHOICE.isdisjoint(said):
        for answer in question.answers:
            own = words(fold(answer))
            choice = re.search(rf"\b(and|va) {' '.join(own)}\b|\b{' '.join(own)} (and|va)\b", asked)
            if (
                own
                and own[0] not in YES_NO
                and not choice
                and contains(question.question, [answer], folded=True)
            ):
                yield "answer_in_question", {"answer": answer}
                break


def _disagree(one: str, two: str) -> bool:
    """Whether two answers say the same of different numbers: 12 days and 14 days."""
    left, right = tokens(one), tokens(two)
    numbers, others = ({t for t in of if t[-1:].isdigit()} for of in (left, right))
    rest = [tuple(t for t in of if not any(c.isdigit() for c in t)) for of in (left, right)]
    apart = numbers and others and numbers.isdisjoint(others) and rest[0] == rest[1]
    return bool(apart) and _digits(one) != _digits(two)  # else one number, written in two ways


def _digits(text: str) -> str:
    return "".join(c for c in text if c.isdigit()).strip("0")
