"""Building an index generation beside the current one, piece by piece, from where it stopped."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents import parts
from tailor.documents.cutting import passages_of
from tailor.documents.document import Document
from tailor.documents.embedding import Progress, embed, fingerprint
from tailor.documents.generation import (
    FORMAT,
    Manifest,
    context,
    counts,
    current,
    documents_digest,
    file_digest,
    file_digests,
    identity,
    searchable,
    sync,
)
from tailor.documents.passages import Passage, Splitter
from tailor.documents.remote import Unreachable, drop, place, removed
from tailor.documents.store import DocumentStore, EmbeddingCache, Record, database
from tailor.documents.unwritable import said
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.run import write_json

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.embedding import Vector

Fetch = Callable[[Sequence[str]], Mapping[str, "Vector"]]


@dataclass(frozen=True)
class Built:
    """A finished generation; ``embedded`` texts had to be embedded for it."""

    folder: Path
    embedded: int
    passages: Mapping[str, int]
    """Passages per document."""


def build(
    state: Path,
    documents: Mapping[str, Record],
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter,
    progress: Progress | None = None,
    server: str = "",
) -> Built:
    """Build the generation for these documents and settings, unless it is there already.

    Its vectors go to a folder, or to the Chroma ``server``; those that are elsewhere are moved.
    Texts that ``documents`` lacks are read from ``documents.db``. Killed or interrupted, the next
    call goes on with what is there. The pointer stays where it is. The caller holds
    ``lock(state)``.

    Raises:
        TailorError: the embedder fails, the disk does, or the finished index does not return what
            was put in.
    """
    digest = documents_digest(documents)
    with database(state / "embeddings.db") as connection:
        cache = EmbeddingCache(connection)
        known = fingerprint(embedder, embeddings, cache)
        folder = state / "index" / identity(digest, splitter, known)
        if (folder / "manifest.json").exists():
            with said(state, folder):
                _moved(folder, server, progress or _silent)
            return Built(folder, 0, counts(folder))
        former = _former(state, known)
        temporary = _begun(folder)
        tell = progress or _silent
        with said(state, temporary), _kept_where_whole(temporary):
            temporary.mkdir(parents=True, exist_ok=True)
            passages = temporary / parts.PASSAGES
            cut = _cut(state, documents, splitter, embeddings, former, parts.begun(passages))
            parts.write_passages(passages, cut, lambda passage: parts.vector_key(context(passage)))
            embedded = _embedded(passages, known, embeddings, cache, progress)
            probe = cache.embedders(embedder)[known]
            manifest = Manifest(
                generation=folder.name,
                count=parts.count(passages),
                documents=digest,
                splitter=splitter,
                embedder=embedder,
                fingerprint=known,
                probe=tuple(round(float(value), 4) for value in probe),
                files={},
                vectors="",
                directions=0,
                dead=0,
                format=FORMAT,
            )
            finished = _parts(
                temporary, manifest, lambda texts: cache.get(known, texts), former, tell, server
            )
            _finish(temporary, folder, finished)
    tell("indexing", manifest.count, manifest.count)
    return Built(folder, embedded, counts(folder))


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
        former = _former(state, known)
        pieces = _cut(state, documents, splitter, embeddings, former, 0)
        passages = [passage for _, _, own in pieces for passage in own]
        texts = [context(passage) for passage in passages]
        embed(texts, known, embeddings, cache)
        vectors = cache.get(known, texts)
    return passages, np.array([vectors[text] for text in texts], dtype=np.float32)


def _former(state: Path, fingerprint: str) -> Path | None:
    """The current generation, where it is sound and its vectors are of the same embedder."""
    folder = current(state)
    try:
        if folder is None or not (manifest := Manifest.read(folder)).count:
            return None
        passages = file_digest(folder / parts.PASSAGES)
    except (TailorError, OSError):
        return None
    sound = passages == manifest.files[parts.PASSAGES]
    return folder if sound and manifest.fingerprint == fingerprint else None


def _begun(folder: Path) -> Path:
    """Where the generation is built, perhaps begun before; what was begun of others is deleted."""
    temporary = folder.with_name(f".building-{folder.name}")
    for other in folder.parent.glob(".building-*"):
        if other != temporary:
            removed(other)
    removed(folder)
    try:
        parts.begun(temporary / parts.PASSAGES)
    except sqlite3.DatabaseError:
        removed(temporary)
    return temporary


@contextmanager
def _kept_where_whole(temporary: Path) -> Iterator[None]:
    """An interrupted build is gone on with; one that fails for another reason begins anew.

    So does one that is refused although every part is there.
    """
    try:
        yield
    except TailorError:
        if (temporary / "lexical").exists():
            removed(temporary)
        raise
    except Exception:  # not a kill or Ctrl+C, after which it is gone on with
        removed(temporary)
        raise


def _cut(
    state: Path,
    documents: Mapping[str, Record],
    splitter: Splitter,
    embeddings: Embeddings,
    former: Path | None,
    done: int,
) -> Iterator[parts.Cut]:
    """Each document's passages in the order of the paths, those of the first ``done`` left out.

    Those of unchanged documents are taken from the former generation.
    """
    wanted = [(path, documents[path].digest) for path in islice(sorted(documents), done, None)]
    same: set[str] = set()
    before: Iterator[tuple[str, list[Passage]]] = iter(())
    if former is not None and Manifest.read(former).splitter == splitter:
        digests = parts.digests(former / parts.PASSAGES)
        same = {path for path, digest in wanted if digests.get(path) == digest}
        before = parts.by_document(former / parts.PASSAGES)
    others = _documents(state, [documents[path] for path, _ in wanted if path not in same])
    new = passages_of(others, splitter, embeddings)
    kept: tuple[str, list[Passage]] = "", []
    for path, digest in wanted:
        if path not in same:
            yield path, digest, next(new)
            continue
        while kept[0] < path:
            kept = next(before, ("\U0010ffff", []))
        yield path, digest, kept[1] if kept[0] == path else []


def _documents(state: Path, records: Sequence[Record]) -> Iterator[Document]:
    """The documents of these records, read one after another where their texts were left out."""
    with database(state / "documents.db") as connection:
        store = DocumentStore(connection)
        for record in records:
            yield store.whole(record).document


def _embedded(
    passages: Path,
    known: str,
    embeddings: Embeddings,
    cache: EmbeddingCache,
    progress: Progress | None,
) -> int:
    """Embed what is not known yet; returns how many texts that were."""
    total, done, embedded = parts.count(passages), 0, 0

    def told(step: str, of_these: int, _: int) -> None:
        if progress is not None:
            progress(step, done + of_these, total)

    for some in parts.batches(passages):
        embedded += embed([context(p) for p in some], known, embeddings, cache, told)
        done += len(some)
    return embedded


def _parts(
    folder: Path,
    manifest: Manifest,
    fetch: Fetch,
    former: Path | None,
    progress: Progress,
    server: str,
) -> Manifest:
    """Write vectors and words; gives the manifest with what they are."""
    progress("indexing", 0, manifest.count)
    if not manifest.count:
        return replace(manifest, files=file_digests(folder))
    from tailor.documents.lexical import LexicalIndex

    base = None
    if former is not None:
        before = Manifest.read(former)
        base = former / parts.PASSAGES, former / before.vectors, before.dead
    name, directions, dead = parts.write_vectors(
        folder,
        context,
        fetch,
        len(manifest.probe),
        base,
        lambda done: progress("indexing", done, manifest.count),
        server,
    )
    hit("words.before")
    shutil.rmtree(folder / "lexical", ignore_errors=True)
    passages = (p for some in parts.batches(folder / parts.PASSAGES) for p in some)
    LexicalIndex.write(map(searchable, passages), folder / "lexical")
    hit("words.after")
    files = file_digests(folder)
    return replace(manifest, files=files, vectors=name, directions=directions, dead=dead)


def _moved(folder: Path, server: str, progress: Progress) -> None:
    """Have the vectors of a finished generation where they belong now."""
    manifest = Manifest.read(folder)
    former = manifest.vectors
    if manifest.count and place(folder / former) != server:
        progress("indexing", 0, manifest.count)
        name = parts.move(
            folder, former, server, context, lambda done: progress("indexing", done, manifest.count)
        )
        # What was deleted there is not in the new graph.
        write_json(folder / "manifest.json", asdict(replace(manifest, vectors=name, dead=0)))
        sync(folder / "manifest.json")
        shutil.rmtree(folder / former, ignore_errors=True)
        with suppress(Unreachable):  # then `tailor clean` deletes it together with the generation
            drop(folder, current=name)


def _silent(*_: object) -> None:
    """Nobody wants to know."""


def _finish(temporary: Path, folder: Path, manifest: Manifest) -> None:
    """Write the manifest and give the generation its name, once all of it is on the disk."""
    hit("manifest.before")
    (temporary / "manifest.json").write_text(json.dumps(asdict(manifest), indent=1), "utf-8")
    hit("manifest.after")
    for path in [*temporary.rglob("*"), temporary]:
        sync(path)
    hit("generation.before")
    os.replace(temporary, folder)
    sync(folder.parent)
    hit("generation.after")
