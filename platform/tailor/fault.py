"""Faults made on purpose, to prove that nothing is lost: for tests, in processes of their own.

``TAILOR_FAULT=answer.before:3:kill`` ends the process when it comes to the point ``answer.before``
for the third time. Other kinds are ``enospc`` (the disk is full), ``eio`` (the disk fails) and
``raise`` (a programming error). Without the variable nothing happens at any point.

A point is named by the step and by the moment: ``before`` it is done for good, ``after`` that, or,
for a file or a folder that is written aside and renamed, ``part``: written, not yet renamed. In a
database, ``before`` lies before the commit. A disk cannot fail ``after`` a step.
"""

from __future__ import annotations

import errno
import os
import re
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from tailor.errors import UsageError

Kind = Literal["kill", "enospc", "eio", "raise"]
_KINDS: tuple[Kind, ...] = get_args(Kind)
_ERRNO = {"enospc": errno.ENOSPC, "eio": errno.EIO}
_SQLITE = {
    "enospc": ("SQLITE_FULL", "database or disk is full"),
    "eio": ("SQLITE_IOERR", "disk I/O error"),
}

INGESTION = (
    "document.before", "document.after",
    "gone.before", "gone.after",
    "embedder.before", "embedder.after",
    "embedding.before", "embedding.after",
    "passages.before", "passages.after",
    "words.before", "words.after",
    "copy.before", "copy.after",
    "vectors.before", "vectors.after",
    "dead.before", "dead.after",
    "manifest.before", "manifest.after",
    "generation.before", "generation.after",
    "pointer.before", "pointer.part", "pointer.after",
    "finding.before", "finding.after",
)  # fmt: skip
"""Texts kept and dropped, vectors bought, the parts of a generation, which one is searched, and
what enrichers find."""
ANSWERING = (
    "call.before", "call.after",
    "answer.before", "answer.after",
    "scores.before", "scores.after",
    "measured.before", "measured.after",
    "json.before", "json.part", "json.after",
    "evaluation.before", "evaluation.after",
)  # fmt: skip
"""Replies bought, answers, what is derived of them, and the records of runs."""
MAKING = (
    "artifact.before", "artifact.part", "artifact.after",
    "folder.before", "folder.part", "folder.after",
)  # fmt: skip
"""What stages make, and exports."""
TRAINING = (
    "job.before", "job.after",
    "checkpoint.before", "checkpoint.part", "checkpoint.after",
    "adapter.before", "adapter.part", "adapter.after",
    "taken.before", "taken.part", "taken.after",
)  # fmt: skip
"""A training on this machine, to the adapter that is taken into the workspace."""
WRITING = (
    "config.before", "config.part", "config.after",
    "benchmark.before", "benchmark.part", "benchmark.after",
    "report.before", "report.part", "report.after",
    "preference.before", "preference.after",
    "judgement.before", "judgement.after",
    "served.before", "served.after",
    "feedback.before", "feedback.after",
)  # fmt: skip
"""What people change, say or ask."""
POINTS = (*INGESTION, *ANSWERING, *MAKING, *TRAINING, *WRITING)


@dataclass
class Fault:
    """What happens at the n-th hit of a point, and who is told of every hit."""

    point: str
    nth: int
    kind: Kind
    told: Callable[[str], None] | None = None
    """Called at every hit of any point, before the fault."""
    _left: int = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        self._left = self.nth

    def hit(self, name: str, failure: type[Exception]) -> None:
        """Count a hit; at the n-th one of its own point, fail."""
        if self.told is not None:
            self.told(name)
        if name != self.point:
            return
        with self._lock:
            self._left -= 1
            due = self._left == 0
        if due:
            _fail(self.kind, name, failure)


_armed: Fault | None = None


def hit(name: str, failure: type[Exception] = OSError) -> None:
    """A point was reached; ``failure`` is what a failing disk raises there."""
    if _armed is not None:
        _armed.hit(name, failure)


def arm(fault: str, told: Callable[[str], None] | None = None) -> None:
    """Arm this process by ``point:nth:kind``; empty: nothing fails.

    Raises:
        UsageError: there is no such point or kind, or it cannot happen there.
    """
    global _armed
    if not fault:
        _armed = Fault("", 0, "raise", told) if told else None
        return
    point, _, rest = fault.partition(":")
    nth, _, kind = rest.partition(":")
    kinds = {name: name for name in _KINDS}
    impossible = kind in _ERRNO and point.endswith(".after")
    if point not in POINTS or kind not in kinds or impossible or not re.fullmatch("[1-9]\\d*", nth):
        raise UsageError(
            f"TAILOR_FAULT={fault} names no fault: write point:nth:kind, with one of the kinds "
            f"{', '.join(_KINDS)} and a point of tailor.fault.POINTS, or unset the variable."
        )
    _armed = Fault(point, int(nth), kinds[kind], told)


def _fail(kind: Kind, name: str, failure: type[Exception]) -> None:
    if kind == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if kind == "raise":
        raise RuntimeError(f"a fault made on purpose at {name}")
    if issubclass(failure, OSError):
        raise failure(_ERRNO[kind], os.strerror(_ERRNO[kind]))
    import sqlite3  # not above: this is imported by all that writes anything

    code, text = _SQLITE[kind]
    error = failure(text)
    # Only SQLite's own errors declare it; the caller's kind of failure is one of them.
    error.sqlite_errorcode = getattr(sqlite3, code)  # type: ignore[attr-defined]
    raise error


try:
    arm(os.environ.get("TAILOR_FAULT", ""))
except UsageError as error:
    raise SystemExit(f"tailor: {error}") from None
