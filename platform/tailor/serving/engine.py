"""The assistant that is served: put together, answering, and exchanged for a newer one."""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.assistant import Prompt, Reply
from tailor.errors import TailorError
from tailor.serving.card import Card, card
from tailor.serving.following import follow, followed, following
from tailor.serving.pinned import FILE as PINNED
from tailor.serving.pinned import pinned
from tailor.serving.problem import Problem
from tailor.serving.store import ServedCalls, Uncounted

if TYPE_CHECKING:
    from tailor.assistant import Answer, Ask, Assistant
    from tailor.workspace import Workspace

T = TypeVar("T")

LOOK = 1.0
"""Seconds between two looks for a new index, winner or configuration."""
AGAIN = 30.0
"""Seconds after which an exchange that failed is tried again, though nothing changed."""

log = logging.getLogger("tailor.serving")


@dataclass(eq=False)
class Serving:
    """One assistant, for as long as requests use it."""

    workspace: Workspace
    assistant: Assistant
    card: Card
    left_out: tuple[str, ...] = ()
    users: int = 0
    """Requests that use it now."""

    @cached_property
    def chain(self) -> Runnable[Ask, Answer]:
        """From a question to its answer."""
        return self.assistant.chain()

    @property
    def index(self) -> Any:
        """What it searches; None where it retrieves nothing."""
        return getattr(self.assistant.retriever, "index", None)


class Engine:
    """Answers with a workspace's row or winner, and takes up a newer one between two requests.

    Raises:
        TailorError: the row cannot be applied, or its model cannot be loaded.
    """

    def __init__(self, root: Path, stage: str | None = None, model: str | None = None) -> None:
        from tailor.workspace import Workspace

        self.root, self.stage, self.model = root, stage, model
        self.since = int(time.time())
        """When it was started, in seconds since 1970."""
        self.swaps = 0
        """How often a newer assistant was taken up."""
        self.failure = ""
        """Why the last exchange failed; empty where it did not."""
        self.told: Callable[[Card], None] = lambda card: None
        """Told which assistant was taken up."""
        self._lock = threading.Lock()
        self._closing = threading.Event()
        # Counted on: to ask for randomness each time lets all threads before the one that hears.
        self._ids = itertools.count()
        self._start = secrets.token_hex(12)
        self._store = ServedCalls(Workspace(root).state / "answers.db")
        # The state first: what changes while the assistant is made is looked at again.
        self._stamp, self._failed = self._state(), 0.0
        self._serving = self._made(None)
        self._alive = [self._serving]
        limits = self._serving.workspace.config.serve
        self._most = limits.concurrency + limits.queue
        self._taken = 0
        self._pool = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="answer")

    @property
    def card(self) -> Card:
        """Of the assistant that answers now."""
        return self._serving.card

    @property
    def workspace(self) -> Workspace:
        """As it was when the assistant was put together."""
        return self._serving.workspace

    @property
    def left_out(self) -> tuple[str, ...]:
        """Why stages before the row could not be applied."""
        return self._serving.left_out

    @property
    def in_flight(self) -> int:
        """Pieces of work that are done now, or wait."""
        return self._taken

    def next_id(self) -> str:
        """Of a reply; no other server has the same."""
        return f"chatcmpl-{self._start}{next(self._ids):08x}"

    @contextmanager
    def using(self) -> Iterator[Serving]:
        """The assistant that answers now; it stays whole until the block is left."""
        with self._lock:
            serving = self._serving
            serving.users += 1
        try:
            yield serving
        finally:
            with self._lock:
                serving.users -= 1
                self._release()

    def submit(self, works: Sequence[Callable[[], T]]) -> list[Future[T]]:
        """Have work done, each by a thread of its own.

        Raises:
            Problem: there is no room for all of it now.
        """
        with self._lock:
            if self._closing.is_set() or self._taken + len(works) > self._most:
                said = "The server has more to do than it can: try again later."
                raise Problem(503, said, "overloaded", retry_after=1)
            self._taken += len(works)
        futures = [self._pool.submit(work) for work in works]
        for future in futures:
            future.add_done_callback(self._left)
        return futures

    def _left(self, _: object) -> None:
        with self._lock:
            self._taken -= 1

    def _release(self) -> None:
        """Close the indexes of assistants that neither answer nor will; called with the lock."""
        over = [one for one in self._alive if one is not self._serving and not one.users]
        self._alive = [one for one in self._alive if one not in over]
        used = {id(one.index) for one in self._alive}
        for index in {id(one.index): one.index for one in over if one.index is not None}.values():
            if id(index) not in used:
                index.close()

    def watch(self) -> None:
        """Look for changes until the engine is closed; runs in a thread of its own."""
        while not self._closing.wait(LOOK):
            try:
                self.look()
            except Exception as error:  # the one that answers goes on, whatever this is
                self._fails(error)

    def look(self) -> bool:
        """Take up a newer assistant, if there is one; returns whether it did.

        The one before goes on until the new one is ready, and finishes what it has begun.
        """
        state = self._state()
        waited = self._failed and time.monotonic() - self._failed > AGAIN
        if state == self._stamp and not waited:
            return False
        self._stamp, self._failed = state, 0.0
        former = self._serving
        try:
            new = self._made(former)
        except TailorError as error:
            self._fails(error)
            return False
        self.failure = ""
        with self._lock:
            self._serving = new
            self._alive.append(new)
            self._release()
        if _whole(new) != _whole(former):
            self.swaps += 1
            self.told(new.card)
        return True

    def close(self) -> None:
        """Stop looking for changes, and wait for the threads that answer."""
        self._closing.set()
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fails(self, error: Exception) -> None:
        from tailor.models.retry import error_text

        said = str(error) if isinstance(error, TailorError) else error_text(error)
        if said != self.failure:  # it is tried again and again
            log.error("The newer assistant is not taken up: %s", said)
        self.failure, self._failed = said, time.monotonic()

    def _made(self, former: Serving | None) -> Serving:
        """The assistant as the workspace has it now; what is loaded already is used again."""
        from tailor.ladder import assistant_for
        from tailor.run import newest_runs
        from tailor.workspace import Workspace

        workspace = Workspace(self.root)
        if former is not None and former.workspace.config == workspace.config:
            workspace = former.workspace
            workspace.forget_benchmark()
        else:
            workspace.builds = False
            workspace.answers = self._store
            workspace.spending = Uncounted()
        row, model = self._named(workspace, former)
        try:
            chosen = assistant_for(workspace, row, model)
        except TailorError:
            if former is not None or self.stage is not None or pinned(workspace.state):
                raise
            chosen = assistant_for(workspace, None, self.model)  # what answered last is no more
        runs = [r for r in newest_runs(workspace) if (r.row, r.model) == (chosen.row, chosen.model)]
        assistant = chosen.assistant
        known = former.assistant.model if former else None
        same = getattr(known, "fingerprint", None) == getattr(assistant.model, "fingerprint", "")
        if known is not None and same:
            assistant = replace(assistant, model=known)
        run = next(iter(runs), None)
        generation = workspace.generation if assistant.retriever is not None else None
        about = card(chosen.row, chosen.model, chosen.assistant.fingerprint, generation, run)
        serving = Serving(workspace, _conversing(assistant), about, chosen.left_out)
        _warm(serving)
        if self.stage is None:
            follow(workspace.state, chosen.row, chosen.model)
        return serving

    def _named(self, workspace: Workspace, former: Serving | None) -> tuple[str | None, str | None]:
        """The row to answer by, with its model; None for what `assistant_for` takes."""
        if self.stage is not None:
            return self.stage, self.model
        if (held := pinned(workspace.state)) is not None:
            return held
        before = (former.card.row, former.card.model) if former else followed(workspace.state)
        if self.model is not None and before is not None and before[1] != self.model:
            before = None
        return following(workspace, before, self.model) or (None, self.model)

    def _state(self) -> object:
        """Changes with all that the assistant is put together from; cheap to find out."""
        from tailor.run import all_runs
        from tailor.workspace import Workspace

        names = (
            "tailor.toml", "knowledge/benchmark.jsonl", ".tailor/index/current", f".tailor/{PINNED}"
        )  # fmt: skip
        files = tuple(_changed(self.root / name) for name in names)
        home = self.root / ".tailor" / "runs"
        states = tuple(sorted((str(p), _changed(p)) for p in home.glob("*/state.json")))
        if states != self._seen[0]:
            runs = all_runs(Workspace(self.root))
            done = {(run.id, run.fingerprint) for run in runs if run.state().status == "complete"}
            self._seen[:] = states, frozenset(done)
        return files, self._seen[1]

    @cached_property
    def _seen(self) -> list[object]:
        """The times at which runs changed, and which of them are complete."""
        return [None, frozenset()]


