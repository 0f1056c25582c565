"""Picks the examples that are shown with a question."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tailor.exporting.plain.json_lines import read_lines
from tailor.text import fold, words


@dataclass(frozen=True)
class Example:
    """A question with the reply that is wanted."""

    question: str
    reply: str


class Examples:
    """The examples most like a question by their words, or the same ones for all."""

    def __init__(self, pool: list[Example], shots: int, nearest: bool, order: str) -> None:
        self.pool = pool
        self.shots = shots
        self.nearest = nearest
        self.order = order
        self._forms = [_form(example.question) for example in pool]

    @classmethod
    def load(cls, data: Path, settings: dict[str, object]) -> Examples:
        """Read ``examples.jsonl``; the pool is in the order in which it is taken."""
        pool = [Example(**line) for line in read_lines(data / "examples.jsonl")]
        shots = int(str(settings.get("shots", len(pool))))
        return cls(pool, shots, bool(settings.get("nearest")), str(settings.get("order", "")))

    def __call__(self, question: str) -> list[Example]:
        """The examples in the order they are shown; the question itself is never one."""
        asked = _form(question)
        order = list(range(len(self.pool)))
        if self.nearest:
            order.sort(key=lambda at: (-_overlap(asked, self._forms[at]), at))
        picked = [self.pool[at] for at in order if self._forms[at] != asked][: self.shots]
        return picked[::-1] if self.order == "closest_last" else picked


def _form(question: str) -> frozenset[str]:
    return frozenset(words(fold(question)))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 0.0
