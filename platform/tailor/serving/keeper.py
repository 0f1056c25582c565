"""Served questions on their way to the disk: written together, by a thread of their own."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.models.retry import error_text
from tailor.serving import kept

if TYPE_CHECKING:
    from tailor.serving.engine import Engine

MOST = 10_000
"""That wait; where the disk does not take them, the oldest are lost rather than the memory."""
PAUSE = 0.5
"""Seconds between two writings."""
OLD = 3600.0
"""Seconds between two deletions of what is too old."""

log = logging.getLogger("tailor.serving")


class Keeper:
    """Keeps what it is given as soon as it can; no answer waits for it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: deque[kept.Served] = deque(maxlen=MOST)
        self._writing = threading.Lock()
        self._closing = threading.Event()
        self._failure = ""
        """Why nothing was written last; empty where it was."""

    def put(self, served: kept.Served) -> None:
        """Keep a served question soon."""
        self._waiting.append(served)

    def flush(self) -> None:
        """Keep now what waits; what the disk does not take waits on."""
        with self._writing:
            batch = [self._waiting.popleft() for _ in range(len(self._waiting))]
            if not batch:
                return
            try:
                kept.keep(self._engine.workspace, batch)
                self._failure = ""
            except TailorError as error:
                room = MOST - len(self._waiting)
                self._waiting.extendleft(reversed(batch[max(0, len(batch) - room) :]))
                if str(error) != self._failure:  # it is tried again and again
                    log.error("Served questions are not kept yet: %s", error)
                self._failure = str(error)
            except Exception as error:  # of records nobody can write; later ones are kept
                log.error("%d served questions are lost: %s", len(batch), error_text(error))

    def run(self) -> None:
        """Write, and delete what is too old, until it is closed; runs in a thread of its own."""
        next = time.monotonic()
        while not self._closing.wait(PAUSE):
            self.flush()
            if time.monotonic() >= next:
                self._expire()
                next = time.monotonic() + OLD

    def _expire(self) -> None:
        try:
            kept.expire(self._engine.workspace)
        except TailorError as error:
            log.error("Served questions that are too old are still there: %s", error)

    def close(self) -> None:
        """Write what is left, and stop."""
        self._closing.set()
        self.flush()
        if self._waiting:
            log.error("%d served questions are lost: %s", len(self._waiting), self._failure)
