"""Weak retrieval: served questions whose words the passages shown do not hold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.documents.lexical import folded
from tailor.scoring.statistics import Interval, interval
from tailor.text import words

if TYPE_CHECKING:
    from tailor.documents.passages import Passage
    from tailor.run import Run
    from tailor.serving.kept import Served

EXPECTED = 0.05
"""Share of the benchmark's own questions that counts as weak: the least supported of them."""
FEWEST = 20
"""Benchmark questions below which no limit can be told."""

Rarity = Callable[[Sequence[str]], Sequence[float]]


@dataclass(frozen=True)
class Retrieved:
    """How well the passages shown fit what was asked."""

    limit: float | None
    """Support below which retrieval counts as weak; None: too few benchmark questions."""
    weak: Interval | None
    """Share of the served questions that is weak; ``EXPECTED`` of the benchmark's are."""
    support: dict[str, float]
    """Of each served question, by its id."""

    def is_weak(self, id: str) -> bool:
        """Whether a served question's retrieval is weak."""
        return self.limit is not None and self.support.get(id, 1.0) < self.limit


def retrieved(served: Sequence[Served], run: Run, rarity: Rarity) -> Retrieved:
    """The support of served questions, beside that of the benchmark's in the same row."""
    import numpy as np

    found = {one.id: support(one.searched or one.question, one.passages, rarity) for one in served}
    answers, asked = run.answers("dev", "test"), run.workspace.benchmark.split("dev", "test")
    known = [
        support(answers[q.id].searched or q.question, answers[q.id].passages, rarity)
        for q in asked
        if q.id in answers and q.answerable and answers[q.id].outcome != "error"
    ]
    if len(known) < FEWEST:
        return Retrieved(None, None, found)
    limit = float(np.quantile(known, EXPECTED))
    return Retrieved(limit, interval([float(value < limit) for value in found.values()]), found)


def support(question: str, passages: Sequence[Passage], rarity: Rarity) -> float:
    """The share of the question's words that the passages hold, each counted by its rarity."""
    asked = sorted({folded(word) for word in words(question)})
    if not asked:
        return 0.0
    held = {folded(word) for p in passages for word in words(f"{p.source} {p.text}")}
    worth = dict(zip(asked, rarity(asked), strict=True))
    total = sum(worth.values()) or 1.0
    return sum(worth[word] for word in asked if word in held) / total
