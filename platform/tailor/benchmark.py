"""The benchmark: the one set of questions every stage is scored on."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.text import fold, language, nfc, words

Split = Literal["train", "dev", "test"]
SHARES: dict[Split, float] = {"train": 0.3, "dev": 0.2, "test": 0.5}
"""How questions without a split are shared out."""


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
class Benchmark:
    """The questions of a workspace, in file order."""

    questions: tuple[Question, ...]
    task: Literal["answer"] = "answer"
    problems: tuple[Problem, ...] = ()

    @property
    def digest(self) -> str:
        """Content hash of the questions and everything that can change a score."""
        return digest([self.task, [q.__dict__ for q in self.questions]])

    def split(self, *names: Split) -> tuple[Question, ...]:
        """The questions of these splits, in file order."""
        return tuple(q for q in self.questions if q.split in names)

    @classmethod
    def load(cls, path: Path) -> Benchmark:
        """Read ``benchmark.jsonl``; lines that cannot be used are named in ``problems``.

        Raises:
            TailorError: the file is missing, not UTF-8, or holds no usable question.
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
            lines = nfc(raw.decode("utf-8-sig")).split("\n")
        except UnicodeDecodeError as error:
            at = raw[: error.start].count(b"\n") + 1
            raise TailorError(f"{path}:{at}: not UTF-8; save the file as UTF-8.") from None
        questions: list[Question] = []
        unassigned: set[str] = set()
        problems: list[Problem] = []
        first_line: dict[str, int] = {}
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                question, has_split = _question(line, number)
                for what, key in (("id", question.id), ("question", fold(question.question))):
                    if (seen := first_line.setdefault(f"{what} {key}", number)) != number:
                        raise ValueError(f"the same {what} as line {seen}; change or delete one")
            except ValueError as error:
                problems.append(Problem(path, number, str(error)))
                continue
            questions.append(question)
            if not has_split:
                unassigned.add(question.id)
        if not questions:
            first = f" First: line {problems[0].line}, {problems[0].message}." if problems else ""
            raise TailorError(f"{path} holds no usable question.{first}")
        return cls(assign_splits(questions, unassigned), problems=tuple(problems))


def assign_splits(
    questions: Iterable[Question], unassigned: set[str], seed: int = 0
) -> tuple[Question, ...]:
    """Give a split to the questions named in ``unassigned``, those on shared documents together.

    Questions are one group when a chain of shared documents joins them. A group takes the split
    that its questions have already (of several: test before dev before train), which itself never
    changes. Any other group is drawn by ``SHARES`` with a hash of its first document's name or,
    without documents, of the question's id (its text, where the id is only the line number).

    So a new question moves others only where it joins their documents to others. The shares hold
    on average: a benchmark on a handful of documents can leave a split empty.
    """
    questions = list(questions)
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parents.setdefault(name, name)) != name:
            parents[name] = parents[above]  # shortens the way for the next time
            name = above
        return name

    for q in questions:
        first, *others = _subjects(q)
        for other in others:
            # The first name by the alphabet becomes the root, whatever the order of the questions.
            low, high = sorted((root(first), root(other)))
            parents[high] = low
    taken: dict[str, set[Split]] = {}
    for q in questions:
        if q.id not in unassigned:
            taken.setdefault(root(_subjects(q)[0]), set()).add(q.split)

    def split_of(q: Question) -> Split:
        group = root(_subjects(q)[0])
        given = taken.get(group, ())
        return next((s for s in _PULL if s in given), None) or _drawn(f"{seed} {group}")

    return tuple(replace(q, split=split_of(q)) if q.id in unassigned else q for q in questions)


_PULL: tuple[Split, ...] = ("test", "dev", "train")


def _subjects(q: Question) -> list[str]:
    """What a question is about: its documents, else nothing but itself."""
    if q.evidence:
        return sorted({f"document {e.document}" for e in q.evidence})
    numbered = re.fullmatch(r"line-\d+", q.id)  # such an id changes with every line above it
    return [f"question {q.question if numbered else q.id}"]


def _drawn(text: str) -> Split:
    """A split by ``SHARES``, always the same for the same text."""
    raw = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    rest = int.from_bytes(raw[:6], "big") / 2**48
    for name, share in SHARES.items():
        if rest < share:
            return name
        rest -= share
    return name


_KEYS = {"id", "question", "answer", "evidence", "lang", "tags", "split", "format"}


def _question(line: str, number: int) -> tuple[Question, bool]:
    try:
        item: Any = json.loads(line, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("not a question: nested too deeply") from None
    if not isinstance(item, dict):
        raise ValueError("not a JSON object; write one question a line")
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
    return (
        Question(
            id=f"line-{number}" if id is None else str(id),
            question=text,
            answers=_answers(item["answer"]),
            evidence=_evidence(item.get("evidence", [])),
            lang=str(item.get("lang") or language(text)),
            tags=tuple(tags),
            split=split or "test",
            format=format,
        ),
        split is not None,
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
