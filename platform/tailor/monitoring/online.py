"""The served assistant beside its own benchmark: the same measures where people ask."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.monitoring.wanted import wanted
from tailor.scoring.score import score
from tailor.scoring.statistics import Interval, interval, intervals

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.serving.kept import Feedback, Served


@dataclass(frozen=True)
class Measure:
    """One measure on both sides; None where nothing is known."""

    name: str
    """``liked``, ``score``, ``refused`` or ``error``."""
    benchmark: Interval | None
    online: Interval | None

    @property
    def differs(self) -> bool:
        """Whether the two intervals have no value in common."""
        one, other = self.benchmark, self.online
        return bool(one and other and (one.high < other.low or other.high < one.low))


def measures(
    served: Sequence[Served], said: Mapping[str, Feedback], run: Run
) -> tuple[Measure, ...]:
    """What people liked and corrected, refusals and errors, beside the benchmark's test questions.

    ``score`` is the benchmark's own metric: online it is of the answers that somebody liked or
    corrected, against the answer as it should have been. People rate what strikes them, so it is
    no fair sample of what was asked.
    """
    metric = run.workspace.target.primary
    answers, facts = run.scored("test").answers, run.facts("test").values()
    own = [v for one in answers.values() if (v := one.scores.get(metric)) is not None]
    judged = [
        value
        for one in served
        if (rated := said.get(one.id)) and (value := _scored(one, rated, run)) is not None
    ]
    ended = [fact.outcome for fact in facts]
    now = [one.outcome for one in served]
    return (
        Measure("liked", None, _share([f.rating == "up" for f in said.values()])),
        Measure("score", _interval(own, metric), _interval(judged, metric)),
        Measure("refused", _of(ended, "refused"), _of(now, "refused")),
        Measure("error", _of(ended, "error"), _of(now, "error")),
    )


def _scored(one: Served, said: Feedback, run: Run) -> float | None:
    """The metric of a served answer against what a person said; None where it says nothing."""
    target, refused = run.workspace.target, one.outcome == "refused"
    if said.rating == "up":
        answer = "" if refused else wanted(one.text, target)
    else:
        answer = wanted(said.correction, target)
    if answer is None or not (answer or (refused and target.task == "answer")):
        return None
    question = Question(one.id, one.question, (answer,) if answer else (), split="test")
    found = score(question, Answer("refused" if refused else "ok", text=one.text), target=target)
    return found.get(target.primary)


def _interval(values: Sequence[float], metric: str) -> Interval | None:
    """The mean with its interval; of skill, which may be below 0, too."""
    import numpy as np

    from tailor.scoring.number import FREE

    if not values:
        return None
    return intervals(np.array(values)[:, None], free={0} if metric in FREE else ())[0]


def _share(values: Sequence[bool]) -> Interval | None:
    return interval([float(value) for value in values]) if values else None


def _of(outcomes: Sequence[str], outcome: str) -> Interval | None:
    known = [one for one in outcomes if outcome == "error" or one != "error"]
    return _share([one == outcome for one in known])
