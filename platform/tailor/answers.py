"""The answer store: every model call and every answer, kept at once, paid for once."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tailor.assistant import Answer
from tailor.documents.passages import Passage
from tailor.errors import TailorError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, reply TEXT NOT NULL, seconds REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    assistant TEXT NOT NULL, ask TEXT NOT NULL, repeat INTEGER NOT NULL,
    outcome TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (assistant, ask, repeat)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS measured (
    assistant TEXT NOT NULL, metric TEXT NOT NULL, ask TEXT NOT NULL,
    about TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (assistant, metric, ask)
) WITHOUT ROWID;
"""


@dataclass(frozen=True)
class Call:
    """One stored model call: the exact request and the raw reply, both as JSON values."""

    request: dict[str, Any]
    reply: dict[str, Any]
    seconds: float


class AnswerStore:
    """SQLite file that is the cache, the resume log and the result store at once.

    Calls are keyed by the exact request, answers by assistant, question and repeat. Each write is
    committed with ``synchronous=FULL`` before the method returns. Safe to use from several threads
    and, through SQLite's own locks, from several processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            self._db.executescript(_SCHEMA)
        except (OSError, sqlite3.OperationalError) as error:
            raise TailorError(
                f"The answer store {path} cannot be opened ({error}); see that you may write to "
                "its folder and that the disk is not full."
            ) from None
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from None

    def close(self) -> None:
        """Close the file; the store cannot be used afterwards."""
        with self._lock:
            self._db.close()

    def call(self, key: str) -> Call | None:
        """The stored call with this key."""
        row = self._one("SELECT request, reply, seconds FROM calls WHERE key = ?", key)
        if row is None:
            return None
        try:
            return Call(json.loads(row[0]), json.loads(row[1]), row[2])
        except ValueError as error:
            raise self._damaged(error) from None

    def keep_call(self, key: str, call: Call) -> None:
        """Commit a call; one that is already stored under this key stays."""
        with self._using() as db:
            db.execute(
                "INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?)",
                (key, _dump(call.request), _dump(call.reply), call.seconds),
            )

    def answer(self, assistant: str, ask: str, repeat: int = 0) -> Answer | None:
        """The stored answer, errors included."""
        row = self._one(
            "SELECT answer FROM answers WHERE assistant = ? AND ask = ? AND repeat = ?",
            assistant, ask, repeat,
        )  # fmt: skip
        return None if row is None else self._answer(row[0])

    def answers(self, assistant: str, repeat: int = 0) -> dict[str, Answer]:
        """All stored answers of one assistant, by the question's key."""
        with self._using() as db:
            rows = db.execute(
                "SELECT ask, answer FROM answers WHERE assistant = ? AND repeat = ?",
                (assistant, repeat),
            ).fetchall()
        return {ask: self._answer(raw) for ask, raw in rows}

    def keep_answer(self, assistant: str, ask: str, answer: Answer, repeat: int = 0) -> None:
        """Commit an answer. An error never replaces an answer; an answer replaces an error."""
        with self._using() as db:
            db.execute(
                "INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET outcome = excluded.outcome, answer = excluded.answer WHERE outcome = 'error'",
                (assistant, ask, repeat, answer.outcome, _dump(asdict(answer))),
            )

    def measured(self, assistant: str, metric: str) -> dict[str, tuple[str, Any]]:
        """What a metric that is dear to compute found, by question key: ``(about, value)``.

        ``about`` is a digest of all that the value depends on besides the answer.
        """
        with self._using() as db:
            rows = db.execute(
                "SELECT ask, about, value FROM measured WHERE assistant = ? AND metric = ?",
                (assistant, metric),
            ).fetchall()
        try:
            return {ask: (about, json.loads(value)) for ask, about, value in rows}
        except ValueError as error:
            raise self._damaged(error) from None

    def keep_measured(
        self, assistant: str, metric: str, found: Mapping[str, tuple[str, object]]
    ) -> None:
        """Commit what a metric found, in place of what it found before."""
        with self._using() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                db.executemany(
                    "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?, ?)",
                    [
                        (assistant, metric, ask, about, _dump(v))
                        for ask, (about, v) in found.items()
                    ],
                )
                db.execute("COMMIT")
            except BaseException:
                db.execute("ROLLBACK")  # else the next write would find a transaction open
                raise

    def count(self) -> tuple[int, int]:
        """How many calls and how many answers are stored."""
        calls = self._one("SELECT count(*) FROM calls")
        answers = self._one("SELECT count(*) FROM answers")
        assert calls
        assert answers
        return calls[0], answers[0]

    def _one(self, query: str, *values: object) -> Any:
        with self._using() as db:
            return db.execute(query, values).fetchone()

    @contextmanager
    def _using(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            try:
                yield self._db
            except sqlite3.OperationalError as error:
                if "decode" in str(error):  # bytes that are no text: no want of room
                    raise self._damaged(error) from None
                raise TailorError(
                    f"The answer store {self.path} cannot be used ({error}); see that the disk has "
                    "room and may be written, then run the same command again: it goes on from "
                    "what is stored."
                ) from None
            except sqlite3.DatabaseError as error:
                if isinstance(error, sqlite3.ProgrammingError):
                    raise
                raise self._damaged(error) from None

    def _answer(self, raw: str) -> Answer:
        try:
            value = json.loads(raw)
            value["passages"] = tuple(Passage(**passage) for passage in value["passages"])
            return Answer(**value)
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> TailorError:
        # A -wal file left beside a new database would be read into it.
        return TailorError(
            f"The answer store {self.path} is damaged ({error}); restore it from a copy, or move "
            f"{self.path.name} and its -wal and -shm files away to start a new one."
        )


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
