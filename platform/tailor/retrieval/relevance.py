"""How relevant a passage is by itself, whatever else was found: what a floor can be set to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tailor.documents.lexical import folded
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.ranking import Candidates
    from tailor.retrieval.reranker import Rarity, Words


def relevance(
    question: str, found: Candidates, passages: Sequence[Words], rarity: Rarity, weight: float
) -> NDArray[np.float64]:
    """Of each candidate, between 0 and 1: the share of the question's words that it holds, each
    counted by its rarity, and its cosine to the question, mixed by the ``weight`` of words."""
    import numpy as np

    asked = sorted({folded(word) for word in words(question)})
    value = dict(zip(asked, rarity(asked), strict=True))
    total = sum(value.values()) or 1.0
    shares = [sum(value[word] for word in asked if word in p.places) / total for p in passages]
    cosines = np.clip(found.cosines, 0.0, 1.0)
    mixed: NDArray[np.float64] = weight * np.array(shares) + (1 - weight) * cosines
    return mixed
