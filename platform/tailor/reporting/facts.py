"""What a report is about: the runs, their scores, and the comparison of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from tailor.benchmark import Split
from tailor.reporting.words import words
from tailor.run import Run
from tailor.scoring.comparison import Comparison, Row, compare
from tailor.scoring.scored import Scored, key, labels
from tailor.workspace import Workspace


@dataclass(frozen=True)
class Facts:
    """The runs of a workspace with their scores on one split; ``runs`` and ``scored`` pair up."""

    workspace: Workspace
    runs: tuple[Run, ...]
    scored: tuple[Scored, ...]
    result: Comparison
    lang: str
    split: Split

    @cached_property
    def words(self) -> Mapping[str, str]:
        """The sentences of the report's language, in the words of the task."""
        return words(self.result.task, self.lang)

    @cached_property
    def names(self) -> dict[tuple[str, str], str]:
        """What each row is called, by row id and model."""
        return labels(self.result.rows)

    def name(self, of: Run | Row | Scored) -> str:
        """What a row is called."""
        return self.names[key(of)]

    def won(self, of: Run | Row) -> bool:
        """Whether this row was chosen."""
        winner = self.result.winner
        return winner.status == "chosen" and key(of) == (winner.row, winner.model)

    @cached_property
    def best(self) -> Run:
        """The row that was chosen or leads; else that with the highest score among those that hold.

        Among stale rows only, the last.
        """
        winner = (self.result.winner.row, self.result.winner.model)
        if chosen := [run for run in self.runs if key(run) == winner]:
            return chosen[0]
        scores = {key(r): r.primary.mean if r.primary else -1.0 for r in self.result.rows}
        fresh = [run for run in self.runs if not run.stale()] or self.runs[-1:]
        return max(fresh, key=lambda run: scores[key(run)])

    def before(self, run: Run) -> Run | None:
        """The row that a row was built on, as far as it is among these."""
        for other in self.runs:
            if key(other) == (run.previous, run.model) and run.base in (None, other.fingerprint):
                return other
        return None

    @cached_property
    def rival(self) -> Run | None:
        """The row that the best one is read beside: the one before, plain prompting, or another."""
        others = [run for run in self.runs if run is not self.best and not run.stale()]
        if (before := self.before(self.best)) in others:
            return before
        plain = [run for run in others if run.stage == "prompting"]
        return next(iter([*plain, *others]), None)


def gather(workspace: Workspace, runs: Sequence[Run], lang: str, split: Split) -> Facts:
    """Score the runs and compare them."""
    each = [run.scored_each(split, "dev") for run in runs]
    scored = tuple(own for own, _ in each)
    result = compare(scored, [dev for _, dev in each], benchmark=workspace.benchmark)
    return Facts(workspace, tuple(runs), scored, result, lang, split)
