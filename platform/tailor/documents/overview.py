"""Where every file stands: as it was last read, and against what lies in the folder now."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from tailor.documents import generation
from tailor.documents.advice import advice
from tailor.documents.document import Document
from tailor.documents.enrichers.enricher import Finding
from tailor.documents.enrichments import FILE, EnrichmentStore, On
from tailor.documents.passages import Passage
from tailor.documents.store import DocumentStore, Record, database, unique
from tailor.documents.walk import files
from tailor.errors import TailorError

Standing = Literal[
    "indexed", "waiting", "duplicate", "refused", "empty", "holder", "new", "changed", "removed"
]  # fmt: skip
"""``waiting``: read, but not in the index yet, as the ingestion was stopped."""


@dataclass(frozen=True)
class FileState:
    """One file, or one document inside a file."""

    path: str
    status: Standing
    reason: str = ""
    """In the reader's own words."""
    cause: str = ""
    what_to_do: str = ""
    language: str = ""
    passages: int = 0
    bytes: int = 0
    mtime_ns: int = 0
    """0 or less where not known."""
    origin: str = ""
    """The file it is in, or the file itself; for documents from elsewhere the source."""

    @property
    def modified(self) -> str:
        """Date and time of the file in UTC, ISO 8601; empty where not known."""
        if self.mtime_ns <= 0:
            return ""
        return datetime.fromtimestamp(self.mtime_ns / 1e9, UTC).isoformat(timespec="seconds")


def states(
    records: Mapping[str, Record], copies: Mapping[str, str], passages: Mapping[str, int]
) -> tuple[FileState, ...]:
    """The standing of stored files; ``copies`` names the original of each duplicate."""
    found = []
    for path, record in records.items():
        reached: Standing = "indexed" if passages.get(path) else "waiting"
        status = reached if record.status == "ok" else record.status
        reason = record.reason
        if path in copies:
            status, reason = "duplicate", f"same content as {copies[path]}"
        given = advice(status, reason)
        found.append(
            FileState(
                *(path, status, reason, given.cause, given.remedy, record.language),
                *(passages.get(path, 0), record.size, record.mtime_ns, record.origin),
            )
        )
    return tuple(found)


def stored(state: Path) -> tuple[FileState, ...]:
    """The standing of every file as it was last read; empty where nothing was."""
    if not (state / "documents.db").exists():
        return ()
    with database(state / "documents.db") as connection:
        records = DocumentStore(connection).records()
    return states(records, unique(records)[1], _counts(generation.current(state)))


def _counts(folder: Path | None) -> dict[str, int]:
    """Passages per document; none where another version of Tailor wrote the index."""
    if folder is None or not (folder / "passages.db").exists():
        return {}
    try:
        generation.Manifest.read(folder)
    except TailorError:  # the next ingestion builds it anew: until then all documents wait
        return {}
    return generation.counts(folder)


def pending(knowledge: Path, known: Sequence[FileState]) -> tuple[FileState, ...]:
    """What the next ingestion would work on: new, changed, removed and waiting files, by path.

    Only sizes and times are compared, so that asking often costs little; a file that was only
    copied anew counts as changed here.

    Raises:
        TailorError: the folder cannot be listed.
    """
    own = {state.path: state for state in known if state.origin == state.path}
    found = {state.path: state for state in known if state.status == "waiting"}
    present = set()
    for file in files(knowledge):
        present.add(file.path)
        if file.refusal:
            continue
        former = own.get(file.path)
        now = FileState(file.path, "new", bytes=file.size, mtime_ns=file.mtime_ns)
        if former is None:
            found[file.path] = now
        elif former.mtime_ns > 0 and (former.bytes, former.mtime_ns) != (file.size, file.mtime_ns):
            found[file.path] = replace(former, status="changed")
    for path, state in own.items():
        if path not in present:
            found[path] = replace(state, status="removed")
    return tuple(found[path] for path in sorted(found))


def preview(state: Path, path: str) -> tuple[Document | None, tuple[Passage, ...]]:
    """A stored document, and its passages in the current generation."""
    with database(state / "documents.db") as connection:
        record = DocumentStore(connection).records().get(path)
    if record is None or record.status != "ok":
        return None, ()
    folder = generation.current(state)
    if folder is None or not (folder / "passages.db").exists():
        return record.document, ()
    uri = f"{(folder / 'passages.db').absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        rows = connection.execute(
            'SELECT document, start, "end", text, place FROM passages WHERE document = ? '
            "ORDER BY number",
            [path],
        )
        return record.document, tuple(Passage(*fields) for fields in rows)


def enriched(state: Path, path: str) -> tuple[tuple[On, tuple[Finding, ...] | None], ...]:
    """What each enricher that is on found in a document; None where it has not been through it."""
    if not (state / FILE).exists():
        return ()
    with database(state / "documents.db") as connection:
        record = DocumentStore(connection).records().get(path)
    if record is None or record.status != "ok":
        return ()
    with database(state / FILE) as connection:
        store = EnrichmentStore(connection)
        return tuple((one, store.found(one.fingerprint, record.digest)) for one in store.on())
