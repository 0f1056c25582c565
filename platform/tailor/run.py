"""A run: the record of one row, where it stands, and how runs are found again."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tailor.assistant import Answer, Assistant
from tailor.benchmark import Split
from tailor.errors import NewerVersion, NotApplicable, TailorError, UsageError
from tailor.fault import hit
from tailor.newer import of_json

if TYPE_CHECKING:
    from tailor.answers import Fact
    from tailor.cost import Spent
    from tailor.explain import Explained
    from tailor.prediction.learnt import Learnt
    from tailor.prediction.similar_tried import SimilarTuning
    from tailor.retrieval.tuning import Tuning
    from tailor.scoring.comparison import Comparison
    from tailor.scoring.scored import Graded, Scored
    from tailor.workspace import Workspace

SPLITS: tuple[Split, ...] = ("dev", "test")
"""The splits a run answers: choices are made on dev, results are told on test."""
Status = Literal["running", "complete", "cancelled", "paused", "failed", "interrupted"]
"""``cancelled`` by Ctrl+C, ``paused`` by --max-cost: both go on with the same command."""
Change = Literal["benchmark", "documents", "metrics"]
_CHANGED: Mapping[Change, str] = {
    "benchmark": "the benchmark changed since this run",
    "documents": "the documents or the embedder changed since this run",
    "metrics": "the metrics changed since this run, and its settings were chosen by them",
}
RECORD_VERSION = 1
"""Of ``record.json``; raised when an older Tailor would misread it."""
T = TypeVar("T")


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
    repeats: int = 1
    """How many times each question was asked."""
    chosen_by: int | None = None
    """Version of the metrics that something in it was chosen by on dev; None: nothing was."""
    artifacts: tuple[str, ...] | None = None
    """Names of what was made for the stages of ``lineage``; None where it was not recorded."""
    on: str = "previous"
    """Why it builds on ``previous``: that was the row before it (``previous``), the best so far by
    dev (``best``), or the row it names."""
    origin: str = ""
    """The machine whose answers were imported, which ``model`` names behind an @; empty: here, or
    a person's."""

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

    def explain(self, question: str, repeat: int = 0) -> Explained:
        """How it answered a question, named by id or text; see `tailor.explain.explain`."""
        from tailor.explain import explain

        return explain(self, question, repeat)

    def tuning(self) -> Tuning | None:
        """What retrieval tuning tried for it, what mattered and what it gained; None: it had none.

        A row that builds on a tuned one has the tuning of that one.
        """
        from tailor.retrieval.tuning import read

        return read(self.workspace, self.artifacts or ())

    def similar_tuning(self) -> SimilarTuning | None:
        """As :meth:`tuning`, where numbers and labels are told by similar train items."""
        from tailor.prediction.similar_tried import read

        return read(self.workspace, self.artifacts or ())

    def learnt(self) -> Learnt | None:
        """What its baseline took from the train items; None where it is no such row."""
        from tailor.prediction.learnt import read

        return read(self.workspace, self.artifacts or ())

    def answers(self, *splits: Split, repeat: int = 0) -> dict[str, Answer]:
        """The stored answers by question id; questions not asked yet are missing."""
        stored = self.workspace.answers.answers(self.fingerprint, repeat)
        return self._by_id(stored, splits)

    def facts(self, *splits: Split, repeat: int = 0) -> dict[str, Fact]:
        """How each stored answer ended and what it took, by question id; reads no answer."""
        stored = self.workspace.answers.facts(self.fingerprint, repeat)
        return self._by_id(stored, splits)

    def _by_id(self, stored: Mapping[str, T], splits: Sequence[Split]) -> dict[str, T]:
        benchmark = self.workspace.benchmark
        ids = (q.id for q in benchmark.split(*(splits or SPLITS)))
        return {id: stored[key] for id in ids if (key := benchmark.keys[id]) in stored}

    def scored(self, split: Split) -> Scored:
        """This run in the form comparisons take; reads no answer that is scored already."""
        return self.scored_each(split)[0]

    def scored_each(self, *splits: Split) -> tuple[Scored, ...]:
        """As :meth:`scored`, for each of the splits; what is stored is read once."""
        from tailor.cost import spent
        from tailor.scoring.cache import graded

        questions = self.workspace.benchmark.split(*splits)
        times = [graded(self, questions, repeat) for repeat in range(self.repeats)]
        took = spent(self)
        return tuple(self._scored(split, times, took) for split in splits)

    def _scored(self, split: Split, times: Sequence[Mapping[str, Graded]], spent: Spent) -> Scored:
        from tailor.scoring.extra import stored
        from tailor.scoring.scored import Scored

        questions = self.workspace.benchmark.split(split)
        answers, *again = ({q.id: own[q.id] for q in questions if q.id in own} for own in times)
        extra = stored(self, questions, {id: own.fact for id, own in answers.items()})
        for id, more in extra.scores.items():
            answers[id] = replace(answers[id], scores={**answers[id].scores, **more})
        return Scored(
            row=self.row,
            stage=self.stage,
            model=self.model,
            run=self.id,
            split=split,
            previous=self.previous,
            questions=questions,
            answers=answers,
            again=tuple(again),
            read=lambda: self.answers(split),
            fingerprint=self.fingerprint,
            base=self.base,
            stale=self.stale(),
            imported=self.imported,
            origin=self.origin,
            pooled=extra.pooled,
            spent=spent,
            target=self.workspace.target,
        )

    def changed(self) -> Change | None:
        """What changed since this run, so that it is not comparable with today's workspace.

        Imported answers stand by their questions: those that changed count as not answered. Scores
        are always of today's metrics; only what was chosen by other metrics cannot be told again.
        """
        from tailor.scoring.score import METRIC_VERSION

        if self.imported and not self.origin:
            return None
        if not self.imported and self.benchmark != self.workspace.benchmark.digest:
            return "benchmark"
        if self.generation and self.generation != self.workspace.generation:
            return "documents"
        return "metrics" if self.chosen_by not in (None, METRIC_VERSION) else None

    def stale(self) -> str:
        """Why this run is not comparable with today's workspace; empty when it is."""
        return _CHANGED[change] if (change := self.changed()) else ""

    def state(self) -> State:
        """How far the run has come; one whose process is gone is ``interrupted``."""
        try:
            state = State(**json.loads((self._folder / "state.json").read_text("utf-8")))
        except (OSError, ValueError, TypeError):
            return State("interrupted", 0, 0, 0, 0, "")
        if state.status == "running" and not alive(state.pid):
            return replace(state, status="interrupted")
        return state

    @property
    def _folder(self) -> Path:
        return self.workspace.state / "runs" / self.id

    def save(self, state: State) -> None:
        """Write the record and the state, each at once or not at all."""
        record = {k: v for k, v in self.__dict__.items() if k != "workspace"}
        record["lineage"] = [asdict(step) for step in self.lineage]
        record["schema_version"] = RECORD_VERSION
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
    seconds: float = 0.0
    """Wall time of asking, all resumptions together."""
    wait_s: int = 0
    """How long a call waits before it is tried again; 0 where none does."""
    attempt: int = 0
    """Which try that will be."""


