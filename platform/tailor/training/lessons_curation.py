"""Which questions are fit to learn from: no leak, nothing empty, doubled or contradictory."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailor.benchmarking.duplicates import NEAR
from tailor.benchmarking.facts import same_answer
from tailor.benchmarking.leakage import FORMS, found_leaks
from tailor.benchmarking.similar import bag, pairs
from tailor.text import fold, language, nfc, words
from tailor.training.lessons_report import LeftOut, Origin

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.workspace import Workspace

_MEANING = 0.75
"""Cosine from which two long answers say the same in other words."""
_LONG = 5
"""Words of an answer that is a sentence rather than a value."""
_ENGLISH = frozenset(
    "the of and to in is are for by with on at be not must a an from this that it you your "
    "will has have when after before within per each all who which".split()
)
_SAYS_NOTHING = _ENGLISH | frozenset(
    "do does did please then exactly there thi vay nhe la cua cac nhung duoc co khong o".split()
)
"""Words, without accents, that make no other question of one."""
_SURE = 4
"""Words in small letters by which the language of a text can be told; names tell nothing.

English is told by one word in four that it cannot do without; Vietnamese typed without accents
looks like no language at all."""


@dataclass(frozen=True)
class Curated:
    """The questions to learn from, in file order, and those that are left out."""

    found: Mapping[Origin, int]
    questions: tuple[Question, ...]
    left_out: tuple[LeftOut, ...]


def curated(workspace: Workspace, user: str, reading: bool = False) -> Curated:
    """The train questions of the benchmark, then ``training.jsonl``, without what is unfit.

    Of questions with the same answer that are worded alike the first one stays; where their
    answers differ, none does, but a benchmark's question wins over one of ``training.jsonl``.
    ``reading`` says that every lesson shows its evidence: questions on different evidence, as
    "What does the table show?", then neither repeat nor contradict each other.

    Raises:
        TailorError: the leakage guard cannot do its work, or ``training.jsonl`` is broken.
    """
    benchmark = workspace.benchmark.split("train")
    training = _named_apart(workspace.training, {q.id for q in workspace.benchmark.questions})
    questions = (*benchmark, *training)
    origin: dict[str, Origin] = {q.id: "training" for q in training}
    out: dict[str, LeftOut] = {}

    def leave(found: Iterator[LeftOut]) -> tuple[Question, ...]:
        out.update({one.id: one for one in list(found)})
        return tuple(q for q in questions if q.id not in out)

    kept = leave(_leaking(workspace, user, questions, origin))
    kept = leave(_unfit(kept, origin, workspace.config.answer_pattern))
    if workspace.config.task == "answer":
        kept = leave(_foreign(kept, origin))
        kept = leave(_repeated(kept, origin, reading))
    else:
        kept = leave(_same_text(kept, origin))
    found: dict[Origin, int] = {"benchmark": len(benchmark), "training": len(training)}
    return Curated(found, kept, tuple(out[q.id] for q in questions if q.id in out))


def _named_apart(training: Sequence[Question], taken: set[str]) -> tuple[Question, ...]:
    """The questions, those renamed whose id is another's: ids like ``line-3`` are of one file."""
    out = []
    for question in training:
        id, again = question.id, 2
        while id in taken:
            id = f"training:{question.id}" if again == 2 else f"training:{question.id}~{again}"
            again += 1
        taken.add(id)
        out.append(replace(question, id=id))
    return tuple(out)


def _left(
    question: Question, origin: Mapping[str, Origin], reason: str, **values: object
) -> LeftOut:
    own = origin.get(question.id, "benchmark")
    return LeftOut(question.id, question.question, own, reason, values)  # type: ignore[arg-type]


def _leaking(
    workspace: Workspace,
    user: str,
    questions: Sequence[Question],
    origin: Mapping[str, Origin],
) -> Iterator[LeftOut]:
    for leak in found_leaks(workspace, user, questions, "dev", "test"):
        values = {"split": leak.held.split, "other": leak.held.id, "how": leak.kind}
        yield _left(leak.item, origin, "leak", **values)


def _unfit(
    questions: Sequence[Question], origin: Mapping[str, Origin], pattern: str
) -> Iterator[LeftOut]:
    """Answers without words, and such as do not keep the format that answers must have."""
    for question in questions:
        answer = question.answers[0] if question.answerable else None
        if answer is None:
            continue
        form = question.format or pattern
        if not words(answer):
            yield _left(question, origin, "empty", answer=answer)
        elif form and not re.fullmatch(form, nfc(answer)):
            yield _left(question, origin, "format", answer=answer, pattern=form)


