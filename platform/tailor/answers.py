"""The answer store: every model call and every answer, kept at once, paid for once."""

from __future__ import annotations

import json
import sqlite3
import threading
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

from tailor.assistant import Answer, Outcome
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.group_commit import Waiting, Write, commit, transaction
from tailor.schema import Schema

_TABLES = """
CREATE TABLE IF NOT EXISTS calls (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, reply TEXT NOT NULL, seconds REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS answers (
    assistant TEXT NOT NULL, ask TEXT NOT NULL, repeat INTEGER NOT NULL,
    outcome TEXT NOT NULL, answer TEXT NOT NULL,
    PRIMARY KEY (assistant, ask, repeat)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_of ON answers (assistant, repeat);
CREATE TABLE IF NOT EXISTS measured (
    assistant TEXT NOT NULL, metric TEXT NOT NULL, ask TEXT NOT NULL,
    about TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (assistant, metric, ask)
) WITHOUT ROWID;
"""
_DERIVED = """\
CREATE TABLE IF NOT EXISTS facts (
    assistant TEXT NOT NULL, ask TEXT NOT NULL, repeat INTEGER NOT NULL,
    outcome TEXT NOT NULL, input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    seconds REAL NOT NULL, cost_usd REAL, call TEXT NOT NULL,
    passages INTEGER NOT NULL, dropped INTEGER NOT NULL,
    PRIMARY KEY (assistant, repeat, ask)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS scores (
    assistant TEXT NOT NULL, ask TEXT NOT NULL, repeat INTEGER NOT NULL,
    about TEXT NOT NULL, names TEXT NOT NULL, value TEXT NOT NULL, crc INTEGER NOT NULL,
    PRIMARY KEY (assistant, repeat, ask)
) WITHOUT ROWID;
"""
"""Facts and scores are computed from answers: what is missing in them is made again."""
_TRIGGERS = "".join(
    f"""
CREATE TRIGGER IF NOT EXISTS answers_{event} AFTER {event} ON answers BEGIN
    DELETE FROM facts WHERE (assistant, repeat, ask) = ({row}.assistant, {row}.repeat, {row}.ask);
    DELETE FROM scores WHERE (assistant, repeat, ask) = ({row}.assistant, {row}.repeat, {row}.ask);
END;
"""
    for event, row in (("INSERT", "new"), ("UPDATE", "old"), ("DELETE", "old"))
)
SCHEMA = Schema(1, _TABLES, derived=_DERIVED + _TRIGGERS)


@dataclass(frozen=True)
class Call:
    """One stored model call: the exact request and the raw reply, both as JSON values."""

    request: dict[str, Any]
    reply: dict[str, Any]
    seconds: float


@dataclass(frozen=True, slots=True)
class Fact:
    """An answer without its text and passages: how it ended and what it took."""

    outcome: Outcome
    input_tokens: int
    output_tokens: int
    seconds: float
    cost_usd: float | None
    """None where the model's price is not known."""
    call: str
    """Key of the stored model call; empty where no chat model was asked."""
    passages: int
    """How many passages were found."""
    dropped: int
    """How many of them the model did not get to see."""

    @classmethod
    def of(cls, answer: Answer) -> Fact:
        """The fact of an answer."""
        return cls(
            answer.outcome, answer.input_tokens, answer.output_tokens, answer.seconds,
            answer.cost_usd, answer.call, len(answer.passages), answer.dropped,
        )  # fmt: skip


_FACT = ", ".join(field.name for field in fields(Fact))
_KEEP_FACT = (
    f"INSERT OR IGNORE INTO facts (assistant, ask, repeat, {_FACT}) "
    f"VALUES (?, ?, ?{', ?' * len(fields(Fact))})"
)

Scores = Mapping[str, float | None]
"""Metrics of one answer by name; None where a metric does not apply."""


