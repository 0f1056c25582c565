"""Questions that are asked twice, and such as contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailor.benchmark import Line
from tailor.benchmarking.facts import same_answer
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.leakage import FORMS
from tailor.benchmarking.similar import pairs
from tailor.text import fold, words

NEAR = 0.75
"""Share of common words by which two questions with the same answer are one question."""
_LIGHT = frozenset(
    "a an the of in on at to for is are was were be been do does did has have it its this that "
    "these those there please la cua thi ma co duoc bi o tai nhung cac nay do cho".split()
)
"""Words, without accents, by which two questions may differ and still ask the same."""
_FORMS = {how: form for how, form in FORMS.items() if how != "order"}
"""In another order the same words may ask something else."""


def repeated(lines: Sequence[Line]) -> Iterator[Finding]:
    """Ids and questions that stand on an earlier line already, in whatever form."""
    ids: dict[str, int] = {}
    known: dict[str, dict[object, int]] = {how: {} for how in _FORMS}
    for line in lines:
        id = line.question.id
        if (other := ids.setdefault(id, line.number)) != line.number:
            yield Finding("same_id", line.number, id, {"id": id, "other": other})
        said = str(line.item["question"])
        seen = [
            (how, known[how].setdefault(form(said), line.number)) for how, form in _FORMS.items()
        ]
        again = next(((how, other) for how, other in seen if other != line.number), None)
        if again:
            how, other = again
            yield Finding("same_question", line.number, id, {"how": how, "other": other})


def unrepeated(lines: Sequence[Line]) -> list[Line]:
    """The lines without those that have the id or ask the question of an earlier one."""
    again = {finding.line for finding in repeated(lines)}
    return [line for line in lines if line.number not in again]


def alike(lines: Sequence[Line]) -> Iterator[Finding]:
    """Questions with nearly the same words: with the same answer, or with another one."""
    for first, second, _ in pairs([line.question.question for line in lines], NEAR):
        a, b = lines[first].question, lines[second].question
        form = _FORMS["accents"]
        if form(a.question) == form(b.question) or _numbers(a.question) != _numbers(b.question):
            continue
        where = {"other": lines[first].number}
        same = same_answer(a, b) if a.answerable and b.answerable else a.answers == b.answers
        if same:
            typed = a.split == b.split and _bare(a.question) != _bare(b.question)
            if not typed:  # typed without accents, on purpose
                yield Finding("near_question", lines[second].number, b.id, where)
        elif _told(a.question) == _told(b.question):
            yield Finding("contradiction", lines[second].number, b.id, where)


def _bare(text: str) -> bool:
    return fold(text) == text.casefold()


def _told(text: str) -> set[str]:
    """The words that make the question; a plural counts as its singular."""
    return {word.removesuffix("s") for word in words(fold(text)) if word not in _LIGHT}


def _numbers(text: str) -> set[str]:
    return {word for word in words(text) if any(c.isdigit() for c in word)}
