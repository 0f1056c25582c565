"""Which examples are shown with a question: ways of ranking a pool, and what fits a budget."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from tailor.assistant import digest
from tailor.example import Complete, Example, as_it_is
from tailor.text import fold, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]

Order = Literal["closest_last", "closest_first", "random"]
Ranking = Callable[[str], Sequence[int]]
"""From a question to the places of the pool, the most useful one first."""

RELEVANCE = 0.5
"""Weight of likeness to the question in MMR; the rest is unlikeness to what is picked."""
RANKED = 64
"""Examples that MMR ranks at most."""


class Shots:
    """Picks the examples of a pool for each question; the question itself is never among them."""

    def __init__(
        self,
        pool: Sequence[Example],
        ranking: Ranking,
        about: object,
        shots: int,
        order: Order = "closest_last",
        budget: int = 0,
        seed: int = 0,
    ) -> None:
        self.pool = pool
        self.shots = shots
        self.order = order
        self.budget = budget
        """Tokens of all examples together, at most; 0: no limit."""
        self.seed = seed
        self.ranking = ranking
        self._asked = [_form(example.question) for example in pool]
        settings = [about, shots, order, budget, seed if order == "random" else 0]
        self.fingerprint = digest([settings, [repr(example) for example in pool]])

    def __call__(self, question: str, complete: Complete = as_it_is) -> tuple[Example, ...]:
        """The examples for a question, in the order they are shown.

        With a budget they are taken from the most useful one on, until one does not fit.
        """
        from tailor.models.usage import text_tokens

        form, left = _form(question), self.budget
        picked: list[Example] = []
        for at in self.ranking(question):
            if len(picked) == self.shots:
                break
            if self._asked[at] == form:
                continue
            example = complete(self.pool[at])
            if self.budget:
                texts = (p.text for p in example.passages)
                said = [example.question, example.reasoning, example.answer, example.quote, *texts]
                left -= text_tokens("\n".join(said))
                if left < 0:
                    break
            picked.append(example)
        if self.order == "random":
            random.Random(f"{self.seed} {question}").shuffle(picked)
        elif self.order == "closest_last":
            picked.reverse()
        return tuple(picked)


def _form(question: str) -> frozenset[str]:
    return frozenset(words(fold(question)))


class SameForAll:
    """The same examples with every question."""

    def __init__(self, order: Sequence[int]) -> None:
        self.order = order

    def __call__(self, question: str) -> Sequence[int]:
        """The places, whatever the question."""
        return self.order


class ByWords:
    """Those that share most words with the question (Jaccard), accents aside."""

    def __init__(self, questions: Sequence[str]) -> None:
        self._known = [_form(question) for question in questions]

    def __call__(self, question: str) -> Sequence[int]:
        """The places, the closest one first."""
        asked, known = _form(question), self._known
        return sorted(range(len(known)), key=lambda at: (-_overlap(asked, known[at]), at))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 0.0


def by_meaning(vectors: Vectors, embed: Callable[[str], Sequence[float]], mmr: bool) -> Ranking:
    """Those closest to the question by cosine.

    With ``mmr`` each is also unlike those before it (maximal marginal relevance, Carbonell and
    Goldstein 1998).

    Args:
        vectors: of the pool's questions, (n, dimension), of length 1.
        embed: from a question to its vector.
        mmr: whether likeness to what is picked counts against an example.
    """

    def ranking(question: str) -> Sequence[int]:
        import numpy as np

        from tailor.documents.embedding import unit

        asked = unit(np.asarray(embed(question), dtype=np.float32))
        likeness = vectors @ asked
        order: list[int] = np.argsort(-likeness, kind="stable").tolist()
        return _marginal(likeness, vectors, order) if mmr else order

    return ranking


def _marginal(likeness: Vectors, vectors: Vectors, order: list[int]) -> list[int]:
    import numpy as np

    left, picked = order[: 4 * RANKED], order[:1]
    closest = vectors[left] @ vectors[left[0]]
    gone = np.zeros(len(left), dtype=bool)
    gone[0] = True
    while len(picked) < min(RANKED, len(left)):
        worth = RELEVANCE * likeness[left] - (1 - RELEVANCE) * closest
        at = int(np.argmax(np.where(gone, -np.inf, worth)))
        gone[at] = True
        picked.append(left[at])
        closest = np.maximum(closest, vectors[left] @ vectors[left[at]])
    return picked


def diverse(vectors: Vectors) -> list[int]:
    """An order in which each is farthest from those before it (greedy k-centre, Gonzalez 1985).

    The first one is the closest to the middle of all.
    """
    import numpy as np

    if not len(vectors):
        return []
    picked = [int(np.argmax(vectors @ vectors.mean(axis=0)))]
    closest = vectors @ vectors[picked[0]]
    closest[picked[0]] = np.inf
    while len(picked) < len(vectors):
        picked.append(int(np.argmin(closest)))
        closest = np.maximum(closest, vectors @ vectors[picked[-1]])
        closest[picked[-1]] = np.inf
    return picked


def balanced(groups: Sequence[object]) -> list[int]:
    """An order in which every group has its turn, in the order of the pool."""
    waiting: dict[object, list[int]] = {}
    for at, group in enumerate(groups):
        waiting.setdefault(group, []).append(at)
    turns = sorted(
        (turn, rank, at) for rank, own in enumerate(waiting.values()) for turn, at in enumerate(own)
    )
    return [at for _, _, at in turns]
