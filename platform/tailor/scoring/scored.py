"""What a comparison knows of a run: every answer's scores, how it ended and what it took."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TYPE_CHECKING, Protocol

from tailor.scoring.target import Target

if TYPE_CHECKING:
    from tailor.answers import Fact, Scores
    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.cost import Spent
    from tailor.scoring.statistics import Interval


@dataclass(frozen=True, slots=True)
class Graded:
    """An answer's scores, how it ended and what it took; without its text and passages."""

    fact: Fact
    scores: Scores
    """With those that need a model, as far as they were asked for."""


@dataclass(frozen=True)
class Scored:
    """One run on one split, as comparisons take it; ``Run.scored`` makes it."""

    row: str
    stage: str
    model: str
    run: str
    split: str
    previous: str | None
    """The row it was built on; None for a reference row, such as baseline, or a first step."""
    questions: tuple[Question, ...]
    """Of this split, in file order."""
    answers: Mapping[str, Graded]
    """By question id; a question that was not asked yet is missing."""
    again: tuple[Mapping[str, Graded], ...] = ()
    """The same for each further time the questions were asked (``--repeats``)."""
    read: Callable[[], Mapping[str, Answer]] = dict
    """Reads the full answers (of ``answers``, not of ``again``) when they are to be shown."""
    fingerprint: str = ""
    """Of the assistant that answered."""
    base: str | None = None
    """Fingerprint of the assistant it builds on; only a row with this one is the step before."""
    stale: str = ""
    """Why the run no longer holds; it is listed, and compared with nothing."""
    imported: bool = False
    """Answered by people or another system: compared, but never chosen."""
    pooled: Mapping[str, Interval | None] = field(default_factory=dict)
    """Measures of the row as a whole, in their own units: perplexity."""
    spent: Spent | None = None
    """What the row took besides its answers: training, judge, GPU hours."""
    target: Target = field(default_factory=Target)
    """The task, and what its scores are taken against."""
    origin: str = ""
    """The machine whose answers were imported; empty: here, or a person's."""

    @property
    def times(self) -> tuple[Mapping[str, Graded], ...]:
        """The answers of each time the questions were asked."""
        return (self.answers, *self.again)

    def of(self, question: str) -> list[Graded]:
        """Every answer to a question, one for each time it was asked."""
        return [answers[question] for answers in self.times if question in answers]

    def values(self, metric: str = "") -> dict[str, float | None]:
        """A metric by question id, the mean over repeats; None where an answer is unscored.

        Without a name the one that rows are compared by.

        Questions that were not asked yet are missing.
        """
        metric = metric or self.target.primary
        if not self.again:
            return {
                q.id: self.answers[q.id].scores.get(metric)
                for q in self.questions
                if q.id in self.answers
            }
        found = {q.id: [one.scores.get(metric) for one in self.of(q.id)] for q in self.questions}
        return {id: mean(values) for id, values in found.items() if values}


class Named(Protocol):
    """What has a row id and a model."""

    @property
    def row(self) -> str:
        """The row id."""

    @property
    def model(self) -> str:
        """The model's name."""


class Marked(Named, Protocol):
    """What may have come from another machine, besides."""

    @property
    def origin(self) -> str:
        """The machine; empty: this one."""


def mean(values: Sequence[float | None]) -> float | None:
    """The mean of those that are scored; None where none is."""
    known = [value for value in values if value is not None]
    return fmean(known) if known else None


def key(run: Named) -> tuple[str, str]:
    """What tells rows apart: the row id and the model."""
    return run.row, run.model


def labels(runs: Sequence[Marked]) -> dict[tuple[str, str], str]:
    """What each row is called: its id, with the model where several have it or it came from
    another machine."""
    times = Counter(run.row for run in runs)
    return {
        key(run): f"{run.row} ({run.model})" if times[run.row] > 1 or run.origin else run.row
        for run in runs
    }
