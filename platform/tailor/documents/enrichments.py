"""What enrichers found in documents: kept by content, read for search, filters and previews."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents.enrichers.enricher import Enricher, Finding, Task
from tailor.documents.store import database
from tailor.errors import UsageError
from tailor.fault import hit
from tailor.schema import Schema
from tailor.text import nfc, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.documents.passages import Passage

    Mask = NDArray[np.bool_]
    Span = tuple[str, int, int]
    """A document and the first and last character of a passage of it."""

FILE = "enrichments.db"
"""Below ``.tailor/``; there once a document was to be enriched."""
SCHEMA = Schema(
    1,
    "CREATE TABLE IF NOT EXISTS enrichers (name TEXT PRIMARY KEY, task TEXT, model TEXT, "
    "fingerprint TEXT);\n"
    "CREATE TABLE IF NOT EXISTS findings (enricher TEXT, content TEXT, findings TEXT, "
    "PRIMARY KEY (enricher, content)) WITHOUT ROWID;",
)


@dataclass(frozen=True)
class On:
    """An enricher that the last ingestion worked with."""

    name: str
    task: Task
    model: str
    fingerprint: str


class EnrichmentStore:
    """Tables of the enrichers that are on, and of what each has found, by content of documents."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        SCHEMA.prepare(connection)

    def turn_on(self, enrichers: Iterable[tuple[Enricher, str]]) -> None:
        """These are on, with their fingerprints, and no others; what was found stays."""
        with self._connection:
            self._connection.execute("DELETE FROM enrichers")
            self._connection.executemany(
                "INSERT INTO enrichers VALUES (?, ?, ?, ?)",
                [(one.name, one.task, one.model, mark) for one, mark in enrichers],
            )

    def on(self) -> tuple[On, ...]:
        """The enrichers that are on, in the order of tailor.toml."""
        rows = self._connection.execute(
            "SELECT name, task, model, fingerprint FROM enrichers ORDER BY rowid"
        )
        return tuple(On(*row) for row in rows)

    def known(self, fingerprint: str, content: str) -> bool:
        """Whether the enricher has been through this content."""
        query = "SELECT 1 FROM findings WHERE enricher = ? AND content = ?"
        return self._connection.execute(query, [fingerprint, content]).fetchone() is not None

    def put(self, fingerprint: str, content: str, findings: Sequence[Finding]) -> None:
        """Keep what was found in this content, in one commit."""
        raw = json.dumps([astuple(finding) for finding in findings], ensure_ascii=False)
        with self._connection:
            self._connection.execute(
                "INSERT OR REPLACE INTO findings VALUES (?, ?, ?)", [fingerprint, content, raw]
            )
            hit("finding.before", sqlite3.OperationalError)
        hit("finding.after")

    def findings(self, fingerprint: str) -> dict[str, tuple[Finding, ...]]:
        """All that the enricher has found, by content."""
        query = "SELECT content, findings FROM findings WHERE enricher = ?"
        rows = self._connection.execute(query, [fingerprint])
        return {content: _read(raw) for content, raw in rows}

    def found(self, fingerprint: str, content: str) -> tuple[Finding, ...] | None:
        """What the enricher found in this content; None where it has not been through it."""
        query = "SELECT findings FROM findings WHERE enricher = ? AND content = ?"
        row = self._connection.execute(query, [fingerprint, content]).fetchone()
        return None if row is None else _read(row[0])


def _read(raw: str) -> tuple[Finding, ...]:
    return tuple(Finding(*fields) for fields in json.loads(raw))


class Enrichments:
    """What was found in the documents of one generation, as it was when first asked for.

    Args:
        state: the folder ``.tailor``.
        digests: of the documents' contents, by path.
    """

    def __init__(self, state: Path, digests: Mapping[str, str]) -> None:
        self._file = state / FILE
        self._digests = digests

    @cached_property
    def _found(self) -> dict[str, dict[str, tuple[Finding, ...]]]:
        """By name of the enricher, then by path."""
        if not self._file.exists():
            return {}
        with database(self._file) as connection:
            store = EnrichmentStore(connection)
            by_content = {one.name: store.findings(one.fingerprint) for one in store.on()}
        return {
            name: {path: own[content] for path, content in self._digests.items() if content in own}
            for name, own in by_content.items()
        }

    def of(self, passage: Passage) -> dict[str, tuple[str, ...]] | None:
        """What each enricher found in a passage, each once; None where none is on."""
        if not self._found:
            return None
        start, end = passage.start, passage.end
        return {
            name: values(overlapping(own.get(passage.document, ()), start, end))
            for name, own in self._found.items()
        }

    def mask(self, where: Sequence[str], spans: Sequence[Span]) -> Mask:
        """Which passages hold what ``NAME=VALUE`` asks for; of each name one value must be there.

        Raises:
            UsageError: no enricher of this name is on.
        """
        import numpy as np

        mask = np.ones(len(spans), dtype=bool)
        for name, wanted in conditions(where).items():
            if name not in self._found:
                on = f"there are {', '.join(self._found)}" if self._found else "none is on"
                raise UsageError(
                    f"There is no enricher {name!r}, {on}: add [enrich.{name}] to tailor.toml, "
                    "then run `tailor ingest`."
                )
            fitting = {
                path: [one for one in found if any(says(one.value, phrase) for phrase in wanted)]
                for path, found in self._found[name].items()
            }
            mask &= np.array(
                [bool(overlapping(fitting.get(d, ()), start, end)) for d, start, end in spans],
                dtype=bool,
            )
        return mask


def conditions(where: Sequence[str]) -> dict[str, list[list[str]]]:
    """The words of the values asked for, by name."""
    asked: dict[str, list[list[str]]] = {}
    for condition in where:
        name, _, value = condition.partition("=")
        asked.setdefault(name, []).append(_words(value))
    return asked


def says(value: str, phrase: Sequence[str]) -> bool:
    """Whether these words stand in the value one after the other; letter case does not matter."""
    there, n = _words(value), len(phrase)
    return any(there[at : at + n] == list(phrase) for at in range(len(there) - n + 1))


def _words(text: str) -> list[str]:
    return [word.casefold() for word in words(nfc(text))] or [nfc(text).casefold().strip()]


def overlapping(findings: Iterable[Finding], start: int, end: int) -> tuple[Finding, ...]:
    """Those about any of these characters."""
    return tuple(one for one in findings if one.start < end and start < one.end)


def values(findings: Iterable[Finding]) -> tuple[str, ...]:
    """What was found, each once, in the order of the text."""
    return tuple(dict.fromkeys(one.value for one in findings))
