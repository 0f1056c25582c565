"""From the company's folder to a searchable index; only what changed is touched."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from tailor.documents import generation
from tailor.documents.document import document, read_bytes
from tailor.documents.embedding import Progress
from tailor.documents.passages import Splitter
from tailor.documents.readers import VERSION
from tailor.documents.refusal import Refused
from tailor.documents.store import DocumentStore, Record, database, unique
from tailor.errors import TailorError
from tailor.text import nfc

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

Status = Literal["indexed", "unchanged", "moved", "removed", "refused", "empty", "duplicate"]

BENCHMARK = "benchmark.jsonl"
"""At the top of the knowledge folder: the questions, never read as a document."""

_COMMIT_EVERY = 50


@dataclass(frozen=True)
class FileReport:
    """What became of one file."""

    path: str
    status: Status
    reason: str = ""
    language: str = ""
    passages: int = 0


@dataclass(frozen=True)
class IngestReport:
    """What became of every file, and the generation that is searched from now on."""

    files: tuple[FileReport, ...]
    generation: str
    embedded: int = 0
    """Texts that had to be embedded; the others' vectors were known."""

    @property
    def totals(self) -> dict[str, int]:
        """Files by status, passages, and texts that were embedded."""
        by_status = Counter(file.status for file in self.files)
        return {
            "files": sum(n for status, n in by_status.items() if status != "removed"),
            **{status: by_status[status] for status in sorted(by_status)},
            "passages": sum(file.passages for file in self.files),
            "embedded": self.embedded,
        }

    def to_json(self) -> dict[str, Any]:
        """The report as `tailor ingest --json` prints it."""
        return {
            "schema_version": 1,
            "generation": self.generation,
            "files": [asdict(file) for file in self.files],
            "totals": self.totals,
        }


def ingest(
    knowledge: Path,
    state: Path,
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter,
    paths: Iterable[Path] | None = None,
    progress: Progress | None = None,
) -> IngestReport:
    """Read, split, embed and index the documents in ``knowledge``; derived data goes to ``state``.

    With ``paths``, only these files and folders are looked at; the rest of the index stays.
    A document that cannot be read is reported, the others go on. Interrupted at any moment, the
    former index is searched on and the next call continues.

    Raises:
        TailorError: no folder, no file in it, a path that is not in it, another process
            ingesting, or a failing embedder.
    """
    only = None if paths is None else [_below(knowledge, path) for path in paths]
    with generation.lock(state), database(state / "documents.db") as connection:
        store = DocumentStore(connection)
        before = store.records()
        found = [f for f in _files(knowledge) if only is None or _within(f.path, only)]
        if not found and only is None:
            raise TailorError(
                f"There are no documents in {knowledge}: put files there, then run "
                "`tailor ingest` again."
            )
        for path in only or ():
            if not any(_within(known, [path]) for known in (*before, *(f.path for f in found))):
                raise TailorError(f"There is no {path} in {knowledge}: check the name.")
        reports, records = _read(found, before, store, progress)
        gone = [
            path for path in before if path not in records and (only is None or _within(path, only))
        ]
        store.remove(gone)
        moved_from = {report.reason for report in reports.values() if report.status == "moved"}
        for path in gone:
            if f"from {path}" not in moved_from:
                reports[path] = FileReport(path, "removed")
        now = {path: r for path, r in before.items() if path not in gone} | records
        documents, copies = unique(now)
        built, embedded, counts = _index(state, documents, embeddings, embedder, splitter, progress)
    for path, original in copies.items():
        if path in reports:
            reports[path] = replace(
                reports[path], status="duplicate", reason=f"same content as {original}"
            )
    return IngestReport(
        files=tuple(
            replace(report, passages=counts.get(path, 0))
            for path, report in sorted(reports.items())
        ),
        generation=built,
        embedded=embedded,
    )


def _index(
    state: Path,
    documents: Mapping[str, Record],
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter,
    progress: Progress | None,
) -> tuple[str, int, Mapping[str, int]]:
    """The generation for these documents, built and made current where it is not yet."""
    folder = generation.current(state)
    doubt = state / "index" / generation.DOUBT
    if folder is not None and (manifest := _sound(folder)) is not None and not doubt.exists():
        digest = generation.documents_digest(documents)
        wanted = (digest, splitter, embedder, generation.FORMAT)
        if wanted == (manifest.documents, manifest.splitter, manifest.embedder, manifest.format):
            return manifest.generation, 0, generation.counts(folder)
    built = generation.build(state, documents, embeddings, embedder, splitter, progress)
    generation.publish(state, built.folder)
    doubt.unlink(missing_ok=True)
    return built.folder.name, built.embedded, built.passages


def _sound(folder: Path) -> generation.Manifest | None:
    """The manifest of a generation whose files are as they were written, else nothing."""
    try:
        manifest = generation.Manifest.read(folder)
        sound = generation.file_digests(folder) == manifest.files
    except (TailorError, OSError):
        sound = False
    if sound:
        return manifest
    (folder / "manifest.json").unlink(missing_ok=True)
    return None


@dataclass(frozen=True)
class _File:
    """A file that was found; ``refusal`` says why it is not even opened."""

    path: str
    real: Path
    size: int = 0
    mtime_ns: int = 0
    refusal: str = ""


