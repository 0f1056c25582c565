"""Rarity: what the words of a question weigh, by how few passages hold them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tailor.documents.lexical import folded
from tailor.text import words

Rarity = Callable[[Sequence[str]], Sequence[float]]
"""The inverse document frequency of folded words."""


def weights(question: str, rarity: Rarity) -> dict[str, float]:
    """The rarity of each folded word of a question, in the order of the question."""
    asked = list(dict.fromkeys(map(folded, words(question))))
    return dict(zip(asked, rarity(asked), strict=True))
