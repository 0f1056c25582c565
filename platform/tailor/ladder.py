"""The ladder: stages applied in order, each scored on the same questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING

from tailor.assistant import Assistant, digest
from tailor.errors import BudgetReached, NotApplicable, TailorError, UsageError
from tailor.rows import Bases, Row, check, rows, rows_for
from tailor.run import SPLITS, Run, Step, all_runs, compare
from tailor.running import Progress, ask_row, only_run
from tailor.spending import Spending

if TYPE_CHECKING:
    from tailor.stage import Stage
    from tailor.workspace import Workspace


def climb(
    workspace: Workspace,
    stages: Sequence[Stage] | Sequence[Row],
    model: str | None = None,
    carry: str = "previous",
    progress: Progress | None = None,
    repeats: int = 1,
    max_cost: float | None = None,
) -> list[Run]:
    """Apply the stages in order and ask each scored row the questions it has no answer to yet.

    Args:
        workspace: where documents, benchmark and answers are.
        stages: stages, or rows of which some are applied without being scored.
        model: ``provider:name``; the workspace's own when None.
        carry: each stage builds on the one before (``previous``), or on the best so far by dev
            (``best``); rows say it themselves.
        progress: told how far each row has come.
        repeats: how often each question is asked, independently.
        max_cost: US dollars that the new model calls may cost, stages' own calls included;
            tailor.toml's ``max_cost`` when None. Stored answers cost nothing, and hours of this
            machine are not counted.

    Raises:
        BudgetReached: a further call could pass ``max_cost``; all is kept, to go on from.
        UsageError: there is a limit, and the model's price is not known; or the rows are no
            ladder: see `tailor.rows.check`.
        TailorError: the provider refuses the key, or another run is going on. Rows finished
            before are kept.
        NotApplicable: the only row to score cannot be applied; among others it is left out.
        KeyboardInterrupt: after what was in flight has been stored.
    """
    from tailor.prices import spending

    given = [row for row in stages if isinstance(row, Row)]
    entries = given or rows((s for s in stages if not isinstance(s, Row)), carry)
    if len(entries) != len(stages):
        raise UsageError("Give `climb` stages or rows, not some of each.")
    check(entries)
    model = model or workspace.config.model
    if not workspace.benchmark.split("test"):
        raise TailorError(
            f"The benchmark has no test questions ({len(workspace.benchmark.questions)} in all): "
            'give some of them "split": "test".'
        )
    workspace.spending = spending(model, workspace.config, max_cost)
    climbing = _Climb(workspace, model, progress or _silent, repeats, entries)
    try:
        with only_run(workspace, [row.id for row in entries if row.scored]) as noted:
            for position, row in enumerate(entries):
                climbing.take(row, position, noted)
    except BudgetReached as error:
        raise error.with_left(climbing.left()) from None
    finally:
        workspace.spending = Spending()
        workspace.note = None
    return climbing.finished


@dataclass(frozen=True)
class _Reached:
    """Where the ladder stands: what the next row builds on."""

    row: str | None
    assistant: Assistant
    lineage: tuple[Step, ...] = ()
    artifacts: tuple[str, ...] = ()
    chosen: bool = False
    """Whether something in it was chosen by the metrics, on dev."""


class _Climb:
    """One going up the ladder, row by row."""

    def __init__(
        self,
        workspace: Workspace,
        model: str,
        told: Progress,
        repeats: int,
        entries: Sequence[Row],
    ) -> None:
        self.workspace = workspace
        self.model = model
        self.told = told
        self.repeats = repeats
        self.entries = entries
        root = _Reached(None, workspace.root_assistant(model))
        self.bases = Bases(root, lambda own: dev_score(workspace, own.assistant.fingerprint))
        self.finished: list[Run] = []
        self.row: Row | None = None
        self.asking: Run | None = None

    def take(self, row: Row, position: int, noted: Progress) -> None:
        """Apply a row's stage, and ask its questions where it is scored."""
        self.row, self.asking = row, None
        self.told(row.id, "prepare", 0, 0)
        self.workspace.progress = _both(self.told, noted, row.id)
        notes: list[str] = []
        self.workspace.note = _noting(notes, self.told, row.id)
        applied = self._applied(row)
        if applied is None:
            return
        base, reached = applied
        if row.scored:
            run = _record(self, row, position, base, reached)
            self.asking = replace(run, notes=tuple(notes))
            ask_row(self.asking, reached.assistant, self.told)
            self.finished.append(self.asking)
        self.bases.add(row, reached)

    def _applied(self, row: Row) -> tuple[_Reached, _Reached] | None:
        """What the row builds on and what its stage makes of it; None where it is left out."""
        from tailor.models.chat import Chat

        model = self.bases.root.assistant.model
        # A missing key or package is told before any work is done.
        if row.stage.starts_from != "root" and isinstance(model, Chat):
            model.ready()
        self.workspace.used_artifacts = []
        try:
            base = self._base(row)
            assistant = row.stage.apply(base.assistant, self.workspace)
        except NotApplicable as error:
            if [other.id for other in self.entries if other.scored] == [row.id]:
                raise
            self.told(row.id, "left out", 0, 0, str(error))
            return None
        step = Step(row.id, row.stage.name(), row.stage.recorded(self.workspace).settings())
        made = dict.fromkeys((*base.artifacts, *self.workspace.used_artifacts))
        chosen = base.chosen or row.stage.chooses or (row.on == "best" and bool(base.row))
        return base, _Reached(row.id, assistant, (*base.lineage, step), tuple(made), chosen)

    def _base(self, row: Row) -> _Reached:
        """What the row builds on; of rows that could not be considered it is said."""
        _, base = self.bases.of(row)
        if row.on == "best" and row.scored and self.workspace.note:
            unknown = [id for id, score in self.bases.scores().items() if score is None]
            if unknown:
                self.workspace.note(
                    f"It builds on {base.row}; {', '.join(unknown)} has no complete dev answers, "
                    "and was not considered for the best."
                )
        return base

    def left(self) -> str:
        """What was not asked when the going up ended early, a sentence."""
        scored = [row.id for row in self.entries if row.scored]
        done = {run.row for run in self.finished}
        waiting = [row for row in scored if row not in done]
        if self.asking is None or self.row is None:
            return f"Not begun: {', '.join(waiting)}."
        state = self.asking.state()
        waiting = [row for row in waiting if row != self.row.id]
        left, total, own = state.total - state.done, state.total, self.row.id
        if waiting:
            rows = ", ".join(waiting)
            return f"{left} of {total} answers of {own} are left, and all of {rows}."
        return f"{left} of {total} answers of {own} are left."