def _foreign(questions: Sequence[Question], origin: Mapping[str, Origin]) -> Iterator[LeftOut]:
    """Questions and answers that are surely English where Vietnamese is wanted, or vice versa."""
    for question in questions:
        if question.lang not in ("en", "vi"):
            continue
        for part, text in (("question", question.question), *_answers(question)):
            if (surely := spoken(text)) not in (None, question.lang):
                values = {"wanted": question.lang, "part": part, "found": surely}
                yield _left(question, origin, "wrong_language", **values)
                break


def _answers(question: Question) -> Iterator[tuple[str, str]]:
    """The answer, unless the documents say it so, in whatever language."""
    if question.answerable:
        answer = question.answers[0]
        if not any(fold(answer) in fold(e.quote) for e in question.evidence):
            yield "answer", answer


def spoken(text: str) -> str | None:
    """``en`` or ``vi`` where a text surely is; None where names and numbers leave it open."""
    plain = [word for word in re.findall(r"[^\W\d_]+", text) if word[:1].islower()]
    if len(plain) < _SURE:
        return None
    if language(" ".join(plain)) == "vi":
        return "vi"
    return "en" if 4 * sum(word in _ENGLISH for word in plain) >= len(plain) else None


def _same_text(questions: Sequence[Question], origin: Mapping[str, Origin]) -> Iterator[LeftOut]:
    """Items whose text stands before already; those of numbers and labels are compared so only."""
    first: dict[str, str] = {}
    for question in questions:
        other = first.setdefault(" ".join(words(question.question)), question.id)
        if other != question.id:
            yield _left(question, origin, "duplicate", other=other, how="spacing")


def _repeated(
    questions: Sequence[Question], origin: Mapping[str, Origin], reading: bool
) -> Iterator[LeftOut]:
    """Of two questions that are worded alike: the second, or both where their answers differ."""
    gone: set[str] = set()
    for earlier, later, _ in pairs([q.question for q in questions], NEAR):
        first, second = questions[earlier], questions[later]
        if gone & {first.id, second.id} or _subject(first) != _subject(second):
            continue
        if reading and first.evidence and second.evidence and first.evidence != second.evidence:
            continue
        how = _how(first.question, second.question)
        if agree(first, second):
            if how == "accents" and _bare(first) != _bare(second):
                continue  # typed without accents, on purpose
            gone.add(second.id)
            reason = "duplicate" if how else "near"
            yield _left(second, origin, reason, other=first.id, how=how or "near")
        elif _core(first) == _core(second):
            # What a benchmark says was looked at by people; an import may say anything.
            wins = origin.get(first.id) != origin.get(second.id)
            for one, rival in ((second, first),) if wins else ((first, second), (second, first)):
                gone.add(one.id)
                values = {"answer": _said(one), "theirs": _said(rival)}
                yield _left(one, origin, "contradiction", other=rival.id, **values)


def agree(one: Question, other: Question) -> bool:
    """Whether two questions have the same answer, in whatever words."""
    if not one.answerable or not other.answerable:
        return one.answerable == other.answerable
    if same_answer(one, other):
        return True
    left, right = one.answers[0], other.answers[0]
    if min(len(words(left)), len(words(right))) < _LONG or _numbers(left) != _numbers(right):
        return False
    from tailor.benchmarking.alike import Alike

    return bool(Alike([left]).by_meaning([right], _MEANING)[0])


def _core(question: Question) -> frozenset[str]:
    """The words that say what is asked: "percentage change" is not "change"."""
    return bag(question.question) - _SAYS_NOTHING


def _said(question: Question) -> str:
    answer = question.answers[0] if question.answerable else "–"
    return answer if len(answer) <= 80 else f"{answer[:79]}…"


def _how(one: str, other: str) -> str:
    """In what form two texts are the same; empty where they are not."""
    return next((how for how, form in FORMS.items() if form(one) == form(other)), "")


def _bare(question: Question) -> bool:
    return fold(question.question) == question.question.casefold()


def _numbers(text: str) -> set[str]:
    return {word for word in words(text) if any(c.isdigit() for c in word)}


def _subject(question: Question) -> frozenset[str]:
    """The names and numbers in a question, by which worded alike it may ask something else."""
    found = re.findall(r"\w+", nfc(question.question))
    named = {fold(word) for word in found[1:] if word[:1].isupper()}
    return frozenset(named | {fold(w) for w in found if any(c.isdigit() for c in w)})
