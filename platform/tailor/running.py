"""One row asked: what has no stored answer yet, side by side, each answer kept at once."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from tailor.asking import asking
from tailor.assistant import Answer, Ask, Assistant
from tailor.benchmark import Question
from tailor.errors import BudgetReached, TailorError
from tailor.fault import hit
from tailor.run import SPLITS, Run, State, Status, current_run, write_json

if TYPE_CHECKING:
    from tailor.models.retry import Wait
    from tailor.workspace import Workspace

Item = tuple[Question, int]
"""A question, and which of its repeats."""


class Progress(Protocol):
    """Told how far a row has come."""

    def __call__(self, row: str, step: str, done: int, total: int, note: str = "") -> None:
        """``step`` says what is being done; ``total`` 0 means that it is not known."""


def ask_row(run: Run, assistant: Assistant, progress: Progress) -> None:
    """Ask what has no stored answer yet; every answer is committed before the next is counted.

    Raises:
        BudgetReached: a further call could pass the limit; the run is ``paused``.
        TailorError: the provider refuses the calls, or an answer cannot be stored.
        KeyboardInterrupt: after what was in flight has been stored.
    """
    from tailor.scale.reader import placed

    asked = _Asked(run, progress)
    asked.tell()
    assistant = placed(assistant, run.workspace.place)
    workers = getattr(assistant.model, "concurrency", run.workspace.config.concurrency)
    try:
        with asking(_Asker(run, assistant, asked.waits), asked.pending, workers) as answered:
            for item, answer in answered:
                if answer is not None:
                    asked.add(item, answer)
    except KeyboardInterrupt:
        asked.end("cancelled")
        raise
    except BudgetReached as error:
        asked.end("paused", str(error))
        raise
    except BaseException as error:
        with suppress(TailorError):
            asked.end("failed", str(error))
        raise
    asked.end("complete")
    _log_test(run)


def _log_test(run: Run) -> None:
    """Add a line for a finished row to the workspace's log of test evaluations."""
    line = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "run": run.id,
        "row": run.row,
        "model": run.model,
        "fingerprint": run.fingerprint,
        "benchmark": run.benchmark,
        "questions": len(run.workspace.benchmark.split("test")),
    }
    hit("evaluation.before")
    with (run.workspace.state / "test-evaluations.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(line, ensure_ascii=False) + "\n")
    hit("evaluation.after")


class _Asked:
    """How far a row has come: its scores so far, and its state on disk."""

    def __init__(self, run: Run, progress: Progress) -> None:
        from tailor.scoring.cache import ScoreCache, graded

        self.run = run
        self.progress = progress
        self.primary = run.workspace.target.primary
        self.before = run.state().seconds
        questions = run.workspace.benchmark.split(*SPLITS)
        self.total = len(questions) * run.repeats
        self.scores = [ScoreCache(run, repeat) for repeat in range(run.repeats)]
        self.errors = self.stored = 0
        self.values: dict[tuple[str, int], float | None] = {}
        for repeat in range(run.repeats):
            for id, known in graded(run, questions, repeat).items():
                if known.fact.outcome != "error":
                    self.values[id, repeat] = known.scores[self.primary]
        # The first time every question is asked comes before the second time any is.
        self.pending: list[Item] = [
            (question, repeat)
            for repeat in range(run.repeats)
            for question in questions
            if (question.id, repeat) not in self.values
        ]
        self.started = self.written = time.monotonic()
        self.wait: Wait | None = None
        self.until = 0.0
        self._lock = threading.RLock()
        self.save("running")

    def add(self, item: Item, answer: Answer) -> None:
        """An answer came in, and is in the store."""
        question, repeat = item
        if answer.outcome == "error":
            self.errors += 1
        else:
            scores = self.scores[repeat].add(question, answer)
            self.values[question.id, repeat] = scores[self.primary]
        self.tell()
        self._save_now_and_then()

    def waits(self, wait: Wait) -> None:
        """A worker waits before it tries its call again; said until that time is over."""
        with self._lock:
            first = self._waiting is None
            self.wait, self.until = wait, time.monotonic() + wait.seconds
            self._save_now_and_then(at_once=first)
            self.tell()

    def tell(self) -> None:
        """Say how far the row has come."""
        with self._lock:
            known = [v for v in list(self.values.values()) if v is not None]
            notes = [f"{self.primary} {sum(known) / len(known):.0%}"] if known else []
            notes += [str(self._waiting)] if self._waiting else []
            self.progress(self.run.row, "ask", self.done, self.total, ", ".join(notes))

    @property
    def _waiting(self) -> Wait | None:
        return self.wait if time.monotonic() < self.until else None

    def _save_now_and_then(self, at_once: bool = False) -> None:
        with self._lock:
            if at_once or time.monotonic() - self.written > 0.3:
                self.save("running")
                self.written = time.monotonic()

    @property
    def done(self) -> int:
        """Answers that are there, errors of this time included."""
        return max(self.stored, len(self.values)) + self.errors

    def end(self, status: Status, message: str = "") -> None:
        """Keep the scores and say how the row ended."""
        for scores in self.scores:
            scores.keep()
        if status != "complete":
            self._count_again()
        self.save(status, message)

    def _count_again(self) -> None:
        """Count what was in flight when the row was stopped, and is in the store by now."""
        facts = [self.run.facts(repeat=repeat) for repeat in range(self.run.repeats)]
        self.errors = sum(fact.outcome == "error" for own in facts for fact in own.values())
        self.stored = sum(map(len, facts)) - self.errors

    def save(self, status: Status, message: str = "") -> None:
        """Write the record and the state."""
        took = time.monotonic() - self.started if self.pending else 0.0
        seconds = round(self.before + took, 3)
        wait = self._waiting if status == "running" else None
        state = State(
            status, self.done, self.total, self.errors, os.getpid(), message, seconds,
            wait_s=round(wait.seconds) if wait else 0,
            attempt=wait.attempt if wait else 0,
        )  # fmt: skip
        with self._lock:
            self.run.save(state)


class _Asker:
    """Asks one item; what goes wrong becomes an ``error`` answer, unless it concerns all."""

    def __init__(self, run: Run, assistant: Assistant, waits: Callable[[Wait], None]) -> None:
        self.run = run
        self.chain = assistant.chain()
        self.waits = waits

    def __call__(self, item: Item, halt: threading.Event) -> Answer | None:
        from tailor.models.chat import HALT, WAITING
        from tailor.models.retry import error_kind, error_text, is_transient

        run, (question, repeat) = self.run, item
        asked = Ask(question.question, repeat=repeat)
        started = time.monotonic()
        try:
            answer = self.chain.invoke(asked, {"configurable": {HALT: halt, WAITING: self.waits}})
        except TailorError:
            raise
        except Exception as error:  # each provider raises its own; errors are answers too
            text = error_text(error)
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(
                    f"The provider of {run.model} refuses the calls: {text}"
                ) from None
            if halt.is_set() and is_transient(error):
                return None
            answer = Answer("error", seconds=time.monotonic() - started, error=text)
        run.workspace.answers.keep_answer(run.fingerprint, asked.key, answer, repeat)
        return answer


@contextmanager
def only_run(workspace: Workspace, ids: list[str]) -> Iterator[Progress]:
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
