"""The ladder: stages applied in order, each scored on the same questions."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import TYPE_CHECKING, Protocol

from tailor.asking import asking
from tailor.assistant import Answer, Ask, Assistant, digest
from tailor.benchmark import Question, Split
from tailor.errors import NotApplicable, TailorError
from tailor.run import (
    SPLITS,
    Run,
    State,
    Status,
    Step,
    all_runs,
    compare,
    current_run,
    write_json,
)
from tailor.stage import Stage

if TYPE_CHECKING:
    from tailor.workspace import Workspace


class Progress(Protocol):
    """Told how far a row has come."""

    def __call__(self, row: str, step: str, done: int, total: int, note: str = "") -> None:
        """``step`` says what is being done; ``total`` 0 means that it is not known."""


@dataclass(frozen=True)
class Row:
    """One entry of the ladder: a stage with its settings under an id."""

    id: str
    stage: Stage
    scored: bool = True
    """False: only applied, for the rows that build on it."""


def rows(stages: Iterable[Stage], scored: Sequence[str] | None = None) -> list[Row]:
    """Stages as rows; a stage that comes again gets ``:2``, ``:3``, … after its name."""
    seen: dict[str, int] = {}
    out: list[Row] = []
    for stage in stages:
        name = stage.name()
        seen[name] = seen.get(name, 0) + 1
        id = name if seen[name] == 1 else f"{name}:{seen[name]}"
        out.append(Row(id, stage, scored is None or name in scored))
    return out


def rows_for(workspace: Workspace, names: Sequence[str]) -> list[Row]:
    """The rows to apply so that those named can be scored; ``all`` is tailor.toml's ladder.

    The named stages' predecessors are applied without being scored. A stage that is not in the
    ladder comes after it.

    Raises:
        UsageError: there is no stage of that name.
    """
    order = list(workspace.config.ladder)
    wanted = order if list(names) == ["all"] else list(names)
    order += [name for name in wanted if name not in order]
    stages = [workspace.stage(name) for name in order]
    last = max(order.index(name) for name in wanted)
    if all(s.starts_from == "root" for s in stages if s.name() in wanted):
        return rows(s for s in stages if s.name() in wanted)
    return rows(
        (s for s in stages[: last + 1] if s.name() in wanted or s.starts_from == "previous"),
        wanted,
    )


def climb(
    workspace: Workspace,
    stages: Sequence[Stage] | Sequence[Row],
    model: str | None = None,
    carry: str = "previous",
    progress: Progress | None = None,
) -> list[Run]:
    """Apply the stages in order and ask each scored row the questions it has no answer to yet.

    Args:
        workspace: where documents, benchmark and answers are.
        stages: stages, or rows of which some are applied without being scored.
        model: ``provider:name``; the workspace's own when None.
        carry: each row builds on the one before (``previous``), or on the best so far by dev
            (``best``).
        progress: told how far each row has come.

    Raises:
        TailorError: the provider refuses the key, or another run is going on. Rows finished
            before are kept.
        NotApplicable: the only row to score cannot be applied; among others it is left out.
        KeyboardInterrupt: after what was in flight has been stored.
    """
    from tailor.models.chat import Chat

    given = [row for row in stages if isinstance(row, Row)]
    entries = given or rows(stage for stage in stages if isinstance(stage, Stage))
    model = model or workspace.config.model
    told: Progress = progress or _silent
    finished: list[Run] = []
    root = workspace.root_assistant(model)
    if not workspace.benchmark.split("test"):
        raise TailorError(
            f"The benchmark has no test questions ({len(workspace.benchmark.questions)} in all): "
            'give some of them "split": "test".'
        )
    current: tuple[str | None, Assistant, tuple[Step, ...]] = (None, root, ())
    best_dev = -1.0
    with _only_run(workspace, [row.id for row in entries if row.scored]) as noted:
        for position, row in enumerate(entries):
            told(row.id, "prepare", 0, 0)
            workspace.progress = _both(told, noted, row.id)
            notes: list[str] = []
            workspace.note = _noting(notes, told, row.id)
            reference = row.stage.starts_from == "root"
            if not reference and isinstance(root.model, Chat):
                _ = root.model.model  # a missing key or package is told before any work is done
            previous, base, lineage = (None, root, ()) if reference else current
            try:
                assistant = row.stage.apply(base, workspace)
            except NotApplicable as error:
                if [other.id for other in entries if other.scored] == [row.id]:
                    raise
                told(row.id, "left out", 0, 0, str(error))
                continue
            lineage = (*lineage, Step(row.id, row.stage.name(), row.stage.settings()))
            if row.scored:
                run = _record(workspace, row, model, previous, base, lineage, assistant, position)
                run = replace(run, notes=tuple(notes))
                _ask(run, assistant, told)
                finished.append(run)
            if reference:
                continue
            if carry == "best" and row.scored:
                score = _mean(run, "dev")
                if score <= best_dev:
                    continue
                best_dev = score
            current = (row.id, assistant, lineage)
    workspace.note = None
    return finished


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
    assistant = workspace.root_assistant(model)
    *before, last = rows_for(workspace, [row.partition(":")[0]])
    left_out: list[str] = []
    for entry in before:
        try:
            assistant = entry.stage.apply(assistant, workspace)
        except TailorError as error:
            left_out.append(f"{entry.id}: left out. {error}")
    return Chosen(last.stage.apply(assistant, workspace), row, model, tuple(left_out))


def _record(
    workspace: Workspace,
    row: Row,
    model: str,
    previous: str | None,
    base: Assistant,
    lineage: tuple[Step, ...],
    assistant: Assistant,
    position: int,
) -> Run:
    fingerprint = assistant.fingerprint
    benchmark = workspace.benchmark.digest
    # The same row over the same questions is the same run, so that resuming goes on in its place.
    id = f"{row.id.replace(':', '-')}-{digest([fingerprint, benchmark, row.id, model])[:10]}"
    return Run(
        id=id,
        row=row.id,
        model=model,
        previous=previous,
        base=base.fingerprint if previous else None,
        lineage=lineage,
        fingerprint=fingerprint,
        benchmark=benchmark,
        generation=workspace.index().generation if assistant.retriever is not None else None,
        position=position,
        sequence=max((run.sequence for run in all_runs(workspace)), default=0) + 1,
        started=datetime.now(UTC).isoformat(timespec="seconds"),
        versions={
            name: version(name)
            for name in ("llm-tailor", "langchain-core", "transformers", "torch")
        },
        workspace=workspace,
    )


def _ask(run: Run, assistant: Assistant, progress: Progress) -> None:
    """Ask what has no stored answer yet; every answer is committed before the next is counted."""
    from tailor.models.chat import HALT, error_kind, error_text, is_transient
    from tailor.scoring.score import PRIMARY, score

    workspace = run.workspace
    questions = workspace.benchmark.split(*SPLITS)
    stored = {id: a for id, a in run.answers().items() if a.outcome != "error"}
    pending = [q for q in questions if q.id not in stored]
    chain = assistant.chain()

    def ask(question: Question, halt: threading.Event) -> Answer | None:
        asked = Ask(question.question)
        started = time.monotonic()
        try:
            answer = chain.invoke(asked, {"configurable": {HALT: halt}})
        except TailorError:
            raise
        except Exception as error:
            text = error_text(error)
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(
                    f"The provider of {run.model} refuses the calls: {text}"
                ) from None
            if halt.is_set() and is_transient(error):
                return None
            answer = Answer("error", seconds=time.monotonic() - started, error=text)
        workspace.answers.keep_answer(run.fingerprint, asked.key, answer)
        return answer

    values = {q.id: score(q, stored[q.id])[PRIMARY] for q in questions if q.id in stored}
    errors = 0

    def state(status: Status, message: str = "") -> State:
        return State(status, len(values) + errors, len(questions), errors, os.getpid(), message)

    def note() -> str:
        known = [v for v in values.values() if v is not None]
        return f"{PRIMARY} {sum(known) / len(known):.0%}" if known else ""

    run.save(state("running"))
    progress(run.row, "ask", len(values), len(questions), note())
    written = time.monotonic()
    workers = getattr(assistant.model, "concurrency", workspace.config.concurrency)
    try:
        with asking(ask, pending, workers) as answered:
            for question, answer in answered:
                if answer is None:
                    continue
                if answer.outcome == "error":
                    errors += 1
                else:
                    values[question.id] = score(question, answer)[PRIMARY]
                progress(run.row, "ask", len(values) + errors, len(questions), note())
                if time.monotonic() - written > 0.3:
                    run.save(state("running"))
                    written = time.monotonic()
    except KeyboardInterrupt:
        run.save(state("cancelled"))
        raise
    except BaseException as error:
        with suppress(TailorError):
            run.save(state("failed", str(error)))
        raise
    run.save(state("complete"))


def _mean(run: Run, split: Split) -> float:
    from tailor.scoring.score import PRIMARY, score

    answers = run.answers(split)
    values = [
        value
        for q in run.workspace.benchmark.split(split)
        if q.id in answers and (value := score(q, answers[q.id])[PRIMARY]) is not None
    ]
    return sum(values) / len(values) if values else -1.0


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


@contextmanager
def _only_run(workspace: Workspace, ids: list[str]) -> Iterator[Progress]:
    """Hold the workspace's run lock; a second run is refused, naming the one that goes on.

    Yields what writes the progress of a stage's preparation beside the lock, for other processes.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(workspace.state / "run.lock")
    try:
        workspace.state.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout:
        holder = current_run(workspace) or {}
        raise TailorError(
            f"Another run is going on in {workspace.root} (process {holder.get('pid', '?')}, "
            f"{', '.join(holder.get('rows', []))}): wait for it, or stop it with Ctrl+C there."
        ) from None
    except OSError as error:
        raise TailorError(
            f"{workspace.state} cannot be written ({error.strerror}); see that you may write "
            "there and that the disk is not full."
        ) from None
    try:
        own = {"pid": os.getpid(), "rows": ids}
        path = workspace.state / "run.json"
        write_json(path, own)
        written = time.monotonic()

        def note(row: str, step: str, done: int, total: int, note: str = "") -> None:
            nonlocal written
            if time.monotonic() - written > 0.5:
                written = time.monotonic()
                preparing = {"row": row, "step": step, "done": done, "total": total}
                write_json(path, {**own, "preparing": preparing})

        yield note
    finally:
        (workspace.state / "run.json").unlink(missing_ok=True)
        lock.release()


def _silent(row: str, step: str, done: int, total: int, note: str = "") -> None:
    return None
