"""Topics: served questions that ask about the same thing, under the words they share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import TYPE_CHECKING

from tailor.documents.lexical import folded
from tailor.text import words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ALIKE = 0.5
"""Cosine to a topic's middle from which on a question belongs to it."""
WORDS = 3
"""That name a topic."""


@dataclass(frozen=True)
class Topic:
    """Questions about the same thing."""

    words: tuple[str, ...]
    """What tells it from all other questions, the most telling first."""
    questions: tuple[int, ...]
    """Places of its questions, the most typical first."""


def topics(
    questions: Sequence[str], vectors: NDArray[np.float32], chosen: Sequence[int]
) -> tuple[Topic, ...]:
    """The chosen questions by topic, the largest first.

    Each joins the topic whose middle is nearest, or begins one (leader clustering, Hartigan 1975).

    Args:
        questions: all that were asked; what is frequent in them all tells nothing.
        vectors: their unit vectors, (questions, dimension).
        chosen: the places of those to group.
    """
    import numpy as np

    members: list[list[int]] = []
    middles = np.zeros((max(1, len(chosen)), vectors.shape[-1]), np.float32)  # unit vectors
    sums = np.zeros_like(middles)
    for at in chosen:
        likeness = middles[: len(members)] @ vectors[at]
        best = int(np.argmax(likeness)) if members else -1
        if best < 0 or likeness[best] < ALIKE:
            best = len(members)
            members.append([])
        sums[best] += vectors[at]
        middles[best] = sums[best] / (float(np.linalg.norm(sums[best])) or 1.0)
        members[best].append(at)
    rarity = _rarity(questions)
    made = [
        Topic(
            _telling([questions[at] for at in own], rarity),
            tuple(sorted(own, key=lambda at: (-float(vectors[at] @ middle), at))),
        )
        for own, middle in zip(members, sums, strict=False)
    ]
    return tuple(sorted(made, key=lambda topic: (-len(topic.questions), topic.questions)))


def _rarity(questions: Sequence[str]) -> dict[str, float]:
    held = Counter(word for question in questions for word in {folded(w) for w in words(question)})
    return {word: log((1 + len(questions)) / (1 + count)) + 0.1 for word, count in held.items()}


def _telling(questions: Sequence[str], rarity: dict[str, float]) -> tuple[str, ...]:
    times: Counter[str] = Counter()
    written: dict[str, str] = {}
    for question in questions:
        for word in dict.fromkeys(words(question)):
            if len(word) > 1:
                times[folded(word)] += 1
                written.setdefault(folded(word), word)
    best = sorted(times, key=lambda word: (-times[word] * rarity[word], word))[:WORDS]
    return tuple(written[word] for word in best)
