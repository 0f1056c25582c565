"""Asking many questions at once, so that a stop loses nothing and starts nothing new."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def asking(
    ask: Callable[[T, threading.Event], R], items: Sequence[T], workers: int
) -> Iterator[Iterator[tuple[T, R]]]:
    """Items with what ``ask`` returned for them, in the order they are done.

    The first exception that ``ask`` raises is raised here. When the block is left early, by that,
    by Ctrl+C or otherwise, what is in flight is finished, what waits is dropped, and the event
    that ``ask`` is given is set, so that it waits for no further attempt.
    """
    halt = threading.Event()
    failures: list[BaseException] = []
    pool = ThreadPoolExecutor(max_workers=workers)

    def one(item: T) -> R:
        if halt.is_set():
            raise CancelledError
        try:
            return ask(item, halt)
        except BaseException as error:
            failures.append(error)
            halt.set()
            raise

    def done() -> Iterator[tuple[T, R]]:
        for future in as_completed(futures):
            if failures:
                raise failures[0]
            yield futures[future], future.result()

    try:
        futures = {pool.submit(one, item): item for item in items}
        yield done()
    finally:
        halt.set()
        pool.shutdown(wait=True, cancel_futures=True)
