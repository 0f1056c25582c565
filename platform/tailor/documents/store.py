"""What documents are made of, kept in SQLite: their texts, and vectors that were paid for."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.documents.document import Document, Place
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.schema import Schema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

DOCUMENTS = Schema(
    1,
    "CREATE TABLE IF NOT EXISTS documents (path TEXT PRIMARY KEY, sha256 TEXT, size INTEGER, "
    "mtime_ns INTEGER, status TEXT, reason TEXT, text TEXT, places TEXT, language TEXT, "
    "version INTEGER, file TEXT DEFAULT '', fingerprint TEXT DEFAULT '') WITHOUT ROWID;",
    (("documents", "file", "TEXT DEFAULT ''"), ("documents", "fingerprint", "TEXT DEFAULT ''")),
)
EMBEDDINGS = Schema(
    1,
    "CREATE TABLE IF NOT EXISTS embeddings (embedder TEXT, text TEXT, vector BLOB, "
    "PRIMARY KEY (embedder, text));\n"
    "CREATE TABLE IF NOT EXISTS embedders (fingerprint TEXT PRIMARY KEY, name TEXT, probe BLOB) "
    "WITHOUT ROWID;",
)
_ENVIRONMENT = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}
"""SQLite's result codes that say nothing against the file's content."""


@dataclass(frozen=True)
class Record:
    """One file below ``knowledge/`` as it was last read."""

    path: str
    sha256: str
    size: int
    mtime_ns: int
    status: Literal["ok", "refused", "empty", "holder"]
    """``holder``: no text of its own, but documents in it, as an archive."""
    reason: str = ""
    text: str = ""
    places: tuple[Place, ...] = ()
    language: str = ""
    version: int = 0
    """Of the readers that read it."""
    file: str = ""
    """The file or source it is in, where that is not its own path."""
    fingerprint: str = ""
    """Of what wrote a recording down."""
    left: tuple[str, str] | None = None
    """``digest`` and ``content`` of a record whose text and places were left in the store."""

    @property
    def origin(self) -> str:
        """The path of the file, or the name of the source, that it came from."""
        return self.file or self.path

    @property
    def document(self) -> Document:
        """The document that was read."""
        return Document(self.path, self.text, self.places, self.language, self.sha256, self.reason)

    @cached_property
    def digest(self) -> str:
        """Content hash of text and places, the path left out."""
        if self.left is not None:
            return self.left[0]
        raw = json.dumps([self.text, [[p.name, p.start, p.end, p.rows] for p in self.places]])
        return hashlib.sha256(raw.encode()).hexdigest()

    @cached_property
    def content(self) -> str:
        """Hash of the text alone."""
        return text_key(self.text) if self.left is None else self.left[1]

    @property
    def light(self) -> Record:
        """The same without text and places, for those who hold many."""
        if self.left is not None:
            return self
        return replace(self, text="", places=(), left=(self.digest, self.content))


@contextmanager
def database(path: Path) -> Iterator[sqlite3.Connection]:
    """A SQLite database whose commits survive a crash and a power cut.

    Raises:
        TailorError: the file is damaged, also where that shows only while it is in use, or it
            cannot be used, as on a full disk.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TailorError(
            f"The folder {path.parent} cannot be made ({error.strerror}): make the workspace "
            "writable, then try again."
        ) from None
    try:
        with closing(sqlite3.connect(path, timeout=30)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            yield connection
    except sqlite3.DatabaseError as error:
        raise _unusable(path, error) from error


@contextmanager
def snapshot(path: Path) -> Iterator[sqlite3.Connection]:
    """A copy of the database as it is now, to look into without touching the database.

    Raises:
        TailorError: as `database`.
    """
    with tempfile.TemporaryDirectory(prefix="tailor-") as folder:
        copy = Path(folder) / path.name
        for name in (path.name, f"{path.name}-wal"):
            with suppress(FileNotFoundError):
                shutil.copyfile(path.with_name(name), copy.with_name(name))
        with database(copy) as connection:
            yield connection


def _unusable(path: Path, error: sqlite3.DatabaseError) -> TailorError:
    if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF in _ENVIRONMENT:
        return TailorError(
            f"{path} cannot be used now ({error}): see that it is writable, that the disk is not "
            "full and that no other program holds it, then try again."
        )
    return TailorError(
        f"{path} is damaged ({error}): move it and the files {path.name}-wal and {path.name}-shm "
        "away, then run `tailor ingest`, which makes it anew from knowledge/."
    )


class DocumentStore:
    """The table of files and their texts in ``documents.db``."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        DOCUMENTS.prepare(connection)

    def records(self) -> dict[str, Record]:
        """All files in the order of their paths."""
        return {record.path: record for record in self._records()}

    def files(self) -> dict[str, Record]:
        """All files in the order of their paths, their texts left in the store."""
        return {record.path: record.light for record in self._records()}

    def whole(self, record: Record) -> Record:
        """The record with its text and places."""
        if record.left is None:
            return record
        query = "SELECT text, places FROM documents WHERE path = ?"
        text, places = self._connection.execute(query, [record.path]).fetchone()
        return replace(record, text=text, places=_places(places), left=None)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Path and text of each readable document, one after another."""
        yield from self._connection.execute(
            "SELECT path, text FROM documents WHERE status = 'ok' ORDER BY path"
        )

    def _records(self) -> Iterator[Record]:
        rows = self._connection.execute(
            "SELECT path, sha256, size, mtime_ns, status, reason, text, places, language, version, "
            "file, fingerprint FROM documents ORDER BY path"
        )
        try:
            for row in rows:
                values: list[Any] = list(row)
                values[7] = _places(str(row[7]))
                yield Record(*values)
        except (ValueError, TypeError) as error:
            raise sqlite3.DatabaseError("the places of a document are unreadable") from error

    def heads(self, length: int) -> list[tuple[str, str, int, str]]:
        """Path, language, time of change and the first characters of each readable document."""
        return self._connection.execute(
            "SELECT path, language, mtime_ns, substr(text, 1, ?) FROM documents "
            "WHERE status = 'ok' ORDER BY path",
            [length],
        ).fetchall()

    def text(self, path: str) -> str | None:
        """The text of a readable document."""
        query = "SELECT text FROM documents WHERE path = ? AND status = 'ok'"
        found = self._connection.execute(query, [path]).fetchone()
        return str(found[0]) if found else None

    def put(self, records: Iterable[Record]) -> None:
        """Keep these files, in one commit."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO documents (path, sha256, size, mtime_ns, status, reason, "
                "text, places, language, version, file, fingerprint) "
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                [
                    (
                        *(r.path, r.sha256, r.size, r.mtime_ns, r.status, r.reason, r.text),
                        json.dumps([[p.name, p.start, p.end, p.rows] for p in r.places]),
                        *(r.language, r.version, r.file, r.fingerprint),
                    )
                    for r in records
                ],
            )
            hit("document.before", sqlite3.OperationalError)
        hit("document.after")

    def remove(self, paths: Iterable[str]) -> None:
        """Forget these files, in one commit."""
        with self._connection:
            self._connection.executemany(
                "DELETE FROM documents WHERE path = ?", [(path,) for path in paths]
            )
            hit("gone.before", sqlite3.OperationalError)
        hit("gone.after")


def _places(raw: str) -> tuple[Place, ...]:
    return tuple(Place(name, start, end, bool(rows)) for name, start, end, rows in json.loads(raw))


def unique(records: Mapping[str, Record]) -> tuple[dict[str, Record], dict[str, str]]:
    """Readable documents with different content, and for each further copy the path it repeats.

    Of several copies the first path in order counts, whenever it was added.
    """
    documents: dict[str, Record] = {}
    copies: dict[str, str] = {}
    first: dict[str, str] = {}
    for path in sorted(records):
        record = records[path]
        if record.status == "ok":
            original = first.setdefault(record.content, path)
            if original == path:
                documents[path] = record
            else:
                copies[path] = original
    return documents, copies


class EmbeddingCache:
    """Vectors in ``embeddings.db`` by embedder and text, so that no text is embedded twice."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        EMBEDDINGS.prepare(connection)

    def get(self, embedder: str, texts: Sequence[str]) -> dict[str, Vector]:
        """The vectors known for these texts."""
        import numpy as np

        keys = {text_key(text): text for text in texts}
        rows = self._known("text, vector", embedder, list(keys))
        return {keys[key]: np.frombuffer(blob, dtype="<f4") for key, blob in rows}

    def missing(self, embedder: str, texts: Sequence[str]) -> list[str]:
        """The texts, each once, whose vectors are not known."""
        keys = {text_key(text): text for text in texts}
        known = {key for (key,) in self._known("text", embedder, list(keys))}
        return [text for key, text in keys.items() if key not in known]

    def _known(self, columns: str, embedder: str, keys: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(keys), 500):
            some = keys[start : start + 500]
            marks = ", ".join("?" * len(some))
            query = f"SELECT {columns} FROM embeddings WHERE embedder = ? AND text IN ({marks})"
            yield from self._connection.execute(query, [embedder, *some])

    def put(self, embedder: str, vectors: Mapping[str, Vector]) -> None:
        """Keep the vectors of these texts, in one commit."""
        with self._connection:
            self._connection.executemany(
                "INSERT OR REPLACE INTO embeddings VALUES (?, ?, ?)",
                [(embedder, text_key(t), v.astype("<f4").tobytes()) for t, v in vectors.items()],
            )
            hit("embedding.before", sqlite3.OperationalError)
        hit("embedding.after")

    def embedders(self, name: str) -> dict[str, Vector]:
        """Fingerprints that embedders of this name had, with their vectors of the probe."""
        import numpy as np

        rows = self._connection.execute(
            "SELECT fingerprint, probe FROM embedders WHERE name = ? ORDER BY fingerprint", [name]
        )
        return {fingerprint: np.frombuffer(blob, dtype="<f4") for fingerprint, blob in rows}

    def put_embedder(self, fingerprint: str, name: str, probe: Vector) -> None:
        """Remember an embedder by its vector of the probe."""
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO embedders VALUES (?, ?, ?)",
                [fingerprint, name, probe.astype("<f4").tobytes()],
            )
            hit("embedder.before", sqlite3.OperationalError)
        hit("embedder.after")


def text_key(text: str) -> str:
    """The key of a text: its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()
