"""Writes of several threads to one SQLite connection, committed together."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

Write = Callable[[sqlite3.Connection], None]


@dataclass(eq=False)
class Waiting:
    """A write that somebody waits for."""

    write: Write
    done: bool = False
    """Committed, or failed for good."""
    error: Exception | None = None


def commit(db: sqlite3.Connection, waiting: Sequence[Waiting]) -> None:
    """Commit all of them in one transaction; where that fails, each by itself.

    So one that cannot be written takes no other with it, and finds its error in ``error``.
    """
    try:
        _together(db, waiting)
    except Exception as error:  # whatever it is, the caller waiting for it is told
        if len(waiting) == 1:
            waiting[0].error, waiting[0].done = error, True
            return
        for one in waiting:
            commit(db, [one])


def _together(db: sqlite3.Connection, waiting: Sequence[Waiting]) -> None:
    with transaction(db):
        for one in waiting:
            one.write(db)
    for one in waiting:
        one.done = True


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """One transaction: all that is written in it stays, or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk may have rolled it back
            db.execute("ROLLBACK")  # else the next write would find a transaction open
        raise
