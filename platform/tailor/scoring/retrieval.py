"""Retrieval metrics on evidence spans, which hold whatever the chunking is; between 0 and 1.

A span is ``(document, start, end)`` in characters of the document's text. It is *found* at rank r
when the first r passages, those that lie in its document taken together, cover at least half of
it. Every metric is None when there is no span to find or nothing was retrieved.
"""

import math
from collections.abc import Sequence

from tailor.documents.passages import Passage
from tailor.text import nfc

Span = tuple[str, int, int]


def recall_at(passages: Sequence[Passage], spans: Sequence[Span], k: int) -> float | None:
    """The share of the spans found in the first ``k`` passages."""
    ranks = found_at(passages[:k], spans)
    if not passages or not ranks:
        return None
    return sum(rank is not None for rank in ranks) / len(ranks)


def reciprocal_rank(passages: Sequence[Passage], spans: Sequence[Span]) -> float | None:
    """1 / the rank at which the first span is found; 0 when none is."""
    ranks = found_at(passages, spans)
    if not passages or not ranks:
        return None
    return max((1 / rank for rank in ranks if rank is not None), default=0.0)


def ndcg_at(passages: Sequence[Passage], spans: Sequence[Span], k: int) -> float | None:
    """Normalised discounted cumulative gain (Järvelin & Kekäläinen 2002) over the spans.

    Each span found gains 1 / log2(1 + rank). The j-th span found counts at rank j at best, so a
    passage that holds two spans does not exceed the ideal, one new span at every rank.
    """
    ranks = found_at(passages[:k], spans)
    if not passages or not ranks:
        return None
    found = sorted(rank for rank in ranks if rank is not None)
    gain = sum(1 / math.log2(1 + max(rank, j)) for j, rank in enumerate(found[:k], 1))
    return gain / sum(1 / math.log2(1 + j) for j in range(1, min(len(ranks), k) + 1))


def found_at(passages: Sequence[Passage], spans: Sequence[Span]) -> list[int | None]:
    """For each distinct span the rank, from 1, at which it is found; None when it is not."""
    return [
        next((r for r in range(1, len(passages) + 1) if _covers(passages[:r], span)), None)
        for span in dict.fromkeys(spans)
        if span[2] > span[1]
    ]


def _covers(passages: Sequence[Passage], span: Span) -> bool:
    document, start, end = span
    covered, reached = 0, start
    same = (p for p in passages if nfc(p.document) == nfc(document))
    for passage in sorted(same, key=lambda p: p.start):
        left, right = max(passage.start, reached), min(passage.end, end)
        if right > left:
            covered, reached = covered + right - left, right
    return 2 * covered >= end - start
