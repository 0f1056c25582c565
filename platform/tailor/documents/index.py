"""Search in one index generation, by meaning, by words, or both."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents import generation as generations
from tailor.documents import parts
from tailor.documents.admitted import Admitted
from tailor.documents.building import build
from tailor.documents.corpus import searched
from tailor.documents.embedding import probe, same, unit
from tailor.documents.enrichments import Enrichments
from tailor.documents.exact import Exact
from tailor.documents.filters import Filters
from tailor.documents.generation import Manifest, damaged, documents_digest, heading, identity
from tailor.documents.passages import Passage, Splitter
from tailor.documents.store import DocumentStore, database
from tailor.errors import TailorError
from tailor.retrieval.arrangement import REACH
from tailor.retrieval.features import Words
from tailor.retrieval.ranking import Candidates, fused, top

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    from tailor.documents.dense import DenseIndex
    from tailor.documents.lexical import Forms, LexicalIndex

    Vector = NDArray[np.float32]
    Floats = NDArray[np.float64]
    Mask = NDArray[np.bool_]

_KEPT = 5000
"""Passages whose words are remembered, some 100 MB; then it starts anew."""
_COMPARED = 100_000
"""Passages up to which every vector is compared, within some ms; above, the graph is asked."""
Ranking = list[tuple[int, float]]
"""Passage numbers and scores, the best first."""


class Index:
    """One generation, opened for search; safe to use from several threads."""

    def __init__(self, folder: Path, manifest: Manifest, embeddings: Embeddings) -> None:
        from tailor.documents.lexical import LexicalIndex

        self.manifest = manifest
        self._folder = folder
        self._embeddings = embeddings
        self._lock = threading.Lock()
        self._dense: DenseIndex | None = None
        self._trusted = False
        self._words: dict[int, Words] = {}
        self._exact = Exact.open(folder / parts.VECTORS) if manifest.count else None
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
    def lexical_folder(self) -> Path:
        """Where BM25 keeps its arrays."""
        return self._folder / "lexical"

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
        self,
        question: str,
        k: int = 5,
        weight: float = 0.5,
        candidates: int = 50,
        filters: Filters | None = None,
    ) -> list[Passage]:
        """The k best passages of the documents that the filters admit, the best first.

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
        within = self.within(filters) if filters else None
        found = self.candidates(question, weight, n=max(k, candidates), within=within)
        return self.best(found, fused(found.lexical, found.cosines, weight), k)

    def candidates(
        self,
        question: str,
        weight: float = 0.5,
        forms: Forms = "both",
        headings: float = 0.0,
        n: int = 50,
        within: Mask | None = None,
    ) -> Candidates:
        """The ``n`` best passages of each side, with what both sides say of all of them.

        ``weight`` 1 leaves the vectors untouched, 0 the words; the scores of an untouched side are
        the least possible. ``headings`` is the weight of a further search in paths and headings.
        ``within`` marks the passages that may be found, of which the n best are taken.

        Raises:
            TailorError: the embedder is not the one the index was built with, or the index is
                damaged.
        """
        import numpy as np

        lexical = np.zeros(self.count, dtype=np.float32)
        if weight > 0 and self._lexical:
            lexical = self._lexical.scores(question, forms)
            if headings:
                named = self._headings.scores(question, forms)
                lexical = lexical.astype(np.float64) + headings * named
        if within is not None:
            lexical = np.where(within, lexical, 0)
        said: list[int] = top(lexical, n).tolist()
        vector = self._vector(question) if weight < 1 else None
        near: Ranking = []
        known: dict[int, float] = {}
        if vector is not None:
            near, known = self._by_meaning(vector, n, said, within)
        nearest = [number for number, _ in near]
        found = sorted({*said, *nearest})
        numbers = np.array(found, dtype=int)
        cosines = np.array([known.get(number, -1.0) for number in found])
        said_of = lexical[numbers].astype(np.float64)
        return Candidates(numbers, said_of, cosines, _ranks(said), _ranks(nearest))

    def within(self, *filters: Filters) -> Mask:
        """Which passages, by number, are of documents that all these filters admit."""
        return self._admitted(tuple(dict.fromkeys(filters)))

    @cached_property
    def _admitted(self) -> Admitted:
        with self._lock:
            query = 'SELECT document, start, "end" FROM passages ORDER BY number'
            spans = self._passages.execute(query).fetchall()
        return Admitted(spans, self._folder.parent.parent / "documents.db", self.enrichments)

    @cached_property
    def enrichments(self) -> Enrichments:
        """What pipelines found in the documents."""
        digests = parts.digests(self._folder / "passages.db")
        return Enrichments(self._folder.parent.parent, digests)

    def best(self, found: Candidates, scores: Floats, k: int) -> list[Passage]:
        """The k passages with the highest scores; equal ones in the order of passages."""
        import numpy as np

        rounded = np.round(scores, 9)
        order = np.argsort(-rounded, kind="stable")[:k]
        numbers = found.numbers[order].tolist()
        texts = self.read(numbers)
        return [
            replace(
                texts[number],
                score=round(float(score), 6),
                dense_rank=found.dense_ranks.get(number),
                lexical_rank=found.lexical_ranks.get(number),
            )
            for number, score in zip(numbers, scores[order], strict=True)
        ]

    def around(self, number: int) -> tuple[list[Passage], int]:
        """The passages around one, and which of them it is."""
        first = max(0, number - REACH)
        near = self.read(range(first, min(self.count, number + REACH + 1)))
        return [near[at] for at in sorted(near)], number - first

    def vectors(self, numbers: Sequence[int]) -> Vector:
        """The unit vectors of these passages, (passages, dimension); 0 where there is none."""
        import numpy as np

        if self._exact is None:
            return np.zeros((0, len(self.manifest.probe)), dtype=np.float32)
        self._checked()
        return np.array(self._exact.vectors[list(numbers)], dtype=np.float32)

    def text(self, document: str) -> str | None:
        """The text of a document as it was last read."""
        with database(self._folder.parent.parent / "documents.db") as connection:
            return DocumentStore(connection).text(document)

    @property
    def languages(self) -> frozenset[str]:
        """Of the documents."""
        return frozenset(language for language, _ in self._admitted.facts().values())

    def words(self, numbers: Sequence[int]) -> list[Words]:
        """These passages as a reranker sees them."""
        if len(self._words) > _KEPT:
            self._words.clear()
        missing = [number for number in numbers if number not in self._words]
        for number, passage in self.read(missing).items():
            self._words[number] = Words.of(passage.text, heading(passage))
        return [self._words[number] for number in numbers]

    def rarity(self, folded: Sequence[str]) -> list[float]:
        """The inverse document frequency of folded words."""
        return self._lexical.rarity(folded) if self._lexical else [0.0] * len(folded)

    @cached_property
    def _headings(self) -> LexicalIndex:
        from tailor.documents.lexical import LexicalIndex

        return LexicalIndex.build([heading(passage) for passage in self.passages()])

    def close(self) -> None:
        """Release the files; the index cannot be searched afterwards."""
        with self._lock:
            self._passages.close()
            if self._dense is not None:
                self._dense.close()

    def _vector(self, question: str) -> Vector | None:
        """The question's unit vector; None where the embedder knows none of its words."""
        import numpy as np

        self._checked()
        vector = unit(np.asarray(self._embeddings.embed_query(question), dtype=np.float32))
        return vector if vector.any() else None

    def _by_meaning(
        self, vector: Vector, n: int, further: list[int], within: Mask | None
    ) -> tuple[Ranking, dict[int, float]]:
        """The n nearest passages of those marked, and the cosines of these and of further ones."""
        if self._exact is None:
            return [], {}
        if within is not None or self.count <= _COMPARED:
            return self._exact.nearest(vector, n, further, within)
        with self._trusting():
            keys = [key for key, _ in self._graph().nearest(vector, n)]
        cosines = self._exact.cosines(vector, self._numbers(keys))
        ranking = sorted(cosines.items(), key=lambda pair: (-round(pair[1], 6), pair[0]))[:n]
        return ranking, self._exact.cosines(vector, further) | dict(ranking)

    def _numbers(self, keys: Sequence[str]) -> list[int]:
        """The passages of these vectors; those of equal text under equal headings share one."""
        marks = ", ".join("?" * len(keys))
        query = f"SELECT number FROM passages WHERE key IN ({marks})"
        with self._lock:
            return [number for (number,) in self._passages.execute(query, list(keys))]

    def _checked(self) -> None:
        """Refuse another embedder than that of the index; asked once."""
        if not self._trusted:
            self._check_embedder()
            self._trusted = True

    def _check_embedder(self) -> None:
        import numpy as np

        given, wanted = probe(self._embeddings), np.array(self.manifest.probe, dtype=np.float32)
        if not same(given, unit(wanted)):
            # Ingestion trusts an embedder's name, so as to load none where nothing changed.
            with suppress(OSError):
                (self._folder.parent / generations.DOUBT).touch()
            raise TailorError(
                f"The index was built with another embedder than the one given (its name then: "
                f"{self.manifest.embedder}): run `tailor ingest` to rebuild it."
            )

    def _graph(self) -> DenseIndex:
        """The vectors in Chroma."""
        from tailor.documents.dense import DenseIndex

        with self._lock:
            if self._dense is None:
                # They may have been moved to a server, or from one, since this was opened.
                vectors = Manifest.read(self._folder).vectors
                dense = DenseIndex.open(self._folder / vectors)
                if dense.count != self.manifest.directions:
                    raise ValueError("the collection has lost vectors")
                self._dense = dense
            return self._dense

    @contextmanager
    def _trusting(self) -> Iterator[None]:
        """Turn whatever Chroma raises into one sentence, and have the next ingestion verify.

        Nothing is deleted here: the cause may be a permission or too many open files.
        """
        from tailor.documents.remote import Unreachable

        try:
            yield
        except Unreachable:  # says nothing of the vectors
            raise
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

    def read(self, numbers: Sequence[int]) -> dict[int, Passage]:
        """These passages, by number."""
        marks = ", ".join("?" * len(numbers))
        query = (
            'SELECT number, document, start, "end", text, place FROM passages '
            f"WHERE number IN ({marks})"
        )
        with self._lock:
            rows = self._passages.execute(query, list(numbers)).fetchall()
        return {number: Passage(*fields) for number, *fields in rows}


