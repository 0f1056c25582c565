"""How fast one provider is asked, by all threads together."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from math import inf
from pathlib import Path

from tailor.models.retry import Wait, error_kind, retry_after

_LOOK = 0.5
"""Seconds between looks at whether the work was halted."""


@dataclass
class _Bucket:
    """What may be used now; it fills up by so much a minute, to the amount of one second."""

    per_minute: float = inf
    level: float = 1.0
    at: float = 0.0

    def seconds(self, now: float) -> float:
        """Until there is something in it."""
        if self.per_minute == inf:
            return 0.0
        rate = self.per_minute / 60
        self.level = min(max(1.0, rate), self.level + (now - self.at) * rate)
        self.at = now
        return max(0.0, (1.0 - self.level) / rate)


class Limiter:
    """Lets calls to a provider begin, and holds all of them back when it has had enough.

    Requests and tokens are spread over the minute. A call that finds a token left may begin, however
    long it is: the next ones wait until that is made up for. When the provider says that it is asked
    too often, nobody asks until the time it names; then half as many calls as before are in flight,
    and one more after each round that goes well. Safe to use from several threads.
    """  # noqa: E501

    def __init__(
        self,
        requests_per_minute: float | None = None,
        tokens_per_minute: float | None = None,
        log: Path | None = None,
    ) -> None:
        self._requests = _Bucket(requests_per_minute or inf)
        self._tokens = _Bucket(tokens_per_minute or inf)
        self._log = log
        self._in_flight = 0
        self._width = inf
        self._resume = 0.0
        self._changed = threading.Condition()

    @property
    def counts_tokens(self) -> bool:
        """Whether it has to be told how many tokens a call sends."""
        return self._tokens.per_minute < inf

    @contextmanager
    def admitted(self, tokens: int, halt: threading.Event) -> Iterator[None]:
        """Make a call of so many tokens inside the block, as soon as it may begin.

        What it raises tells whether the provider has had enough.

        Raises:
            TimeoutError: ``halt`` was set while the call waited.
        """
        with self._changed:
            while (seconds := self._seconds()) > 0:
                if halt.is_set():
                    raise TimeoutError("stopped before the call was made")
                self._changed.wait(min(seconds, _LOOK))
            self._requests.level -= 1
            self._tokens.level -= tokens
            self._in_flight += 1
        try:
            yield
            self._went_well()
        except Exception as error:
            after = retry_after(error)
            if error_kind(error) == "rate_limit" or after:
                self._slow(1.0 if after is None else after)
            raise
        finally:
            with self._changed:
                self._in_flight -= 1
                self._changed.notify()

    def _seconds(self) -> float:
        now = time.monotonic()
        if self._in_flight >= self._width:
            return _LOOK
        waits = self._requests.seconds(now), self._tokens.seconds(now), self._resume - now
        return max(waits)

    def written(self, tokens: int) -> None:
        """A reply took so many tokens."""
        with self._changed:
            self._tokens.level -= tokens

    def _went_well(self) -> None:
        with self._changed:
            if self._width < inf:
                self._width += 1 / self._width

    def _slow(self, seconds: float) -> None:
        with self._changed:
            now = time.monotonic()
            if now >= self._resume:  # once for all calls that were in flight together
                self._width = max(1.0, self._in_flight / 2)
            self._resume = max(self._resume, now + seconds)

    def waited(self, model: str, wait: Wait, message: str) -> None:
        """Write down that a call is tried again, as a line of JSON; a log is never worth a run."""
        if self._log is None:
            return
        line = {
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": model,
            "attempt": wait.attempt,
            "seconds": round(wait.seconds, 1),
            "error": message,
        }
        with suppress(OSError), self._changed:
            self._log.parent.mkdir(parents=True, exist_ok=True)
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line, ensure_ascii=False) + "\n")
