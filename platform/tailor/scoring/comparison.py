"""Rows beside each other: scores, steps, and which row to use."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal

from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Question
from tailor.errors import TailorError
from tailor.scoring import wording
from tailor.scoring.retrieval import Span
from tailor.scoring.score import PRIMARY, score
from tailor.scoring.statistics import (
    MARGIN,
    Interval,
    Paired,
    Verdict,
    holm,
    interval,
    paired,
    questions_needed,
    verdict,
)

if TYPE_CHECKING:
    from pandas import DataFrame
    from rich.table import Table

COVERAGE = 0.9
"""A row is chosen only when at least this share of the dev questions is scored."""

Scores = Mapping[str, Mapping[str, float | None]]
"""The metrics of each answered question, by question id."""


@dataclass(frozen=True)
class Scored:
    """What a comparison needs of one run on one split; the ladder makes it."""

    row: str
    stage: str
    model: str
    run: str
    split: str
    previous: str | None
    """The row it was built on; None for a reference row, such as baseline, or a first step."""
    questions: tuple[Question, ...]
    """Of this split, in file order."""
    answers: Mapping[str, Answer]
    """By question id; a question that was not asked yet is missing."""
    spans: Mapping[str, tuple[Span, ...]]
    """Where the evidence of a question stands, by question id."""
    fingerprint: str = ""
    """Of the assistant that answered."""
    base: str | None = None
    """Fingerprint of the assistant it builds on; only a row with this one is the step before."""
    stale: str = ""
    """Why the run no longer holds: the benchmark or the knowledge changed since."""
    pattern: str | None = None
    """The workspace's format, for questions without their own."""
    imported: bool = False
    """Answered by people or another system: compared, but never chosen."""
    extra: Mapping[str, Mapping[str, float | None]] = field(default_factory=dict)
    """Scores that need a model, by question id, as far as they were asked for."""
    pooled: Mapping[str, Interval | None] = field(default_factory=dict)
    """Measures of the row as a whole, in their own units: perplexity."""


@dataclass(frozen=True)
class Step:
    """A row against another one, on the questions both have scored."""

    row: str
    """The other row."""
    paired: Paired
    verdict: Verdict
    more: int | None
    """How many more questions would tell; 0 when it is told, None when no number would."""


@dataclass(frozen=True)
class Row:
    """One row of a comparison: a stage's scores and what they took."""

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

    @property
    def primary(self) -> Interval | None:
        """The score the rows are compared by."""
        return self.metrics[PRIMARY]

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
            "primary": PRIMARY,
            "metrics": {
                name: {"mean": i.mean, "ci95": [i.low, i.high], "n": i.n}
                if i
                else {"mean": None, "ci95": None, "n": 0}
                for name, i in self.metrics.items()
            },
            "latency_s": {"p50": self.p50, "p95": self.p95},
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "cost_usd": self.cost_usd,
            "vs_previous": None if self.step is None else _step_json(self.step),
        }


@dataclass(frozen=True)
class Winner:
    """Which row to use, chosen on dev."""

    row: str | None
    """None when none could be chosen."""
    model: str | None
    chosen_on: str | None
    reason: str
    status: Literal["chosen", "undecided", "no dev answers", "stale"]
    """``undecided``: the row only leads, and no other can be told from it."""
    rivals: tuple[Step, ...] = ()
    """The rows that cannot be told from it, each against it."""

    @property
    def more(self) -> int | None:
        """How many more dev questions would tell it from every rival; None when unknown."""
        needed = [rival.more for rival in self.rivals]
        return max((n for n in needed if n is not None), default=None)


