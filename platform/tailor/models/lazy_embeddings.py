"""An embedder that is loaded when the first text comes."""

import threading
from collections.abc import Callable

from langchain_core.embeddings import Embeddings


class LazyEmbeddings(Embeddings):
    """Stands in for an embedder, so that runs that embed nothing do not wait for it."""

    def __init__(self, load: Callable[[], Embeddings]) -> None:
        self._load = load
        self._loaded: Embeddings | None = None
        self._lock = threading.Lock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        return self._embedder().embed_documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        return self._embedder().embed_query(text)

    def _embedder(self) -> Embeddings:
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
            return self._loaded
