"""The benchmark: the one set of questions every stage is scored on."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, get_args

from tailor.assistant import Ask, digest
from tailor.errors import TailorError
from tailor.task import Task
from tailor.text import fold, language, nfc, words

Split = Literal["train", "dev", "test"]


@dataclass(frozen=True)
class Evidence:
    """Where the documents say it: a document and a quote from it."""

    document: str
    quote: str


@dataclass(frozen=True)
class Question:
    """One question with the answers that are accepted."""

    id: str
    question: str
    answers: tuple[str, ...]
    """Accepted answers, the preferred one first; empty: the documents do not say."""
    evidence: tuple[Evidence, ...] = ()
    lang: str = "en"
    tags: tuple[str, ...] = ()
    split: Split = "test"
    format: str | None = None
    """A regular expression the whole answer must match."""

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return bool(self.answers)


@dataclass(frozen=True)
class Problem:
    """A line of a benchmark file that was refused."""

    path: Path
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.message}"


@dataclass(frozen=True)
class Line:
    """A line of a benchmark file that holds a question."""

    number: int
    item: Mapping[str, Any]
    """As it is written, Unicode form included."""
    question: Question
    draft: bool = False
    """It waits for approval, and counts nowhere before."""

    @property
    def has_split(self) -> bool:
        """Whether the line names a split."""
        return self.item.get("split") is not None


@dataclass(frozen=True)
class Benchmark:
    """The questions of a workspace, in file order."""

    questions: tuple[Question, ...]
    task: Task = "answer"
    problems: tuple[Problem, ...] = ()
    drafts: tuple[Question, ...] = ()
    """Questions that wait for approval; no split holds them."""

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """What task ``label`` chooses from: every label of an item, by the alphabet."""
        if self.task != "label":
            return ()
        return tuple(sorted({label for q in self.questions for label in q.answers}))

    @cached_property
    def digest(self) -> str:
        """Content hash of the questions and everything that can change a score."""
        return digest([self.task, [q.__dict__ for q in self.questions]])

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """Under which key each question's answers are stored, by its id."""
        return {q.id: Ask(q.question).key for q in self.questions}

    def split(self, *names: Split) -> tuple[Question, ...]:
        """The questions of these splits, in file order."""
        return tuple(q for q in self.questions if q.split in names)

    @classmethod
    def load(cls, path: Path) -> Benchmark:
        """Read ``benchmark.jsonl``; lines that cannot be used are named in ``problems``.

        Raises:
            TailorError: the file is missing, not UTF-8, or holds no usable question.
        """
        return cls.of(path, *read(path))

    @classmethod
    def of(
        cls,
        path: Path,
        lines: Sequence[Line],
        problems: Sequence[Problem],
        task: Task = "answer",
    ) -> Benchmark:
        """The benchmark that these lines of a file make; of two that are alike the first counts.

        Questions without a split are given one: see `tailor.benchmarking.splitting.draw`.

        Raises:
            TailorError: there is no usable question among them.
        """
        from tailor.benchmarking.splitting import draw, shares_of

        problems = list(problems)
        kept: list[Line] = []
        first_line: dict[str, int] = {}
        for line in lines:
            question = line.question
            keys = (("id", question.id), ("question", fold(question.question)))
            seen = [
                (what, first_line.setdefault(f"{what} {key}", line.number)) for what, key in keys
            ]
            if again := [(what, number) for what, number in seen if number != line.number]:
                what, number = again[0]
                told = f"the same {what} as line {number}; change or delete one"
                problems.append(Problem(path, line.number, told))
            else:
                kept.append(line)
        problems.sort(key=lambda problem: problem.line)
        drafts = tuple(line.question for line in kept if line.draft)
        approved = [line for line in kept if not line.draft]
        if not approved:
            hint = f" First: line {problems[0].line}, {problems[0].message}." if problems else ""
            if drafts:
                hint += f" {len(drafts)} drafts wait for approval."
            if not hint:
                hint = (
                    " Write one question a line, import a table with `tailor benchmark import`, or "
                    "have some drafted with `tailor benchmark draft`."
                )
            raise TailorError(f"{path} holds no usable question.{hint}")
        unassigned = {line.question.id for line in approved if not line.has_split}
        questions = draw((line.question for line in approved), unassigned, shares=shares_of(task))
        return cls(questions, task, tuple(problems), drafts)


