"""Index generations: immutable folders, built aside, checked, then made current by one rename.

    .tailor/index/<generation>/manifest.json   what it was built from; written last
                               passages.db     borders and texts of passages by number
                               vectors.npy     vectors by number
                               chroma-<token>/ a graph of them, by the hash of the text embedded
                               lexical/        BM25
    .tailor/index/current                      the name of the generation that is searched

A generation's name is a hash of all that decides its content, so equal states share one folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tailor.documents import parts
from tailor.documents.passages import Passage, Splitter
from tailor.documents.store import Record
from tailor.documents.unwritable import said
from tailor.errors import TailorError
from tailor.fault import hit

FORMAT = 3
"""Raised when the same documents and settings would give another index."""

DOUBT = ".doubt"
"""A file beside the generations: search could not use the current one, for its vectors cannot be
read or the embedder has changed under its name."""

_NUMBERED = re.compile(r"(page|slide) \d+")
_SIGNS = re.compile(r"[-_/.]+")
_SAMPLE = 20
_WHOLE, _BLOCK = 64 << 20, 1 << 16
"""Bytes up to which a file is read as a whole when its digest is taken, and read at a time."""


@dataclass(frozen=True)
class Manifest:
    """What a generation was built from, and how many passages it holds."""

    generation: str
    count: int
    documents: str
    """Digest of all documents' paths and contents."""
    splitter: Splitter
    embedder: str
    fingerprint: str
    """Of the embedder."""
    probe: tuple[float, ...]
    """The embedder's vector of the probe text, rounded."""
    files: Mapping[str, str]
    """Digests of all files but the graph's."""
    vectors: str
    """The folder with the vectors, or the file that says on which server they are.

    Chroma keeps one client per path and process, so a generation that is built again after damage
    must not lie where the damaged one lay.
    """
    directions: int
    """How many different vectors there are."""
    dead: int
    """How many deleted vectors remain in the graph."""
    format: int = FORMAT

    @classmethod
    def read(cls, folder: Path) -> Manifest:
        """The manifest of a finished generation.

        Raises:
            TailorError: it is missing or damaged, or another version of Tailor wrote it.
        """
        try:
            item = json.loads((folder / "manifest.json").read_text("utf-8"))
            if isinstance(item["format"], int) and item["format"] != FORMAT:
                raise _foreign(folder, item["format"])
            item["splitter"] = Splitter(**item["splitter"])
            item["probe"] = tuple(item["probe"])
            return cls(**item)
        except (OSError, ValueError, TypeError, KeyError):
            raise damaged(folder) from None


def _foreign(folder: Path, found: int) -> TailorError:
    return TailorError(
        f"The index {folder.name} was built by another version of Tailor (format {found}; this one "
        f"reads {FORMAT}): run `tailor ingest` to build it anew; what was embedded is kept."
    )


def damaged(folder: Path) -> TailorError:
    """The error for a generation that cannot be trusted."""
    return TailorError(f"The index {folder.name} is damaged: run `tailor ingest` to rebuild it.")


def documents_digest(documents: Mapping[str, Record]) -> str:
    """Content hash of all paths and texts."""
    raw = json.dumps([[path, documents[path].digest] for path in sorted(documents)])
    return hashlib.sha256(raw.encode()).hexdigest()


def identity(documents: str, splitter: Splitter, embedder: str) -> str:
    """The name of the generation for these digests and fingerprints."""
    raw = json.dumps([FORMAT, documents, splitter.fingerprint, embedder])
    return hashlib.sha256(raw.encode()).hexdigest()[:16]


def current(state: Path) -> Path | None:
    """The folder of the generation that is searched, if there is one."""
    try:
        name = (state / "index" / "current").read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    return state / "index" / name if re.fullmatch("[0-9a-f]{16}", name) else None


def current_name(state: Path, embedder: str, splitter: Splitter) -> str | None:
    """The name of the generation of these settings over the documents that are searched.

    Nothing is opened for it. None where there is no index, or one of another embedder.

    Raises:
        TailorError: the index is damaged.
    """
    folder = current(state)
    return None if folder is None else _name(folder, embedder, splitter)


@lru_cache(maxsize=32)  # a generation never changes
def _name(folder: Path, embedder: str, splitter: Splitter) -> str | None:
    manifest = Manifest.read(folder)
    if manifest.embedder != embedder:
        return None
    if manifest.splitter == splitter:
        return manifest.generation
    return identity(manifest.documents, splitter, manifest.fingerprint)


