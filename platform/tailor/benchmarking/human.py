"""People answer the benchmark without seeing the answers; theirs become a row like any other."""

from __future__ import annotations

import csv
import io
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.assistant import Answer, Ask, digest, is_refusal
from tailor.benchmark import Question, Split
from tailor.benchmarking.file import write
from tailor.benchmarking.rows import rows
from tailor.errors import TailorError, UsageError
from tailor.run import Run, State, Step, all_runs
from tailor.scoring.metrics import f1
from tailor.scoring.statistics import Interval, interval

if TYPE_CHECKING:
    from tailor.workspace import Workspace

ROW = "human"
HEAD = ("id", "question", 'answer ("-": the documents do not say)', "seconds (if you timed it)")
_NOTHING = {"-", "–", "—", "?", "n/a", "none"}


@dataclass(frozen=True)
class Agreement:
    """How alike two people answered the questions both have answered."""

    one: str
    other: str
    f1: Interval
    """Of one's answers against the other's, as if those were the accepted ones."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor benchmark human import --json`` lists it."""
        mean = {"mean": self.f1.mean, "ci95": [self.f1.low, self.f1.high], "n": self.f1.n}
        return {"people": [self.one, self.other], "f1": mean}


@dataclass(frozen=True)
class Answered:
    """What a person's file brought."""

    run: Run
    taken: int
    """Answers read from the file."""
    before: int
    """Answers the same person had given to other questions."""
    blank: int
    """Questions that were left open."""
    problems: tuple[str, ...]
    """Lines that could not be used, each with file, line and reason."""
    agreement: tuple[Agreement, ...]
    """With everybody else who has answered."""


def export(
    workspace: Workspace, path: Path, split: Split = "test", n: int | None = None, seed: int = 0
) -> int:
    """Write questions for people to answer, in random order, without answers, tags or evidence.

    Returns how many.

    Raises:
        TailorError: the split is empty, the file is there already, or it cannot be written.
    """
    questions = list(workspace.benchmark.split(split))
    if not questions:
        raise TailorError(f"The benchmark has no {split} questions; choose another --split.")
    if path.exists():
        raise TailorError(f"{path} is there already, maybe with answers; choose another name.")
    random.Random(seed).shuffle(questions)
    out = io.StringIO(newline="")
    table = csv.writer(out)
    table.writerow(HEAD)
    for question in questions[:n]:
        table.writerow([question.id, _plain(question.question), "", ""])
    write(path, "\ufeff" + out.getvalue())  # the mark makes spreadsheets read it as UTF-8
    return len(questions[:n])


def import_answers(workspace: Workspace, path: Path, name: str) -> Answered:
    """Take a person's answers as a run; those given before are kept where not answered anew.

    Raises:
        TailorError: the file cannot be read or holds no answer to a question of the benchmark.
        UsageError: the name is empty.
    """
    name = name.strip()
    if not name:
        raise UsageError('Say who answered: --name "Ann"')
    given, blank, problems = _read(workspace, path)
    if not given:
        first = f" {problems[0]}" if problems else ""
        raise TailorError(f"{path} holds no answer to a question of the benchmark.{first}")
    run, before = take(workspace, name, given)
    others = {r.model: r for r in all_runs(workspace) if r.imported and r.model != name}
    return Answered(
        run=run,
        taken=len(given),
        before=before,
        blank=blank,
        problems=tuple(problems),
        agreement=tuple(agreement([run, *others.values()], only=name)),
    )


def take(
    workspace: Workspace, name: str, given: Sequence[tuple[Question, Answer]]
) -> tuple[Run, int]:
    """A person's answers as a run, and how many earlier ones it keeps.

    Raises:
        TailorError: the answers cannot be stored.
    """
    former = given_before(workspace, name)
    answers = {**former, **{Ask(q.question).key: answer for q, answer in given}}
    return _record(workspace, name, answers), len(answers) - len(given)


def given_before(workspace: Workspace, name: str) -> dict[str, Answer]:
    """The answers of a person's newest run, by the question's key."""
    former = next((run for run in reversed(all_runs(workspace)) if _of(run) == name), None)
    return workspace.answers.answers(former.fingerprint) if former else {}


