"""Index generations: immutable folders, built aside, checked, then made current by one rename.

    .tailor/index/<generation>/manifest.json   what it was built from; written last
                               passages.db     borders and texts of passages by number
                               chroma-<token>/ vectors by the hash of the text embedded
                               lexical/        BM25
    .tailor/index/current                      the name of the generation that is searched

A generation's name is a hash of all that decides its content, so equal states share one folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents.embedding import Progress, embed, fingerprint
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.store import EmbeddingCache, Record, database, text_key
from tailor.errors import TailorError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.embedding import Vector

FORMAT = 1
"""Raised when the same documents and settings would give another index."""

DOUBT = ".doubt"
"""A file beside the generations: search could not use the current one, for its vectors cannot be
read or the embedder has changed under its name."""

_SAMPLE = 20
_COPIED_FROM = 2000
"""Vectors; fewer are indexed anew within a second or two."""
_DIFFERENCE = 0.3
"""Share of new and dead vectors up to which copying is cheaper, and as good, as building."""


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
    """SHA-256 of ``passages.db`` and of the lexical index."""
    vectors: str
    """The folder with the vectors.

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
            TailorError: it is missing or damaged.
        """
        try:
            item = json.loads((folder / "manifest.json").read_text("utf-8"))
            item["splitter"] = Splitter(**item["splitter"])
            item["probe"] = tuple(item["probe"])
            return cls(**item)
        except (OSError, ValueError, TypeError, KeyError):
            raise damaged(folder) from None


@dataclass(frozen=True)
class Built:
    """A finished generation; ``embedded`` texts had to be embedded for it."""

    folder: Path
    embedded: int
    passages: Mapping[str, int]
    """Passages per document."""


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


def generations(state: Path) -> tuple[Path, ...]:
    """All finished generations, the current one and others."""
    return tuple(sorted(file.parent for file in (state / "index").glob("*/manifest.json")))


def publish(state: Path, folder: Path) -> None:
    """Make a finished generation the one that is searched."""
    pointer = state / "index" / "current"
    temporary = pointer.with_name(".current.tmp")
    temporary.write_text(folder.name, "utf-8")
    sync(temporary)
    os.replace(temporary, pointer)
    sync(pointer.parent)


def context(passage: Passage) -> str:
    """The text that is embedded: the passage under its headings, sheet or attachment."""
    if not passage.place or re.fullmatch(r"(page|slide) \d+", passage.place):
        return passage.text
    return f"{passage.place}\n{passage.text}"


def searchable(passage: Passage) -> str:
    """The text that is searched by words: as embedded, with the words of the path."""
    return f"{re.sub(r'[-_/.]+', ' ', passage.document)}\n{context(passage)}"


def build(
    state: Path,
    documents: Mapping[str, Record],
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter,
    progress: Progress | None = None,
) -> Built:
    """Build the generation for these documents and settings, unless it is there already.

    The pointer stays where it is. The caller holds ``lock(state)``.

    Raises:
        TailorError: the embedder fails, or the finished index does not return what was put in.
    """
    passages = [p for d in documents.values() for p in split_record(d, splitter)]
    numbers = Counter(passage.document for passage in passages)
    with database(state / "embeddings.db") as connection:
        cache = EmbeddingCache(connection)
        known = fingerprint(embedder, embeddings, cache)
        digest = documents_digest(documents)
        folder = state / "index" / identity(digest, splitter, known)
        if (folder / "manifest.json").exists():
            return Built(folder, 0, numbers)
        texts = [context(passage) for passage in passages]
        embedded = embed(texts, known, embeddings, cache, progress)
        vectors = cache.get(known, texts)
        probe = cache.embedders(embedder)[known]
    temporary = folder.with_name(f".building-{folder.name}")
    for leftover in (temporary, folder):
        shutil.rmtree(leftover, ignore_errors=True)
    temporary.mkdir(parents=True)
    chroma = f"chroma-{secrets.token_hex(4)}"
    if progress is not None:
        progress("indexing", 0, len(passages))
    _write_passages(temporary / "passages.db", passages)
    directed: dict[str, Vector] = {}
    dead = 0
    if passages:
        from tailor.documents.lexical import LexicalIndex

        LexicalIndex.build([searchable(p) for p in passages]).save(temporary / "lexical")
        # A text without any word the embedder knows has no direction: it is found by words alone.
        directed = {text_key(text): vector for text, vector in vectors.items() if vector.any()}
        dead = _write_vectors(temporary / chroma, directed, _former(state, known))
    manifest = Manifest(
        generation=folder.name,
        count=len(passages),
        documents=digest,
        splitter=splitter,
        embedder=embedder,
        fingerprint=known,
        probe=tuple(round(float(value), 4) for value in probe),
        files=file_digests(temporary),
        vectors=chroma,
        directions=len(directed),
        dead=dead,
    )
    (temporary / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    for path in [*temporary.rglob("*"), temporary]:
        sync(path)
    os.replace(temporary, folder)
    sync(folder.parent)
    if progress is not None:
        progress("indexing", len(passages), len(passages))
    return Built(folder, embedded, numbers)


def counts(folder: Path) -> dict[str, int]:
    """Passages per document of a finished generation."""
    uri = f"{(folder / 'passages.db').absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True)
    try:
        return dict(connection.execute("SELECT document, COUNT(*) FROM passages GROUP BY document"))
    finally:
        connection.close()


def verify(folder: Path) -> None:
    """Read the vectors of a generation; where that fails, it is a generation no more."""
    import numpy as np

    from tailor.documents.dense import DenseIndex

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
    except Exception:  # Chroma raises many kinds, some from its Rust core
        sound = False
    if not sound:
        (folder / "manifest.json").unlink(missing_ok=True)


def split_record(record: Record, splitter: Splitter) -> list[Passage]:
    """The passages of a stored document."""
    return split(record.document, splitter.size, splitter.overlap)


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a generation that never change again (Chroma's may)."""
    files = [folder / "passages.db", *sorted((folder / "lexical").glob("*"))]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def _write_passages(path: Path, passages: Sequence[Passage]) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(
            "CREATE TABLE passages (number INTEGER PRIMARY KEY, document TEXT, start INTEGER, "
            '"end" INTEGER, place TEXT, text TEXT, key TEXT)'
        )
        connection.executemany(
            "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (number, p.document, p.start, p.end, p.place, p.text, text_key(context(p)))
                for number, p in enumerate(passages)
            ],
        )
    connection.close()


