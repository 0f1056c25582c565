"""The curation report: what is in the knowledge folder, and what somebody should look at."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tailor.documents import generation
from tailor.documents.boilerplate import Repeated, boilerplate
from tailor.documents.duplicates import Pair, near_duplicates
from tailor.documents.overview import FileState, Standing, states
from tailor.documents.sensitive import SECRETS, Kind, masked, sensitive
from tailor.documents.store import DocumentStore, database, unique
from tailor.text import words

SCHEMA_VERSION = 1
STATUSES: tuple[Standing, ...] = ("indexed", "waiting", "duplicate", "holder", "refused", "empty")
_READ = ("indexed", "waiting")
SHORT = 20
"""Words; a document with fewer is named."""
_LINES_NAMED = 20
_EXTREMES = 5
_EXCERPT = 300


@dataclass(frozen=True)
class Entry:
    """One file as it was last read, and what to do about it."""

    path: str
    status: Standing
    reason: str
    """In the reader's own words."""
    cause: str
    what_to_do: str
    language: str
    passages: int
    words: int
    tokens: int
    """Of the embedder."""
    bytes: int
    modified: str
    """Date and time of the file in UTC, ISO 8601; empty where not known."""


@dataclass(frozen=True)
class Located:
    """One kind of secret or personal data in one document."""

    kind: Kind
    document: str
    count: int
    lines: tuple[int, ...]
    """The first twenty, from 1, in the text as it was read."""
    example: str
    """The first one, shown only in part."""


@dataclass(frozen=True)
class CurationReport:
    """What the documents of a workspace are like; holds no text that should not be shown."""

    generation: str
    entries: tuple[Entry, ...]
    same: tuple[tuple[str, ...], ...]
    """Groups of documents with the same text; the first one is indexed."""
    near: tuple[Pair, ...]
    repeated: tuple[Repeated, ...]
    sensitive: tuple[Located, ...]
    """Secrets first, then personal data; the most numerous first."""

    @property
    def short(self) -> tuple[Entry, ...]:
        """Documents of very few words, the shortest first."""
        found = (e for e in self.entries if e.status in _READ and e.words < SHORT)
        return tuple(sorted(found, key=lambda entry: (entry.words, entry.path)))

    @property
    def oldest(self) -> tuple[Entry, ...]:
        """The files that were not changed for the longest time."""
        return self._by_age()[:_EXTREMES]

    @property
    def newest(self) -> tuple[Entry, ...]:
        """The files that were changed last."""
        return self._by_age()[::-1][:_EXTREMES]

    @property
    def totals(self) -> dict[str, Any]:
        """Sums over all files, and counts of findings by kind."""
        by_status = Counter(entry.status for entry in self.entries)
        languages = Counter(e.language for e in self.entries if e.status in _READ)
        kinds = Counter[str]()
        for item in self.sensitive:
            kinds[item.kind] += item.count
        return {
            "files": len(self.entries),
            **{status: by_status[status] for status in STATUSES},
            "passages": sum(entry.passages for entry in self.entries),
            "words": sum(e.words for e in self.entries if e.status in _READ),
            "tokens": sum(e.tokens for e in self.entries if e.status in _READ),
            "languages": dict(languages.most_common()),
            "sensitive": dict(kinds.most_common()),
        }

    def to_json(self) -> dict[str, Any]:
        """The report as `tailor ingest --report --json` prints it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "generation": self.generation,
            "totals": self.totals,
            "files": [asdict(entry) for entry in self.entries],
            "same": [list(group) for group in self.same],
            "near": [asdict(pair) for pair in self.near],
            "boilerplate": [asdict(item) for item in self.repeated],
            "short": [entry.path for entry in self.short],
            "sensitive": [asdict(item) for item in self.sensitive],
            "oldest": [{"path": e.path, "modified": e.modified} for e in self.oldest],
            "newest": [{"path": e.path, "modified": e.modified} for e in self.newest],
        }

    def _by_age(self) -> tuple[Entry, ...]:
        dated = (entry for entry in self.entries if entry.modified)
        return tuple(sorted(dated, key=lambda entry: (entry.modified, entry.path)))


def curate(state: Path, tokens: Callable[[str], int]) -> CurationReport:
    """Look through the documents that were last ingested into ``state``.

    ``tokens`` counts the embedder's tokens in a text.
    """
    with database(state / "documents.db") as connection:
        records = DocumentStore(connection).records()
    folder = generation.current(state)
    counts = generation.counts(folder) if folder and (folder / "passages.db").exists() else {}
    documents, copies = unique(records)
    texts = {path: record.text for path, record in documents.items()}
    return CurationReport(
        generation=folder.name if folder is not None else "",
        entries=tuple(
            _entry(found, records[found.path].text, tokens)
            for found in states(records, copies, counts)
        ),
        same=_groups(copies),
        near=near_duplicates(texts),
        repeated=tuple(_excerpt(item) for item in boilerplate(texts)),
        sensitive=_located(texts),
    )


def _entry(found: FileState, text: str, tokens: Callable[[str], int]) -> Entry:
    return Entry(
        path=found.path,
        status=found.status,
        reason=found.reason,
        cause=found.cause,
        what_to_do=found.what_to_do,
        language=found.language,
        passages=found.passages,
        words=len(words(text)),
        tokens=tokens(text),
        bytes=found.bytes,
        modified=found.modified,
    )


def _groups(copies: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    groups: dict[str, list[str]] = defaultdict(list)
    for path, original in sorted(copies.items()):
        groups[original].append(path)
    return tuple((original, *paths) for original, paths in sorted(groups.items()))


def _excerpt(item: Repeated) -> Repeated:
    """The same without what may not be shown, and not longer than can be looked at."""
    text = masked(item.text)
    shown = text if len(text) <= _EXCERPT else f"{text[:_EXCERPT]}…"
    return Repeated(shown, item.documents, item.example, item.line)


def _located(texts: Mapping[str, str]) -> tuple[Located, ...]:
    found: list[Located] = []
    for path, text in texts.items():
        by_kind: dict[Kind, list[tuple[int, str]]] = defaultdict(list)
        for item in sensitive(text):
            by_kind[item.kind].append((item.line, item.shown))
        for kind, places in by_kind.items():
            lines = tuple(dict.fromkeys(line for line, _ in places))
            example = places[0][1]
            found.append(Located(kind, path, len(places), lines[:_LINES_NAMED], example))
    return tuple(sorted(found, key=_order))


def _order(item: Located) -> tuple[bool, int, Sequence[str]]:
    return item.kind not in SECRETS, -item.count, (item.document, item.kind)