@dataclass(frozen=True)
class Chosen:
    """An assistant with where it comes from."""

    assistant: Assistant
    row: str
    model: str
    left_out: tuple[str, ...] = ()
    """Why stages before it could not be applied."""


def assistant_for(workspace: Workspace, row: str | None = None, model: str | None = None) -> Chosen:
    """The assistant of a row, run or not; without a name that of the winner.

    Before anything was run that is ``retrieval``, or ``baseline`` for the shipped model: the
    extractive reader is right more often than the small language model.

    Raises:
        UsageError: there is no such row or stage.
        TailorError: the row's own stage cannot be applied.
    """
    runs = [r for r in workspace.runs() if model is None or r.model == model]
    if row is None and runs:
        winner = compare(runs).winner
        row, model = winner.row, winner.model or model
    model = model or workspace.config.model
    row = row or ("baseline" if model == "shipped" else "retrieval")
    for run in runs:
        if (run.row, run.model) == (row, model) and not run.stale():
            return Chosen(run.assistant(), row, model)
    last, base, left_out = built_on(workspace, row, model)
    return Chosen(last.stage.apply(base, workspace), row, model, left_out)


def built_on(
    workspace: Workspace, row: str, model: str | None = None
) -> tuple[Row, Assistant, tuple[str, ...]]:
    """A row, the assistant that it builds on, and why stages before it could not be applied.

    Raises:
        UsageError: there is no such row or stage.
    """
    root = workspace.root_assistant(model)
    bases = Bases(root, lambda own: dev_score(workspace, own.fingerprint))
    *before, last = rows_for(workspace, [row])
    left_out: list[str] = []
    for entry in before:
        try:
            bases.add(entry, entry.stage.apply(bases.of(entry)[1], workspace))
        except TailorError as error:
            left_out.append(f"{entry.id}: left out. {error}")
    return last, bases.of(last)[1], tuple(left_out)