def _write_vectors(folder: Path, vectors: Mapping[str, Vector], former: Manifest | None) -> int:
    """Write the dense index and check it; returns how many dead vectors its graph holds.

    Where little changed since the ``former`` generation, its index is copied and the difference
    applied. Deleted vectors stay in the graph, so it is built anew before they become many.
    """
    from tailor.documents.dense import DenseIndex

    gone: set[str] = set()
    dead = 0
    index: DenseIndex | None = None
    if former is not None and len(vectors) >= _COPIED_FROM:
        source = folder.parents[1] / former.generation / former.vectors
        with closing(DenseIndex.open(source)) as old:
            held = old.keys()
        gone = held - vectors.keys()
        dead = former.dead + len(gone)
        if dead + len(vectors.keys() - held) < _DIFFERENCE * len(vectors):
            index = DenseIndex.copy(source, folder)
            index.remove(gone)
            index.add({key: vector for key, vector in vectors.items() if key not in held})
    if index is None:
        dead = 0
        index = DenseIndex.create(folder)
        index.add(vectors)
    with closing(index):
        sample = sorted(vectors)[:: max(1, len(vectors) // _SAMPLE)]
        # Texts of equal words have equal vectors, so the nearest may be a twin as near as it.
        lost = sum(index.nearest(vectors[key], 1)[0][1] < 0.999 for key in sample)
        if index.count != len(vectors) or lost:
            raise TailorError(
                f"The new index holds {index.count} of {len(vectors)} vectors and misses {lost} "
                "of a sample: run `tailor ingest` again; the old index stays."
            )
    return dead


def _former(state: Path, fingerprint: str) -> Manifest | None:
    """The manifest of the current generation, where its vectors are of the same embedder."""
    folder = current(state)
    if folder is None or not (folder / "manifest.json").exists():
        return None
    manifest = Manifest.read(folder)
    fits = (manifest.fingerprint, manifest.format) == (fingerprint, FORMAT) and manifest.count > 0
    return manifest if fits else None


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
