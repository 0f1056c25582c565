"""How relevant a passage is by itself, whatever else was found: what a floor can be set to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tailor.retrieval.rarity import weights

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.features import Words
    from tailor.retrieval.ranking import Candidates
    from tailor.retrieval.rarity import Rarity


def relevance(
    question: str, found: Candidates, passages: Sequence[Words], rarity: Rarity, weight: float
) -> NDArray[np.float64]:
    """Of each candidate, between 0 and 1: the share of the question's words that it holds, each
    counted by its rarity, and its cosine to the question, mixed by the ``weight`` of words."""
    import numpy as np

    asked = weights(question, rarity)
    total = sum(asked.values()) or 1.0
    shares = [
        sum(own for word, own in asked.items() if word in passage.places) / total
        for passage in passages
    ]
    cosines = np.clip(found.cosines, 0.0, 1.0)
    mixed: NDArray[np.float64] = weight * np.array(shares) + (1 - weight) * cosines
    return mixed
