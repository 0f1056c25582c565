"""Rows that another machine has answered, taken in from its file; nothing is asked again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.answers_file import Given, Head, Row, read
from tailor.assistant import Answer, digest
from tailor.errors import TailorError
from tailor.exporting.answers import documents_digest, named
from tailor.run import Run, State, all_runs

if TYPE_CHECKING:
    from tailor.workspace import Workspace

_AT_ONCE = 500
"""Answers in memory, and committed, at a time."""


@dataclass(frozen=True)
class ImportedAnswers:
    """What a file brought."""

    origin: str
    """What the rows are marked with."""
    rows: tuple[str, ...]
    """As comparisons name them, ROW@MODEL@ORIGIN."""
    answers: int
    new: int
    """Answers that were not here before."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor import answers --json`` prints it."""
        return dict(self.__dict__)


def import_answers(workspace: Workspace, path: Path, name: str = "") -> ImportedAnswers:
    """Take in the rows of a file that `export_answers` wrote on another machine.

    They are compared like others and never chosen, for their assistants are not here. The whole
    file is checked before anything is stored; taken in again, it changes nothing.

    Raises:
        UsageError: the name cannot be used.
        TailorError: the file is cut off, was changed, or is about other questions or documents
            than those of this workspace.
    """
    head, rows = _checked(workspace, path)
    origin = named(name or head.origin)
    runs = [_run(workspace, row, origin, at) for at, row in enumerate(rows)]
    before = sum(len(_stored(run)) for run in runs)
    _store(workspace, path, runs)
    for run, row in zip(runs, rows, strict=True):
        ended = Counter(_stored(run).values())
        state = State("complete", row.answers, row.answers, ended["error"], 0, seconds=row.seconds)
        run.save(state)
    after = sum(len(_stored(run)) for run in runs)
    names = tuple(f"{run.row}@{run.model}" for run in runs)
    return ImportedAnswers(origin, names, sum(row.answers for row in rows), after - before)


def _checked(workspace: Workspace, path: Path) -> tuple[Head, list[Row]]:
    """The head and the rows, once all answers were read and are to questions of this workspace."""
    lines = read(path)
    head = next(lines)
    assert isinstance(head, Head)  # the reader refuses another first line
    _same(workspace, head, path)
    benchmark = workspace.benchmark
    rows: list[Row] = []
    asked: set[tuple[str, int]] = set()
    for line in lines:
        if isinstance(line, Row):
            _whole(rows, asked, path)
            rows.append(line)
            asked = set()
        elif isinstance(line, Given) and rows:
            at = line.question, line.repeat
            if (
                line.question not in benchmark.keys
                or line.repeat >= rows[-1].repeats
                or at in asked
            ):
                raise TailorError(
                    f"{path} answers {line.question!r} where it was not asked: export it anew."
                )
            asked.add(at)
    _whole(rows, asked, path)
    if not rows:
        raise TailorError(f"{path} holds no row: export it anew.")
    if head.documents is None and any(row.retrieves for row in rows):
        raise TailorError(f"{path} does not say which documents were searched: export it anew.")
    return head, rows


def _whole(rows: list[Row], asked: set[tuple[str, int]], path: Path) -> None:
    """Refuse the last row where it has another number of answers than it says."""
    if rows and len(asked) != rows[-1].answers:
        raise TailorError(
            f"{path} holds {len(asked)} of the {rows[-1].answers} answers of {rows[-1].row}: "
            "export it anew."
        )


def _same(workspace: Workspace, head: Head, path: Path) -> None:
    """Refuse answers to other questions, or from other documents."""
    benchmark = workspace.benchmark
    if (head.task, head.benchmark) != (benchmark.task, benchmark.digest):
        raise TailorError(
            f"{path} holds answers to another benchmark ({head.benchmark}; here it is "
            f"{benchmark.digest}): let both machines have the same benchmark, run the rows again "
            "and export them anew."
        )
    if head.documents is None:
        return
    here = documents_digest(workspace)
    if here is None:
        raise TailorError(
            f"{path} holds rows that searched documents, and none are ingested here: run `tailor "
            "ingest`, then import it again."
        )
    if here != head.documents:
        raise TailorError(
            f"{path} holds rows that searched other documents ({head.documents[:16]}; here they "
            f"are {here[:16]}): let both machines have the same documents, run `tailor ingest` and "
            "the rows again, and export them anew."
        )


def _run(workspace: Workspace, row: Row, origin: str, at: int) -> Run:
    """The row as a run of this workspace; the same one whenever it is imported."""
    # Never under the fingerprint itself: what others say it answered is not what it answers here.
    fingerprint = digest(["imported", origin, row.fingerprint])
    benchmark = workspace.benchmark.digest
    model = f"{row.model}@{origin}"
    id = f"imported-{digest([fingerprint, benchmark, row.row, model])}"
    every = all_runs(workspace)
    same = [run.sequence for run in every if run.id == id]
    newest = max((run.sequence for run in every), default=0)
    return Run(
        id=id,
        row=row.row,
        model=model,
        previous=row.previous,
        base=None if row.base is None else digest(["imported", origin, row.base]),
        on=row.on,
        lineage=row.lineage,
        fingerprint=fingerprint,
        benchmark=benchmark,
        # Of the same documents; where these change here, the row is out of date.
        generation=workspace.generation if row.retrieves else None,
        position=row.position,
        sequence=same[0] if same else newest + 1 + at,
        started=row.started,
        versions=row.versions,
        workspace=workspace,
        notes=row.notes,
        imported=True,
        repeats=row.repeats,
        chosen_by=row.chosen_by,
        origin=origin,
    )


def _stored(run: Run) -> dict[tuple[str, int], str]:
    """How its answers in the store ended."""
    return {
        (id, repeat): fact.outcome
        for repeat in range(run.repeats)
        for id, fact in run.facts("train", "dev", "test", repeat=repeat).items()
    }


def _store(workspace: Workspace, path: Path, runs: list[Run]) -> None:
    """Commit the answers of a file that was checked."""
    rest = iter(runs)
    run = runs[0]
    batch: dict[tuple[str, int], Answer] = {}
    for line in read(path):
        if isinstance(line, Given):
            key = workspace.benchmark.keys[line.question]
            # No call of this machine's store is behind it, whatever the file says.
            batch[key, line.repeat] = replace(line.answer, call="", calls=())
        if batch and (isinstance(line, Row) or len(batch) >= _AT_ONCE):
            workspace.answers.keep_answers(run.fingerprint, batch)
            batch = {}
        if isinstance(line, Row):
            run = next(rest)
    workspace.answers.keep_answers(run.fingerprint, batch)