def _changed(path: Path) -> tuple[int, int] | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_mtime_ns, stat.st_size


def _whole(serving: Serving) -> tuple[str, str, str, str]:
    one = serving.card
    return one.row, one.model, one.fingerprint, one.run


def _conversing(assistant: Assistant) -> Assistant:
    """A reader that is no chat model searches for a follow-up with the questions before it."""
    from tailor.models.extraction import Extraction

    retriever: Any = assistant.retriever
    if isinstance(assistant.model, Extraction) and hasattr(retriever, "rewrites"):
        return replace(assistant, retriever=retriever.model_copy(update={"rewrites": True}))
    return assistant


def _warm(serving: Serving) -> None:
    """Load now what the first request would wait for, and what two threads may not load at once.

    Raises:
        TailorError: the model or the index cannot be loaded.
    """
    from tailor.assistant import Ask
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat
    from tailor.models.provider import embedder_receiver
    from tailor.prompting import conversation  # noqa: F401
    from tailor.serving.told import Told

    workspace, model = serving.workspace, serving.assistant.model
    if isinstance(model, Chat):
        model.ready()
        if isinstance(model.model, LocalChat):
            model.model.workers = model.model.at_once()
    if (reader := getattr(model, "reader", None)) is not None:
        reader.read("warm", ["warm words"])
    if not embedder_receiver(workspace.config):
        workspace.embeddings.embed_documents(["warm"])
    if _searches_here(serving.assistant):
        silent = replace(serving.assistant, model=Silent())
        _ = Told(silent.answer(Ask("warm")), serving.card).sources


class Silent(Runnable[Prompt, Reply]):
    """Says one word to everything, and asks nobody."""

    fingerprint = "silent"

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """One word."""
        return Reply("warm")


def _searches_here(assistant: Assistant) -> bool:
    """Whether finding passages asks no model."""
    how = getattr(assistant.retriever, "configuration", None)
    return how is not None and how.rewriting == "none" and how.reranker != "llm"
