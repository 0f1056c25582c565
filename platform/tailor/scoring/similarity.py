"""How near a text is to its accepted answers in meaning, by the workspace's embedder.

It knows paraphrases, and knows neither numbers nor negation well: read it beside the other metrics.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tailor.text import fold, nfc

if TYPE_CHECKING:
    from tailor.documents.embedding import Vector
    from tailor.workspace import Workspace

Embed = Callable[[Sequence[str]], "Vector"]
"""Texts to their unit vectors, one row each."""


def similarity(
    embed: Embed,
    texts: Sequence[str],
    accepted: Sequence[Sequence[str]],
    folded: bool = False,
) -> list[float]:
    """For each text the cosine to the nearest of its accepted answers, 0 where it is negative.

    Every text is embedded once. With ``folded`` both sides lose their accents before.
    """

    def form(text: str) -> str:
        return fold(text) if folded else nfc(text)

    pairs = [
        (form(text), tuple(map(form, answers)))
        for text, answers in zip(texts, accepted, strict=True)
    ]
    distinct = list(dict.fromkeys(t for text, answers in pairs for t in (text, *answers)))
    rows = embed(distinct) if distinct else ()
    of = dict(zip(distinct, rows, strict=True))
    return [
        max((min(1.0, max(0.0, float(of[text] @ of[a]))) for a in answers), default=0.0)
        for text, answers in pairs
    ]


def embedder(workspace: Workspace) -> Embed:
    """The workspace's embedder with its cache: no text is embedded twice.

    Raises:
        TailorError: the embedder is missing its package or key, or gives no usable vectors.
    """
    from tailor.documents.embedding import embed, fingerprint
    from tailor.documents.store import EmbeddingCache, database

    def vectors(texts: Sequence[str]) -> Vector:
        import numpy as np

        workspace.state.mkdir(parents=True, exist_ok=True)
        with database(workspace.state / "embeddings.db") as connection:
            cache = EmbeddingCache(connection)
            known = fingerprint(workspace.config.embedder, workspace.embeddings, cache)
            embed(texts, known, workspace.embeddings, cache)
            found = cache.get(known, texts)
        return np.stack([found[text] for text in texts])

    return vectors
