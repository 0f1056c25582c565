"""Rows with their answers in a file, to be compared with those of another machine."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.answers_file import Given, Head, Line, Row, write
from tailor.assistant import Answer
from tailor.errors import TailorError, UsageError
from tailor.redaction import redacted
from tailor.run import Run, Step, run_of

if TYPE_CHECKING:
    from tailor.workspace import Workspace

_LONGEST_NAME = 60


@dataclass(frozen=True)
class ExportedAnswers:
    """What was written."""

    path: Path
    origin: str
    """What the rows will be marked with."""
    rows: tuple[str, ...]
    answers: int
    left_out: tuple[str, ...]
    """Why other rows were not written, a sentence each."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor export answers --json`` prints it."""
        return {**self.__dict__, "path": str(self.path)}


def export_answers(
    workspace: Workspace, path: Path, rows: Sequence[str] = (), name: str = ""
) -> ExportedAnswers:
    """Write these rows, or all that can be compared, with their answers to the benchmark.

    ``name`` is what the rows are marked with where they are imported, this machine's name when
    empty. Questions and answers are written as they are, with the passages that were found; no
    prompt or raw reply is, and no key, address or path of this machine in names and errors.

    Raises:
        UsageError: there is no such row, or the name cannot be used.
        TailorError: a row that was named is not complete or out of date, there is none to write,
            or the file cannot be written.
    """
    origin = named(name or platform.node().partition(".")[0] or "elsewhere")
    every = workspace.runs()
    asked = [run_of(every, row) for row in dict.fromkeys(rows)]
    reasons = {run.id: reason for run in asked or every if (reason := kept_back(run))}
    if asked and reasons:
        raise TailorError(next(iter(reasons.values())))
    runs = [run for run in asked or every if run.id not in reasons]
    if not runs:
        why = " ".join(reasons.values()) or "Run a stage first, with `tailor run all`."
        raise TailorError(f"There is no row to export. {why}")
    given = [_answers(run) for run in runs]
    head = Head(
        origin=origin,
        task=workspace.benchmark.task,
        benchmark=workspace.benchmark.digest,
        documents=documents_digest(workspace) if any(run.generation for run in runs) else None,
        versions={"llm-tailor": version("llm-tailor")},
    )

    def lines() -> Iterator[Line]:
        yield head
        for run, own in zip(runs, given, strict=True):
            yield _row(run, len(own))
            yield from own

    write(path, lines())
    names = tuple(f"{run.row} ({run.model})" for run in runs)
    return ExportedAnswers(path, origin, names, sum(map(len, given)), tuple(reasons.values()))


def named(origin: str) -> str:
    """What the rows of a machine are marked with.

    Raises:
        UsageError: it cannot be read as a name.
    """
    origin = origin.strip()
    if not 0 < len(origin) <= _LONGEST_NAME or not origin.isprintable() or "@" in origin:
        raise UsageError(
            f"{origin!r} cannot mark rows: give --name up to {_LONGEST_NAME} letters and digits, "
            "without @."
        )
    return origin


def documents_digest(workspace: Workspace) -> str | None:
    """Digest of the documents that are searched here; None where there is no index."""
    from tailor.documents.generation import Manifest, current

    folder = current(workspace.state)
    return None if folder is None else Manifest.read(folder).documents


def kept_back(run: Run) -> str:
    """Why a run is not written; empty where it is."""
    if run.origin:
        return f"{run.row} ({run.model}) came from {run.origin}: export it there."
    again = f"run `tailor run {run.row}`, then export it."
    if reason := run.stale():
        return f"{run.row} ({run.model}) is out of date ({reason}): {again}"
    if (status := run.state().status) != "complete":
        return f"{run.row} ({run.model}) is {status}: {again}"
    return ""


def _answers(run: Run) -> list[Given]:
    """Every answer to a question of the benchmark, each time it was asked."""
    found = []
    for repeat in range(run.repeats):
        for id, answer in run.answers("train", "dev", "test", repeat=repeat).items():
            found.append(Given(id, repeat, _carried(answer, run)))
    return found


def _carried(answer: Answer, run: Run) -> Answer:
    """An answer without keys of calls, which are of this machine's store."""
    return replace(answer, call="", calls=(), error=_neutral(answer.error, run))


def _row(run: Run, answers: int) -> Row:
    return Row(
        row=run.row,
        model=_neutral(run.model, run),
        previous=run.previous,
        base=run.base,
        on=run.on,
        lineage=tuple(
            Step(step.row, step.stage, _neutral(dict(step.settings), run)) for step in run.lineage
        ),
        fingerprint=run.fingerprint,
        position=run.position,
        started=run.started,
        versions={_neutral(name, run): own for name, own in run.versions.items()},
        notes=tuple(_neutral(note, run) for note in run.notes),
        repeats=run.repeats,
        chosen_by=run.chosen_by,
        retrieves=run.generation is not None,
        seconds=run.state().seconds,
        answers=answers,
    )


def _neutral(value: Any, run: Run) -> Any:
    """A value without secrets, and without where things lie on this machine."""
    if isinstance(value, dict):
        return {key: _neutral(own, run) for key, own in value.items()}
    if isinstance(value, list | tuple):
        return [_neutral(own, run) for own in value]
    if not isinstance(value, str):
        return value
    name = value.removeprefix("huggingface:")
    lies = Path(name).is_absolute() or name.startswith("~/")
    if lies and "\n" not in name and len(Path(name).parts) > 2:
        return value.removesuffix(name) + Path(name).name
    for folder in (run.workspace.root, Path.home()):
        if len(folder.parts) > 1:
            value = value.replace(f"{folder}/", "").replace(str(folder), folder.name)
    return redacted(value)