def _record(climb: _Climb, row: Row, position: int, base: _Reached, reached: _Reached) -> Run:
    from tailor.models.hub import commits
    from tailor.scoring.score import METRIC_VERSION

    workspace, assistant = climb.workspace, reached.assistant
    fingerprint, benchmark = assistant.fingerprint, workspace.benchmark.digest
    # The same row over the same questions is the same run, so that resuming goes on in its place.
    id = f"{row.id.replace(':', '-')}-{digest([fingerprint, benchmark, row.id, climb.model])[:10]}"
    return Run(
        id=id,
        row=row.id,
        model=climb.model,
        previous=base.row,
        base=base.assistant.fingerprint if base.row else None,
        on=row.on,
        lineage=reached.lineage,
        fingerprint=fingerprint,
        benchmark=benchmark,
        generation=workspace.index().generation if _searches(assistant) else None,
        position=position,
        sequence=max((run.sequence for run in all_runs(workspace)), default=0) + 1,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            name: version(name)
            for name in ("llm-tailor", "langchain-core", "transformers", "torch")
        }
        | commits(climb.model, workspace.config.embedder),
        workspace=workspace,
        repeats=_repeats(workspace, fingerprint, climb.repeats),
        artifacts=reached.artifacts,
        chosen_by=METRIC_VERSION if reached.chosen else None,
    )


def _searches(assistant: Assistant) -> bool:
    """Whether it finds passages of the documents, not train items."""
    from tailor.prediction.similar import Similar

    return assistant.retriever is not None and not isinstance(assistant.retriever, Similar)


def _repeats(workspace: Workspace, fingerprint: str, wanted: int) -> int:
    """How often the questions are asked; answers that were paid for before count further."""
    keys = [workspace.benchmark.keys[q.id] for q in workspace.benchmark.split(*SPLITS)]
    while True:
        known = workspace.answers.facts(fingerprint, wanted)
        if not all(key in known and known[key].outcome != "error" for key in keys):
            return wanted
        wanted += 1


def dev_score(workspace: Workspace, fingerprint: str) -> float | None:
    """The mean score on dev of a complete run of this assistant; None where there is none."""
    from tailor.scoring.cache import graded

    primary = workspace.target.primary
    for run in reversed(all_runs(workspace)):
        whole = run.fingerprint == fingerprint and run.state().status == "complete"
        if whole and not run.stale():
            values = [
                value
                for repeat in range(run.repeats)
                for known in graded(run, workspace.benchmark.split("dev"), repeat).values()
                if (value := known.scores[primary]) is not None
            ]
            return sum(values) / len(values) if values else None
    return None


def _both(told: Progress, noted: Progress, row: str) -> Callable[[str, int, int], None]:
    def both(step: str, done: int, total: int) -> None:
        told(row, step, done, total)
        noted(row, step, done, total)

    return both


def _noting(notes: list[str], told: Progress, row: str) -> Callable[[str], None]:
    def note(sentence: str) -> None:
        notes.append(sentence)
        told(row, "note", 0, 0, sentence)

    return note


def _silent(row: str, step: str, done: int, total: int, note: str = "") -> None:
    return None
