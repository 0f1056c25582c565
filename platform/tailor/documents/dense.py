"""Nearest vectors, in a Chroma collection that holds keys and vectors only."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.fault import hit

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

_COLLECTION = "passages"
_BATCH = 5000
"""Chroma refuses more than 5,461 vectors at once."""


class DenseIndex:
    """Unit vectors by key; similarity is the cosine."""

    def __init__(self, client: Any, collection: Any) -> None:
        self._client = client
        self._collection = collection
        self._count: int | None = None

    @classmethod
    def create(cls, folder: Path) -> DenseIndex:
        """An empty index in a new folder."""
        client = _client(folder)
        return cls(client, made(client, _COLLECTION))

    @classmethod
    def copy(cls, source: Path, folder: Path) -> DenseIndex:
        """A copy of the index in ``source``, which may be open for search."""
        hit("copy.before")
        shutil.copytree(source, folder)
        hit("copy.after")
        return cls.open(folder)

    @classmethod
    def open(cls, folder: Path) -> DenseIndex:
        """The index in a folder, or on the server that a file names.

        Raises:
            TailorError: the server cannot be reached.
            Exception: whatever Chroma raises where the folder is damaged.
        """
        if folder.is_file():
            from tailor.documents.remote import opened

            return opened(folder)
        client = _client(folder)
        try:
            return cls(client, client.get_collection(_COLLECTION, embedding_function=None))
        except Exception:
            client.close()
            raise

    def give_up(self) -> None:
        """Have the next build begin with an empty one: this one is not what it should be."""

    def close(self) -> None:
        """Release the folder."""
        self._client.close()

    @property
    def count(self) -> int:
        """How many vectors there are."""
        if self._count is None:
            self._count = int(self._collection.count())
        return self._count

    def keys(self) -> set[str]:
        """The keys of all vectors."""
        return set(self._collection.get(include=[])["ids"])

    def add(self, vectors: Mapping[str, Vector]) -> list[str]:
        """Add vectors; those whose keys are in use stay as they are. Gives the keys added."""
        from chromadb.errors import InternalError

        self._count = None
        added: list[str] = []
        for some in _batches(vectors):
            held = set(self._collection.get(ids=some, include=[])["ids"])
            keys = [key for key in some if key not in held]
            if keys:
                hit("vectors.before", InternalError)
                self._collection.add(ids=keys, embeddings=[vectors[key] for key in keys])
                hit("vectors.after")
            added += keys
        return added

    def remove(self, keys: Iterable[str]) -> None:
        """Delete the vectors of these keys."""
        from chromadb.errors import InternalError

        self._count = None
        for some in _batches(keys):
            hit("dead.before", InternalError)
            self._collection.delete(ids=some)
            hit("dead.after")

    def nearest(self, vector: Vector, n: int) -> list[tuple[str, float]]:
        """Up to n keys and their cosines, the nearest first."""
        if not (n := min(n, self.count)):
            return []
        found = self._collection.query(
            query_embeddings=[vector], n_results=n, include=["distances"]
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return [(key, 1.0 - distance) for key, distance in pairs]

    def vectors(self, keys: Iterable[str]) -> dict[str, Vector]:
        """The vectors of these keys, as far as there are any."""
        import numpy as np

        known: dict[str, Vector] = {}
        for some in _batches(keys):
            found = self._collection.get(ids=some, include=["embeddings"])
            pairs = zip(found["ids"], found["embeddings"], strict=True)
            known |= {key: np.asarray(vector, dtype=np.float32) for key, vector in pairs}
        return known


def made(client: Any, name: str) -> Any:
    """A new collection for unit vectors."""
    # Asked above 100,000 vectors only. Of 100,000, queries 800 wide find 99 of the 100 nearest,
    # 200 wide 96; with 16 neighbours, Chroma's default, they reached only 334 of 400 nearly
    # equal texts, with 32 all of them.
    hnsw = {"space": "cosine", "ef_construction": 100, "max_neighbors": 32, "ef_search": 800}
    return client.create_collection(name, embedding_function=None, configuration={"hnsw": hnsw})


def _batches(keys: Iterable[str]) -> Iterable[list[str]]:
    ordered = sorted(keys)
    for start in range(0, len(ordered), _BATCH):
        yield ordered[start : start + _BATCH]


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