def generations(state: Path) -> tuple[Path, ...]:
    """All finished generations, the current one and others."""
    return tuple(sorted(file.parent for file in (state / "index").glob("*/manifest.json")))


def publish(state: Path, folder: Path) -> None:
    """Make a finished generation the one that is searched."""
    pointer = state / "index" / "current"
    temporary = pointer.with_name(".current.tmp")
    with said(state, temporary):
        hit("pointer.before")
        temporary.write_text(folder.name, "utf-8")
        sync(temporary)
        hit("pointer.part")
        os.replace(temporary, pointer)
        sync(pointer.parent)
        hit("pointer.after")


def context(passage: Passage) -> str:
    """The text that is embedded: the passage under its headings, sheet or attachment."""
    if not passage.place or _NUMBERED.fullmatch(passage.place):
        return passage.text
    return f"{passage.place}\n{passage.text}"


def searchable(passage: Passage) -> str:
    """The text that is searched by words: as embedded, with the words of the path."""
    return f"{_path(passage)}\n{context(passage)}"


def heading(passage: Passage) -> str:
    """The words of the path and the headings of a passage, without its own text."""
    return f"{_path(passage)}\n{context(passage).removesuffix(passage.text)}".strip()


def _path(passage: Passage) -> str:
    return _SIGNS.sub(" ", passage.document)


def counts(folder: Path) -> dict[str, int]:
    """Passages per document of a finished generation."""
    return parts.counts(folder / "passages.db")


def verify(folder: Path) -> None:
    """Read the vectors of a generation; where that fails, it is a generation no more.

    Raises:
        Unreachable: they are on a server, which cannot be used now.
    """
    import numpy as np

    from tailor.documents.dense import DenseIndex
    from tailor.documents.remote import Unreachable

    try:
        manifest = Manifest.read(folder)
        if not manifest.count:
            return
        with closing(DenseIndex.open(folder / manifest.vectors)) as index:
            keys = sorted(index.keys())
            nearest = index.nearest(np.array(manifest.probe, dtype=np.float32), 10)
            sample = keys[:: max(1, len(keys) // _SAMPLE)]
            sound = (
                index.count == len(keys) == manifest.directions
                and len(nearest) == min(10, len(keys))
                and len(index.vectors(sample)) == len(sample)
            )
    except Unreachable:  # says nothing of the vectors
        raise
    except Exception:  # Chroma raises many kinds, some from its Rust core
        sound = False
    if not sound:
        (folder / "manifest.json").unlink(missing_ok=True)


def file_digests(folder: Path) -> dict[str, str]:
    """Digests of the files of a generation that never change again (Chroma's may)."""
    own = [folder / name for name in (parts.PASSAGES, parts.VECTORS)]
    files = [*filter(Path.exists, own), *sorted((folder / "lexical").glob("*"))]
    return {file.relative_to(folder).as_posix(): file_digest(file) for file in files}


def file_digest(file: Path) -> str:
    """SHA-256 of a file's length and content; of a large file's, 1,024 blocks all over it.

    So an index of gigabytes is opened within a second; what is cut off, or overwritten in large
    part, is seen all the same.
    """
    size = file.stat().st_size
    found = hashlib.sha256(str(size).encode())
    whole = size <= _WHOLE
    step = _BLOCK if whole else (size - _BLOCK) // 1023
    with file.open("rb", buffering=0) as content:
        for start in range(0, size if whole else size - _BLOCK + 1, step):
            content.seek(start)
            found.update(content.read(_BLOCK))
    return found.hexdigest()


@contextmanager
def lock(state: Path) -> Iterator[None]:
    """Hold the one right to write below ``state``.

    Raises:
        TailorError: another process holds it, which the message names, or the folder cannot be
            written.
    """
    from filelock import FileLock, Timeout

    holder = state / "index" / ".lock.pid"
    held = FileLock(state / "index" / ".lock")
    try:
        holder.parent.mkdir(parents=True, exist_ok=True)
        held.acquire(timeout=0)
    except Timeout:
        pid = holder.read_text("utf-8").strip() if holder.exists() else "?"
        raise TailorError(
            f"Process {pid} is writing the index in {state}: wait until it has finished."
        ) from None
    except OSError as error:
        raise TailorError(
            f"The index in {state} cannot be written ({error.strerror}): make the folder writable."
        ) from None
    try:
        holder.write_text(str(os.getpid()), "utf-8")
        yield
    finally:
        held.release()


def sync(path: Path) -> None:
    """Flush a file or folder to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
