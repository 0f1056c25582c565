"""What a workspace keeps without need: former index generations, unused artifacts, logs."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.documents.index import Index
    from tailor.documents.passages import Splitter
    from tailor.workspace import Workspace

Kind = Literal["generation", "artifact", "log", "leftover"]


@dataclass(frozen=True)
class Item:
    """A file or folder below ``.tailor`` that nothing needs."""

    path: str
    """Below ``.tailor``."""
    kind: Kind
    bytes: int


@dataclass(frozen=True)
class Cleaning:
    """What can be dropped, and whether it was."""

    items: tuple[Item, ...]
    kept: tuple[str, ...] = ()
    """Why something that could go was kept, a sentence each."""
    dropped: bool = False

    @property
    def bytes(self) -> int:
        """What it takes on the disk."""
        return sum(item.bytes for item in self.items)

    def to_json(self) -> dict[str, Any]:
        """The report as `tailor clean --json` prints it."""
        return {
            "schema_version": 1,
            "dropped": self.dropped,
            "bytes": self.bytes,
            "items": [asdict(item) for item in self.items],
            "kept": list(self.kept),
        }


def clean(workspace: Workspace, drop: bool = False) -> Cleaning:
    """Find what nothing needs any more and, with ``drop``, delete it.

    Kept are the current index generation, those with other passages that rows search, the
    artifacts that the rows' runs are put together from, answers, runs and embeddings. An index
    that a process has open can be searched on where the system lets open files be deleted, as
    Linux and macOS do.

    Raises:
        TailorError: documents are being ingested, the folder cannot be written, or a Chroma server
            that keeps the vectors of a former generation cannot be reached.
    """
    from filelock import FileLock, Timeout

    from tailor.documents import generation

    if not workspace.state.is_dir():
        return Cleaning((), dropped=drop)
    running = FileLock(workspace.state / "run.lock")
    try:
        running.acquire(timeout=0)
    except Timeout:
        needs = Needs(unknown="a run is going on")
    else:
        needs = _needs(workspace)
    try:
        with generation.lock(workspace.state):
            report = _found(workspace, needs)
            for item in report.items if drop else ():
                _delete(workspace.state / item.path)
        return replace(report, dropped=drop)
    finally:
        running.release()


@dataclass(frozen=True)
class Needs:
    """What the rows ask for when they are put together again."""

    artifacts: frozenset[Path] = frozenset()
    generations: frozenset[str] = frozenset()
    unknown: str = ""
    """Why that is not known of all rows; empty where it is."""


def _needs(workspace: Workspace) -> Needs:
    from tailor.errors import NotApplicable
    from tailor.run import newest_runs, unreadable_runs
    from tailor.workspace import Workspace

    artifacts: set[Path] = set()
    generations: set[str] = set()

    class Replayed(Workspace):
        """Notes what is asked for."""

        def artifact(self, kind: str, key: object, build: Callable[[Path], None]) -> Path:
            artifacts.add(self.artifact_folder(kind, key))
            return super().artifact(kind, key, build)

        def index(self, splitter: Splitter | None = None, embedder: str = "") -> Index:
            index = super().index(splitter, embedder)
            generations.add(index.generation)
            return index

    replayed = Replayed(workspace.root)
    replayed.config = workspace.config
    replayed.builds = False
    unread = unreadable_runs(replayed)
    unknown = f"the record of {unread[0]} cannot be read" if unread else ""
    for run in newest_runs(replayed):
        try:
            run.assistant()
        except NotApplicable:
            continue
        except TailorError as error:
            unknown = f"{run.row} cannot be put together ({error})"
    return Needs(frozenset(artifacts), frozenset(generations), unknown)


def _found(workspace: Workspace, needs: Needs) -> Cleaning:
    found = [*_generations(workspace, needs)]
    kept: tuple[str, ...] = ()
    artifacts = [path for path in (workspace.state / "artifacts").glob("*") if path.is_dir()]
    if not needs.unknown:
        for path in artifacts:
            unfinished = path.name.startswith("building-")
            if unfinished or path not in needs.artifacts:
                found.append(_item(workspace, path, "leftover" if unfinished else "artifact"))
        found += [_item(workspace, path, "log") for path in (workspace.state / "logs").glob("*")]
    else:
        kept = (f"Artifacts and logs are left alone: {needs.unknown}.",)
    return Cleaning(tuple(sorted(found, key=lambda item: (item.kind, item.path))), kept)


def _generations(workspace: Workspace, needs: Needs) -> Iterator[Item]:
    """Generations of former documents or that no row uses, and unfinished ones."""
    from tailor.documents import generation

    current = generation.current(workspace.state)
    wanted = None
    if current is not None and (current / "manifest.json").exists():
        manifest = generation.Manifest.read(current)
        wanted = (manifest.documents, manifest.format)
    folders = (path for path in (workspace.state / "index").iterdir() if path.is_dir())
    for folder in sorted(path for path in folders if path != current):
        try:
            other = generation.Manifest.read(folder)
        except TailorError:
            yield _item(workspace, folder, "leftover")
            continue
        same = wanted == (other.documents, other.format)
        if not same or not (needs.unknown or folder.name in needs.generations):
            yield _item(workspace, folder, "generation")


def _item(workspace: Workspace, path: Path, kind: Kind) -> Item:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    size = sum(file.stat().st_size for file in files)
    return Item(path.relative_to(workspace.state).as_posix(), kind, size)


def _delete(path: Path) -> None:
    from tailor.documents.remote import drop

    if path.is_dir():
        # Without its manifest it is no generation, whatever a crash leaves of it.
        (path / "manifest.json").unlink(missing_ok=True)
        drop(path)
        shutil.rmtree(path)
    else:
        path.unlink()