def compare(runs: Sequence[Run]) -> Comparison:
    """The rows side by side: results on test, the winner chosen on dev."""
    from tailor.scoring import comparison

    each = [run.scored_each("test", "dev") for run in runs]
    return comparison.compare(
        [test for test, _ in each],
        [dev for _, dev in each],
        benchmark=runs[0].workspace.benchmark if runs else None,
    )


def newest_runs(workspace: Workspace) -> list[Run]:
    """The newest run of every row and model, complete ones first choice, in ladder order."""
    chosen: dict[tuple[str, str], tuple[Run, bool]] = {}
    for run in all_runs(workspace):
        key = (run.row, run.model)
        complete = run.state().status == "complete"
        if complete or key not in chosen or not chosen[key][1]:
            chosen[key] = run, complete
    order = {name: at for at, name in enumerate(workspace.config.ladder)}
    return sorted(
        (run for run, _ in chosen.values()),
        key=lambda r: (order.get(r.row, order.get(r.stage, len(order))), r.position, r.sequence),
    )


def run_of(runs: Sequence[Run], row: str) -> Run:
    """The run of a row, named by its id or as ROW@MODEL.

    Raises:
        UsageError: there is none.
    """
    for run in runs:
        if row in (run.row, f"{run.row}@{run.model}"):
            return run
    there = f"there are {', '.join(r.row for r in runs)}" if runs else "run it first"
    raise UsageError(f"There is no run of row {row!r}; {there}.")


def all_runs(workspace: Workspace) -> list[Run]:
    """Every readable record, oldest first; see :func:`unreadable_runs` for the others."""
    found = (_read(path, workspace) for path in _records(workspace))
    return sorted((run for run in found if run), key=lambda run: run.sequence)


def unreadable_runs(workspace: Workspace) -> tuple[str, ...]:
    """Names of the folders in ``.tailor/runs`` whose record cannot be read.

    Their answers are in the answer store: the same row run again finds them.
    """
    records = _records(workspace)
    return tuple(sorted(path.parent.name for path in records if not _read(path, workspace)))


def _records(workspace: Workspace) -> list[Path]:
    return list((workspace.state / "runs").glob("*/record.json"))


def _read(path: Path, workspace: Workspace) -> Run | None:
    """The record in a file; None where it is torn, or of a newer version."""
    try:
        record = of_json(json.loads(path.read_text("utf-8")), RECORD_VERSION, path)
        record["lineage"] = tuple(Step(**step) for step in record["lineage"])
        record["notes"] = tuple(record.get("notes", ()))
        if record.get("artifacts") is not None:
            record["artifacts"] = tuple(record["artifacts"])
        return Run(**record, workspace=workspace)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, NewerVersion):
        return None


def current_run(workspace: Workspace) -> dict[str, Any] | None:
    """Process id and rows of the run that is going on, if one is."""
    try:
        holder: dict[str, Any] = json.loads((workspace.state / "run.json").read_text("utf-8"))
        return holder if alive(int(holder["pid"])) else None
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
        hit("json.before")
        part.unlink(missing_ok=True)  # a link would lead what is written elsewhere
        part.write_text(text, "utf-8")
        hit("json.part")
        os.replace(part, path)
        hit("json.after")
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); free disk space or permissions, then "
            "run the same command again."
        ) from None


def alive(pid: int) -> bool:
    """Whether a process of this number is there."""
    import psutil

    try:
        return pid > 0 and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
