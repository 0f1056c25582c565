"""Texts that are nearly the same: by their letters (MinHash), and by their meaning (embedding)."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from tailor.text import fold, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.models.static_encoder import StaticEncoder

Match = tuple[int, float]
"""The number of a text, and how alike it is."""

_LETTERS = 4
_BANDS, _ROWS = 32, 3
"""Texts with a Jaccard similarity of 0.5 share a band with a probability of 98.6 %."""
_PRIME = (1 << 31) - 1
_CHUNK = 2000


class Alike:
    """A set of texts that others are compared with."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._vectors = _vectors(texts)
        self._shingles = [shingles(text) for text in texts]
        self._bands: defaultdict[bytes, list[int]] = defaultdict(list)
        for at, own in enumerate(self._shingles):
            for band in _bands(own):
                self._bands[band].append(at)

    def by_letters(self, text: str, least: float) -> list[Match]:
        """Texts whose sets of letter 4-grams overlap by ``least`` (Jaccard), the most alike first.

        Candidates come from MinHash (Broder 1997) and are then compared exactly.
        """
        own = shingles(text)
        near = {at for band in _bands(own) for at in self._bands.get(band, ())}
        found = [(at, _jaccard(own, self._shingles[at])) for at in near]
        return sorted((m for m in found if m[1] >= least), key=lambda m: (-m[1], m[0]))

    def by_meaning(self, texts: Sequence[str], least: float) -> list[list[Match]]:
        """For each text those with a cosine of ``least`` or more, the most alike first.

        The shipped encoder is used whatever embedder the workspace has: its cosines are the ones
        that thresholds were chosen on, and no text leaves the machine.
        """
        import numpy as np

        found: list[list[Match]] = []
        for start in range(0, len(texts), _CHUNK):
            for row in _vectors(texts[start : start + _CHUNK]) @ self._vectors.T:
                near = np.flatnonzero(row >= least)
                near = near[np.argsort(-row[near], kind="stable")]
                found.append([(int(at), float(row[at])) for at in near])
        return found


def shingles(text: str) -> frozenset[str]:
    """All runs of four letters, without case, accents and punctuation; words end in a blank."""
    line = f" {' '.join(words(fold(text)))} "
    return frozenset(line[at : at + _LETTERS] for at in range(max(1, len(line) - _LETTERS + 1)))


def _jaccard(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b)


def _bands(of: frozenset[str]) -> list[bytes]:
    """The MinHash signature, cut into bands that begin with their number."""
    import numpy as np

    digests = (hashlib.blake2b(one.encode(), digest_size=4).digest() for one in of)
    hashes = np.array([int.from_bytes(d, "big") % _PRIME for d in digests], dtype=np.uint64)
    factors, terms = _permutations()
    signature = ((hashes[:, None] * factors + terms) % np.uint64(_PRIME)).min(axis=0)
    rows = signature.astype("<u4").reshape(_BANDS, _ROWS)
    return [bytes([number]) + row.tobytes() for number, row in enumerate(rows)]


@cache
def _permutations() -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    import numpy as np

    draw = np.random.default_rng(0)
    count = _BANDS * _ROWS
    return (
        draw.integers(1, _PRIME, count, dtype=np.uint64),
        draw.integers(0, _PRIME, count, dtype=np.uint64),
    )


def _vectors(texts: Sequence[str]) -> NDArray[np.float32]:
    import numpy as np

    return np.array(_encoder().embed_documents(list(texts)), dtype=np.float32)


@cache
def _encoder() -> StaticEncoder:
    from tailor.models.provider import SHIPPED
    from tailor.models.static_encoder import StaticEncoder

    return StaticEncoder.load(SHIPPED / "encoder")
