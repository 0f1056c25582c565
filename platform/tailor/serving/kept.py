"""Served questions, kept to be watched and learned from: ``.tailor/served.db``.

Secrets and personal data are masked before anything is written; ``[serve] keep = false`` keeps
nothing. What is older than ``keep_days`` is deleted by :func:`expire`, and never read before that.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.assistant import Turn
from tailor.documents.passages import Passage
from tailor.documents.sensitive import masked
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.schema import Schema
from tailor.text import whole

if TYPE_CHECKING:
    from tailor.workspace import Workspace

Rating = Literal["up", "down"]

SCHEMA = Schema(
    1,
    """
CREATE TABLE IF NOT EXISTS served (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at REAL NOT NULL, value TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS served_at ON served (at);
CREATE TABLE IF NOT EXISTS feedback (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL, at REAL NOT NULL,
    rating TEXT NOT NULL, comment TEXT NOT NULL, correction TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS feedback_of ON feedback (id);
""",
)


@dataclass(frozen=True)
class Served:
    """One question that was served, and how it ended."""

    id: str
    """Of the reply, as the client has it: ``chatcmpl-…``."""
    at: float
    """Seconds since 1970."""
    question: str
    history: tuple[Turn, ...]
    text: str
    """The answer without its citations; empty where it ended in an error."""
    outcome: str
    """``ok``, ``refused``, ``unparseable`` or ``error``."""
    error: str
    """Kind and message; only where the outcome is ``error``."""
    row: str
    model: str
    run: str
    """Id of the row's run; empty where it was not run."""
    fingerprint: str
    """Of the assistant."""
    generation: str
    """Of the index; empty where nothing is retrieved."""
    passages: tuple[Passage, ...]
    """Those the model was shown, the best first, with their scores."""
    searched: str
    """What was searched for, where that is not the question as it was asked."""
    seconds: float
    """Wall time from the request to the end of the reply."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where the model's price is not known."""


@dataclass(frozen=True)
class Ended:
    """What is counted of a served question; see :class:`Served`."""

    at: float
    outcome: str
    seconds: float
    input_tokens: int
    output_tokens: int
    cost_usd: float | None


@dataclass(frozen=True)
class Feedback:
    """What a person said of a served answer."""

    id: str
    """Of the reply."""
    at: float
    rating: Rating
    comment: str = ""
    correction: str = ""
    """The answer as it should have been."""


def keep(workspace: Workspace, served: Sequence[Served]) -> None:
    """Keep served questions, all in one transaction; nothing where ``[serve] keep`` is false.

    Raises:
        TailorError: the store cannot be written.
    """
    if not workspace.config.serve.keep:
        return
    rows = [(one.id, one.at, whole(json.dumps(_value(one), ensure_ascii=False))) for one in served]
    with _writing(workspace.state) as db:
        db.executemany("INSERT OR IGNORE INTO served (id, at, value) VALUES (?, ?, ?)", rows)
        hit("served.before", sqlite3.OperationalError)
    hit("served.after")


def feedback(
    workspace: Workspace, id: str, rating: Rating, comment: str = "", correction: str = ""
) -> bool:
    """Keep what a person said of a served answer; False where no such answer is kept.

    Raises:
        TailorError: the store cannot be written.
    """
    if not _path(workspace.state).exists():
        return False
    with _writing(workspace.state) as db:
        if db.execute("SELECT 1 FROM served WHERE id = ?", (id,)).fetchone() is None:
            return False
        row = id, time.time(), rating, masked(comment), masked(correction)
        db.execute(
            "INSERT INTO feedback (id, at, rating, comment, correction) VALUES (?, ?, ?, ?, ?)",
            row,
        )
        hit("feedback.before", sqlite3.OperationalError)
    hit("feedback.after")
    return True


def expire(workspace: Workspace) -> int:
    """Delete what is older than ``[serve] keep_days``, with what people said of it; how many.

    Raises:
        TailorError: the store cannot be written.
    """
    if not _path(workspace.state).exists():
        return 0
    with _writing(workspace.state) as db:
        db.execute("PRAGMA secure_delete=ON")
        count = db.execute("DELETE FROM served WHERE at < ?", (_oldest(workspace),)).rowcount
        if count:
            db.execute("DELETE FROM feedback WHERE id NOT IN (SELECT id FROM served)")
    return count


def served(workspace: Workspace, since: float = 0.0, most: int = -1) -> tuple[Served, ...]:
    """What is kept from this time on, the oldest first: the last ``most``, or all.

    Nothing where there is no store.
    """
    query = "SELECT value FROM served WHERE at >= ? ORDER BY number DESC LIMIT ?"
    rows = _read(workspace.state, query, max(since, _oldest(workspace)), most)
    return tuple(_served(json.loads(value)) for (value,) in reversed(rows))


def named(workspace: Workspace, ids: Sequence[str]) -> dict[str, Served]:
    """The served questions with these ids, by id; those that are not kept are missing."""
    query = "SELECT value FROM served WHERE id = ? AND at >= ?"
    found = (_read(workspace.state, query, id, _oldest(workspace)) for id in ids)
    ones = (_served(json.loads(rows[0][0])) for rows in found if rows)
    return {one.id: one for one in ones}


def ended(workspace: Workspace, since: float = 0.0) -> tuple[Ended, ...]:
    """What is counted of all that is kept from this time on, the oldest first."""
    fields = ("outcome", "seconds", "input_tokens", "output_tokens", "cost_usd")
    values = ", ".join(f"json_extract(value, '$.{name}')" for name in fields)
    query = f"SELECT at, {values} FROM served WHERE at >= ? ORDER BY number"
    rows = _read(workspace.state, query, max(since, _oldest(workspace)))
    return tuple(Ended(*row) for row in rows)


def feedbacks(workspace: Workspace) -> tuple[Feedback, ...]:
    """What people said, the oldest first."""
    query = "SELECT id, at, rating, comment, correction FROM feedback ORDER BY number"
    return tuple(Feedback(*row) for row in _read(workspace.state, query))


def _oldest(workspace: Workspace) -> float:
    """The time before which nothing is kept any more."""
    return time.time() - 86400 * workspace.config.serve.keep_days


def _value(one: Served) -> dict[str, Any]:
    # Not dataclasses.asdict: it took a tenth of all that serving a question takes.
    return {
        **one.__dict__,
        "question": masked(one.question),
        "history": [{**turn.__dict__, "content": masked(turn.content)} for turn in one.history],
        "text": masked(one.text),
        "error": masked(one.error),
        "passages": [{**p.__dict__, "text": _known(p.text)} for p in one.passages],
        "searched": masked(one.searched),
    }


@lru_cache(maxsize=4096)
def _known(text: str) -> str:
    """A passage's text, masked; the same ones are found often."""
    return masked(text)


def _served(value: dict[str, Any]) -> Served:
    history = tuple(Turn(**turn) for turn in value["history"])
    passages = tuple(Passage(**passage) for passage in value["passages"])
    return Served(**{**value, "history": history, "passages": passages})


def _path(state: Path) -> Path:
    return state / "served.db"


def _read(state: Path, query: str, *values: object) -> list[Any]:
    if not _path(state).exists():
        return []
    try:
        with closing(sqlite3.connect(_path(state), timeout=30)) as db:
            SCHEMA.prepare(db)
            return db.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise TailorError(
            f"{_path(state)} cannot be read ({error}): move it away, and a new one is begun."
        ) from None


@contextmanager
def _writing(state: Path) -> Iterator[sqlite3.Connection]:
    try:
        state.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(_path(state), timeout=30)) as db, db:
            db.execute("PRAGMA journal_mode=WAL")
            SCHEMA.prepare(db)
            yield db
    except (OSError, sqlite3.Error) as error:
        raise TailorError(
            f"{_path(state)} cannot be written ({error}): see to the disk or the permissions."
        ) from None
