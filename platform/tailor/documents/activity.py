"""How far an ingestion has come, for other processes, and what the last one did."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tailor.documents.embedding import Progress

_EVERY = 0.3
"""Seconds between two writings."""


@dataclass(frozen=True)
class Activity:
    """The ingestion that is going on."""

    pid: int
    started: float
    """When the process was started, which tells it from a later one of the same number."""
    step: str = ""
    """``reading``, ``embedding``, ``indexing`` or ``enriching``."""
    done: int = 0
    total: int = 0


def activity(state: Path) -> Activity | None:
    """The ingestion that is going on, whoever started it; None where none is."""
    import psutil

    try:
        found = Activity(**json.loads(_file(state).read_text("utf-8")))
        process = psutil.Process(found.pid)
        alive = process.status() != psutil.STATUS_ZOMBIE
        return found if alive and abs(process.create_time() - found.started) < 1 else None
    except (OSError, ValueError, TypeError, psutil.Error):
        return None


@contextmanager
def announced(state: Path, progress: Progress | None) -> Iterator[Progress]:
    """Yields a progress that also tells other processes, as long as the block lasts."""
    import psutil

    from tailor.run import write_json

    own = Activity(os.getpid(), psutil.Process().create_time())
    file, written = _file(state), 0.0

    def told(step: str, done: int, total: int) -> None:
        nonlocal written
        if progress is not None:
            progress(step, done, total)
        if time.monotonic() - written > _EVERY:
            written = time.monotonic()
            write_json(file, {**asdict(own), "step": step, "done": done, "total": total})

    try:
        yield told
    finally:
        if activity(state) == own or _of(file) == own.pid:
            file.unlink(missing_ok=True)


def last_report(state: Path) -> Mapping[str, Any] | None:
    """What the last ingestion reported, as JSON, with the time ``at`` which it ended."""
    try:
        report: Mapping[str, Any] = json.loads(_last(state).read_text("utf-8"))
        return report if isinstance(report, dict) and "files" in report else None
    except (OSError, ValueError):
        return None


def keep_report(state: Path, report: Mapping[str, Any]) -> None:
    """Keep what an ingestion reported until the next one."""
    from tailor.run import write_json

    write_json(_last(state), {**report, "at": datetime.now(UTC).isoformat(timespec="seconds")})


def _of(file: Path) -> int:
    try:
        return int(json.loads(file.read_text("utf-8"))["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return 0


def _file(state: Path) -> Path:
    return state / "ingest.json"


def _last(state: Path) -> Path:
    return state / "reports" / "ingest.json"
