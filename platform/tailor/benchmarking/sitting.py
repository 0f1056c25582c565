"""A person answers question by question, without seeing the answers, and may stop at any time.

Every answer is kept at once in ``.tailor/people/``; :func:`finish` makes a row of them.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import Answer, Ask, digest
from tailor.benchmark import Question, Split
from tailor.benchmarking import human
from tailor.errors import TailorError, UsageError
from tailor.fault import hit
from tailor.text import nfc

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Sitting:
    """How far a person has come."""

    name: str
    questions: tuple[Question, ...]
    """All of the split, in the order in which they are asked."""
    given: Mapping[str, Answer]
    """By question id, those of earlier rows of the same person included."""
    new: int
    """How many of the answers are in no row yet."""

    @property
    def open(self) -> tuple[Question, ...]:
        """The questions that have no answer yet."""
        return tuple(q for q in self.questions if q.id not in self.given)


def sitting(workspace: Workspace, name: str, split: Split = "test", seed: int = 0) -> Sitting:
    """Where a person stands; the order is random, and the same each time.

    Raises:
        UsageError: the name is empty.
        TailorError: the split is empty, or the kept answers cannot be read.
    """
    name = _named(name)
    questions = list(workspace.benchmark.split(split))
    if not questions:
        raise TailorError(f"The benchmark has no {split} questions; choose another split.")
    random.Random(seed).shuffle(questions)
    kept, before = _kept(workspace, name), human.given_before(workspace, name)
    keys = {q.id: Ask(q.question).key for q in questions}
    found = {**before, **kept}
    return Sitting(
        name,
        tuple(questions),
        {id: found[key] for id, key in keys.items() if key in found},
        sum(key in kept for key in keys.values()),
    )


def give(workspace: Workspace, name: str, question: Question, text: str, seconds: float) -> None:
    """Keep an answer at once; a later one to the same question takes its place.

    Raises:
        UsageError: the name or the answer is empty, or no number or label where one is wanted.
        TailorError: it cannot be written.
    """
    name = _named(name)
    if not text.strip():
        raise UsageError("The answer is empty; write one, or say that there is none.")
    human.answered(text, seconds, workspace.format)
    entry = {"name": name, "ask": Ask(question.question).key, "answer": nfc(text).strip(),
             "seconds": round(seconds, 1)}  # fmt: skip
    path = _file(workspace, name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("ab") as file:
            hit("judgement.before")
            # A line that a crash tore apart ends before the new one begins.
            file.write(b"\n" + json.dumps(entry, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
            hit("judgement.after")
    except OSError as error:
        raise TailorError(
            f"The answer cannot be written to {path} ({error.strerror}); free disk space or "
            "permissions, then give it again."
        ) from None


def finish(workspace: Workspace, name: str) -> Run:
    """Make a row of the answers so far, or put them into the person's row.

    Raises:
        UsageError: the name is empty.
        TailorError: there are no new answers, or they cannot be stored.
    """
    name = _named(name)
    kept = _kept(workspace, name)
    given = [
        (q, kept[key])
        for q in workspace.benchmark.questions
        if (key := Ask(q.question).key) in kept
    ]
    if not given:
        raise TailorError(f"There are no new answers of {name}; answer a question first.")
    run, _ = human.take(workspace, name, given)
    _file(workspace, name).unlink(missing_ok=True)
    return run


def _named(name: str) -> str:
    if not (name := nfc(name).strip()):
        raise UsageError("Say who answers: write a name.")
    return name


def _file(workspace: Workspace, name: str) -> Path:
    return workspace.state / "people" / f"{digest(name)}.jsonl"


def _kept(workspace: Workspace, name: str) -> dict[str, Answer]:
    path = _file(workspace, name)
    try:
        lines = path.read_text("utf-8", errors="replace").split("\n")
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise TailorError(
            f"{path} cannot be read ({error.strerror}); see to its permissions."
        ) from None
    found = {}
    for line in lines:
        try:
            entry = json.loads(line)
            found[str(entry["ask"])] = human.answered(
                entry["answer"], float(entry["seconds"]), workspace.format
            )
        except (ValueError, TypeError, KeyError, UsageError):
            continue  # empty, or torn by a crash: that question is asked again
    return found
