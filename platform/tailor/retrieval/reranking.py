"""Reranking: the best of a ranking put into another order by a model that reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tailor.documents.generation import context
from tailor.documents.passages import Passage
from tailor.retrieval import cross_encoder, listwise, rewriting
from tailor.retrieval.arrangement import POOL, cut_out
from tailor.retrieval.took import Took

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.runnables import RunnableConfig
    from numpy.typing import NDArray

    from tailor.documents.index import Index
    from tailor.models.chat import Chat
    from tailor.retrieval.configuration import Configuration
    from tailor.retrieval.ranking import Candidates

    Floats = NDArray[np.float64]

Ranking = list[tuple[int, float]]
"""Passage numbers and scores, the best first."""


def ranked(found: Candidates, scores: Floats) -> Ranking:
    """Candidates in the order of their scores; equal ones in the order of passages."""
    import numpy as np

    rounded = np.round(scores, 9)
    order = np.argsort(-rounded, kind="stable")
    return list(zip(found.numbers[order].tolist(), scores[order].tolist(), strict=True))


def reranked(
    question: str,
    ranking: Ranking,
    index: Index,
    how: Configuration,
    chat: Chat | None,
    config: RunnableConfig | None = None,
) -> tuple[Ranking, Took]:
    """The ranking with its best put into order by the configuration's reranker, if it has one.

    Scores are then places: what follows the reranked ones keeps its order below them.
    """
    if how.reranker.startswith(cross_encoder.PREFIX):
        pool = [number for number, _ in ranking[:POOL]]
        read = index.read(pool)
        texts = [context(read[number]) for number in pool]
        scores = cross_encoder.scores(how.reranker, question, texts) if pool else ()
        places = sorted(range(len(pool)), key=lambda at: (-scores[at], at))
        took = Took()
    elif how.reranker == "llm" and chat is not None:
        pool = [number for number, _ in ranking[: listwise.SHOWN]]
        read = index.read(pool)
        ordered = listwise.ordered(question, [read[number] for number in pool], chat, config)
        places, took = list(ordered.places), ordered.took
    else:
        return ranking, Took()
    numbers = [*(pool[at] for at in places), *(number for number, _ in ranking[len(pool) :])]
    return [(number, 1 / (1 + place)) for place, number in enumerate(numbers)], took


def placed(
    parts: Sequence[tuple[int, str, int, int]],
    scores: Mapping[int, float],
    found: Candidates,
    index: Index,
) -> list[Passage]:
    """The passages with the spans that are shown of them, their scores and ranks."""
    read = index.read([number for number, *_ in parts])
    moved = {
        document
        for number, document, start, end in parts
        if (start, end) != (read[number].start, read[number].end)
    }
    texts = {document: index.text(document) for document in moved}
    return [
        replace(
            cut_out(read[number], texts.get(document), start, end),
            score=round(float(scores[number]), 6),
            dense_rank=found.dense_ranks.get(number),
            lexical_rank=found.lexical_ranks.get(number),
        )
        for number, document, start, end in parts
    ]


def asked_by(how: Configuration, chat: Chat | None) -> list[object]:
    """What tells one model that is asked while passages are found from another."""
    if how.reranker.startswith(cross_encoder.PREFIX):
        return [cross_encoder.fingerprint(how.reranker)]
    if not how.asks:
        return []
    return [rewriting.VERSION, listwise.VERSION, chat.fingerprint if chat else None]