def read(path: Path) -> tuple[list[Line], list[Problem]]:
    """Every line of a benchmark file that holds a question, and those that do not.

    Nothing is compared: questions may repeat each other, and a split is only what a line names.

    Raises:
        TailorError: the file is missing or not UTF-8.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise TailorError(
            f"There is no benchmark at {path}: write one question a line, like "
            '{"question": "...", "answer": "...", "evidence": []}.'
        ) from None
    try:
        # Not splitlines: JSON texts may hold other line separators as they are.
        texts = raw.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        at = raw[: error.start].count(b"\n") + 1
        raise TailorError(f"{path}:{at}: not UTF-8; save the file as UTF-8.") from None
    lines: list[Line] = []
    problems: list[Problem] = []
    for number, text in enumerate(texts, 1):
        if text.strip():
            try:
                lines.append(_line(text, number))
            except ValueError as error:
                problems.append(Problem(path, number, str(error)))
    return lines, problems


_KEYS = {"id", "question", "answer", "evidence", "lang", "tags", "split", "format", "status"}


def _line(text: str, number: int) -> Line:
    try:
        written: Any = json.loads(text, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        told = error.msg.removesuffix(" at")
        raise ValueError(f"not JSON ({told} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("not a question: nested too deeply") from None
    if not isinstance(written, dict):
        raise ValueError("not a JSON object; write one question a line")
    return as_line(written, number)


def as_line(item: Mapping[str, Any], number: int) -> Line:
    """A line as it would be read from a file.

    Raises:
        ValueError: it is no question; the message says why.
    """
    return Line(number, item, _question(_composed(item), number), _is_draft(item))


def _composed(value: Any) -> Any:
    if isinstance(value, dict):
        return {nfc(key): _composed(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_composed(inner) for inner in value]
    return nfc(value) if isinstance(value, str) else value


def _is_draft(item: Mapping[str, Any]) -> bool:
    status = item.get("status", "approved")
    if status not in ("approved", "draft"):
        raise ValueError(f'"status" is {status!r}; it must be draft or approved')
    return bool(status == "draft")


def _question(item: Mapping[str, Any], number: int) -> Question:
    if unknown := sorted(item.keys() - _KEYS):
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}")
    text = item.get("question")
    if not isinstance(text, str) or not words(text):
        raise ValueError('"question" must be a text')
    if "answer" not in item:
        raise ValueError('"answer" is missing; null says that the documents do not say')
    split = item.get("split")
    if split is not None and split not in get_args(Split):
        raise ValueError(f'"split" is {split!r}; it must be train, dev or test')
    tags = item.get("tags", [])
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise ValueError('"tags" must be a list of texts')
    id, format = item.get("id"), item.get("format")
    if id is not None and (isinstance(id, bool) or not isinstance(id, str | int) or id == ""):
        raise ValueError('"id" must be a text or a whole number')
    if format is not None:
        try:
            re.compile(format)
        except (TypeError, re.error) as error:
            raise ValueError(f'"format" is not a regular expression ({error})') from None
    return Question(
        id=f"line-{number}" if id is None else str(id),
        question=text,
        answers=_answers(item["answer"]),
        evidence=_evidence(item.get("evidence", [])),
        lang=str(item.get("lang") or language(text)),
        tags=tuple(tags),
        split=split or "test",
        format=format,
    )


def _not_json(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON; write a number or null")


def _answers(answer: Any) -> tuple[str, ...]:
    if answer is None:
        return ()
    accepted = answer if isinstance(answer, list) else [answer]
    if not accepted or any(
        isinstance(a, bool) or not isinstance(a, str | int | float) or not str(a).strip()
        for a in accepted
    ):
        raise ValueError('"answer" must be a text, a number, a list of texts, or null')
    return tuple(str(a) for a in accepted)


def _evidence(items: Any) -> tuple[Evidence, ...]:
    if not isinstance(items, list) or not all(
        isinstance(e, dict)
        and isinstance(e.get("document"), str)
        and isinstance(e.get("quote"), str)
        for e in items
    ):
        raise ValueError('"evidence" must be a list of {"document": ..., "quote": ...}')
    return tuple(Evidence(e["document"], e["quote"]) for e in items)
