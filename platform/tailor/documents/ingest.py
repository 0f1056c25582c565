"""From the company's folder to a searchable index; only what changed is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents import building, generation
from tailor.documents.box import Box
from tailor.documents.collecting import MARK, collect
from tailor.documents.embedding import Progress
from tailor.documents.passages import Splitter
from tailor.documents.reading import Reading
from tailor.documents.remote import place
from tailor.documents.report import FileReport, IngestReport
from tailor.documents.store import DocumentStore, Record, database, snapshot, unique
from tailor.documents.walk import RESERVED, File, around, below, concerns, files, within
from tailor.errors import TailorError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.recordings import Recordings
    from tailor.documents.sources import Source
    from tailor.scale.reading import FarBox

_REFUSED = ("refused", "empty")

__all__ = ["RESERVED", "FileReport", "IngestReport", "forget_refused", "ingest"]


def ingest(
    knowledge: Path,
    state: Path,
    embeddings: Embeddings | Callable[[], Embeddings],
    embedder: str,
    splitter: Splitter,
    paths: Iterable[Path] | None = None,
    progress: Progress | None = None,
    withheld: Callable[[str, str], str] | None = None,
    dry_run: bool = False,
    recordings: Recordings | None = None,
    sources: Sequence[Source] = (),
    box: Box | FarBox | None = None,
    server: str = "",
) -> IngestReport:
    """Read, split, embed and index the documents in ``knowledge``; derived data goes to ``state``.

    ``embeddings`` may be a function that gives them, called where there is something to index.
    ``withheld`` says of a path and a text why it must not be searched; empty: it may.
    ``recordings`` writes recordings down; ``sources`` give further documents, where no ``paths``
    are given; ``box`` is where files are parsed, a new one when None; ``server`` is the Chroma
    server that the vectors go to, if not to a folder of ``state``. With ``dry_run`` everything
    is read, nothing is written, nothing is embedded and no recording is written down: the report
    says what would happen.

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
    only = None if paths is None else [below(knowledge, path) for path in paths]
    everything = list(files(knowledge))
    found = [f for f in everything if only is None or concerns(f, only)]
    closed = {file.path for file in found if file.closed}
    with nullcontext() if dry_run else generation.lock(state):
        # A dry run works on a copy of the database.
        with (snapshot if dry_run else database)(state / "documents.db") as connection:
            store = DocumentStore(connection)
            before = store.files()
            nothing = not (found or before or sources) and only is None
            if nothing and generation.current(state) is None:
                raise _no_documents(knowledge)
            _check(only or (), [*before, *(file.path for file in found)], closed, knowledge)
            lost = _lost(before, everything, closed)
            opened = box or Box()
            reading = Reading(before, lost, store, opened, recordings, dry_run)
            reading.run(found, progress)
            reports, records = reading.reports, reading.records
            if only is None:
                more = collect(sources, before, {file.path for file in everything})
                store.put([r for p, r in more.records.items() if r is not before.get(p)])
                new = {path: record.light for path, record in more.records.items()}
                reports, records = reports | more.reports, records | new
            kept_out = _withheld(records, store, withheld)
            store.put(list(kept_out.values()))
            records |= kept_out
            reports |= {p: FileReport(p, "refused", r.reason) for p, r in kept_out.items()}
            gone = [p for p, r in before.items() if p not in records and _gone(r, closed, only)]
            store.remove(gone)
        documents, copies = unique({p: r for p, r in before.items() if p not in gone} | records)
        built, embedded, counts = (
            _as_it_is(state)
            if dry_run
            else _index(state, documents, embeddings, embedder, splitter, progress, server)
        )
    if nothing:
        raise _no_documents(knowledge)
    _name_removed(reports, gone)
    for path, original in copies.items():
        if path in reports and reports[path].status != "refused":
            reports[path] = replace(
                reports[path], status="duplicate", reason=f"same content as {original}"
            )
    return IngestReport(_counted(reports, counts, closed), built, embedded)


def _check(only: Iterable[str], known: Sequence[str], closed: set[str], knowledge: Path) -> None:
    for path in only:
        if not within(path, closed) and not any(within(k, [path]) for k in known):
            raise TailorError(f"There is no {path} in {knowledge}: check the name.")


def _name_removed(reports: dict[str, FileReport], gone: Iterable[str]) -> None:
    """Tell of what is gone, but for what was moved, of which the new place tells."""
    moved_from = {report.reason for report in reports.values() if report.status == "moved"}
    for path in gone:
        if f"from {path}" not in moved_from:
            reports.setdefault(path, FileReport(path, "removed"))


def _lost(before: Mapping[str, Record], everything: Sequence[File], closed: set[str]) -> list[str]:
    """Files that were read and are not there any more."""
    present = {file.path for file in everything}
    return [
        path
        for path, record in before.items()
        if not record.file and path not in present and not within(path, closed)
    ]


def _gone(record: Record, closed: set[str], only: Sequence[str] | None) -> bool:
    """Whether a record that was not found again is out of date; sources are asked as a whole."""
    if only is None:
        return not within(record.path, closed)
    if record.file.startswith(MARK):
        return False
    return within(record.path, only) and not within(record.path, closed)


def _counted(
    reports: Mapping[str, FileReport], counts: Mapping[str, int], closed: set[str]
) -> tuple[FileReport, ...]:
    """The reports with their numbers of passages; a closed folder has those of all below it."""
    kept = Counter[str]()
    for path, number in counts.items():
        for name in closed.intersection(around(path)):
            kept[name] += number
    counts = {**counts, **kept}
    return tuple(
        replace(report, passages=counts.get(path, 0)) for path, report in sorted(reports.items())
    )


def _as_it_is(state: Path) -> tuple[str, int, Mapping[str, int]]:
    """The current generation, which a dry run leaves as it is."""
    folder = generation.current(state)
    if folder is None or not (folder / "passages.db").exists():
        return "", 0, {}
    return folder.name, 0, generation.counts(folder)


def _withheld(
    records: Mapping[str, Record],
    store: DocumentStore,
    withheld: Callable[[str, str], str] | None,
) -> dict[str, Record]:
    """Records of what may not be searched; read anew each time, since the reason may be gone."""
    if withheld is None:
        return {}
    reasons = ((p, withheld(p, text)) for p, text in store.texts() if p in records)
    return {
        path: replace(
            records[path], sha256="", mtime_ns=-1, status="refused", reason=reason, left=None
        )
        for path, reason in reasons
        if reason
    }


def forget_refused(state: Path) -> None:
    """Have files that were refused or empty, or hold such documents, read again next time."""
    with generation.lock(state), database(state / "documents.db") as connection:
        store = DocumentStore(connection)
        store.remove({r.origin for r in store.files().values() if r.status in _REFUSED})


def _no_documents(knowledge: Path) -> TailorError:
    return TailorError(
        f"There are no documents in {knowledge}: put files there, then run `tailor ingest` again."
    )


def _index(
    state: Path,
    documents: Mapping[str, Record],
    embeddings: Embeddings | Callable[[], Embeddings],
    embedder: str,
    splitter: Splitter,
    progress: Progress | None,
    server: str,
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
        found = (manifest.documents, manifest.splitter, manifest.embedder, manifest.format)
        if wanted == found and (not manifest.count or place(folder / manifest.vectors) == server):
            return manifest.generation, 0, generation.counts(folder)
    if callable(embeddings):
        embeddings = embeddings()
    built = building.build(state, documents, embeddings, embedder, splitter, progress, server)
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
