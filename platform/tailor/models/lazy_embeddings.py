"""An embedder that is loaded when the first text comes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypeVar

from langchain_core.embeddings import Embeddings

from tailor.errors import TailorError
from tailor.models.limiter import Limiter
from tailor.models.token_counts import token_count
from tailor.scale.embedder import Embedder, Texts, Uncut
from tailor.scale.place import Job, Place

if TYPE_CHECKING:
    from tailor.documents.document import Document
    from tailor.documents.passages import Passage, Splitter

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
        place: Place | None = None,
    ) -> None:
        self.name = name
        self._load = load
        self._limiter = limiter
        """Of a hosted embedder; None: it runs on this machine."""
        self._retries = retries
        self._loaded: Embeddings | None = None
        self._lock = threading.Lock()
        self.place = place or Place()

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector per text, made here or on a worker of the cluster that is connected."""
        if self.place.cluster is not None:
            with self._named():
                rows: list[list[float]] = self._sent(
                    lambda: self.place.away(self.job, Texts(tuple(texts))), texts
                )
                return rows
        with self._embedder() as embedder:
            return self._sent(lambda: embedder.embed_documents(texts), texts)

    @property
    def width(self) -> int:
        """How many lists of texts are embedded at once."""
        return max(1, self.place.width(self.job)) if self.place.cluster is not None else 1

    def cut(self, documents: Sequence[Document], splitter: Splitter) -> list[list[Passage]]:
        """The passages of each document, cut on a worker of the cluster that is connected."""
        made: list[list[Passage]] = self.place.away(self.job, Uncut(documents, splitter))
        return made

    @cached_property
    def job(self) -> Job:
        """What workers do: embed texts, and cut documents by this embedder's tokens."""
        from tailor.models.provider import environment, is_local
        from tailor.models.travelling import digests

        if not is_local(self.name):
            make = partial(Embedder, self._load, {})
            return Job(make, "hosted", 64, environment(self.name))
        path = self.name.removeprefix("huggingface:")
        if path == self.name:  # the shipped one, which lies beside the code
            return Job(partial(Embedder, self._load, {}))
        return Job(partial(Embedder, self._load, digests([path])), "model")

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
        with self._named():
            with self._lock:
                if self._loaded is None:
                    self._loaded = self._load()
            yield self._loaded

    @contextmanager
    def _named(self) -> Iterator[None]:
        try:
            yield
        except TailorError:
            raise
        except Exception as error:  # every provider's client has errors of its own
            first = (str(error).strip() or "no message").splitlines()[0]
            raise TailorError(
                f"The embedder {self.name} failed ({type(error).__name__}: {first}): check that it "
                "can be reached, then run the command again; finished vectors are kept."
            ) from error
