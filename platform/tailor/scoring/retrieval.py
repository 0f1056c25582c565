"""Retrieval metrics on evidence spans, which hold whatever the chunking is; between 0 and 1.

A span is ``(document, start, end)`` in characters of the document's text. It is *found* at rank r
when the first r passages, those that lie in its document taken together, cover at least half of
it. So recall depends only on the text that was retrieved and not on how it is cut, and no metric
knows a passage by its number. Every metric is None when there is no span to find or nothing was
retrieved.

Recall counts spans. The others count places of a ranking, with ir-measures: each rank is one place,
and a passage in which several spans are found takes a place for each, so that the ideal ranking
finds a new span at every place until all of the evidence is found, retrieved or not.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from tailor.documents.passages import Passage
from tailor.text import nfc

Span = tuple[str, int, int]


def measures(
    passages: Sequence[Passage], spans: Sequence[Span], k: int = 5
) -> dict[str, float | None]:
    """``recall@k``, ``mrr``, ``precision@k``, ``ndcg@k`` and ``map`` of one ranking.

    - ``recall@k``: the share of the spans found in the first ``k`` passages;
    - ``mrr``: 1 / the rank at which the first span is found; 0 when none is;
    - ``precision@k``: the share of ``k`` places whose passage holds some of a span found in the
      first ``k``; fewer passages than ``k`` leave places empty, as in TREC;
    - ``ndcg@k``: normalised discounted cumulative gain (Järvelin & Kekäläinen 2002) over the
      spans; the ideal is made of all spans, found or not;
    - ``map``: the mean of the precision at each place where a span is found, 0 for those that are
      not. Its mean over questions is MAP.
    """
    names = (f"recall@{k}", "mrr", f"precision@{k}", f"ndcg@{k}", "map")
    ranks = found_at(passages, spans)
    if not passages or not ranks:
        return dict.fromkeys(names)
    within = _up_to(ranks, k)
    values = (
        _share_found(within),
        _ranked("RR", _places(ranks, len(passages)), len(ranks)),
        _ranked(f"P@{k}", _holding(passages[:k], spans, within), len(passages)),
        _ranked(f"nDCG@{k}", _places(ranks, len(passages)), len(ranks)),
        _ranked("AP", _places(ranks, len(passages)), len(ranks)),
    )
    return dict(zip(names, values, strict=True))


def found_at(passages: Sequence[Passage], spans: Sequence[Span]) -> list[int | None]:
    """For each distinct span the rank, from 1, at which it is found; None when it is not."""
    return [
        next((r for r in range(1, len(passages) + 1) if _covers(passages[:r], span)), None)
        for span in _distinct(spans)
    ]


def _distinct(spans: Sequence[Span]) -> list[Span]:
    return [span for span in dict.fromkeys(spans) if span[2] > span[1]]


def _up_to(ranks: Sequence[int | None], k: int) -> list[int | None]:
    return [rank if rank is not None and rank <= k else None for rank in ranks]


def _share_found(ranks: Sequence[int | None]) -> float:
    return sum(rank is not None for rank in ranks) / len(ranks)


def _places(ranks: Sequence[int | None], n: int) -> tuple[bool, ...]:
    """Whether a span is found at each place of the ranking of ``n`` passages."""
    places: list[bool] = []
    found = sorted(rank for rank in ranks if rank is not None)
    for rank in found:
        places += [False] * (rank - 1 - len(places)) + [True]
    return tuple(places + [False] * (n - len(places)))


def _holding(
    passages: Sequence[Passage], spans: Sequence[Span], ranks: Sequence[int | None]
) -> tuple[bool, ...]:
    """Whether each passage holds some of a span that is found."""
    found = [s for s, rank in zip(_distinct(spans), ranks, strict=True) if rank is not None]
    return tuple(
        any(
            nfc(p.document) == nfc(document) and p.start < end and start < p.end
            for document, start, end in found
        )
        for p in passages
    )


@lru_cache(maxsize=4096)
def _ranked(measure: str, places: tuple[bool, ...], relevant: int) -> float:
    """A measure of ir-measures; rankings are few and alike, so each is computed once.

    ``relevant`` counts all there is to find, the places that hold it included.
    """
    import ir_measures

    names = [f"place {i}" for i in range(len(places))]
    held = [name for name, holds in zip(names, places, strict=True) if holds]
    missing = [f"missing {i}" for i in range(relevant - len(held))]
    judged = {"q": dict.fromkeys([*held, *missing], 1)}
    run = {"q": {name: float(len(places) - i) for i, name in enumerate(names)}}
    wanted = ir_measures.parse_measure(measure)
    return float(ir_measures.calc_aggregate([wanted], judged, run)[wanted])


def _covers(passages: Sequence[Passage], span: Span) -> bool:
    document, start, end = span
    covered, reached = 0, start
    same = (p for p in passages if nfc(p.document) == nfc(document))
    for passage in sorted(same, key=lambda p: p.start):
        left, right = max(passage.start, reached), min(passage.end, end)
        if right > left:
            covered, reached = covered + right - left, right
    return 2 * covered >= end - start
