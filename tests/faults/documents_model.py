"""What ingestion should do, told by plain dictionaries: the model of its state machine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from tailor.documents.document import Document, Unread, documents
from tailor.documents.generation import context
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.refusal import Refused
from tailor.documents.tokens import TokenCounter

READ = ("ok", "holder")


@dataclass(frozen=True)
class Entry:
    """One line of the document store."""

    path: str
    file: str
    """The file it is in, which may be its own path."""
    content: bytes
    """Of that file."""
    status: str
    text: str = ""


Kept = Mapping[str, Entry]


@lru_cache(maxsize=4096)
def read(file: str, content: bytes) -> tuple[Entry, ...]:
    """What one file gives, its own line first."""
    try:
        found = documents(content, file)
    except Refused as refused:
        return (Entry(file, file, content, refused.status),)
    inside = [
        Entry(one.path, file, content, one.status)
        if isinstance(one, Unread)
        else Entry(one.path, file, content, "ok", one.text)
        for one in found
    ]
    if inside[0].path == file:
        return tuple(inside)
    return (Entry(file, file, content, "holder"), *inside)


@lru_cache(maxsize=4096)
def passages_of(path: str, file: str, content: bytes, splitter: Splitter) -> tuple[Passage, ...]:
    """The passages of one document."""
    one = next(d for d in documents(content, file) if d.path == path)
    assert isinstance(one, Document)
    return tuple(split(one, splitter, TokenCounter(lambda words: [1] * len(words))))


def within(path: str, only: Iterable[str] | None) -> bool:
    """Whether an ingestion of ``only`` is about this path."""
    names = {path, *map(str, PurePosixPath(path).parents)}
    return only is None or not names.isdisjoint(only)


def unique(kept: Kept) -> tuple[dict[str, Entry], dict[str, str]]:
    """The documents that are indexed, and for each further copy the one it repeats."""
    first: dict[str, str] = {}
    for path in sorted(kept):
        if kept[path].status == "ok":
            first.setdefault(kept[path].text, path)
    return (
        {path: kept[path] for path in sorted(first.values())},
        {
            path: first[entry.text]
            for path, entry in kept.items()
            if entry.status == "ok" and first[entry.text] != path
        },
    )


def passages(kept: Kept, splitter: Splitter) -> list[Passage]:
    """All passages, in the order of the index."""
    found: list[Passage] = []
    for path, entry in unique(kept)[0].items():
        found += passages_of(path, entry.file, entry.content, splitter)
    return found


def texts(found: Iterable[Passage]) -> set[str]:
    """What is embedded of passages."""
    return {context(passage) for passage in found}


@dataclass(frozen=True)
class Plan:
    """What one ingestion should leave and tell."""

    kept: dict[str, Entry]
    reports: dict[str, tuple[str, str]]
    """Status by path, with the path moved from or repeated."""
    nothing: bool
    """There is nothing, and there was nothing: that is told as an error."""


def plan(disk: Mapping[str, bytes], before: Kept, only: tuple[str, ...] | None) -> Plan:
    """What an ingestion of ``only`` (None: everything) makes of the files and of what was kept."""
    found = {file for file in disk if within(file, only)}
    lost = {
        (before[path].content, PurePosixPath(path).suffix): path
        for path in sorted(before)
        if before[path].file == path and path not in disk and before[path].status in READ
    }
    kept: dict[str, Entry] = {}
    reports: dict[str, tuple[str, str]] = {}
    for file in found:
        former = [entry for entry in before.values() if entry.file == file]
        now = read(file, disk[file])
        old = lost.get((disk[file], PurePosixPath(file).suffix))
        known = file in before and all(entry.content == disk[file] for entry in former)
        for entry in now:
            kept[entry.path] = entry
            if entry.status not in READ:
                reports[entry.path] = (entry.status, "")
            elif known:
                reports[entry.path] = ("unchanged", "")
            elif old is not None:
                reports[entry.path] = ("moved", old + entry.path.removeprefix(file))
            else:
                reports[entry.path] = ("indexed", "")
    gone = {path for path in before if path not in kept and within(path, only)}
    moved_from = {where for status, where in reports.values() if status == "moved"}
    for path in gone - moved_from:
        reports.setdefault(path, ("removed", ""))
    all_kept = {path: entry for path, entry in before.items() if path not in gone} | kept
    for path, original in unique(all_kept)[1].items():
        if path in reports:
            reports[path] = ("duplicate", original)
    return Plan(all_kept, reports, not found and not before and only is None)


@dataclass(frozen=True)
class Indexed:
    """What is searched: the documents, and how they were cut and embedded."""

    kept: dict[str, Entry]
    splitter: Splitter
    embedder: str

    @property
    def passages(self) -> list[Passage]:
        """All of them, in order."""
        return passages(self.kept, self.splitter)

    @property
    def identity(self) -> tuple[object, ...]:
        """Equal where one generation serves both."""
        read = tuple((path, entry.text) for path, entry in unique(self.kept)[0].items())
        spans = tuple((p.document, p.start, p.end, p.place) for p in self.passages)
        return read, spans, self.splitter, self.embedder


@dataclass
class Model:
    """The workspace as it should be."""

    disk: dict[str, bytes] = field(default_factory=dict)
    kept: dict[str, Entry] = field(default_factory=dict)
    indexed: Indexed | None = None
    vectors: dict[str, set[str]] = field(default_factory=dict)
    """The texts that were paid for, by embedder."""

    def rename(self, old: str, new: str) -> None:
        """A file gets another name."""
        self.disk[new] = self.disk.pop(old)

    def paid(self, embedder: str) -> set[str]:
        """The texts whose vectors an embedder has been paid for."""
        return self.vectors.setdefault(embedder, set())