def answered(text: str, seconds: float = 0.0) -> Answer:
    """What a person wrote, as an answer; ``-`` and the like say that the documents do not say."""
    said = text.strip()
    refused = said.casefold() in _NOTHING or is_refusal(said)
    return Answer(
        outcome="refused" if refused else "ok",
        text=said,
        seconds=seconds,
        cost_usd=None,  # people are paid, but not by the question
    )


def agreement(runs: Sequence[Run], only: str | None = None) -> list[Agreement]:
    """Each two people's answers against each other's, on the questions both have answered.

    The mean F1 of tokens, as SQuAD's human score (Rajpurkar et al. 2016); two who both say that
    the documents do not say agree.
    """
    found = []
    for a, b in combinations(runs, 2):
        if only in (None, a.model, b.model):
            left = a.answers("train", "dev", "test")
            right = b.answers("train", "dev", "test")
            alike = interval([_alike(left[id], right[id]) for id in left if id in right])
            if alike is not None:
                found.append(Agreement(a.model, b.model, alike))
    return found


def people(workspace: Workspace) -> list[Run]:
    """The newest run of every person."""
    return [run for run in workspace.runs() if run.imported]


def _alike(a: Answer, b: Answer) -> float:
    if a.outcome != b.outcome:
        return 0.0
    return 1.0 if a.outcome == "refused" else f1(a.text, [b.text])


def _of(run: Run) -> str | None:
    return run.model if run.imported and run.row == ROW else None


def _read(workspace: Workspace, path: Path) -> tuple[list[tuple[Question, Answer]], int, list[str]]:
    """Questions with answers, how many were left open, and what could not be used."""
    if not path.expanduser().is_file():
        raise TailorError(f"There is no file {path}; see to its path.")
    questions = {q.id: q for q in workspace.benchmark.questions}
    taken: dict[str, tuple[Question, Answer]] = {}
    blank, problems = 0, []
    for number, row in rows(str(path)):
        cells = {name.split(" ")[0].casefold(): str(value or "") for name, value in row.items()}
        if not {"id", "question", "answer"} <= cells.keys():
            raise TailorError(
                f"{path}: the columns id, question and answer are needed; there are "
                f"{', '.join(row)}. Fill in the file that `tailor benchmark human export` wrote."
            )
        question = questions.get(cells["id"].strip())
        try:
            if question is None:
                raise ValueError(f"there is no question {cells['id'].strip()!r} in the benchmark")
            if _words(cells["question"]) != _words(question.question):
                raise ValueError(f"the question {question.id} was changed since it was exported")
            if not cells["answer"].strip():
                blank += 1
                continue
            if question.id in taken:
                raise ValueError(f"the question {question.id} is answered in an earlier line")
            answer = answered(cells["answer"], _seconds(cells.get("seconds", "")))
            taken[question.id] = question, answer
        except ValueError as error:
            problems.append(f"{path}:{number}: {error}.")
    return list(taken.values()), blank, problems


def _seconds(text: str) -> float:
    """``12``, ``12.5``, ``12,5`` or ``1:30``; 0 where no time was taken."""
    text = text.strip()
    if not text:
        return 0.0
    match = re.fullmatch(r"(?:(\d+):)?(\d+(?:[.,]\d+)?)", text)
    if not match:
        raise ValueError(f"the time {text!r} is not a number of seconds")
    return 60 * int(match[1] or 0) + float(match[2].replace(",", "."))


def _record(workspace: Workspace, name: str, answers: Mapping[str, Answer]) -> Run:
    fingerprint = digest([ROW, name, {key: a.__dict__ for key, a in answers.items()}])
    for key, answer in answers.items():
        workspace.answers.keep_answer(fingerprint, key, answer)
    run = Run(
        id=f"{ROW}-{fingerprint[:10]}",
        row=ROW,
        model=name,
        previous=None,
        base=None,
        lineage=(Step(ROW, ROW, {}),),
        fingerprint=fingerprint,
        benchmark=workspace.benchmark.digest,
        generation=None,
        position=0,
        sequence=max((run.sequence for run in all_runs(workspace)), default=0) + 1,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={"llm-tailor": version("llm-tailor")},
        workspace=workspace,
        imported=True,
    )
    run.save(State("complete", len(answers), len(answers), 0, 0))
    return run


def _plain(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in "=+-@" else text


def _words(text: str) -> list[str]:
    from tailor.text import words

    return words(text)