@dataclass(frozen=True)
class Comparison:
    """Rows on the same questions, and which one to use."""

    digest: str
    task: str
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
            "winner": {
                "row": self.winner.row,
                "chosen_on": self.winner.chosen_on,
                "reason": self.winner.reason,
            },
        }

    def to_pandas(self) -> DataFrame:
        """One line per row; ``f1``, ``f1_low`` and ``f1_high`` for each metric."""
        import pandas as pd

        return pd.DataFrame([_flat(row) for row in self.rows]).set_index("row")

    def table(self, lang: str = "en") -> Table:
        """The rows for a terminal; scores and differences with their 95 % interval."""
        return wording.table(self, lang)

    def verdict(self, lang: str = "en") -> str:
        """One sentence: which row to use and how much better it is, or what is missing."""
        return wording.sentence(self, lang)


@dataclass(frozen=True)
class SideBySide:
    """One question with the answers of two rows; None where a row was not asked it."""

    question: Question
    base: Answer | None
    candidate: Answer | None
    base_score: float | None
    candidate_score: float | None

    @property
    def delta(self) -> float | None:
        """Candidate minus base; None unless both are scored."""
        if self.base_score is None or self.candidate_score is None:
            return None
        return self.candidate_score - self.base_score

    def to_json(self) -> dict[str, Any]:
        """The question, the accepted answers, and both sides with the passages they had."""
        return {
            "id": self.question.id,
            "question": self.question.question,
            "accepted": list(self.question.answers),
            "base": _side_json(self.base, self.base_score),
            "candidate": _side_json(self.candidate, self.candidate_score),
            "delta": self.delta,
        }


def compare(
    test: Sequence[Scored],
    dev: Sequence[Scored] = (),
    margin: float = MARGIN,
    benchmark: Benchmark | None = None,
) -> Comparison:
    """Compare rows on the test split, and choose one by their dev answers.

    ``vs_previous`` is over the questions both rows have scored; its ``p`` is adjusted over all
    steps (Holm), its interval and verdict are not. The winner is the cheapest row in a tie with
    the best by dev: least cost per answer, then least median latency, both on dev, then earliest
    in the ladder. Stale rows and rows that miss more than 10 % of the dev scores are not chosen.
    ``benchmark`` gives the digest and the task; without it the digest is of these questions.

    Raises:
        TailorError: there is no row.
    """
    if not test:
        raise TailorError("There is nothing to compare: run a stage first, with `tailor run all`.")
    scores = {key(run): score_all(run) for run in test}
    fingerprints = {key(run): run.fingerprint for run in test}
    names = labels(test)
    steps: list[Step | None] = []
    for run in test:
        base = (run.previous or "", run.model)
        known = base in scores and run.base in (None, fingerprints[base])
        steps.append(_step(base[0], scores[base], scores[key(run)], margin) if known else None)
    adjusted = holm([step.paired if step else None for step in steps])
    rows = tuple(
        _row(run, scores[key(run)], replace(step, paired=p) if step and p else None)
        for run, step, p in zip(test, steps, adjusted, strict=True)
    )
    winner = choose([run for run in dev if key(run) in scores], margin)
    chosen = (winner.row, winner.model)
    reference = _reference([run for run in test if key(run) != chosen], winner.model)
    questions = tuple({q.id: q for run in test for q in run.questions}.values())
    benchmark = benchmark or Benchmark(questions)
    return Comparison(
        digest=benchmark.digest,
        task=benchmark.task,
        split=test[0].split,
        n=len(questions),
        rows=rows,
        winner=winner,
        reference=_step(
            names[reference], scores[reference], scores[winner.row, winner.model], margin
        )
        if reference and winner.row and winner.model is not None
        else None,
    )


