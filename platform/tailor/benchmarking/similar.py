"""Questions that are worded alike: all pairs above a share of common words, found by an index."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil

from tailor.text import fold, words


def bag(text: str) -> frozenset[str]:
    """The different words of a text, without accents and case."""
    return frozenset(words(fold(text)))


def pairs(texts: Sequence[str], least: float) -> Iterator[tuple[int, int, float]]:
    """The numbers of every two texts whose words overlap by ``least`` (Jaccard), with the overlap.

    Exact, by prefix filtering (Chaudhuri, Ganti & Kaushik 2006): sets that overlap that much share
    one of their rarest words, so that only those are compared.
    """
    bags = [bag(text) for text in texts]
    frequency = Counter(word for own in bags for word in own)
    holders: defaultdict[str, list[int]] = defaultdict(list)
    for at, own in enumerate(bags):
        rarest = sorted(own, key=lambda word: (frequency[word], word))
        prefix = rarest[: len(own) - ceil(least * len(own)) + 1]
        for other in sorted({other for word in prefix for other in holders[word]}):
            shared = len(own & bags[other])
            overlap = shared / (len(own) + len(bags[other]) - shared)
            if overlap >= least:
                yield other, at, overlap
        for word in prefix:
            holders[word].append(at)
