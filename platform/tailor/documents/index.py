"""Search in one index generation, by meaning, by words, or both."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents import generation as generations
from tailor.documents.embedding import probe, same, unit
from tailor.documents.generation import Manifest, damaged, documents_digest, identity
from tailor.documents.passages import Passage, Splitter
from tailor.documents.store import DocumentStore, Record, database, unique
from tailor.errors import TailorError

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    from tailor.documents.dense import DenseIndex

    Vector = NDArray[np.float32]

Ranking = list[tuple[int, float]]
"""Passage numbers and scores, the best first."""


@dataclass(frozen=True)
class _Dense:
    """The vectors, and which passages each of them stands for."""

    index: DenseIndex
    keys: list[str]
    """By passage number."""
    numbers: dict[str, list[int]]
    """By key; passages with equal text under equal headings share one."""


class Index:
    """One generation, opened for search; safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest, embeddings: Embeddings) -> None:
        from tailor.documents.lexical import LexicalIndex

        self.manifest = manifest
        self._folder = folder
        self._embeddings = embeddings
        self._lock = threading.Lock()
        self._dense: _Dense | None = None
        self._lexical = LexicalIndex.load(folder / "lexical") if manifest.count else None
        uri = f"{(folder / 'passages.db').absolute().as_uri()}?mode=ro&immutable=1"
        self._passages = sqlite3.connect(uri, uri=True, check_same_thread=False)

    @classmethod
    def open(cls, path: Path, embeddings: Embeddings) -> Index:
        """Open the generation in a folder; the embedder is first used when it is needed.

        Raises:
            TailorError: the generation is damaged.
        """
        manifest = Manifest.read(path)
        try:
            if generations.file_digests(path) != manifest.files:
                raise damaged(path)
            return cls(path, manifest, embeddings)
        except (OSError, ValueError, sqlite3.Error):
            raise damaged(path) from None

    @property
    def generation(self) -> str:
        """The content hash that names this generation."""
        return self.manifest.generation

    @property
    def count(self) -> int:
        """How many passages there are."""
        return self.manifest.count

    def passages(self) -> list[Passage]:
        """Every passage, in the order of the documents."""
        query = 'SELECT document, start, "end", text, place FROM passages ORDER BY number'
        with self._lock:
            return [Passage(*fields) for fields in self._passages.execute(query)]

    def search(
        self, question: str, k: int = 5, weight: float = 0.5, candidates: int = 50
    ) -> list[Passage]:
        """The k best passages, the best first.

        ``weight`` is the share of BM25 in the score: 1 is BM25 alone, 0 vectors alone, and
        neither then touches the other side. ``candidates`` are taken from each side.

        Raises:
            TailorError: the embedder is not the one the index was built with, or the index is
                damaged, or it holds no document.
        """
        if not self.count:
            raise TailorError(
                "There are no documents in the index: put files into the knowledge folder, then "
                "run `tailor ingest`."
            )
        if k < 1:
            return []
        n = max(k, candidates)
        words = self._lexical.scores(question) if self._lexical and weight > 0 else None
        lexical = _top(words, n) if words is not None else []
        vector = self._vector(question) if weight < 1 else None
        dense: Ranking = []
        cosines: dict[int, float] = {}
        if vector is not None:
            dense, cosines = self._by_meaning(vector, n, [number for number, _ in lexical])
        numbers = sorted({number for number, _ in (*lexical, *dense)})
        by_words = {number: float(words[number]) for number in numbers} if words is not None else {}
        best = fused(by_words, cosines, weight)[:k]
        lexical_rank = {number: rank for rank, (number, _) in enumerate(lexical, 1)}
        dense_rank = {number: rank for rank, (number, _) in enumerate(dense, 1)}
        found = self._read([number for number, _ in best])
        return [
            replace(
                found[number],
                score=round(score, 6),
                dense_rank=dense_rank.get(number),
                lexical_rank=lexical_rank.get(number),
            )
            for number, score in best
        ]

    def close(self) -> None:
        """Release the files; the index cannot be searched afterwards."""
        with self._lock:
            self._passages.close()
            if self._dense is not None:
                self._dense.index.close()

    def _vector(self, question: str) -> Vector | None:
        """The question's unit vector; None where the embedder knows none of its words."""
        import numpy as np

        self._dense_index()
        vector = unit(np.asarray(self._embeddings.embed_query(question), dtype=np.float32))
        return vector if vector.any() else None

    def _by_meaning(
        self, vector: Vector, n: int, further: list[int]
    ) -> tuple[Ranking, dict[int, float]]:
        """The n nearest passages, and the cosines of these and of some further ones."""
        dense = self._dense_index()
        keys = {number: dense.keys[number] for number in further}
        with self._trusting():
            cosine = dict(dense.index.nearest(vector, n))
            ranking = sorted(
                ((number, cosine[key]) for key in cosine for number in dense.numbers[key]),
                key=lambda pair: (-round(pair[1], 6), pair[0]),
            )[:n]
            others = dense.index.vectors(set(keys.values()) - cosine.keys())
        cosine |= {key: float(other @ vector) for key, other in others.items()}
        known = {number: cosine[key] for number, key in keys.items() if key in cosine}
        return ranking, known | dict(ranking)

    def _dense_index(self) -> _Dense:
        with self._lock:
            if self._dense is None:
                self._dense = self._open_dense()
            return self._dense

    def _open_dense(self) -> _Dense:
        import numpy as np

        from tailor.documents.dense import DenseIndex

        given, wanted = probe(self._embeddings), np.array(self.manifest.probe, dtype=np.float32)
        if not same(given, unit(wanted)):
            # Ingestion trusts an embedder's name, so as to load none where nothing changed.
            with suppress(OSError):
                (self._folder.parent / generations.DOUBT).touch()
            raise TailorError(
                f"The index was built with another embedder than the one given (its name then: "
                f"{self.manifest.embedder}): run `tailor ingest` to rebuild it."
            )
        with self._trusting():
            dense = DenseIndex.open(self._folder / self.manifest.vectors)
            if dense.count != self.manifest.directions:
                raise ValueError("the collection has lost vectors")
        rows = self._passages.execute("SELECT key FROM passages ORDER BY number")
        keys = [key for (key,) in rows]
        numbers: dict[str, list[int]] = {}
        for number, key in enumerate(keys):
            numbers.setdefault(key, []).append(number)
        return _Dense(dense, keys, numbers)

    @contextmanager
    def _trusting(self) -> Iterator[None]:
        """Turn whatever Chroma raises into one sentence, and have the next ingestion verify.

        Nothing is deleted here: the cause may be a permission or too many open files.
        """
        try:
            yield
        except Exception as error:  # Chroma raises many kinds, some from its Rust core
            try:
                (self._folder.parent / generations.DOUBT).touch()
            except OSError as unwritable:
                raise TailorError(
                    f"The vectors of the index {self._folder.name} cannot be opened, and "
                    f"{self._folder.parent} cannot be written, which Chroma needs "
                    f"({unwritable.strerror}): make it writable, or search by words alone."
                ) from error
            raise damaged(self._folder) from error

    def _read(self, numbers: list[int]) -> dict[int, Passage]:
        marks = ", ".join("?" * len(numbers))
        query = (
            'SELECT number, document, start, "end", text, place FROM passages '
            f"WHERE number IN ({marks})"
        )
        with self._lock:
            rows = self._passages.execute(query, numbers).fetchall()
        return {number: Passage(*fields) for number, *fields in rows}


