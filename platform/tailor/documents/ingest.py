"""From the company's folder to a searchable index; only what changed is touched."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
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
_STAYS = "what was read before stays in the index"


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
    A document that cannot be read is reported, the others go on. A file or folder that cannot be
    opened now, as for want of a permission, is refused, and what was read there before stays in
    the index: nobody knows that it is gone. Any other refused file is out of the index. Where all
    documents were deleted, the index becomes an empty one. Interrupted at any moment, the former
    index is searched on and the next call continues.

    Raises:
        TailorError: no folder, no file in it now or before, a path that is not in it, another
            process ingesting, or a failing embedder.
    """
    only = None if paths is None else [_below(knowledge, path) for path in paths]
    with generation.lock(state):
        with database(state / "documents.db") as connection:
            store = DocumentStore(connection)
            before = store.records()
            found = [f for f in _files(knowledge) if only is None or _concerns(f, only)]
            closed = {file.path for file in found if file.closed}
            nothing = not found and not before and only is None
            if nothing and generation.current(state) is None:
                raise _no_documents(knowledge)
            for path in only or ():
                known_paths = (*before, *(file.path for file in found))
                if not _within(path, closed) and not any(_within(k, [path]) for k in known_paths):
                    raise TailorError(f"There is no {path} in {knowledge}: check the name.")
            reports, records = _read(found, before, store, progress)
            gone = [
                path
                for path in before
                if path not in records
                and not _within(path, closed)
                and (only is None or _within(path, only))
            ]
            store.remove(gone)
        moved_from = {report.reason for report in reports.values() if report.status == "moved"}
        for path in gone:
            if f"from {path}" not in moved_from:
                reports.setdefault(path, FileReport(path, "removed"))
        now = {path: r for path, r in before.items() if path not in gone} | records
        documents, copies = unique(now)
        built, embedded, counts = _index(state, documents, embeddings, embedder, splitter, progress)
    if nothing:
        raise _no_documents(knowledge)
    for path, original in copies.items():
        if path in reports and reports[path].status != "refused":
            reports[path] = replace(
                reports[path], status="duplicate", reason=f"same content as {original}"
            )
    kept = Counter[str]()
    for path, number in counts.items():
        for name in closed.intersection(_around(path)):
            kept[name] += number
    counts = {**counts, **kept}
    return IngestReport(
        files=tuple(
            replace(report, passages=counts.get(path, 0))
            for path, report in sorted(reports.items())
        ),
        generation=built,
        embedded=embedded,
    )


def _no_documents(knowledge: Path) -> TailorError:
    return TailorError(
        f"There are no documents in {knowledge}: put files there, then run `tailor ingest` again."
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
    if doubt.exists():
        for finished in generation.generations(state):
            generation.verify(finished)
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
    """A file that was found, or a folder that cannot be listed."""

    path: str
    real: Path
    size: int = 0
    mtime_ns: int = 0
    refusal: str = ""
    """Why it is not even opened."""
    closed: bool = False
    """It is there and cannot be opened, so what was read there before stays."""


def _read(
    found: Sequence[_File],
    before: Mapping[str, Record],
    store: DocumentStore,
    progress: Progress | None,
) -> tuple[dict[str, FileReport], dict[str, Record]]:
    """Read what changed; every record is kept in the store, in small commits."""
    present = {file.path for file in found}
    closed = {file.path for file in found if file.closed}
    held = {name for path, r in before.items() if r.status == "ok" for name in _around(path)}
    lost = {
        (r.sha256, PurePosixPath(path).suffix.lower()): r
        for path, r in before.items()
        if path not in present
        and not _within(path, closed)
        and r.status == "ok"
        and r.version == VERSION
    }
    reports: dict[str, FileReport] = {}
    records: dict[str, Record] = {}
    waiting: list[Record] = []
    for number, file in enumerate(found, 1):
        if file.refusal:
            kept = file.closed and file.path in held
            reason = f"{file.refusal}; {_STAYS}" if kept else file.refusal
            reports[file.path] = FileReport(file.path, "refused", reason)
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
    former = known
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
        reason = f"cannot be opened: {error.strerror}"
        if former is not None and former.status == "ok":
            return former, FileReport(file.path, "refused", f"{reason}; {_STAYS}")
        # Nothing is known about the content, so it is tried again next time.
        record = replace(new, mtime_ns=-1, reason=reason)
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
    """Everything below the folder that may be a document, or that is named as refused.

    Raises:
        TailorError: the folder itself is missing or cannot be listed.
    """
    if not knowledge.is_dir():
        raise TailorError(f"There is no folder {knowledge}: create it and put the documents there.")
    root = knowledge.resolve()
    seen: dict[str, Path] = {}
    failures: list[OSError] = []
    for folder, folders, names in os.walk(knowledge, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if name.startswith((".", "~$")):
                continue
            real = Path(folder) / name
            path = nfc(real.relative_to(knowledge).as_posix())
            if path == BENCHMARK:
                continue
            if (shown := _shown(path)) != path:
                yield _File(shown, real, refusal="its name is not UTF-8: rename it")
            elif seen.setdefault(path, real) != real:
                shown = ascii(str(real.relative_to(knowledge)))
                refusal = f"another file has the same name, {path}: rename it"
                yield _File(shown, real, refusal=refusal)
            else:
                yield _file(path, real, root)
    for error in failures:
        real = Path(os.fsdecode(error.filename))
        if real == knowledge:
            raise TailorError(
                f"The folder {knowledge} cannot be opened ({error.strerror}): allow reading it, "
                "then run `tailor ingest` again."
            )
        if not isinstance(error, FileNotFoundError):
            shown = _shown(nfc(real.relative_to(knowledge).as_posix()))
            refusal = f"a folder that cannot be opened: {error.strerror}"
            yield _File(shown, real, refusal=refusal, closed=True)


def _shown(path: str) -> str:
    """The path, with bytes that are not UTF-8 written out."""
    if any("\ud800" <= c <= "\udfff" for c in path):
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    return path


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
        # A link without a target and a loop of links are known to lead to no document.
        closed = not isinstance(error, (FileNotFoundError, RuntimeError))
        refusal = f"cannot be opened: {getattr(error, 'strerror', error)}"
        return _File(path, real, refusal=refusal, closed=closed)
    if not stat.S_ISREG(status.st_mode):
        return _File(path, real, refusal="not a regular file (a pipe, socket or device)")
    if not os.access(real, os.R_OK):
        refusal = f"cannot be opened: {os.strerror(errno.EACCES)}"
        return _File(path, real, refusal=refusal, closed=True)
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


def _concerns(file: _File, only: Collection[str]) -> bool:
    """Whether it is one of these paths, lies below one, or is a closed folder around one."""
    return _within(file.path, only) or (file.closed and any(_within(o, [file.path]) for o in only))


def _within(path: str, only: Collection[str]) -> bool:
    return any(name in only for name in _around(path))


def _around(path: str) -> tuple[str, ...]:
    """The path itself and the folders around it."""
    return (path, *map(str, PurePosixPath(path).parents))