def choose(dev: Sequence[Scored], margin: float = MARGIN) -> Winner:
    """The cheapest row in a tie with the best by dev; see :func:`compare`."""
    dev = [run for run in dev if not run.imported]
    if not any(run.answers for run in dev):
        return _none("no dev answers", "there are no dev answers to choose by")
    fresh = [run for run in dev if not run.stale]
    if not fresh:
        return _none("stale", dev[0].stale)
    scores = {key(run): score_all(run) for run in fresh}
    able = [run for run in fresh if _coverage(run, scores[key(run)]) >= COVERAGE]
    if not able:
        return _none("no dev answers", "every row misses more than 10 % of the dev scores")
    names = labels(dev)
    shared = set.intersection(*(set(_primary(scores[key(run)])) for run in able))
    best = max(able, key=lambda run: _mean(scores[key(run)], shared))  # the first of equals

    def against(run: Scored, candidate: Scored) -> Step | None:
        return _step(names[key(run)], scores[key(run)], scores[key(candidate)], margin)

    ties = [
        run
        for run in able
        if run is best or ((step := against(best, run)) and step.verdict == "tie")
    ]
    chosen = min(ties, key=_price)
    others = [step for run in able if run is not chosen and (step := against(run, chosen))]
    rivals = tuple(step for step in others if step.verdict == "undecided")
    told = ", ".join(step.row for step in rivals)
    left_out = [names[k] for k in map(key, dev) if k not in map(key, able)]
    undecided = bool(others) and len(rivals) == len(others)
    if undecided:
        reason = "undecided: it leads on dev"
    elif chosen is not best:
        reason = f"the cheapest in a tie with the best on dev, {names[key(best)]}"
    elif len(ties) > 1:
        reason = "the best on dev, and none in a tie with it is cheaper"
    else:
        reason = "the best on dev" if others else "the only row with enough dev answers"
    if rivals:
        reason += f"; it cannot be told from {told}"
    if left_out:
        reason += f"; left out as stale or incomplete: {', '.join(left_out)}"
    status: Literal["chosen", "undecided"] = "undecided" if undecided else "chosen"
    return Winner(chosen.row, chosen.model, chosen.split, reason, status, rivals)


def pair(base: Scored, candidate: Scored) -> tuple[SideBySide, ...]:
    """Two rows side by side, over all questions either was to be asked, in file order."""
    left, right = _primary(score_all(base)), _primary(score_all(candidate))
    questions = {q.id: q for q in (*base.questions, *candidate.questions)}
    return tuple(
        SideBySide(q, base.answers.get(id), candidate.answers.get(id), left.get(id), right.get(id))
        for id, q in questions.items()
    )


def difference(base: Scored, candidate: Scored, margin: float = MARGIN) -> Step | None:
    """The candidate against the base; None when no question is scored in both."""
    return _step(base.row, score_all(base), score_all(candidate), margin)


def key(run: Scored | Row) -> tuple[str, str]:
    """What tells rows apart: the row id and the model."""
    return run.row, run.model


def labels(runs: Sequence[Scored] | Sequence[Row]) -> dict[tuple[str, str], str]:
    """What each row is called: its id, with the model where several models have it."""
    times = Counter(run.row for run in runs)
    return {key(run): f"{run.row} ({run.model})" if times[run.row] > 1 else run.row for run in runs}


def score_all(run: Scored) -> Scores:
    """The metrics of every answer of a run, by question id, in file order."""
    retrieves = any(answer.passages for answer in run.answers.values())
    return {
        q.id: {
            **score(q, run.answers[q.id], run.spans.get(q.id, ()), run.pattern, retrieves),
            **run.extra.get(q.id, {}),
        }
        for q in run.questions
        if q.id in run.answers
    }


def _primary(scores: Scores) -> dict[str, float]:
    return {id: s for id, metrics in scores.items() if (s := metrics[PRIMARY]) is not None}


def _step(row: str, base: Scores, candidate: Scores, margin: float) -> Step | None:
    left, right = _primary(base), _primary(candidate)
    shared = [id for id in left if id in right]
    found = paired([left[id] for id in shared], [right[id] for id in shared])
    if found is None:
        return None
    return Step(row, found, verdict(found, margin), questions_needed(found, margin))