def _read(
    found: Sequence[_File],
    before: Mapping[str, Record],
    store: DocumentStore,
    progress: Progress | None,
) -> tuple[dict[str, FileReport], dict[str, Record]]:
    """Read what changed; every record is kept in the store, in small commits."""
    present = {file.path for file in found}
    lost = {
        (r.sha256, PurePosixPath(path).suffix.lower()): r
        for path, r in before.items()
        if path not in present and r.status == "ok" and r.version == VERSION
    }
    reports: dict[str, FileReport] = {}
    records: dict[str, Record] = {}
    waiting: list[Record] = []
    for number, file in enumerate(found, 1):
        if file.refusal:
            reports[file.path] = FileReport(file.path, "refused", file.refusal)
            continue
        record, report = _read_file(file, before.get(file.path), lost)
        records[file.path], reports[file.path] = record, report
        if record is not before.get(file.path):
            waiting.append(record)
        if len(waiting) == _COMMIT_EVERY:
            store.put(waiting)
            waiting.clear()
        if progress is not None:
            progress("reading", number, len(found))
    store.put(waiting)
    return reports, records


def _read_file(
    file: _File, known: Record | None, lost: Mapping[tuple[str, str], Record]
) -> tuple[Record, FileReport]:
    if known is not None and known.version == VERSION:
        if (known.size, known.mtime_ns) == (file.size, file.mtime_ns):
            return known, _unchanged(known)
    else:
        known = None
    new = Record(file.path, "", file.size, file.mtime_ns, "refused", version=VERSION)
    try:
        content = read_bytes(file.real)
        new = replace(new, sha256=hashlib.sha256(content).hexdigest())
        if known is not None and known.sha256 == new.sha256:
            return replace(known, size=file.size, mtime_ns=file.mtime_ns), _unchanged(known)
        old = lost.get((new.sha256, PurePosixPath(file.path).suffix.lower()))
        if old is not None:
            moved = replace(old, path=file.path, size=file.size, mtime_ns=file.mtime_ns)
            reason = f"from {old.path}"
            return moved, FileReport(file.path, "moved", reason, moved.language)
        read = document(content, file.path)
    except Refused as refused:
        record = replace(new, status=refused.status, reason=refused.reason)
        return record, _unchanged(record)
    except OSError as error:
        # Nothing is known about the content, so it is tried again next time.
        record = replace(new, mtime_ns=-1, reason=f"cannot be opened: {error.strerror}")
        return record, _unchanged(record)
    record = replace(
        new,
        status="ok",
        reason=read.note,
        text=read.text,
        places=read.places,
        language=read.language,
    )
    return record, FileReport(file.path, "indexed", read.note, read.language)


def _unchanged(record: Record) -> FileReport:
    """A refusal is repeated every time; it is not forgotten because the file stays as it is."""
    status: Status = "unchanged" if record.status == "ok" else record.status
    return FileReport(record.path, status, record.reason, record.language)


def _files(knowledge: Path) -> Iterator[_File]:
    """Everything below the folder that may be a document, or that is named as refused."""
    if not knowledge.is_dir():
        raise TailorError(f"There is no folder {knowledge}: create it and put the documents there.")
    root = knowledge.resolve()
    seen: dict[str, Path] = {}
    for folder, folders, names in os.walk(knowledge):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if name.startswith((".", "~$")):
                continue
            real = Path(folder) / name
            path = nfc(real.relative_to(knowledge).as_posix())
            if path == BENCHMARK:
                continue
            if any("\ud800" <= c <= "\udfff" for c in path):
                shown = os.fsencode(path).decode("utf-8", "backslashreplace")
                yield _File(shown, real, refusal="its name is not UTF-8: rename it")
            elif seen.setdefault(path, real) != real:
                shown = ascii(str(real.relative_to(knowledge)))
                refusal = f"another file has the same name, {path}: rename it"
                yield _File(shown, real, refusal=refusal)
            else:
                yield _file(path, real, root)


def _file(path: str, real: Path, root: Path) -> _File:
    try:
        if real.is_symlink():
            target = real.resolve()
            if not target.is_relative_to(root):
                return _File(path, real, refusal="a link that leaves the knowledge folder")
            if target.is_dir():
                return _File(path, real, refusal="a link to a folder")
            real = target
        status = os.stat(real, follow_symlinks=False)
    except (OSError, RuntimeError) as error:
        return _File(path, real, refusal=f"cannot be opened: {getattr(error, 'strerror', error)}")
    if not stat.S_ISREG(status.st_mode):
        return _File(path, real, refusal="not a regular file (a pipe, socket or device)")
    return _File(path, real, status.st_size, status.st_mtime_ns)


def _below(knowledge: Path, path: Path) -> str:
    """A path as given, absolute or below the current or the knowledge folder, as its name here."""
    candidates = [path] if path.is_absolute() else [path, knowledge / path]
    for candidate in candidates:
        absolute = Path(os.path.abspath(candidate))
        for root in (Path(os.path.abspath(knowledge)), knowledge.resolve()):
            if absolute.is_relative_to(root):
                return nfc(absolute.relative_to(root).as_posix())
    raise TailorError(f"{path} is not in {knowledge}: move it there, then ingest it.")


def _within(path: str, only: Sequence[str]) -> bool:
    return any(o == "." or path == o or path.startswith(f"{o}/") for o in only)