def _ranks(best_first: Sequence[int]) -> dict[int, int]:
    """The rank of each passage, from 1."""
    return {number: rank for rank, number in enumerate(best_first, 1)}


def open_index(
    state: Path,
    embeddings: Embeddings,
    embedder: str,
    splitter: Splitter | None = None,
    vary: bool = False,
    server: str = "",
) -> Index:
    """The current generation, or the one with another splitter, built on demand.

    With ``vary`` another embedder is no mistake either: its generation is built, its vectors on
    the Chroma ``server`` where one is given.

    Raises:
        TailorError: nothing was ingested yet, another embedder was used, a damaged index, or as
            `searched`.
    """
    folder = generations.current(state)
    if folder is None:
        raise TailorError("There is no index yet: run `tailor ingest` first.")
    manifest = Manifest.read(folder)
    if manifest.embedder != embedder and not vary:
        raise TailorError(
            f"The index was built with the embedder {manifest.embedder}, not {embedder}: run "
            "`tailor ingest` to rebuild it."
        )
    splitter = splitter or manifest.splitter
    if (splitter, embedder) != (manifest.splitter, manifest.embedder):
        records = searched(state)
        folder = (
            state / "index" / identity(documents_digest(records), splitter, manifest.fingerprint)
        )
        if vary or not (folder / "manifest.json").exists():
            with generations.lock(state):
                built = build(state, records, embeddings, embedder, splitter, server=server)
                folder = built.folder
    return Index.open(folder, embeddings)
