"""An embedder on a worker: texts to vectors, and documents to passages by its tokens."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

    from tailor.documents.document import Document
    from tailor.documents.passages import Passage, Splitter


@dataclass(frozen=True)
class Texts:
    """Texts that are embedded."""

    texts: Sequence[str]


@dataclass(frozen=True)
class Uncut:
    """Documents that are cut into passages."""

    documents: Sequence[Document]
    splitter: Splitter


class Embedder:
    """Loaded once, called with :class:`Texts` or :class:`Uncut`.

    ``weights`` are the digests of local ones; others on this machine are refused.
    """

    def __init__(self, load: Callable[[], Embeddings], weights: Mapping[str, str]) -> None:
        from tailor.documents.tokens import TokenCounter
        from tailor.models.token_counts import token_count
        from tailor.models.travelling import check

        check(weights)
        self.embeddings = load()
        self.counter = TokenCounter(token_count(self.embeddings))

    def __call__(self, value: Texts | Uncut) -> list[list[float]] | list[list[Passage]]:
        """One vector for each text, or the passages of each document."""
        if isinstance(value, Texts):
            return self.embeddings.embed_documents(list(value.texts))
        from tailor.documents.passages import split

        return [split(one, value.splitter, self.counter) for one in value.documents]
