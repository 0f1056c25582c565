"""An embedder that is loaded when the first text comes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from langchain_core.embeddings import Embeddings

from tailor.errors import TailorError
from tailor.models.limiter import Limiter
from tailor.models.token_counts import token_count

V = TypeVar("V")


class LazyEmbeddings(Embeddings):
    """Stands in for an embedder, so that runs that embed nothing do not wait for it.

    Whatever a provider raises becomes a ``TailorError`` that names the embedder.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], Embeddings],
        limiter: Limiter | None = None,
        retries: int = 0,
    ) -> None:
        self.name = name
        self._load = load
        self._limiter = limiter
        """Of a hosted embedder; None: it runs on this machine."""
        self._retries = retries
        self._loaded: Embeddings | None = None
        self._lock = threading.Lock()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text."""
        with self._embedder() as embedder:
            return self._sent(lambda: embedder.embed_documents(texts), texts)

    def embed_query(self, text: str) -> list[float]:
        """The vector of a question."""
        with self._embedder() as embedder:
            return self._sent(lambda: embedder.embed_query(text), [text])

    def _sent(self, send: Callable[[], V], texts: list[str]) -> V:
        """What ``send`` returns: within the provider's limits, tried again."""
        limiter = self._limiter
        if limiter is None:
            return send()
        from tailor.models.retry import NEVER, error_text, retried
        from tailor.models.usage import text_tokens

        tokens = sum(map(text_tokens, texts)) if limiter.counts_tokens else 0

        def ask() -> V:
            with limiter.admitted(tokens, NEVER):
                return send()

        return retried(
            ask,
            self._retries,
            waiting=lambda wait, error: limiter.waited(self.name, wait, error_text(error)),
        )

    def count_tokens(self, words: list[str]) -> list[int]:
        """How many tokens each word becomes."""
        with self._embedder() as embedder:
            return token_count(embedder)(words)

    @contextmanager
    def _embedder(self) -> Iterator[Embeddings]:
        try:
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
            yield self._loaded
        except TailorError:
            raise
        except Exception as error:  # every provider's client has errors of its own
            first = (str(error).strip() or "no message").splitlines()[0]
            raise TailorError(
                f"The embedder {self.name} failed ({type(error).__name__}: {first}): check that it "
                "can be reached, then run the command again; finished vectors are kept."
            ) from error
