"""Documents to passages: in this process, or on the workers of the cluster that is connected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from tailor.documents.document import Document
from tailor.documents.passages import Passage, Splitter, split
from tailor.documents.tokens import TokenCounter
from tailor.models.token_counts import token_count

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

_TOGETHER = 200_000
"""Characters of documents that are sent to a worker at once."""


def passages_of(
    documents: Iterable[Document], splitter: Splitter, embeddings: Embeddings
) -> Iterator[list[Passage]]:
    """The passages of each document, in order; sizes are tokens of this embedder."""
    from tailor.models.lazy_embeddings import LazyEmbeddings

    if not isinstance(embeddings, LazyEmbeddings) or embeddings.width < 2:
        counter = TokenCounter(token_count(embeddings))
        for document in documents:
            yield split(document, splitter, counter)
        return
    from tailor.scale.mapped import mapped

    groups = mapped(
        lambda group: embeddings.cut(group, splitter), _groups(documents), embeddings.width
    )
    for _, cut in groups:
        yield from cut


def _groups(documents: Iterable[Document]) -> Iterator[list[Document]]:
    group: list[Document] = []
    for document in documents:
        group.append(document)
        if sum(len(one.text) for one in group) >= _TOGETHER:
            yield group
            group = []
    if group:
        yield group
