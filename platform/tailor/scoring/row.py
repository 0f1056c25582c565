"""One row of a comparison: a stage's scores, how its answers ended and what they took."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tailor.scoring import gains as gained
from tailor.scoring.number import ERRORS, FREE, no_less
from tailor.scoring.scored import Graded, Scored, mean
from tailor.scoring.statistics import Interval, Paired, intervals
from tailor.scoring.target import Target

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.answers import Fact
    from tailor.cost import Spent
    from tailor.scoring.step import Aligned, Step


@dataclass(frozen=True)
class Row:
    """One row of a comparison.

    ``n`` and ``scored`` count questions; ``errors``, ``refused``, ``unparseable`` and ``asked``
    count answers: where questions were asked several times, each time counts.
    """

    row: str
    stage: str
    model: str
    run: str
    split: str
    n: int
    scored: int
    errors: int
    refused: int
    unparseable: int
    metrics: Mapping[str, Interval | None]
    """None where a metric applies to no answer."""
    p50: float | None
    """Seconds from question to answer, errors left out."""
    p95: float | None
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Of all answers; None when the price of one is not known."""
    step: Step | None
    """Against the row it was built on; ``p`` is adjusted for all steps of the ladder (Holm)."""
    stale: str = ""
    asked: int = 0
    """Answers there are, errors included."""
    repeats: int = 1
    """How many times each question was to be asked."""
    flicker: float | None = None
    """Share of the questions with several answers whose outcome or score differs between them,
    errors left out; None with one answer a question."""
    rightly: Interval | None = None
    """Share refused of what the documents do not say; None where there is no such question."""
    wrongly: Interval | None = None
    """Share refused of what the documents do say."""
    spent: Spent | None = field(default=None, compare=False)
    builds_on: str | None = None
    """The row it was built on; None for the first one and for reference rows."""
    target: Target = field(default_factory=Target)
    """The task, with what numbers and labels are scored against."""
    gains: Mapping[str, Paired] = field(default_factory=dict)
    """Every metric against the row it was built on; only of numbers and labels. ``p`` is adjusted
    for all steps of the ladder (Holm), metric by metric."""
    origin: str = ""
    """The machine whose answers were imported; empty: here, or a person's."""

    @property
    def primary(self) -> Interval | None:
        """The score the rows are compared by."""
        return self.metrics[self.target.primary]

    @property
    def outcomes(self) -> dict[str, tuple[int, int]]:
        """How many ended how, and of how many.

        ``scored`` of the questions; ``asked`` of the answers there should be; ``error`` of those
        asked; ``ok``, ``refused`` and ``unparseable`` of those that ended in no error.
        """
        answered = self.asked - self.errors
        return {
            "scored": (self.scored, self.n),
            "asked": (self.asked, self.n * self.repeats),
            "error": (self.errors, self.asked),
            "ok": (answered - self.refused - self.unparseable, answered),
            "refused": (self.refused, answered),
            "unparseable": (self.unparseable, answered),
        }

    @property
    def cost_per_1000_usd(self) -> float | None:
        """Of 1,000 questions asked once, without training and judge; None where not known."""
        if self.spent is not None and self.spent.per_1000_usd is not None:
            return self.spent.per_1000_usd
        answered = self.asked - self.errors
        return None if self.cost_usd is None or not answered else 1000 * self.cost_usd / answered

    def to_json(self) -> dict[str, Any]:
        """An entry of ``stages`` in ``tailor compare --json``."""
        return {
            "row": self.row,
            "stage": self.stage,
            "model": self.model,
            "run": self.run,
            "split": self.split,
            "n": self.n,
            "scored": self.scored,
            "errors": self.errors,
            "refused": self.refused,
            "unparseable": self.unparseable,
            "primary": self.target.primary,
            "metrics": {name: _interval_json(i) for name, i in self.metrics.items()},
            "latency_s": {"p50": self.p50, "p95": self.p95},
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "cost_usd": self.cost_usd,
            "vs_previous": self._vs_previous(),
            "stale": self.stale or None,
            "repeats": self.repeats,
            "flicker": self.flicker,
            "outcomes": {
                name: {"count": count, "of": of, "share": count / of if of else None}
                for name, (count, of) in self.outcomes.items()
            },
            "refusals": {
                "unanswerable": _interval_json(self.rightly),
                "answerable": _interval_json(self.wrongly),
            },
            "cost_per_1000_usd": self.cost_per_1000_usd,
            "spent": None if self.spent is None else self.spent.to_json(),
            "builds_on": self.builds_on,
            "origin": self.origin or None,
        }

    def _vs_previous(self) -> dict[str, Any] | None:
        """``vs_previous``; with ``metrics``, each against that row, for numbers and labels."""
        if self.step is None:
            return None
        gains = {name: _gain_json(gain) for name, gain in self.gains.items()}
        return self.step.to_json() | ({"metrics": gains} if gains else {})


