"""Metrics that need a model, measured when they are asked for and kept with the answers.

``similarity`` needs the embedder, ``perplexity`` a local model, and the judge's scales a judge
(:mod:`tailor.scoring.judging`). What is kept is read again for nothing, and left out where the
accepted answers, the embedder or the judge have changed since.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from tailor.assistant import Ask, digest
from tailor.errors import UsageError
from tailor.scoring.score import METRIC_VERSION

if TYPE_CHECKING:
    from tailor.answers import Fact
    from tailor.benchmark import Question, Split
    from tailor.run import Run
    from tailor.scoring.statistics import Interval
    from tailor.workspace import Workspace

NAMES = ("similarity", "perplexity")
"""What :func:`measure` can be asked for."""

_SIMILAR = ("similarity", "similarity_folded")
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Extra:
    """What was measured of a run on one split."""

    scores: Mapping[str, Mapping[str, float | None]]
    """By question id, between 0 and 1."""
    pooled: Mapping[str, Interval | None]
    """Measures of the row as a whole, in their own units."""


def measure(
    runs: Sequence[Run], names: Collection[str], split: Split = "test", told: Told | None = None
) -> None:
    """Measure what is missing of these metrics, and keep it.

    Raises:
        UsageError: there is no such metric.
        TailorError: the embedder or a local model cannot be used.
    """
    if unknown := [name for name in names if name not in NAMES]:
        raise UsageError(f"There is no metric {unknown[0]!r} to ask for: {', '.join(NAMES)}.")
    for n, run in enumerate(runs, 1):
        questions = run.workspace.benchmark.split(split)
        if "similarity" in names:
            _measure_similarity(run, questions)
        if "perplexity" in names:
            _measure_perplexity(run, questions)
        if told:
            told("measure", n, len(runs))


def stored(run: Run, questions: Sequence[Question], answers: Mapping[str, Fact]) -> Extra:
    """What is known of a run without asking any model."""
    from tailor.scoring.judging import verdicts
    from tailor.scoring.perplexity import Surprise, pooled

    scores: dict[str, dict[str, float | None]] = {}
    near = _known(run, "similarity", questions)
    if near:
        for q in questions:
            if q.id in answers and (found := _similarity(q, answers[q.id], near)) is not None:
                scores[q.id] = found
    for id, found in verdicts(run, questions, answers).items():
        scores.setdefault(id, {}).update(found)
    surprising = {
        id: Surprise(v["nats"], int(v["tokens"]), int(v["bytes"]))
        for id, v in _known(run, "perplexity", questions).items()
    }
    return Extra(scores, pooled(surprising, questions) if surprising else {})


def about(question: Question, metric: str, workspace: Workspace) -> str:
    """Digest of what a stored value depends on besides the answer."""
    by = workspace.config.embedder if metric == "similarity" else ""
    return digest([METRIC_VERSION, question.answers, question.lang, by])


def _known(run: Run, metric: str, questions: Sequence[Question]) -> dict[str, dict[str, float]]:
    """The values of a metric that still hold, by question id."""
    found = run.workspace.answers.measured(run.fingerprint, metric)
    if not found:
        return {}
    by_id = {q.id: (q, found.get(Ask(q.question).key)) for q in questions}
    return {
        id: entry[1]
        for id, (q, entry) in by_id.items()
        if entry is not None and entry[0] == about(q, metric, run.workspace)
    }


def _similarity(
    question: Question, answer: Fact, near: Mapping[str, Mapping[str, float]]
) -> dict[str, float | None] | None:
    if answer.outcome == "error":
        return dict.fromkeys(_SIMILAR)
    if not question.answerable:
        return dict.fromkeys(_SIMILAR, float(answer.outcome == "refused"))
    if answer.outcome != "ok":
        return dict.fromkeys(_SIMILAR, 0.0)
    return dict(near[question.id]) if question.id in near else None


def _measure_similarity(run: Run, questions: Sequence[Question]) -> None:
    from tailor.scoring.similarity import embedder, similarity

    known, answers = _known(run, "similarity", questions), run.answers()
    open_ = [
        q
        for q in questions
        if q.id not in known and q.answerable and q.id in answers and answers[q.id].outcome == "ok"
    ]
    if not open_:
        return
    embed = embedder(run.workspace)
    texts, accepted = [answers[q.id].text for q in open_], [q.answers for q in open_]
    plain, bare = (similarity(embed, texts, accepted, folded) for folded in (False, True))
    _keep(run, "similarity", {
        q: {"similarity": one, "similarity_folded": other}
        for q, one, other in zip(open_, plain, bare, strict=True)
    })  # fmt: skip


def _measure_perplexity(run: Run, questions: Sequence[Question]) -> None:
    from tailor.scoring.perplexity import surprises

    known = _known(run, "perplexity", questions)
    open_ = [q for q in questions if q.id not in known and q.answerable]
    found = surprises(run.assistant(), open_) if open_ and not run.imported else {}
    _keep(run, "perplexity", {q: asdict(found[q.id]) for q in open_ if q.id in found})


def _keep(run: Run, metric: str, values: Mapping[Question, Mapping[str, float]]) -> None:
    run.workspace.answers.keep_measured(
        run.fingerprint,
        metric,
        {
            Ask(q.question).key: (about(q, metric, run.workspace), dict(value))
            for q, value in values.items()
        },
    )
