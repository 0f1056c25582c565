"""What a number of questions buys: how well a score is known, and which gain can be seen."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import Any

from tailor.scoring import format
from tailor.task import Task, worded

SCORE = 0.7
"""The score that is assumed where none is known; at 0.5 the interval is a tenth wider."""
CHANGED = 0.2
"""The share of questions that two neighbouring rows are assumed to answer differently."""
GAIN = 0.05
_SURE, _POWER = 1.96, 0.84


@dataclass(frozen=True)
class Power:
    """What ``n`` questions buy."""

    n: int
    half_width: float | None
    """A score is known to plus or minus this (95 %); None without questions."""
    gain: float
    needed: int
    """Questions by which a gain of ``gain`` is seen with a chance of 80 %."""
    task: Task = "answer"

    def to_json(self) -> dict[str, Any]:
        """As ``tailor benchmark check --json`` prints it."""
        return {
            "n": self.n,
            "half_width": self.half_width,
            "gain": self.gain,
            "questions_needed": self.needed,
        }

    def sentence(self, lang: str = "en") -> str:
        """``80 test questions: a score is known to ±10 points; …``."""
        none, shares, errors = (worded(one, self.task, lang) for one in _SENTENCES[lang])
        if self.half_width is None:
            return none
        return (errors if self.task == "number" else shares).format(
            n=format.count(self.n, lang),
            half=round(100 * self.half_width),
            gain=round(100 * self.gain),
            needed=format.count(_round(self.needed), lang),
        )


_SENTENCES = {
    "en": (
        "There are no test {questions}, so nothing can be told.",
        "Test {questions}: {n}. A score is known to ±{half} points; to see a gain of {gain} points "
        "you need about {needed}.",
        "Test {questions}: {n}. How well an error is known by them shows when a row has run.",
    ),
    "vi": (
        "Chưa có {questions} test nên chưa thể kết luận điều gì.",
        "{n} {questions} test: điểm được biết với sai số ±{half} điểm phần trăm; để thấy mức tăng "
        "{gain} điểm cần khoảng {needed} {questions}.",
        "{n} {questions} test: biết được sai số chính xác đến đâu thì phải chạy một dòng mới rõ.",
    ),
}


def power(
    n: int,
    task: Task = "answer",
    gain: float = GAIN,
    score: float = SCORE,
    changed: float = CHANGED,
) -> Power:
    """What ``n`` questions buy, by the normal approximation.

    A score p of right and wrong answers is known to 1.96 sqrt(p (1 - p) / n). Two rows that answer
    a share c of the questions differently have paired differences of variance c - gain², so that
    a gain is seen (95 % confidence, 80 % power) with (1.96 + 0.84)² (c - gain²) / gain² questions
    (Connor 1987; for evaluations Miller 2024, "Adding Error Bars to Evals").
    """
    half = _SURE * sqrt(score * (1 - score) / n) if n else None
    needed = ((_SURE + _POWER) / gain) ** 2 * (max(changed, gain) - gain**2)
    return Power(n, half, gain, ceil(needed), task)


def _round(n: int) -> int:
    """To two digits, as it is an estimate."""
    return round(n, -max(0, len(str(n)) - 2))
