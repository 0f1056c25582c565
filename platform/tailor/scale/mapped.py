"""Values side by side: what is made of each, in the values' order, with few of them in memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def mapped(do: Callable[[T], R], values: Iterable[T], width: int) -> Iterator[tuple[T, R]]:
    """Each value with what ``do`` makes of it, ``width`` at a time; one at a time below 2.

    At most twice as many are taken from ``values`` ahead. The first exception of ``do`` is raised
    here, once those under way have ended.
    """
    if width < 2:
        for value in values:
            yield value, do(value)
        return
    waiting: deque[tuple[T, Future[R]]] = deque()
    pool = ThreadPoolExecutor(width, "mapped")
    try:
        for value in values:
            waiting.append((value, pool.submit(do, value)))
            if len(waiting) >= 2 * width:
                first, made = waiting.popleft()
                yield first, made.result()
        while waiting:
            first, made = waiting.popleft()
            yield first, made.result()
    finally:
        pool.shutdown(cancel_futures=True)
