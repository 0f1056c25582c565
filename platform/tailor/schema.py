"""Versions of the databases: what an older Tailor wrote is brought up, a newer one's is refused.

The version is in ``PRAGMA user_version``. Where bringing a database up changes its tables, it is
copied to ``NAME.db.v<version>`` first.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tailor.errors import TailorError
from tailor.newer import refuse_newer

Columns = Mapping[str, frozenset[str]]


@dataclass(frozen=True)
class Schema:
    """The tables of one SQLite store."""

    version: int
    """Raised when tables, or the JSON in them, change so that an older Tailor misreads them."""
    tables: str
    """SQL that makes whatever of them is not there; it changes nothing that is."""
    added: tuple[tuple[str, str, str], ...] = ()
    """Columns that older versions did not have: table, name, and its type with a default."""
    derived: str = ""
    """SQL as ``tables``, for what is computed from them: where it was dropped it is made again."""

    def prepare(self, connection: sqlite3.Connection) -> None:
        """Make the tables in a new database, or bring those of an older version up to this one.

        In one of this version only what is derived is made, where it is not there.

        Raises:
            TailorError: a newer version wrote it, or there is no room for the copy.
            sqlite3.DatabaseError: it is damaged, or of a shape that no version ever had.
        """
        found = _version(connection)
        if found == self.version:
            if self.derived:
                connection.executescript(self.derived)
            return
        path = Path(connection.execute("PRAGMA database_list").fetchone()[2])
        refuse_newer(found, self.version, path)
        before = _columns(connection)
        if before and not before.keys() & _made(self._all).keys():
            raise sqlite3.DatabaseError(f"it holds other tables: {', '.join(sorted(before))}")
        if before and self._lacking(before):
            _copied(connection, path, found)
        connection.executescript("BEGIN IMMEDIATE")
        try:
            if _version(connection) < self.version:  # else another process was quicker
                self._bring_up(connection)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _bring_up(self, connection: sqlite3.Connection) -> None:
        there = _columns(connection)
        for table, column, kind in self.added:
            if table in there and column not in there[table]:
                connection.execute(f"ALTER TABLE {table} ADD COLUMN {column} {kind}")
        for statement in _statements(self._all):
            connection.execute(statement)
        if lacking := self._lacking(_columns(connection)):
            raise sqlite3.DatabaseError(f"it lacks {', '.join(lacking)}")
        connection.execute(f"PRAGMA user_version = {self.version}")

    @property
    def _all(self) -> str:
        return self.tables + self.derived

    def _lacking(self, there: Columns) -> list[str]:
        """The tables and columns that are not there."""
        wanted = _made(self._all)
        missing = [table for table in wanted if table not in there]
        return missing + [
            f"{table}.{column}"
            for table, columns in wanted.items()
            for column in sorted(columns - there.get(table, columns))
        ]


def _version(connection: sqlite3.Connection) -> int:
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return int(found)


def _columns(connection: sqlite3.Connection) -> Columns:
    """The columns of each table."""
    query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    return {
        table: frozenset(row[1] for row in connection.execute(f'PRAGMA table_info("{table}")'))
        for (table,) in connection.execute(query).fetchall()
    }


@lru_cache(maxsize=16)
def _made(tables: str) -> Columns:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(tables)
        return _columns(connection)


def _statements(script: str) -> list[str]:
    """The statements of a script, triggers whole."""
    found, rest = [], ""
    for line in script.splitlines(keepends=True):
        rest += line
        if sqlite3.complete_statement(rest):
            found.append(rest)
            rest = ""
    return found


def _copied(connection: sqlite3.Connection, path: Path, version: int) -> None:
    """Copy a database that is to be changed; one that is there from an earlier try is whole."""
    backup = path.with_name(f"{path.name}.v{version}")
    if backup.exists():
        return
    part = backup.with_name(f"{backup.name}.part")
    try:
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part)) as copy:
            connection.backup(copy)
        os.replace(part, backup)
    except (OSError, sqlite3.OperationalError) as error:
        raise TailorError(
            f"{path} is of an older version and cannot be copied before it is brought up "
            f"({error}): free disk space or permissions, then try again."
        ) from None
