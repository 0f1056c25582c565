"""Rows beside each other: scores, steps, and which row to use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.benchmark import Benchmark
from tailor.errors import TailorError
from tailor.scoring import caution, wording
from tailor.scoring.row import Row, rows
from tailor.scoring.scored import Graded, Scored, key, labels, mean
from tailor.scoring.side_by_side import SideBySide, pair
from tailor.scoring.statistics import MARGIN
from tailor.scoring.step import Aligned, Step, difference, steps
from tailor.scoring.winner import Winner, choose
from tailor.task import Task

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.table import Table

__all__ = [
    "Comparison",
    "Graded",
    "Row",
    "Scored",
    "SideBySide",
    "Step",
    "Winner",
    "choose",
    "compare",
    "difference",
    "key",
    "labels",
    "pair",
]


@dataclass(frozen=True)
class Comparison:
    """Rows on the same questions, and which one to use."""

    digest: str
    task: Task
    split: str
    n: int
    rows: tuple[Row, ...]
    winner: Winner
    reference: Step | None = None
    """The winner against the plain prompting row, or else a reference row, on this split."""

    def to_json(self) -> dict[str, Any]:
        """What ``tailor compare --json`` prints; None where unknown, never NaN."""
        return {
            "schema_version": 1,
            "benchmark": {
                "digest": self.digest,
                "task": self.task,
                "split": self.split,
                "n": self.n,
            },
            "stages": [row.to_json() for row in self.rows],
            "winner": self.winner.to_json(),
        }

    def to_pandas(self) -> DataFrame:
        """One line per row; ``f1``, ``f1_low`` and ``f1_high`` for each metric."""
        import pandas as pd

        from tailor.scoring.export import rows as lines

        return pd.DataFrame(lines(self)).set_index("row")

    def to_csv(self) -> str:
        """The lines of :meth:`to_pandas` as CSV in which no text is run as a formula."""
        from tailor.scoring.export import rows as lines
        from tailor.scoring.export import to_csv

        return to_csv(lines(self))

    def to_markdown(self, lang: str = "en") -> str:
        """The table of :meth:`table` in Markdown."""
        from tailor.scoring.export import to_markdown, told

        return to_markdown(told(self, lang))

    def table(self, lang: str = "en") -> Table:
        """The rows for a terminal; scores and differences with their 95 % interval."""
        return wording.table(self, lang)

    def verdict(self, lang: str = "en") -> str:
        """One sentence: which row to use and how much better it is, or what is missing."""
        return wording.sentence(self, lang)

    def caution(self, lang: str = "en") -> str:
        """One or two sentences where only the shipped model answered: what its scores do not tell.

        Empty where another model answered.
        """
        return caution.sentence(self, lang)


def compare(
    test: Sequence[Scored],
    dev: Sequence[Scored] = (),
    margin: float = MARGIN,
    benchmark: Benchmark | None = None,
) -> Comparison:
    """Compare rows on the test split, and choose one by their dev answers.

    ``vs_previous`` is over the questions both rows have scored; its ``p`` is adjusted over all
    steps (Holm), and its verdict follows that, its interval does not. The winner is the cheapest
    row in a tie with the best by dev: see :func:`tailor.scoring.winner.choose`. Stale rows are
    listed, and neither chosen nor compared with anything. ``benchmark`` gives the digest and the
    task; without it the digest is of these questions.

    Raises:
        TailorError: there is no row.
    """
    if not test:
        raise TailorError("There is nothing to compare: run a stage first, with `tailor run all`.")
    aligned = Aligned.of(test)
    by_key = {key(run): run for run in test if not run.stale}
    before = [_before(run, by_key) for run in test]
    found = steps(before, aligned, margin)
    winner = choose([run for run in dev if key(run) in {key(one) for one in test}], margin)
    benchmark = benchmark or Benchmark(aligned.questions)
    return Comparison(
        digest=benchmark.digest,
        task=benchmark.task,
        split=test[0].split,
        n=len(aligned.questions),
        rows=tuple(rows(test, found, aligned, [pair and pair[1] for pair in before])),
        winner=winner,
        reference=_reference(test, winner, aligned, margin),
    )


def _before(
    run: Scored, by_key: dict[tuple[str, str], Scored]
) -> tuple[str, Scored, Scored] | None:
    """The step that a row stands for; None where its base is not here or one of them is stale."""
    base = by_key.get((run.previous or "", run.model))
    if run.stale or base is None or run.base not in (None, base.fingerprint):
        return None
    return base.row, base, run


def _reference(
    test: Sequence[Scored], winner: Winner, aligned: Aligned, margin: float
) -> Step | None:
    """The winner against plain prompting, or else a reference row."""
    chosen = (winner.row, winner.model)
    won = next((run for run in test if key(run) == chosen and not run.stale), None)
    others = [run for run in test if key(run) != chosen and not run.stale]
    same = [run for run in others if run.model == winner.model]
    plain = [run for run in same if run.stage == "prompting"]
    first = [run for run in (*same, *others) if run.previous is None]
    if won is not None and won.target.task != "answer":  # a random guess tells nothing
        first.sort(key=lambda run: -(mean([*run.values().values()]) or 0.0))
    base = next(iter((*plain, *first)), None)
    if won is None or base is None:
        return None
    return steps([(labels(test)[key(base)], base, won)], aligned, margin)[0]