class AnswerStore:
    """SQLite file that is the cache, the resume log and the result store at once.

    Calls are keyed by the exact request, answers by assistant, question and repeat. Each write is
    committed with ``synchronous=FULL`` before the method returns, in one transaction with those of
    the threads that wait beside it. Safe to use from several threads
    and, through SQLite's own locks, from several processes.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._waiting: list[Waiting] = []
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                path, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            SCHEMA.prepare(self._db)
        except (OSError, sqlite3.OperationalError) as error:
            raise TailorError(
                f"The answer store {path} cannot be opened ({error}); see that you may write to "
                "its folder and that the disk is not full."
            ) from None
        except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
            raise self._damaged(error) from None  # damage may stand in SQLite's own message

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
        row = key, _dump(call.request), _dump(call.reply), call.seconds
        self._commit(lambda db: _keep_call(db, row))
        hit("call.after")

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
        row = assistant, ask, repeat, answer.outcome, _dump(asdict(answer))
        fact = assistant, ask, repeat, *astuple(Fact.of(answer))
        self._commit(lambda db: _keep_answer(db, row, fact))
        hit("answer.after")

    def keep_answers(self, assistant: str, found: Mapping[tuple[str, int], Answer]) -> None:
        """Commit several answers of one assistant, by the question's key and the repeat."""
        with self._writing() as db:
            for (ask, repeat), answer in found.items():
                row = assistant, ask, repeat, answer.outcome, _dump(asdict(answer))
                _keep_answer(db, row, (assistant, ask, repeat, *astuple(Fact.of(answer))))
        hit("answer.after")

    def facts(self, assistant: str, repeat: int = 0) -> dict[str, Fact]:
        """How each stored answer of one assistant ended and what it took, by the question's key.

        No answer is read for it, save those of a store that an older version wrote.
        """
        columns = ", ".join(f"facts.{field.name}" for field in fields(Fact))
        try:
            with self._using() as db:
                rows = db.execute(
                    f"SELECT ask, {columns} FROM answers "
                    "LEFT JOIN facts USING (assistant, repeat, ask) "
                    "WHERE assistant = ? AND repeat = ?",
                    (assistant, repeat),
                ).fetchall()
        except TailorError:  # of the facts alone, perhaps
            return {ask: Fact.of(own) for ask, own in self.answers(assistant, repeat).items()}
        found = {ask: Fact(*row) for ask, *row in rows if row[0] is not None}
        if missing := [ask for ask, *_ in rows if ask not in found]:
            found |= self._make_facts(assistant, repeat, missing)
        return found

    def _make_facts(self, assistant: str, repeat: int, asks: Sequence[str]) -> dict[str, Fact]:
        answers = {ask: self.answer(assistant, ask, repeat) for ask in asks}
        made = {ask: Fact.of(answer) for ask, answer in answers.items() if answer is not None}
        with suppress(TailorError), self._writing() as db:  # a store one may not write is read
            db.executemany(
                _KEEP_FACT,
                [(assistant, ask, repeat, *astuple(fact)) for ask, fact in made.items()],
            )
        return made

    def scores(self, assistant: str, repeat: int = 0) -> dict[str, tuple[str, Scores]]:
        """The kept scores of one assistant's answers, by the question's key: ``(about, scores)``.

        ``about`` is a digest of all that the scores depend on besides the answer's text and
        passages. A damaged entry counts as not kept.
        """
        try:
            with self._lock:
                rows = self._db.execute(
                    "SELECT ask, about, names, value, crc FROM scores "
                    "WHERE assistant = ? AND repeat = ?",
                    (assistant, repeat),
                ).fetchall()
        except sqlite3.DatabaseError:
            return {}  # they can be computed again, whatever is wrong with the file
        sound = [row[:4] for row in rows if _crc(*row[1:4]) == row[4]]
        values = json.loads(f"[{','.join(value for *_, value in sound)}]")
        metrics = {names: names.split() for _, _, names, _ in sound}
        return {
            ask: (about, dict(zip(metrics[names], own, strict=True)))
            for (ask, about, names, _), own in zip(sound, values, strict=True)
        }

    def keep_scores(
        self, assistant: str, found: Mapping[str, tuple[str, Scores]], repeat: int = 0
    ) -> None:
        """Commit scores, in place of those kept before; names of metrics hold no space."""
        raw = [
            (ask, about, " ".join(own), _dump(list(own.values())))
            for ask, (about, own) in found.items()
        ]
        with self._writing() as db:
            db.executemany(
                "INSERT OR REPLACE INTO scores (assistant, repeat, ask, about, names, value, crc) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                [(assistant, repeat, *row, _crc(*row[1:])) for row in raw],
            )
            hit("scores.before", sqlite3.OperationalError)
        hit("scores.after")

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
        with self._writing() as db:
            db.executemany(
                "INSERT OR REPLACE INTO measured VALUES (?, ?, ?, ?, ?)",
                [(assistant, metric, ask, about, _dump(v)) for ask, (about, v) in found.items()],
            )
            hit("measured.before", sqlite3.OperationalError)
        hit("measured.after")

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
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all that is written in it stays, or nothing."""
        with self._using() as db, transaction(db):
            yield db

    def _commit(self, write: Write) -> None:
        """Have a write committed, together with those of other threads that wait by then."""
        own = Waiting(write)
        self._waiting.append(own)
        with self._using() as db:
            if not own.done:
                others, self._waiting = self._waiting, []
                # One that came between these two lines is in neither, and commits itself.
                commit(db, [own, *(one for one in others if one is not own and not one.done)])
            if own.error is not None:
                raise own.error

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
            return Answer.of(json.loads(raw))
        except (ValueError, TypeError, KeyError) as error:
            raise self._damaged(error) from None

    def _damaged(self, error: Exception) -> TailorError:
        # A -wal file left beside a new database would be read into it.
        return TailorError(
            f"The answer store {self.path} is damaged ({error}); restore it from a copy, or move "
            f"{self.path.name} and its -wal and -shm files away to start a new one."
        )


def _keep_call(db: sqlite3.Connection, row: Sequence[object]) -> None:
    db.execute("INSERT OR IGNORE INTO calls VALUES (?, ?, ?, ?)", row)
    hit("call.before", sqlite3.OperationalError)


def _keep_answer(db: sqlite3.Connection, row: Sequence[object], fact: Sequence[object]) -> None:
    changed = db.execute(
        "INSERT INTO answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
        "SET outcome = excluded.outcome, answer = excluded.answer WHERE outcome = 'error'",
        row,
    ).rowcount
    if changed:
        db.execute(_KEEP_FACT, fact)
    hit("answer.before", sqlite3.OperationalError)


def _crc(about: object, names: object, value: object) -> int:
    return zlib.crc32(f"{about}\n{names}\n{value}".encode())


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