def _gain_json(gain: Paired) -> dict[str, Any]:
    return {"delta": gain.delta, "ci95": [gain.low, gain.high], "p": gain.p, "n": gain.n}


def rows(
    runs: Sequence[Scored],
    steps: Sequence[Step | None],
    aligned: Aligned,
    before: Sequence[Scored | None] = (),
) -> list[Row]:
    """The rows of a comparison; all their intervals share the same draws.

    ``before`` is what each row is held against, for the ``gains`` of numbers and labels.
    """
    import numpy as np

    tables = [_table(run, aligned) for run in runs]
    names = [name for own, _ in tables for name in (*own, "", "")]
    free = [at for at, name in enumerate(names) if name in FREE]
    columns = np.concatenate([t for _, t in tables], axis=1)
    found = intervals(columns, aligned.groups, free=free)
    against = gained.gains(runs, before or [None] * len(runs), aligned)
    out: list[Row] = []
    for run, step, (own_names, _), gains in zip(runs, steps, tables, against, strict=True):
        own, found = found[: len(own_names) + 2], found[len(own_names) + 2 :]
        singles = {
            name: no_less(one) if one and name in ERRORS else one
            for name, one in zip(own_names, own, strict=False)
        }
        metrics = singles | gained.pooled(run, aligned)
        out.append(_row(run, step, metrics, own[-2], own[-1], gains))
    return out


def _table(run: Scored, aligned: Aligned) -> tuple[list[str], NDArray[np.float64]]:
    """The metrics by question, then refusals of what the documents do not and do say."""
    import numpy as np

    kinds = dict.fromkeys(tuple(one.scores) for times in run.times for one in times.values())
    every = dict.fromkeys(name for kind in kinds for name in kind if not name.startswith("_"))
    names = list(every) or [run.target.primary]
    lines: list[list[float | None]] = []
    for q in aligned.questions:
        given = run.of(q.id)
        if len(given) == 1:
            line = list(map(given[0].scores.get, names))
        else:
            line = [mean([one.scores.get(name) for one in given]) for name in names]
        known = [one.fact.outcome for one in given if one.fact.outcome != "error"]
        refused = known.count("refused") / len(known) if known else None
        lines.append([*line, None, refused] if q.answerable else [*line, refused, None])
    return names, np.array(lines, dtype=float).reshape(-1, len(names) + 2)


def _row(
    run: Scored,
    step: Step | None,
    metrics: Mapping[str, Interval | None],
    rightly: Interval | None,
    wrongly: Interval | None,
    gains: Mapping[str, Paired],
) -> Row:
    import numpy as np

    of_split = {q.id for q in run.questions}
    asked = [one.fact for times in run.times for id, one in times.items() if id in of_split]
    costs = [fact.cost_usd for fact in asked]
    seconds = _seconds(run, asked)
    p50, p95 = np.quantile(seconds, (0.5, 0.95)).tolist() if seconds else (None, None)
    ended = Counter(fact.outcome for fact in asked)
    primary = metrics[run.target.primary]
    return Row(
        row=run.row,
        stage=run.stage,
        model=run.model,
        run=run.run,
        split=run.split,
        n=len(run.questions),
        scored=primary.n if primary else 0,
        errors=ended["error"],
        refused=ended["refused"],
        unparseable=ended["unparseable"],
        metrics={**metrics, **run.pooled},
        p50=p50,
        p95=p95,
        input_tokens=sum(fact.input_tokens for fact in asked),
        output_tokens=sum(fact.output_tokens for fact in asked),
        cost_usd=None if any(c is None for c in costs) else math.fsum(filter(None, costs)),
        step=step,
        stale=run.stale,
        asked=len(asked),
        repeats=len(run.times),
        flicker=_flicker(run),
        rightly=rightly,
        wrongly=wrongly,
        spent=run.spent,
        builds_on=run.previous,
        target=run.target,
        gains=gains,
        origin=run.origin,
    )


def _seconds(run: Scored, asked: Sequence[Fact]) -> list[float]:
    taken = [fact.seconds for fact in asked if fact.outcome != "error"]
    return [one for one in taken if one] if run.imported else taken  # people need not take it


def _flicker(run: Scored) -> float | None:
    if not run.again:
        return None
    several = [
        ends
        for q in run.questions
        if len(
            ends := [
                _end(one, run.target.primary) for one in run.of(q.id) if one.fact.outcome != "error"
            ]
        )
        > 1
    ]
    return sum(len(set(ends)) > 1 for ends in several) / len(several) if several else None


def _end(one: Graded, primary: str) -> tuple[str, float | None]:
    value = one.scores.get(primary)
    return one.fact.outcome, None if value is None else round(value, 9)


def _interval_json(i: Interval | None) -> dict[str, Any]:
    if i is None:
        return {"mean": None, "ci95": None, "n": 0}
    return {"mean": i.mean, "ci95": [i.low, i.high], "n": i.n}
