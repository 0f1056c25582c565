"""Changes to the benchmark as a table holds them: checked row by row, saved all or none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest
from tailor.benchmark import Line, as_line, read
from tailor.benchmarking.check import by_line
from tailor.benchmarking.file import edit
from tailor.benchmarking.finding import Finding
from tailor.text import nfc, words

if TYPE_CHECKING:
    from tailor.config import Config
    from tailor.workspace import Workspace

BETWEEN = " | "
"""Stands between accepted answers, and between tags, in one cell."""
Cell = str | bool | None


@dataclass(frozen=True)
class Row:
    """A question as a table shows it."""

    question: str = ""
    answer: str = ""
    """Accepted answers with ``BETWEEN`` between them."""
    not_said: bool = False
    """The documents do not say."""
    document: str = ""
    """Of the first piece of evidence, as is ``quote``; others are kept as they are."""
    quote: str = ""
    split: str = ""
    """Empty: drawn."""
    lang: str = ""
    """Empty: told by the letters."""
    tags: str = ""
    id: str = ""


@dataclass(frozen=True)
class Changes:
    """What an editor did to the lines that it was given."""

    changed: Mapping[int, Mapping[str, Cell]]
    """By position: cells by the name of a field of :class:`Row`."""
    added: Sequence[Mapping[str, Cell]]
    deleted: Sequence[int]


@dataclass(frozen=True)
class Checked:
    """Whether changes may be saved, and what is wrong with them."""

    lines: tuple[tuple[Line, Line | None], ...]
    """Lines that change with what they become; None: deleted."""
    added: tuple[Line, ...]
    findings: tuple[Finding, ...]
    """Of changed and added lines."""
    last: int
    """The number of the file's last line, after which the new ones are numbered."""

    @property
    def errors(self) -> tuple[Finding, ...]:
        """Why nothing may be saved; empty when it may."""
        return tuple(f for f in self.findings if f.level == "error" and f.line is not None)

    @property
    def count(self) -> int:
        """How many lines change, are added or deleted."""
        return len(self.lines) + len(self.added)


def editable(path: Path) -> tuple[Line, ...]:
    """The lines of a benchmark file that hold questions and are no drafts.

    Raises:
        TailorError: it is not UTF-8.
    """
    return tuple(line for line in read(path)[0] if not line.draft) if path.exists() else ()


def row(line: Line) -> Row:
    """How a table shows a line."""
    question, item = line.question, line.item
    first = question.evidence[0] if question.evidence else None
    return Row(
        question=question.question,
        answer=BETWEEN.join(question.answers),
        not_said=not question.answerable,
        document=first.document if first else "",
        quote=first.quote if first else "",
        split=question.split if line.has_split else "",
        lang=question.lang if item.get("lang") else "",
        tags=BETWEEN.join(question.tags),
        id=question.id if "id" in item else "",
    )


def checked(workspace: Workspace, lines: Sequence[Line], changes: Changes) -> Checked:
    """Look at what the lines would be; what was wrong before and is left alone is not told.

    Raises:
        TailorError: the benchmark or the stored documents cannot be read.
    """
    config = workspace.config
    found: list[Finding] = []
    became: list[tuple[Line, Line | None]] = [(lines[at], None) for at in changes.deleted]
    for at, cells in changes.changed.items():
        if at not in changes.deleted:
            line = lines[at]
            new = _edited(line.item, row(line), cells)
            if "answer" in cells:
                new = _predicted(new, config)
            after = _line(new, line.number, found, config)
            became.append((line, after or line))
    added = []
    last = _last(workspace.knowledge / "benchmark.jsonl")
    for number, cells in enumerate(filter(_filled, changes.added), last + 1):
        typed = _predicted(_named(_edited({}, Row(), cells)), config)
        if (made := _line(typed, number, found, config)) is not None:
            added.append(made)
    after_all = {before.number: after for before, after in became}
    kept = (after_all.get(line.number, line) for line in lines)
    whole = [line for line in (*kept, *added) if line is not None]
    told = {finding.line for finding in found}
    own = {line.number for line in (*after_all.values(), *added) if line is not None} - told
    if own:
        found += by_line(workspace, whole, own)
    found.sort(key=lambda f: (f.line is None, f.line or 0))
    told_of = tuple(replace(finding, task=config.task) for finding in found)
    return Checked(tuple(became), tuple(added), told_of, last)


