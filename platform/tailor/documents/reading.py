"""Which files have changed since they were last read, and what is in them now."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tailor.documents.document import Document, Unread, content_hash, read_bytes
from tailor.documents.embedding import Progress
from tailor.documents.readers import VERSION
from tailor.documents.recordings import SUFFIXES, Recordings, Unfinished
from tailor.documents.refusal import Refused
from tailor.documents.report import FileReport, Status
from tailor.documents.store import DocumentStore, Record
from tailor.documents.walk import File, around

if TYPE_CHECKING:
    from tailor.documents.box import Box
    from tailor.scale.reading import FarBox

STAYS = "what was read before stays in the index"
_COMMIT_EVERY = 50
_WAITING = 64 << 20
"""Bytes of files that wait for their turn to be parsed."""


@dataclass(frozen=True)
class Outcome:
    """What became of one file: its own record and report first, then those of what is in it."""

    records: tuple[Record, ...]
    reports: tuple[FileReport, ...]


class Reading:
    """One pass over the files that were found; fills ``records``, without their texts, and
    ``reports``, by path.

    Args:
        before: every record of the store by path.
        lost: files that are not there any more, so they may have been moved.
        store: where texts are, and records that are new or changed are put, in small groups, in
            order.
        recordings: None where there is no transcriber.
        dry: recordings are only named, not written down.
    """

    def __init__(
        self,
        before: Mapping[str, Record],
        lost: Iterable[str],
        store: DocumentStore,
        box: Box | FarBox,
        recordings: Recordings | None = None,
        dry: bool = False,
    ) -> None:
        self.reports: dict[str, FileReport] = {}
        self.records: dict[str, Record] = {}
        self._before = _by_file(before)
        self._held = {name for p, r in before.items() if r.status == "ok" for name in around(p)}
        self._lost = {
            (own.sha256, PurePosixPath(path).suffix.lower(), own.fingerprint): self._before[path]
            for path in lost
            if (own := before[path]).status in ("ok", "holder") and own.version == VERSION
        }
        self._store = store
        self._box = box
        self._recordings = recordings
        self._dry = dry

    def run(self, found: Sequence[File], progress: Progress | None = None) -> None:
        """Read what changed; several files at a time, kept in the order of the files."""
        waiting: deque[Outcome | Future[Outcome]] = deque()
        parsing: deque[int] = deque()  # the sizes of those of them that are parsed
        pool = ThreadPoolExecutor(self._box.processes, "reading")
        unkept: list[Record] = []
        done = 0

        def take() -> None:
            nonlocal done, unkept
            outcome = waiting.popleft()
            if isinstance(outcome, Future):
                parsing.popleft()
                while not wait([outcome], 1.0).done:
                    pass  # woken now and then, so that Ctrl+C is never overheard
                outcome = outcome.result()
            unkept += self._note(outcome)
            done += 1
            if progress is not None:
                progress("reading", done, len(found))
            if len(unkept) >= _COMMIT_EVERY:
                self._store.put(unkept)
                unkept = []

        try:
            for file in found:
                waiting.append(outcome := self._look(file, pool))
                if isinstance(outcome, Future):
                    parsing.append(file.size)
                while waiting and self._enough(parsing):
                    take()
            while waiting:
                take()
            self._store.put(unkept)
        finally:
            self._box.close()
            pool.shutdown(cancel_futures=True)

    def _enough(self, parsing: Sequence[int]) -> bool:
        """Whether no more should wait: nothing is being parsed, or a lot is."""
        many = len(parsing) > 4 * self._box.processes
        return many or not parsing or sum(parsing) - parsing[0] > _WAITING

    def _note(self, outcome: Outcome) -> list[Record]:
        """Remember an outcome; gives the records that differ from what the store has."""
        self.records |= {record.path: record.light for record in outcome.records}
        self.reports |= {report.path: report for report in outcome.reports}
        known = {id(r) for record in outcome.records for r in self._before.get(record.origin, ())}
        return [record for record in outcome.records if id(record) not in known]

    def _look(self, file: File, pool: ThreadPoolExecutor) -> Outcome | Future[Outcome]:
        """What became of the file, at once where it need not be parsed."""
        former = self._before.get(file.path, ())
        known = former[0] if former and former[0].path == file.path else None
        if file.refusal:
            kept = file.closed and file.path in self._held
            reason = f"{file.refusal}; {STAYS}" if kept else file.refusal
            return Outcome((), (FileReport(file.path, "refused", reason),))
        recording = PurePosixPath(file.path).suffix.lower() in SUFFIXES
        fingerprint = self._fingerprint(known) if recording else ""
        current = known is not None and (known.version, known.fingerprint) == (VERSION, fingerprint)
        as_before = all(record.mtime_ns == file.mtime_ns for record in former)
        if current and known and known.size == file.size and as_before:
            return Outcome(former, tuple(map(_unchanged, former)))
        new = Record(file.path, "", file.size, file.mtime_ns, "refused", version=VERSION)
        try:
            content = b"" if recording else read_bytes(file.real)
            digest = content_hash(file.real) if recording else sha256(content).hexdigest()
        except Refused as refused:
            return _refused(new, refused)
        except OSError as error:
            return _closed(new, former, f"cannot be opened: {error.strerror}")
        new = replace(new, sha256=digest, fingerprint=fingerprint)
        if current and all(record.sha256 == digest for record in former):
            whole = map(self._store.whole, former)
            touched = [replace(r, size=file.size, mtime_ns=file.mtime_ns) for r in whole]
            return Outcome(tuple(touched), tuple(map(_unchanged, former)))
        suffix = PurePosixPath(file.path).suffix.lower()
        if old := self._lost.get((digest, suffix, fingerprint)):
            return _moved(new, [self._store.whole(record) for record in old])
        if recording:
            return self._written_down(file, new)
        return pool.submit(self._parsed, new, content)

    def _fingerprint(self, known: Record | None) -> str:
        """What the transcriber is; what an earlier one has written stays where there is none."""
        if self._recordings is not None:
            return self._recordings.fingerprint
        return known.fingerprint if known is not None else ""

    def _parsed(self, new: Record, content: bytes) -> Outcome:
        try:
            return _outcome(new, self._box.read(new.path, content))
        except Refused as refused:
            return _refused(new, refused)

    def _written_down(self, file: File, new: Record) -> Outcome:
        if self._recordings is None:
            reason = "a recording: set transcriber in tailor.toml to have it written down"
            return _refused(replace(new, fingerprint=""), Refused(reason))
        if self._dry:
            report = FileReport(file.path, "indexed", "a recording, which would be written down")
            return Outcome((), (report,))
        try:
            return _outcome(new, self._recordings(file.real, file.path))
        except Refused as refused:
            return _refused(new, refused)
        except Unfinished as unfinished:
            # Without a fingerprint, so that it is tried again next time.
            new = replace(new, fingerprint="")
            if not unfinished.documents:
                return _refused(new, Refused(unfinished.reason))
            found = _outcome(new, unfinished.documents)
            own = replace(found.reports[0], reason=unfinished.reason)
            return replace(found, reports=(own, *found.reports[1:]))


def _by_file(before: Mapping[str, Record]) -> dict[str, tuple[Record, ...]]:
    """The records of each file, its own first."""
    groups: dict[str, list[Record]] = {}
    for record in before.values():
        groups.setdefault(record.origin, []).append(record)
    return {
        origin: tuple(sorted(group, key=lambda record: (record.path != origin, record.path)))
        for origin, group in groups.items()
    }


def _outcome(new: Record, found: Sequence[Document | Unread]) -> Outcome:
    """The file as it was read now."""
    inside = {one.path: one for one in found if one.path != new.path}
    own = next((one for one in found if one.path == new.path), None)
    records = [_record(replace(new, path=path, file=new.path), one) for path, one in inside.items()]
    first = _holder(new, records) if own is None else _record(new, own)
    group = (first, *records)
    return Outcome(group, tuple(_report(record, "indexed") for record in group))


def _record(new: Record, found: Document | Unread) -> Record:
    if isinstance(found, Unread):
        return replace(new, status=found.status, reason=found.reason)
    return replace(
        new,
        status="ok",
        reason=found.note,
        text=found.text,
        places=found.places,
        language=found.language,
    )


def _holder(new: Record, inside: Sequence[Record]) -> Record:
    """A file without a text of its own."""
    read = sum(record.status == "ok" for record in inside)
    if read:
        rest = f", {len(inside) - read} not read" if read < len(inside) else ""
        return replace(new, status="holder", reason=f"documents in it: {read}{rest}")
    if all(record.status == "empty" for record in inside):
        return replace(new, status="empty", reason="no text in it")
    first = next(record for record in inside if record.status == "refused")
    name = first.path.removeprefix(f"{new.path}/")
    return replace(new, reason=f"nothing in it can be read; {name}: {first.reason}")


def _refused(new: Record, refused: Refused) -> Outcome:
    record = replace(new, status=refused.status, reason=refused.reason)
    return Outcome((record,), (_unchanged(record),))


def _closed(new: Record, former: tuple[Record, ...], reason: str) -> Outcome:
    """A file that could not be opened: what is known of it stays."""
    if any(record.status == "ok" for record in former):
        return Outcome(former, (FileReport(new.path, "refused", f"{reason}; {STAYS}"),))
    # Nothing is known about the content, so it is tried again next time.
    return _refused(replace(new, mtime_ns=-1), Refused(reason))


def _moved(new: Record, old: Sequence[Record]) -> Outcome:
    at = old[0].path
    renamed = [
        replace(
            record,
            path=new.path + record.path.removeprefix(at),
            file=new.path if record.file else "",
            size=new.size,
            mtime_ns=new.mtime_ns,
        )
        for record in old
    ]
    reports = [
        replace(_report(record, "moved"), reason=f"from {before.path}")
        if record.status in ("ok", "holder")
        else _unchanged(record)
        for record, before in zip(renamed, old, strict=True)
    ]
    return Outcome(tuple(renamed), tuple(reports))


def _unchanged(record: Record) -> FileReport:
    """A refusal is repeated every time; it is not forgotten because the file stays as it is."""
    return _report(record, "unchanged")


def _report(record: Record, status: Status) -> FileReport:
    """``status`` where it could be read."""
    shown: Status = record.status if record.status in ("refused", "empty") else status
    return FileReport(record.path, shown, record.reason, record.language)
