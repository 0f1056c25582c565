"""Questions that wait for approval, and those to train on: two files beside the benchmark.

``knowledge/drafts.jsonl`` holds drafts in the benchmark's own form with ``"status": "draft"``;
they count nowhere. Approved, they go to ``benchmark.jsonl`` or, tagged ``training``, to
``training.jsonl``, whose questions are learned from and never scored.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any

from tailor.benchmark import Line, Question, read
from tailor.benchmarking.file import edit
from tailor.errors import TailorError, UsageError

BENCHMARK, DRAFTS, TRAINING = "benchmark.jsonl", "drafts.jsonl", "training.jsonl"

FOR_TRAINING = "training"
"""The tag of drafts that are to be trained on."""


def training(knowledge: Path) -> tuple[Question, ...]:
    """The questions to train on.

    Raises:
        TailorError: a line of the file is no question.
    """
    return tuple(line.question for line in _lines(knowledge / TRAINING))


def drafts(knowledge: Path) -> tuple[Question, ...]:
    """The questions that wait for approval, those in the benchmark's own file included.

    Raises:
        TailorError: a line of the file is no question.
    """
    return tuple(line.question for _, line in _waiting(knowledge))


def add(knowledge: Path, questions: Iterable[Question]) -> None:
    """Append drafts."""
    edit(knowledge / DRAFTS, added=[{**item(q), "status": "draft"} for q in questions])


def approve(knowledge: Path, ids: Collection[str]) -> tuple[Question, ...]:
    """Move drafts to where they count; interrupted, the same call goes on.

    Raises:
        UsageError: there is no draft of such an id.
        TailorError: a file cannot be read or written, or another question has a draft's id.
    """
    chosen = _chosen(knowledge, ids)
    for name in (BENCHMARK, TRAINING):
        path = knowledge / name
        moved = [line for home, line in chosen if home.name == DRAFTS and _target(line) == name]
        there = {line.question.id: line for line in read(path)[0]} if path.exists() else {}
        for line in moved:
            former = there.get(line.question.id)
            if former and former.question.question != line.question.question:
                raise TailorError(
                    f"{path}:{former.number} is another question with the id {line.question.id}: "
                    "change the id there or in drafts.jsonl, then approve again."
                )
        new = [_approved(line) for line in moved if line.question.id not in there]
        in_place = [(line, _approved(line)) for home, line in chosen if home == path]
        if new or in_place:
            edit(path, changed=in_place, added=new)
    _delete(knowledge / DRAFTS, chosen)
    return tuple(line.question for _, line in chosen)


def discard(knowledge: Path, ids: Collection[str]) -> tuple[Question, ...]:
    """Delete drafts.

    Raises:
        UsageError: there is no draft of such an id.
        TailorError: a file cannot be read or written.
    """
    chosen = _chosen(knowledge, ids)
    for name in (DRAFTS, BENCHMARK):
        _delete(knowledge / name, chosen)
    return tuple(line.question for _, line in chosen)


def item(question: Question) -> dict[str, Any]:
    """A question as a line of a file holds it; its split is left to be assigned."""
    answers = list(question.answers)
    return {
        "id": question.id,
        "question": question.question,
        "answer": None if not answers else answers[0] if len(answers) == 1 else answers,
        "evidence": [{"document": e.document, "quote": e.quote} for e in question.evidence],
        "lang": question.lang,
        "tags": list(question.tags),
        **({"format": question.format} if question.format else {}),
    }


def _target(line: Line) -> str:
    return TRAINING if FOR_TRAINING in line.question.tags else BENCHMARK


def _approved(line: Line) -> dict[str, Any]:
    return {key: value for key, value in line.item.items() if key != "status"}


def _delete(path: Path, chosen: Sequence[tuple[Path, Line]]) -> None:
    own = [(line, None) for home, line in chosen if home == path]
    if own:
        edit(path, changed=own)


def _chosen(knowledge: Path, ids: Collection[str]) -> list[tuple[Path, Line]]:
    waiting = {line.question.id: (home, line) for home, line in _waiting(knowledge)}
    for id in ids:
        if id not in waiting:
            near = difflib.get_close_matches(id, waiting, 1)
            hint = f"did you mean {near[0]}?" if near else f"{len(waiting)} drafts wait."
            raise UsageError(f"There is no draft {id}; {hint}")
    return [waiting[id] for id in dict.fromkeys(ids)]


def _waiting(knowledge: Path) -> list[tuple[Path, Line]]:
    own = knowledge / DRAFTS
    found = [(own, line) for line in _lines(own)]
    benchmark = knowledge / BENCHMARK
    lines = read(benchmark)[0] if benchmark.exists() else []
    return found + [(benchmark, line) for line in lines if line.draft]


def _lines(path: Path) -> list[Line]:
    if not path.exists():
        return []
    lines, problems = read(path)
    if problems:
        raise TailorError(f"{problems[0]}; mend or delete this line.")
    return lines
