"""Texts that are nearly the same, by MinHash over runs of words (Broder 1997)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Hashes = NDArray[np.uint64]

RUN = 5
"""Words per shingle."""
_BANDS, _ROWS = 16, 4
"""A pair of similarity 0.8 meets in some band with probability 0.9998, one of 0.3 with 0.12."""
_CROWD = 50
"""Texts in one bucket above which only neighbours are compared, as of a form filled in often."""
_CHECKED = 5000
"""Pairs whose similarity is counted exactly; the most similar by their signatures."""


@dataclass(frozen=True)
class Pair:
    """Two documents and the share of their word runs that is in both (Jaccard)."""

    first: str
    second: str
    similarity: float


def near_duplicates(texts: Mapping[str, str], least: float = 0.8) -> tuple[Pair, ...]:
    """Pairs of texts whose similarity is at least ``least``, the most similar first."""
    import numpy as np

    numbers: dict[str, int] = {}
    names = list(texts)
    shingles = [_shingles(texts[name], numbers) for name in names]
    if not names:
        return ()
    signatures = np.stack([_signature(one) for one in shingles])
    candidates = sorted(_candidates(signatures))
    likeness = [float((signatures[a] == signatures[b]).mean()) for a, b in candidates]
    likely = sorted(range(len(candidates)), key=lambda at: -likeness[at])[:_CHECKED]
    found = []
    for at in likely:
        a, b = candidates[at]
        both = len(np.intersect1d(shingles[a], shingles[b], assume_unique=True))
        similarity = both / (len(shingles[a]) + len(shingles[b]) - both)
        if similarity >= least:
            found.append(Pair(names[a], names[b], round(similarity, 3)))
    return tuple(sorted(found, key=lambda pair: (-pair.similarity, pair.first, pair.second)))


def _shingles(text: str, numbers: dict[str, int]) -> Hashes:
    """A number for every run of words in the text, each once."""
    import numpy as np

    known = [numbers.setdefault(word, len(numbers) + 1) for word in words(text)]
    ids = np.array(known or [0], dtype=np.uint64)
    width = min(RUN, len(ids))
    hashes = np.zeros(len(ids) - width + 1, dtype=np.uint64)
    for at in range(width):
        hashes = hashes * np.uint64(0x9E3779B97F4A7C15) + ids[at : len(ids) - width + at + 1]
    return np.unique(_mixed(hashes))


def _mixed(hashes: Hashes) -> Hashes:
    """The finalizer of MurmurHash3, so that near numbers give far ones."""
    import numpy as np

    for factor in (0xFF51AFD7ED558CCD, 0xC4CEB9FE1A85EC53):
        hashes = (hashes ^ (hashes >> np.uint64(33))) * np.uint64(factor)
    mixed: Hashes = hashes ^ (hashes >> np.uint64(33))
    return mixed


def _signature(shingles: Hashes) -> Hashes:
    """The least of all hashes under each of 64 hash functions."""
    import numpy as np

    factors = _mixed(np.arange(1, _BANDS * _ROWS + 1, dtype=np.uint64)) | np.uint64(1)
    return np.array([(shingles * factor).min() for factor in factors], dtype=np.uint64)


def _candidates(signatures: Hashes) -> set[tuple[int, int]]:
    """Pairs of texts whose signatures are equal in at least one band."""
    pairs: set[tuple[int, int]] = set()
    for start in range(0, _BANDS * _ROWS, _ROWS):
        buckets: dict[bytes, list[int]] = {}
        for number, signature in enumerate(signatures):
            buckets.setdefault(signature[start : start + _ROWS].tobytes(), []).append(number)
        for bucket in buckets.values():
            pairs.update(_pairs(bucket))
    return pairs


def _pairs(bucket: Sequence[int]) -> Iterator[tuple[int, int]]:
    return combinations(bucket, 2) if len(bucket) <= _CROWD else pairwise(bucket)
