"""Nearest vectors, in a Chroma collection that holds numbers and vectors only."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

_COLLECTION = "passages"
_BATCH = 5000
"""Chroma refuses more than 5,461 vectors at once."""


class DenseIndex:
    """Unit vectors of passages, which are numbered from 0; similarity is the cosine."""

    def __init__(self, client: Any, collection: Any) -> None:
        self._client = client
        self._collection = collection

    @classmethod
    def build(cls, folder: Path, vectors: Vector) -> None:
        """Write a collection of these vectors, (n, dimension), into an empty folder."""
        client = _client(folder)
        collection = client.create_collection(
            _COLLECTION,
            embedding_function=None,
            configuration={
                "hnsw": {
                    "space": "cosine",
                    "ef_construction": 200,
                    "max_neighbors": 16,
                    "ef_search": 200,
                }
            },
        )
        for start in range(0, len(vectors), _BATCH):
            batch = vectors[start : start + _BATCH]
            ids = [str(number) for number in range(start, start + len(batch))]
            collection.add(ids=ids, embeddings=batch)
        client.close()

    @classmethod
    def open(cls, folder: Path) -> DenseIndex:
        """Open what ``build`` wrote.

        Raises:
            Exception: whatever Chroma raises where the folder is damaged.
        """
        client = _client(folder)
        return cls(client, client.get_collection(_COLLECTION, embedding_function=None))

    def close(self) -> None:
        """Release the folder."""
        self._client.close()

    @property
    def count(self) -> int:
        """How many vectors there are."""
        return int(self._collection.count())

    def nearest(self, vector: Vector, n: int) -> list[tuple[int, float]]:
        """Up to n passages and their cosines, the nearest first; ties by number."""
        found = self._collection.query(
            query_embeddings=[vector], n_results=min(n, self.count), include=["distances"]
        )
        pairs = zip(found["ids"][0], found["distances"][0], strict=True)
        return sorted(((int(i), 1.0 - d) for i, d in pairs), key=lambda p: (-round(p[1], 6), p[0]))

    def vectors(self, numbers: list[int]) -> dict[int, Vector]:
        """The vectors of these passages."""
        import numpy as np

        found = self._collection.get(ids=[str(n) for n in numbers], include=["embeddings"])
        pairs = zip(found["ids"], found["embeddings"], strict=True)
        return {int(i): np.asarray(v, dtype=np.float32) for i, v in pairs}


def _client(folder: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
