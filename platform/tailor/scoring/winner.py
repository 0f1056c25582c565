"""Which row to use: the cheapest in a tie with the best, chosen on dev."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, median
from typing import Any, Literal

from tailor.scoring.scored import Scored, key, labels
from tailor.scoring.statistics import MARGIN
from tailor.scoring.step import Aligned, Step, steps

COVERAGE = 0.9
"""A row is chosen only when at least this share of the dev questions is scored."""

Status = Literal["chosen", "undecided", "no dev questions", "no dev answers", "stale"]
_Names = Mapping[tuple[str, str], str]


@dataclass(frozen=True)
class Winner:
    """Which row to use, chosen on dev."""

    row: str | None
    """None when none could be chosen."""
    model: str | None
    chosen_on: str | None
    reason: str
    status: Status
    """``undecided``: the row only leads, and no other can be told from it."""
    rivals: tuple[Step, ...] = ()
    """The rows that cannot be told from it, each against it."""

    @property
    def more(self) -> int | None:
        """How many more dev questions would tell it from every rival; None when unknown."""
        needed = [rival.more for rival in self.rivals]
        return max((n for n in needed if n is not None), default=None)

    def to_json(self) -> dict[str, Any]:
        """``winner`` in ``tailor compare --json``."""
        return {"row": self.row, "chosen_on": self.chosen_on, "reason": self.reason}


def choose(dev: Sequence[Scored], margin: float = MARGIN) -> Winner:
    """The cheapest row in a tie with the best by dev.

    Cheapest is the least cost per answer, then the least median latency, both on dev, then the
    earliest in the ladder. Stale rows, imported ones and those that miss more than 10 % of the
    dev scores are not chosen; the best is the highest mean over the questions that all others
    have scored.
    """
    dev = [run for run in dev if not run.imported]
    if dev and not any(run.questions for run in dev):
        return _none("no dev questions", "the benchmark has no dev questions")
    if not any(run.answers for run in dev):
        return _none("no dev answers", "there are no dev answers to choose by")
    fresh = [run for run in dev if not run.stale]
    if not fresh:
        return _none("stale", dev[0].stale)
    scores = {key(run): _scored(run) for run in fresh}
    able = [run for run in fresh if len(scores[key(run)]) >= COVERAGE * len(run.questions) > 0]
    if not able:
        return _none("no dev answers", "every row misses more than 10 % of the dev scores")
    shared = set.intersection(*(set(scores[key(run)]) for run in able))

    def on_shared(run: Scored) -> float:
        values = [scores[key(run)][id] for id in shared]
        return math.fsum(values) / len(values) if values else 0.0

    best = max(able, key=on_shared)  # the first of equals
    names, aligned = labels(dev), Aligned.of(fresh)
    near = {step.row for step in _against_all(best, able, names, aligned, margin, "tie")}
    ties = [run for run in able if run is best or names[key(run)] in near]
    chosen = min(ties, key=price)
    rivals = _against_all(chosen, able, names, aligned, margin, "undecided")
    undecided = 0 < len(able) - 1 == len(rivals)
    if undecided:
        reason = "undecided: it leads on dev"
    elif chosen is not best:
        reason = f"the cheapest in a tie with the best on dev, {names[key(best)]}"
    elif len(ties) > 1:
        reason = "the best on dev, and none in a tie with it is cheaper"
    else:
        reason = "the best on dev" if len(able) > 1 else "the only row with enough dev answers"
    left_out = [names[k] for k in map(key, dev) if k not in map(key, able)]
    reason += _besides(rivals, left_out)
    status: Status = "undecided" if undecided else "chosen"
    return Winner(chosen.row, chosen.model, chosen.split, reason, status, rivals)


def _besides(rivals: Sequence[Step], left_out: Sequence[str]) -> str:
    """The end of a reason: what it cannot be told from, and what was not looked at."""
    told = f"; it cannot be told from {', '.join(step.row for step in rivals)}" if rivals else ""
    return told + (f"; left out as stale or incomplete: {', '.join(left_out)}" if left_out else "")


def _scored(run: Scored) -> dict[str, float]:
    return {id: value for id, value in run.values().items() if value is not None}


def _against_all(
    one: Scored,
    runs: Sequence[Scored],
    names: _Names,
    aligned: Aligned,
    margin: float,
    kind: Literal["tie", "undecided"],
) -> tuple[Step, ...]:
    """The other rows of which the row's difference from them is of this kind."""
    others = [(names[key(run)], run, one) for run in runs if run is not one]
    found = steps(others, aligned, margin)
    return tuple(step for step in found if step is not None and step.verdict == kind)


def price(run: Scored) -> tuple[float, float]:
    """US dollars and median seconds per answer, errors left out; an unknown price is the highest.

    With training and judge left out; with the hours of a local model where they are priced.
    """
    done = [
        one.fact for times in run.times for one in times.values() if one.fact.outcome != "error"
    ]
    known = run.spent.per_answer_usd if run.spent else None
    if known is None:
        known = fmean(math.inf if fact.cost_usd is None else fact.cost_usd for fact in done)
    return known, median(fact.seconds for fact in done)


def _none(status: Literal["no dev questions", "no dev answers", "stale"], cause: str) -> Winner:
    return Winner(None, None, None, f"No row was chosen: {cause}.", status)
