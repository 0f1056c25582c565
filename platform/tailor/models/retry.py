"""Errors of providers by kind, and the one layer that tries a call again."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TypeVar

NEVER = threading.Event()
"""An event that nobody sets."""

_LONGEST_TOLD, _LONGEST = 300.0, 60.0
"""Seconds waited at most, where the server names a time and where it does not."""

T = TypeVar("T")


class MalformedReply(Exception):
    """The provider answered with something that is no chat reply; it may be asked again."""


@dataclass(frozen=True)
class Wait:
    """What is waited for before a call is tried again."""

    seconds: float
    attempt: int
    """Which try follows: 2 after the first one failed."""
    kind: str
    """What went wrong, as :func:`error_kind` names it."""

    def __str__(self) -> str:
        from tailor.scoring.format import count

        ending = {2: "nd", 3: "rd"}.get(self.attempt, "th")
        return f"waiting {count(max(1, round(self.seconds)))} s, {self.attempt}{ending} try"


def retried(
    ask: Callable[[], T],
    retries: int,
    halt: threading.Event = NEVER,
    waiting: Callable[[Wait, Exception], None] | None = None,
) -> T:
    """What ``ask`` returns, asked again after errors that may pass, until ``halt`` is set.

    ``waiting`` is told of every wait before it begins.

    Raises:
        Exception: the last error of ``ask``.
    """
    attempt = 0
    while True:
        try:
            return ask()
        except Exception as error:
            if attempt == retries or halt.is_set() or not is_transient(error):
                raise
            wait = Wait(_pause(error, attempt), attempt + 2, error_kind(error))
            if waiting is not None:
                waiting(wait, error)
            if halt.wait(wait.seconds):
                raise
        attempt += 1


def error_kind(error: BaseException) -> str:
    """What went wrong, in one word.

    ``rate_limit``, ``timeout``, ``connection``, ``server``; ``auth``, ``quota``, ``not_found``;
    ``context_length``; ``malformed``; or ``other``. Decided by the HTTP status and the class name,
    which all provider packages share.
    """
    from tailor.models.overflow import is_overflow

    status = _status(error)
    names = " ".join(kind.__name__.lower() for kind in type(error).__mro__)
    if isinstance(error, MalformedReply):
        return "malformed"
    if is_overflow(error, status):
        return "context_length"
    if status in (401, 403) or "authentication" in names or "permissiondenied" in names:
        return "auth"
    if status == 429 or any(word in names for word in ("ratelimit", "throttl", "exhausted")):
        told = f"{error} {getattr(error, 'body', '')}"
        return "quota" if "insufficient_quota" in told else "rate_limit"
    if status == 404 or ("notfound" in names and not isinstance(error, (ImportError, OSError))):
        return "not_found"
    if "timeout" in names or status == 408:
        return "timeout"
    if status is not None and status >= 500:
        return "server"
    if any(word in names for word in ("connection", "connecterror", "protocolerror", "readerror")):
        return "connection"
    return "other"


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return error_kind(error) in ("rate_limit", "timeout", "connection", "server")


def error_text(error: BaseException) -> str:
    """Kind and message on one line, at most 300 characters, without any secret."""
    from tailor.redaction import redacted

    return f"{error_kind(error)}: {redacted(' '.join(str(error).split()))[:300]}"


def retry_after(error: BaseException) -> float | None:
    """Seconds after which the server wants to be asked again, 0 to 300; None where it says none.

    Read from ``retry-after-ms`` and ``Retry-After``, the latter in seconds or as a date.
    """
    response = getattr(error, "response", None) or getattr(error.__cause__, "response", None)
    headers = getattr(response, "headers", None)
    if not isinstance(headers, Mapping):
        return None
    milliseconds, after = headers.get("retry-after-ms"), headers.get("retry-after")
    try:
        if milliseconds is not None:
            seconds = float(milliseconds) / 1000
        elif after is not None:
            seconds = float(after)
        else:
            return None
    except ValueError:
        try:
            seconds = parsedate_to_datetime(str(after)).timestamp() - time.time()
        except ValueError:
            return 5.0
    return min(_LONGEST_TOLD, max(0.0, seconds))


def _status(error: BaseException) -> int | None:
    """The HTTP status, under any of the names that provider packages have for it.

    Where an error wraps that of the provider's own package, the status may be there alone.
    """
    response = getattr(error, "response", None)
    if isinstance(response, dict):  # of Amazon's package
        status: int | None = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        return status
    for holder, name in ((error, "status_code"), (error, "code"), (response, "status_code")):
        value = getattr(holder, name, None)
        if isinstance(value, int) and 400 <= value < 600:
            return value
    return _status(error.__cause__) if error.__cause__ else None


def _pause(error: BaseException, attempt: int) -> float:
    """Seconds to wait: what the server says, else 0.5, 1, 2, 4 … up to 60; with jitter."""
    told = retry_after(error)
    seconds = min(_LONGEST, 0.5 * 2**attempt) if told is None else told
    return seconds + random.uniform(0, 0.1)