def save(workspace: Workspace, checked: Checked) -> None:
    """Write the changes, all at once; keys that the table does not show stay as they are.

    Raises:
        ValueError: there are errors.
        TailorError: the file changed meanwhile, or it cannot be written; it stays as it was.
    """
    if checked.errors:
        raise ValueError("lines with errors are not saved")
    path = workspace.knowledge / "benchmark.jsonl"
    edit(
        path,
        [(before, None if after is None else after.item) for before, after in checked.lines],
        [line.item for line in checked.added],
    )
    workspace.forget_benchmark()


def _edited(item: Mapping[str, Any], before: Row, cells: Mapping[str, Cell]) -> dict[str, Any]:
    """An item with what was typed; keys that were left alone keep their very form."""
    typed = {name: _typed(value) for name, value in cells.items()}
    after = replace(before, **typed)
    new = dict(item)
    if "question" in typed or "question" not in item:
        new["question"] = after.question
    if {"answer", "not_said"} & typed.keys() or "answer" not in item:
        new["answer"] = None if after.not_said else _one_or_all(_parts(after.answer))
    if {"document", "quote"} & typed.keys():
        first = {"document": after.document, "quote": after.quote}
        others = list(item.get("evidence", []))[1:]
        new["evidence"] = [first, *others] if any(first.values()) else others
    for name, value in (("split", after.split), ("lang", after.lang), ("id", after.id)):
        if name in typed:
            new.pop(name, None)
            new |= {name: value} if value else {}
    if "tags" in typed:
        new["tags"] = _parts(after.tags)
    return new


def _typed(value: Cell) -> Any:
    if isinstance(value, bool):
        return value
    return nfc(value or "").strip()


def _one_or_all(answers: list[str]) -> str | list[str]:
    return answers if len(answers) > 1 else "".join(answers)


def _parts(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(BETWEEN.strip()) if part.strip()]


def _named(item: Mapping[str, Any]) -> dict[str, Any]:
    """With an id of its own, which stays when lines above are deleted."""
    return {"id": f"q-{digest(item['question'])[:8]}", **item}


def _predicted(item: dict[str, Any], config: Config) -> dict[str, Any]:
    """Of task label with the label as it was typed, of task number with a number in its place."""
    if config.task == "answer" or not item["answer"]:
        return item
    answer = item["answer"]
    text = BETWEEN.join(answer) if isinstance(answer, list) else str(answer)
    if config.task == "number" and (value := _number(text, item, config)) is not None:
        return {**item, "answer": int(value) if value.is_integer() else value}
    return {**item, "answer": text}


def _number(text: str, item: Mapping[str, Any], config: Config) -> float | None:
    from tailor.prediction.parsing import number

    return number(text, config.items.currency, config.items.unit, str(item.get("lang") or ""))


def _line(
    item: Mapping[str, Any], number: int, found: list[Finding], config: Config
) -> Line | None:
    """The line, or None with the reason among the findings."""
    id = str(item.get("id") or "")
    if not words(item["question"]):
        found.append(Finding("no_question", number, id))
    elif item["answer"] == "":
        kind = "no_answer" if config.task == "answer" else "no_value"
        found.append(Finding(kind, number, id))
    elif config.task == "number" and _no_number(item, config):
        found.append(Finding("no_number", number, id, {"answer": item["answer"]}))
    else:
        try:
            return as_line(item, number)
        except ValueError as error:
            found.append(Finding("syntax", number, id, {"message": str(error)}))
    return None


def _no_number(item: Mapping[str, Any], config: Config) -> bool:
    answer = item["answer"]
    return isinstance(answer, str) and _number(answer, item, config) is None


def _filled(cells: Mapping[str, Cell]) -> bool:
    return any(isinstance(cell, str) and cell.strip() for cell in cells.values())


def _last(path: Path) -> int:
    """The number of the last line of a file."""
    if not path.exists():
        return 0
    lines, problems = read(path)
    return max((*(one.number for one in lines), *(one.line for one in problems)), default=0)
