"""A row against another one, question by question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tailor.scoring.groups import groups
from tailor.scoring.number import FREE
from tailor.scoring.scored import Scored
from tailor.scoring.statistics import (
    MARGIN,
    Paired,
    Verdict,
    differences,
    holm,
    questions_needed,
    verdict,
)

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.benchmark import Question


@dataclass(frozen=True)
class Step:
    """A row against another one, on the questions both have scored."""

    row: str
    """The other row."""
    paired: Paired
    """``p`` is adjusted for all differences it was found together with (Holm)."""
    verdict: Verdict
    more: int | None
    """How many more questions would tell; 0 when it is told, None when no number would."""

    def to_json(self) -> dict[str, Any]:
        """``vs_previous`` in ``tailor compare --json``."""
        p = self.paired
        return {
            "row": self.row,
            "delta": p.delta,
            "ci95": [p.low, p.high],
            "p": p.p,
            "verdict": self.verdict,
            "n": p.n,
            "more": self.more,
        }


@dataclass(frozen=True)
class Aligned:
    """The questions that rows are compared on, in one order, and which belong together."""

    questions: tuple[Question, ...]

    @classmethod
    def of(cls, runs: Sequence[Scored]) -> Aligned:
        """All questions of these rows."""
        return cls(tuple({q.id: q for run in runs for q in run.questions}.values()))

    @cached_property
    def groups(self) -> tuple[int, ...]:
        """The group of each question."""
        return groups(self.questions)

    def column(self, run: Scored) -> NDArray[np.float64]:
        """A row's primary score of each question; NaN where it is unscored."""
        import numpy as np

        values = run.values()
        return np.array([values.get(q.id) for q in self.questions], dtype=float)


def steps(
    pairs: Sequence[tuple[str, Scored, Scored] | None],
    aligned: Aligned,
    margin: float = MARGIN,
) -> list[Step | None]:
    """For each name of a base, base and candidate how the candidate does; None without questions.

    The p values are adjusted for all of them (Holm), and the verdicts follow the adjusted ones.
    """
    import numpy as np

    known = [pair for pair in pairs if pair is not None]
    if not known:
        return [None] * len(pairs)
    scored = {id(run): aligned.column(run) for _, base, other in known for run in (base, other)}
    base, candidate = (
        np.stack([scored[id(pair[side])] for pair in known], axis=1) for side in (1, 2)
    )
    free = [at for at, (_, _, other) in enumerate(known) if other.target.primary in FREE]
    raw = differences(base, candidate, aligned.groups, free=free)
    family = max(1, sum(one is not None for one in raw))
    found = iter(zip(known, holm(raw), strict=True))
    return [None if pair is None else _told(*next(found), margin, family) for pair in pairs]


def _told(
    pair: tuple[str, Scored, Scored], found: Paired | None, margin: float, family: int
) -> Step | None:
    if found is None:
        return None
    more = questions_needed(found, margin, family)
    return Step(pair[0], found, verdict(found, margin), more)


def difference(base: Scored, candidate: Scored, margin: float = MARGIN) -> Step | None:
    """The candidate against the base; None when no question is scored in both."""
    return steps([(base.row, base, candidate)], Aligned.of([base, candidate]), margin)[0]
