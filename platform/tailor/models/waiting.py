"""Prompts that wait for a local model, and which of them are answered next."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from langchain_core.messages import AIMessage, BaseMessage

_GATHER_SECONDS = 0.01


@dataclass(frozen=True, eq=False)
class Waiting:
    """A prompt, its stop sequences, who waits for the reply, and who reads along."""

    messages: list[BaseMessage]
    ids: list[int]
    """The prompt's tokens."""
    stop: list[str] | None
    future: Future[AIMessage]
    told: Callable[[str], None] | None = None


class WaitingRoom:
    """Where prompts come in from all threads, and workers take them out.

    Args:
        most: prompts that are looked at together.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._came: queue.Queue[Waiting] = queue.Queue()
        self._backlog: list[Waiting] = []
        self._taking = threading.Lock()

    def add(self, item: Waiting) -> None:
        """One more waits."""
        self._came.put(item)

    def alike(self, workers: int, batch: int) -> list[Waiting]:
        """Wait for prompts; a batch of like length, or one worker's share of what waits."""
        with self._taking:
            self._gather()
            taken = _alike(self._backlog, min(batch, self._share(workers)))
            self._backlog = [x for x in self._backlog if not any(x is one for one in taken)]
            return taken

    def part(self, workers: int) -> list[Waiting]:
        """Wait for prompts; one worker's share of what waits, those that came first."""
        with self._taking:
            self._gather()
            return self._first(workers)

    def part_now(self, workers: int) -> list[Waiting]:
        """The same without waiting; nothing where another worker waits for prompts."""
        if not self._taking.acquire(blocking=False):
            return []
        try:
            while len(self._backlog) < self._most:
                self._backlog.append(self._came.get_nowait())
        except queue.Empty:
            pass
        finally:
            taken = self._first(workers)
            self._taking.release()
        return taken

    def _gather(self) -> None:
        """Wait for a prompt, and a moment for those that come with it."""
        if not self._backlog:
            self._backlog.append(self._came.get())
        try:
            while len(self._backlog) < self._most:
                self._backlog.append(self._came.get(timeout=_GATHER_SECONDS))
        except queue.Empty:
            pass

    def _share(self, workers: int) -> int:
        return -(-len(self._backlog) // workers)

    def _first(self, workers: int) -> list[Waiting]:
        share = self._share(workers)
        taken, self._backlog = self._backlog[:share], self._backlog[share:]
        return taken


def _alike(waiting: list[Waiting], most: int) -> list[Waiting]:
    """The prompt that waits longest and those nearest to it in length, so that few are padded."""
    order = sorted(waiting, key=lambda item: len(item.ids))
    place = next(i for i, item in enumerate(order) if item is waiting[0])
    start = max(0, min(place - most // 2, len(order) - most))
    return order[start : start + most]