def _row(run: Scored, scores: Scores, step: Step | None) -> Row:
    import numpy as np

    asked = [run.answers[id] for id in scores]
    costs = [answer.cost_usd for answer in asked]
    seconds = [answer.seconds for answer in asked if answer.outcome != "error"]
    if run.imported:
        seconds = [taken for taken in seconds if taken]  # people need not take the time
    p50, p95 = np.quantile(seconds, (0.5, 0.95)).tolist() if seconds else (None, None)
    names = dict.fromkeys(name for metrics in scores.values() for name in metrics) or [PRIMARY]
    metrics = {
        name: interval([s for m in scores.values() if (s := m.get(name)) is not None])
        for name in names
    } | dict(run.pooled)
    return Row(
        row=run.row,
        stage=run.stage,
        model=run.model,
        run=run.run,
        split=run.split,
        n=len(run.questions),
        scored=len(_primary(scores)),
        errors=sum(answer.outcome == "error" for answer in asked),
        refused=sum(answer.outcome == "refused" for answer in asked),
        unparseable=sum(answer.outcome == "unparseable" for answer in asked),
        metrics=metrics,
        p50=p50,
        p95=p95,
        input_tokens=sum(answer.input_tokens for answer in asked),
        output_tokens=sum(answer.output_tokens for answer in asked),
        cost_usd=None if any(c is None for c in costs) else math.fsum(filter(None, costs)),
        step=step,
        stale=run.stale,
    )


def _coverage(run: Scored, scores: Scores) -> float:
    return len(_primary(scores)) / len(run.questions) if run.questions else 0.0


def _mean(scores: Scores, of: set[str]) -> float:
    values = [s for id, s in _primary(scores).items() if id in of]
    return math.fsum(values) / len(values) if values else 0.0


def _price(run: Scored) -> tuple[float, float]:
    """Mean cost and median seconds per answer, errors left out; an unknown price is the highest."""
    from statistics import fmean, median

    done = [answer for answer in run.answers.values() if answer.outcome != "error"]
    cost = fmean(math.inf if a.cost_usd is None else a.cost_usd for a in done)
    return cost, median(a.seconds for a in done)


def _reference(others: Sequence[Scored], model: str | None) -> tuple[str, str] | None:
    """The row the winner is held against: plain prompting, or else a reference row."""
    same = [run for run in others if run.model == model]
    plain = [run for run in same if run.stage == "prompting"]
    first = [run for run in (*same, *others) if run.previous is None]
    return next(map(key, (*plain, *first)), None)


def _none(status: Literal["no dev answers", "stale"], cause: str) -> Winner:
    return Winner(None, None, None, f"No row was chosen: {cause}.", status)


def _step_json(step: Step) -> dict[str, Any]:
    p = step.paired
    return {
        "row": step.row,
        "delta": p.delta,
        "ci95": [p.low, p.high],
        "p": p.p,
        "verdict": step.verdict,
    }


def _side_json(answer: Answer | None, value: float | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {
        "outcome": answer.outcome,
        "text": answer.text,
        "error": answer.error,
        "score": value,
        "passages": [
            {"document": p.document, "start": p.start, "end": p.end, "place": p.place,
             "text": p.text, "score": p.score}
            for p in answer.passages
        ],
    }  # fmt: skip


def _flat(row: Row) -> dict[str, Any]:
    """A row of :meth:`Comparison.to_pandas`."""
    line = row.to_json()
    metrics, step = line.pop("metrics"), line.pop("vs_previous")
    for name, value in metrics.items():
        low, high = value["ci95"] or (None, None)
        line |= {name: value["mean"], f"{name}_low": low, f"{name}_high": high}
    for outer in ("latency_s", "tokens"):
        line |= {f"{outer}_{name}": value for name, value in line.pop(outer).items()}
    low, high = step["ci95"] if step else (None, None)
    return line | {
        "vs_row": step and step["row"],
        "delta": step and step["delta"],
        "delta_low": low,
        "delta_high": high,
        "p": step and step["p"],
        "verdict": step and step["verdict"],
        "stale": row.stale,
    }
