"""People answer the benchmark without seeing the answers; theirs become a row like any other."""

from __future__ import annotations

import csv
import io
import os
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.assistant import Answer, Ask, digest, is_refusal
from tailor.benchmark import Question, Split
from tailor.benchmarking.file import write
from tailor.benchmarking.rows import rows
from tailor.errors import TailorError, UsageError
from tailor.run import Run, State, Step, all_runs
from tailor.scoring import format
from tailor.scoring.export import harmless
from tailor.scoring.groups import groups
from tailor.scoring.metrics import f1
from tailor.scoring.statistics import Interval, interval
from tailor.text import words

if TYPE_CHECKING:
    from tailor.answer_format import AnswerFormat
    from tailor.scoring.target import Target
    from tailor.task import Task
    from tailor.workspace import Workspace

ROW = "human"
SECONDS = "seconds (if you timed it)"
_NOTHING = {"-", "–", "—", "?", "n/a", "none"}


@dataclass(frozen=True)
class Agreement:
    """How alike two people answered the questions both have answered."""

    one: str
    other: str
    metric: Literal["f1", "good", "accuracy"]
    """Of one's answers against the other's, as if those were the accepted ones."""
    alike: Interval

    def to_json(self) -> dict[str, Any]:
        """As ``tailor benchmark human import --json`` lists it."""
        own = self.alike
        mean = {"mean": own.mean, "ci95": [own.low, own.high], "n": own.n}
        return {"people": [self.one, self.other], self.metric: mean}

    def sentence(self, lang: str = "en") -> str:
        """As people read it, in English or Vietnamese."""
        mean, low, high = (
            format.percent(x, lang) for x in (self.alike.mean, self.alike.low, self.alike.high)
        )
        n = format.count(self.alike.n, lang)
        told = _AGREE[lang][self.metric]
        return told.format(one=self.one, other=self.other, mean=mean, low=low, high=high, n=n)


_AGREE = {
    "en": {
        "f1": "{one} and {other} agree by F1 {mean} ({low} to {high}) on {n} questions.",
        "good": "{one} and {other} are close to each other in {mean} ({low} to {high}) of {n} "
        "items.",
        "accuracy": "{one} and {other} name the same label for {mean} ({low} to {high}) of {n} "
        "items.",
    },
    "vi": {
        "f1": "{one} và {other} giống nhau theo F1 {mean} ({low} đến {high}) trên {n} câu hỏi.",
        "good": "{one} và {other} đoán gần nhau ở {mean} ({low} đến {high}) trong {n} mục.",
        "accuracy": "{one} và {other} chọn cùng nhãn cho {mean} ({low} đến {high}) trong {n} mục.",
    },
}


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
    table.writerow(map(harmless, head(workspace)))
    for question in questions[:n]:
        table.writerow([harmless(question.id), harmless(question.question), "", ""])
    write(path, "\ufeff" + out.getvalue())  # the mark makes spreadsheets read it as UTF-8
    return len(questions[:n])


def head(workspace: Workspace) -> tuple[str, str, str, str]:
    """The columns of the file that people fill in; says what is asked for."""
    wanted = workspace.format
    if wanted.kind == "number":
        unit = wanted.currency or wanted.unit
        asked = f'a number{f", in {unit}" if unit else ""}; "-": I cannot say'
    elif wanted.kind == "label":
        asked = f'one of {", ".join(wanted.labels)}; "-": I cannot say'
    else:
        asked = '"-": the documents do not say'
    return "id", "question", f"answer ({asked})", SECONDS


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
    others = {r.model: r for r in all_runs(workspace) if _of(r) not in (None, name)}
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


def answered(text: str, seconds: float = 0.0, wanted: AnswerFormat | None = None) -> Answer:
    """What a person wrote, as an answer; ``-`` and the like say that there is none.

    Raises:
        UsageError: a number or a label is wanted, and the text holds none.
    """
    said = text.strip()
    refused = said.casefold() in _NOTHING or is_refusal(said)
    if wanted is not None and wanted.kind != "text" and not refused:
        found = wanted.parse(said)
        if found is None and wanted.kind == "number":
            raise UsageError(f"{said!r} holds no number; write one such as 25 or 1,299.00.")
        if found is None:
            raise UsageError(f"{said!r} is no label; there are {', '.join(wanted.labels)}.")
        said = found
    return Answer(
        outcome="refused" if refused else "ok",
        text=said,
        seconds=seconds,
        cost_usd=None,  # people are paid, but not by the question
    )


def agreement(runs: Sequence[Run], only: str | None = None) -> list[Agreement]:
    """Each two people's answers against each other's, on the questions both have answered.

    The mean F1 of tokens, as SQuAD's human score (Rajpurkar et al. 2016); of numbers how often
    each would be good if the other were true, of labels how often both are the same. Two who both
    say that there is no answer agree.
    """
    found: list[Agreement] = []
    if not runs:
        return found
    target = runs[0].workspace.target
    metrics: dict[Task, Literal["f1", "good", "accuracy"]] = {
        "answer": "f1", "number": "good", "label": "accuracy",
    }  # fmt: skip
    for a, b in combinations(runs, 2):
        if only in (None, a.model, b.model):
            left = a.answers("train", "dev", "test")
            right = b.answers("train", "dev", "test")
            both = [q for q in a.workspace.benchmark.questions if q.id in left and q.id in right]
            alike = interval([_alike(left[q.id], right[q.id], target) for q in both], groups(both))
            if alike is not None:
                found.append(Agreement(a.model, b.model, metrics[target.task], alike))
    return found


def people(workspace: Workspace) -> list[Run]:
    """The newest run of every person."""
    return [run for run in workspace.runs() if _of(run)]


def _alike(a: Answer, b: Answer, target: Target) -> float:
    if a.outcome != b.outcome:
        return 0.0
    if a.outcome == "refused":
        return 1.0
    if target.by is not None:
        one, other = float(a.text), float(b.text)
        both = target.by.grade(one, other), target.by.grade(other, one)
        return both.count("good") / 2
    return float(a.text == b.text) if target.task == "label" else f1(a.text, [b.text])


def _of(run: Run) -> str | None:
    return run.model if run.imported and run.row == ROW else None


def _read(workspace: Workspace, path: Path) -> tuple[list[tuple[Question, Answer]], int, list[str]]:
    """Questions with answers, how many were left open, and what could not be used."""
    if not os.path.isfile(os.path.expanduser(path)):
        raise TailorError(f"There is no file {path}; see to its path.")
    every = workspace.benchmark.questions
    # As it was exported, where a spreadsheet would run what an id begins with.
    questions = {str(harmless(q.id)).strip(): q for q in every}
    questions |= {q.id.strip(): q for q in every}
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
            if words(cells["question"]) != words(question.question):
                raise ValueError(f"the question {question.id} was changed since it was exported")
            if not cells["answer"].strip():
                blank += 1
                continue
            if question.id in taken:
                raise ValueError(f"the question {question.id} is answered in an earlier line")
            seconds = _seconds(cells.get("seconds", ""))
            answer = answered(cells["answer"], seconds, workspace.format)
            taken[question.id] = question, answer
        except (ValueError, UsageError) as error:
            problems.append(f"{path}:{number}: {str(error).rstrip('.')}.")
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
