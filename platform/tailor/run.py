"""A run: the record of one row, where it stands, and how runs are found again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.assistant import Answer, Ask, Assistant
from tailor.benchmark import Split
from tailor.errors import NotApplicable, TailorError

if TYPE_CHECKING:
    from tailor.scoring.comparison import Comparison, Scored
    from tailor.workspace import Workspace

SPLITS: tuple[Split, ...] = ("dev", "test")
"""The splits a run answers: choices are made on dev, results are told on test."""
Status = Literal["running", "complete", "cancelled", "failed", "interrupted"]


@dataclass(frozen=True)
class Step:
    """A stage as it is written into a record."""

    row: str
    stage: str
    settings: Mapping[str, Any]


@dataclass(frozen=True)
class Run:
    """The record of one row's run; its answers are in the answer store."""

    id: str
    row: str
    model: str
    previous: str | None
    """The row this one builds on; None for the first one and for reference rows."""
    base: str | None
    """Fingerprint of the assistant this one builds on."""
    lineage: tuple[Step, ...]
    """The stages that make up the assistant, in order; the last one is this row's."""
    fingerprint: str
    benchmark: str
    generation: str | None
    """The index generation that was current, where the assistant retrieves."""
    position: int
    sequence: int
    """Higher is newer; clocks are not trusted for that."""
    started: str
    versions: Mapping[str, str]
    workspace: Workspace = field(repr=False, compare=False)
    notes: tuple[str, ...] = ()
    """What the row's stage left out and why, a sentence each."""
    imported: bool = False
    """Answered by people or another system: there is no assistant to put together again."""

    @property
    def stage(self) -> str:
        """The name of this row's stage."""
        return self.lineage[-1].stage

    def assistant(self) -> Assistant:
        """The assistant of this row, put together again from what is stored.

        Raises:
            NotApplicable: its answers were imported.
        """
        if self.imported:
            raise NotApplicable(
                f"Row {self.row} ({self.model}) has answers only, no assistant; choose another row."
            )
        assistant = self.workspace.root_assistant(self.model)
        for step in self.lineage:
            stage = self.workspace.stage(step.stage).with_settings(step.settings)
            assistant = stage.apply(assistant, self.workspace)
        return assistant

    def answers(self, *splits: Split) -> dict[str, Answer]:
        """The stored answers by question id; questions not asked yet are missing."""
        stored = self.workspace.answers.answers(self.fingerprint)
        questions = self.workspace.benchmark.split(*(splits or SPLITS))
        by_key = {q.id: stored.get(Ask(q.question).key) for q in questions}
        return {id: answer for id, answer in by_key.items() if answer is not None}

    def scored(self, split: Split) -> Scored:
        """This run in the form comparisons take."""
        from tailor.scoring.comparison import Scored
        from tailor.scoring.extra import stored

        questions, answers = self.workspace.benchmark.split(split), self.answers(split)
        extra = stored(self, questions, answers)
        return Scored(
            row=self.row,
            stage=self.stage,
            model=self.model,
            run=self.id,
            split=split,
            previous=self.previous,
            fingerprint=self.fingerprint,
            base=self.base,
            questions=questions,
            answers=answers,
            spans=self.workspace.spans,
            stale=self.stale(),
            pattern=self.workspace.config.answer_pattern or None,
            imported=self.imported,
            extra=extra.scores,
            pooled=extra.pooled,
        )

    def stale(self) -> str:
        """Why this run is not comparable with today's workspace; empty when it is.

        Imported answers stand by their questions: those that changed count as not answered.
        """
        if self.imported:
            return ""
        if self.benchmark != self.workspace.benchmark.digest:
            return "the benchmark changed since this run"
        if self.generation and self.generation != self.workspace.index().generation:
            return "the documents changed since this run"
        return ""

    def state(self) -> State:
        """How far the run has come; one whose process is gone is ``interrupted``."""
        try:
            state = State(**json.loads((self._folder / "state.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return State("interrupted", 0, 0, 0, 0, "")
        if state.status == "running" and not _alive(state.pid):
            return replace(state, status="interrupted")
        return state

    @property
    def _folder(self) -> Path:
        return self.workspace.state / "runs" / self.id

    def save(self, state: State) -> None:
        """Write the record and the state, each at once or not at all."""
        record = {k: v for k, v in self.__dict__.items() if k != "workspace"}
        record["lineage"] = [asdict(step) for step in self.lineage]
        write_json(self._folder / "record.json", record)
        write_json(self._folder / "state.json", asdict(state))


@dataclass(frozen=True)
class State:
    """Where a run stands."""

    status: Status
    done: int
    total: int
    errors: int
    pid: int
    message: str = ""


def compare(runs: Sequence[Run]) -> Comparison:
    """The rows side by side: results on test, the winner chosen on dev."""
    from tailor.scoring import comparison

    return comparison.compare(
        [run.scored("test") for run in runs],
        [run.scored("dev") for run in runs],
        benchmark=runs[0].workspace.benchmark if runs else None,
    )


def newest_runs(workspace: Workspace) -> list[Run]:
    """The newest run of every row and model, complete ones first choice, in ladder order."""
    chosen: dict[tuple[str, str], Run] = {}
    for run in all_runs(workspace):
        key = (run.row, run.model)
        former = chosen.get(key)
        if (
            former is None
            or run.state().status == "complete"
            or former.state().status != "complete"
        ):
            chosen[key] = run
    order = {name: at for at, name in enumerate(workspace.config.ladder)}
    return sorted(
        chosen.values(), key=lambda r: (order.get(r.stage, len(order)), r.position, r.sequence)
    )


def all_runs(workspace: Workspace) -> list[Run]:
    """Every readable record, oldest first."""
    found: list[Run] = []
    for path in (workspace.state / "runs").glob("*/record.json"):
        try:
            record = json.loads(path.read_text("utf-8"))
            record["lineage"] = tuple(Step(**step) for step in record["lineage"])
            record["notes"] = tuple(record.get("notes", ()))
            found.append(Run(**record, workspace=workspace))
        except (OSError, ValueError, TypeError, KeyError):
            continue  # a record torn by a crash: its answers are in the store, a new run finds them
    return sorted(found, key=lambda run: run.sequence)


def current_run(workspace: Workspace) -> dict[str, Any] | None:
    """Process id and rows of the run that is going on, if one is."""
    try:
        holder: dict[str, Any] = json.loads((workspace.state / "run.json").read_text("utf-8"))
        return holder if _alive(int(holder["pid"])) else None
    except (OSError, ValueError, TypeError, KeyError):
        return None


def write_json(path: Path, value: object) -> None:
    """Replace a small JSON file as a whole; a reader sees the old one or the new one.

    Raises:
        TailorError: the file cannot be written.
    """
    part = path.with_name(f"{path.name}.part")
    text = json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, "utf-8")
        os.replace(part, path)
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); free disk space or permissions, then "
            "run the same command again."
        ) from None


def _alive(pid: int) -> bool:
    import psutil

    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
