"""Vectors for texts: from the cache where they are known, else from the embedder, kept at once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from tailor.documents.store import EmbeddingCache
from tailor.errors import TailorError
from tailor.scale.mapped import mapped

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

    Vector = NDArray[np.float32]

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how many are done, and how many there are."""

PROBE = "Paid leave: 12 days. Nghỉ phép có lương: 12 ngày."
BATCH = 256
"""Texts per call and commit: what a crash can lose."""


def probe(embeddings: Embeddings) -> Vector:
    """The unit vector that tells an embedder from another one.

    Raises:
        TailorError: the embedder gives no usable vector.
    """
    vector: Vector = vectors(embeddings, [PROBE])[0]
    return vector


def vectors(embeddings: Embeddings, texts: Sequence[str]) -> Vector:
    """Unit vectors of the texts, (n, dimension).

    Raises:
        TailorError: a number of vectors that is not n, or a value that is not finite.
    """
    import numpy as np

    rows = np.asarray(embeddings.embed_documents(list(texts)), dtype=np.float32)
    if rows.ndim != 2 or len(rows) != len(texts) or not np.isfinite(rows).all():
        raise TailorError(
            f"The embedder returned unusable vectors for {len(texts)} texts (shape {rows.shape}): "
            "check the embedder named in tailor.toml."
        )
    return unit(rows)


def unit(rows: Vector) -> Vector:
    """Rows scaled to length 1; a zero row (a text without known words) stays zero."""
    import numpy as np

    lengths = np.linalg.norm(rows, axis=-1, keepdims=True)
    scaled: Vector = (rows / np.where(lengths == 0, 1, lengths)).astype(np.float32)
    return scaled


def same(one: Vector, other: Vector) -> bool:
    """Whether two probe vectors come from one embedder, rounding on another machine allowed."""
    return one.shape == other.shape and float(one @ other) > 0.999


def fingerprint(name: str, embeddings: Embeddings, cache: EmbeddingCache) -> str:
    """The fingerprint of an embedder: its name and its rounded probe vector.

    A hosted model's vectors vary in their last digits, so a probe close to a known one of the
    same name keeps that one's fingerprint, and with it the vectors already paid for.
    """
    vector = probe(embeddings)
    for known, other in cache.embedders(name).items():
        if same(vector, other):
            return known
    rounded = [round(float(value), 3) + 0.0 for value in vector]
    new = hashlib.sha256(f"{name} {rounded}".encode()).hexdigest()[:16]
    cache.put_embedder(new, name, vector)
    return new


def embed(
    texts: Sequence[str],
    embedder: str,
    embeddings: Embeddings,
    cache: EmbeddingCache,
    progress: Progress | None = None,
) -> int:
    """Put the vectors of all texts into the cache; returns how many had to be embedded.

    Every batch is committed as soon as it is there; on a cluster several are on their way.
    """
    missing = cache.missing(embedder, texts)
    batches = (missing[start : start + BATCH] for start in range(0, len(missing), BATCH))
    done = 0
    width = getattr(embeddings, "width", 1)
    for batch, rows in mapped(lambda batch: vectors(embeddings, batch), batches, width):
        cache.put(embedder, dict(zip(batch, rows, strict=True)))
        done += len(batch)
        if progress is not None:
            progress("embedding", done, len(missing))
    return len(missing)
