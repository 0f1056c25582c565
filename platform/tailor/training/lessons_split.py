"""The lessons that are kept back to watch the loss on: never what is also learnt."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from tailor.text import fold, words

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.task import Task

MOST = 64
"""Lessons kept back, at most: more would cost time and tell little more."""


def groups(questions: Sequence[Question], task: Task = "answer") -> list[str]:
    """For each question the name of its group: one fact, or worded alike.

    Items of numbers and labels are in one group where their text is the same.
    """
    if task != "answer":
        return [" ".join(words(fold(q.question))) for q in questions]
    from tailor.benchmarking.splitting import groups as by_facts

    return by_facts(questions, "quote")


def held_out(names: Sequence[str], share: float, seed: int) -> frozenset[str]:
    """The groups that are kept back; ``names`` has the group of each lesson.

    Drawn by the seed until the share (at most ``MOST`` lessons) is reached; a group that would go
    far beyond it is passed over.
    """
    sizes = Counter(names)
    wanted = min(MOST, int(len(names) * share))
    order = sorted(sizes)
    random.Random(seed).shuffle(order)
    kept: set[str] = set()
    count = 0
    for name in order:
        if count + sizes[name] <= wanted:
            kept.add(name)
            count += sizes[name]
    return frozenset(kept)