def _top(scores: Vector, n: int) -> Ranking:
    """The n best of all passages with any score, the best first; ties by number."""
    import numpy as np

    least = float(np.partition(scores, -n)[-n]) if n < len(scores) else 0.0
    found = np.flatnonzero(scores >= least if least > 0 else scores > 0)
    order = found[np.argsort(-scores[found], kind="stable")][:n]
    return [(int(number), float(scores[number])) for number in order]


def fused(lexical: Mapping[int, float], cosines: Mapping[int, float], weight: float) -> Ranking:
    """Passages by the weighted mean of both scores, each relative to the best of its side.

    The least possible score counts as 0, that is 0 for BM25 and -1 for the cosine (Bruch et al.
    2023, arXiv:2210.11934). Equal scores in the order of passages.
    """
    best_lexical = max(lexical.values(), default=0.0) or 1.0
    best_cosine = max(cosines.values(), default=0.0) + 1
    scores = {
        number: weight * lexical.get(number, 0.0) / best_lexical
        + (1 - weight) * (cosines.get(number, -1.0) + 1) / best_cosine
        for number in {**lexical, **cosines}
    }
    return sorted(scores.items(), key=lambda item: (-round(item[1], 9), item[0]))


def open_index(
    state: Path, embeddings: Embeddings, embedder: str, splitter: Splitter | None = None
) -> Index:
    """The current generation, or the one with another splitter, built on demand.

    Raises:
        TailorError: nothing was ingested yet, another embedder was used, or a damaged index.
    """
    folder = generations.current(state)
    if folder is None:
        raise TailorError("There is no index yet: run `tailor ingest` first.")
    manifest = Manifest.read(folder)
    if manifest.embedder != embedder:
        raise TailorError(
            f"The index was built with the embedder {manifest.embedder}, not {embedder}: run "
            "`tailor ingest` to rebuild it."
        )
    if splitter is not None and splitter != manifest.splitter:
        records = _documents(state)
        digest = documents_digest(records)
        folder = state / "index" / identity(digest, splitter, manifest.fingerprint)
        if not (folder / "manifest.json").exists():
            with generations.lock(state):
                built = generations.build(state, records, embeddings, embedder, splitter)
            folder = built.folder
    return Index.open(folder, embeddings)


def documents(state: Path) -> Mapping[str, str]:
    """The texts of all readable documents by path, copies included."""
    with database(state / "documents.db") as connection:
        records = DocumentStore(connection).records()
    return {path: record.text for path, record in records.items() if record.status == "ok"}


def _documents(state: Path) -> dict[str, Record]:
    with database(state / "documents.db") as connection:
        return unique(DocumentStore(connection).records())[0]
