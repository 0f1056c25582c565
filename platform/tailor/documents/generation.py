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
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents import parts
from tailor.documents.embedding import Progress, embed, fingerprint
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.store import EmbeddingCache, Record, database, text_key
from tailor.documents.tokens import TokenCounter
from tailor.errors import TailorError
from tailor.models.token_counts import token_count

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.embedding import Vector

FORMAT = 2
"""Raised when the same documents and settings would give another index."""

DOUBT = ".doubt"
"""A file beside the generations: search could not use the current one, for its vectors cannot be
read or the embedder has changed under its name."""

_SAMPLE = 20


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
    return f"{_path(passage)}\n{context(passage)}"


def heading(passage: Passage) -> str:
    """The words of the path and the headings of a passage, without its own text."""
    return f"{_path(passage)}\n{context(passage).removesuffix(passage.text)}".strip()


def _path(passage: Passage) -> str:
    return re.sub(r"[-_/.]+", " ", passage.document)


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
    digest = documents_digest(documents)
    with database(state / "embeddings.db") as connection:
        cache = EmbeddingCache(connection)
        known = fingerprint(embedder, embeddings, cache)
        folder = state / "index" / identity(digest, splitter, known)
        if (folder / "manifest.json").exists():
            return Built(folder, 0, counts(folder))
        former = _former(state, known)
        counter = TokenCounter(token_count(embeddings))
        passages = _passages(documents, splitter, counter, former)
        embedded = embed([context(p) for p in passages], known, embeddings, cache, progress)
        temporary = folder.with_name(f".building-{folder.name}")
        for leftover in (temporary, folder):
            shutil.rmtree(leftover, ignore_errors=True)
        temporary.mkdir(parents=True)
        if progress is not None:
            progress("indexing", 0, len(passages))
        vectors = f"chroma-{secrets.token_hex(4)}"
        directions, dead = _write(
            temporary, vectors, passages, documents, lambda texts: cache.get(known, texts), former
        )
        probe = cache.embedders(embedder)[known]
    manifest = Manifest(
        generation=folder.name,
        count=len(passages),
        documents=digest,
        splitter=splitter,
        embedder=embedder,
        fingerprint=known,
        probe=tuple(round(float(value), 4) for value in probe),
        files=file_digests(temporary),
        vectors=vectors,
        directions=directions,
        dead=dead,
    )
    _finish(temporary, folder, manifest)
    if progress is not None:
        progress("indexing", len(passages), len(passages))
    return Built(folder, embedded, Counter(passage.document for passage in passages))


def cut(
    state: Path,
    documents: Mapping[str, Record],
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter,
) -> tuple[list[Passage], Vector]:
    """All passages with their unit vectors, (passages, dimension), without building an index.

    What has to be embedded for it is kept, so that building the index costs nothing more.

    Raises:
        TailorError: the embedder fails.
    """
    import numpy as np

    with database(state / "embeddings.db") as connection:
        cache = EmbeddingCache(connection)
        known = fingerprint(embedder, embeddings, cache)
        passages = _passages(
            documents, splitter, TokenCounter(token_count(embeddings)), _former(state, known)
        )
        texts = [context(passage) for passage in passages]
        embed(texts, known, embeddings, cache)
        vectors = cache.get(known, texts)
    return passages, np.array([vectors[text] for text in texts], dtype=np.float32)


def _passages(
    documents: Mapping[str, Record], splitter: Splitter, counter: TokenCounter, former: Path | None
) -> list[Passage]:
    """All passages; those of unchanged documents are taken from the former generation."""
    known: Mapping[str, list[Passage]] = {}
    if former is not None and Manifest.read(former).splitter == splitter:
        digests = {path: record.digest for path, record in documents.items()}
        known = parts.unchanged(former / "passages.db", digests)
    passages: list[Passage] = []
    for path, record in documents.items():
        cut = known.get(path)
        passages += split(record.document, splitter, counter) if cut is None else cut
    return passages


def _write(
    folder: Path,
    vectors: str,
    passages: Sequence[Passage],
    documents: Mapping[str, Record],
    fetch: Callable[[Sequence[str]], Mapping[str, Vector]],
    former: Path | None,
) -> tuple[int, int]:
    """Write passages, words and vectors; returns how many vectors live, and how many are dead."""
    texts = [context(passage) for passage in passages]
    keys = [text_key(text) for text in texts]
    digests = {path: record.digest for path, record in documents.items()}
    parts.write_passages(folder / "passages.db", passages, keys, digests)
    if not passages:
        return 0, 0
    from tailor.documents.lexical import LexicalIndex

    LexicalIndex.build([searchable(p) for p in passages]).save(folder / "lexical")
    by_key = dict(zip(keys, texts, strict=True))
    if former is None:
        return parts.write_vectors(folder / vectors, by_key, fetch, None, set(), 0)
    before = Manifest.read(former)
    held = parts.vector_keys(former / "passages.db")
    return parts.write_vectors(
        folder / vectors, by_key, fetch, former / before.vectors, held, before.dead
    )


def _finish(temporary: Path, folder: Path, manifest: Manifest) -> None:
    """Write the manifest and give the generation its name, once all of it is on the disk."""
    (temporary / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    for path in [*temporary.rglob("*"), temporary]:
        sync(path)
    os.replace(temporary, folder)
    sync(folder.parent)


def counts(folder: Path) -> dict[str, int]:
    """Passages per document of a finished generation."""
    return parts.counts(folder / "passages.db")


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


def file_digests(folder: Path) -> dict[str, str]:
    """SHA-256 of the files of a generation that never change again (Chroma's may)."""
    files = [folder / "passages.db", *sorted((folder / "lexical").glob("*"))]
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in files
    }


def _former(state: Path, fingerprint: str) -> Path | None:
    """The current generation, where it is sound and its vectors are of the same embedder."""
    folder = current(state)
    try:
        if folder is None or not (manifest := Manifest.read(folder)).count:
            return None
        passages = hashlib.sha256((folder / "passages.db").read_bytes()).hexdigest()
    except (TailorError, OSError):
        return None
    fits = (manifest.fingerprint, manifest.format) == (fingerprint, FORMAT)
    return folder if fits and passages == manifest.files["passages.db"] else None


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
