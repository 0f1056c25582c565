"""The scores of one answer: the one list of metrics that need no model.

Those that do are asked for by name: see :mod:`tailor.scoring.extra`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.errors import TailorError
from tailor.scoring import grounding, label, metrics, number, overlap, retrieval
from tailor.scoring.target import Target
from tailor.text import nfc

METRIC_VERSION = 3
"""Raised when a metric gives another value for the same answer."""

_ANSWER = Target()
_Metric = Callable[[str, Sequence[str], bool], float | None]

ANSWER_METRICS: Mapping[str, _Metric] = {
    "exact_match": metrics.exact_match,
    "f1": metrics.f1,
    "contains": metrics.contains,
    "rouge1": overlap.rouge1,
    "rouge2": overlap.rouge2,
    "rougeL": overlap.rouge_l,
    "bleu": overlap.bleu,
    "chrf": overlap.chrf,
}
"""Of the text against the accepted answers; each has a ``_folded`` form, without accents."""


def score(
    question: Question,
    answer: Answer,
    spans: Sequence[retrieval.Span] = (),
    pattern: str | None = None,
    retrieves: bool | None = None,
    target: Target = _ANSWER,
) -> dict[str, float | None]:
    """Each metric of an answer, between 0 and 1; None where it does not apply.

    Where ``target`` asks for a number or a label, those of :mod:`tailor.scoring.number` or
    :mod:`tailor.scoring.label` and no others; the rest is said of task ``answer``.

    An ``error`` is unscored: every metric is None. Where the documents do not say, a refusal
    scores 1 and anything else 0. Where they do, a refusal or an unparseable reply scores 0.

    ``format_ok`` is there when the question, or the workspace by ``pattern``, has a pattern: 1
    when the whole answer matches it, 0 when it does not or could not be read, None for a refusal.

    ``cites`` is there when citations were asked for: 1 when there is one, 0 when there is none.

    ``retrieves`` says whether the assistant has a retriever, so that finding nothing scores 0;
    by default it is taken to have one when the answer has passages.

    Raises:
        TailorError: the pattern is not a regular expression.
    """
    if target.by is not None:
        return number.scores(question, answer, target.by)
    if target.task == "label":
        return label.scores(question, answer, target.labels)
    pattern = question.format or pattern
    scores = _text(question, answer)
    if pattern is not None:
        scores["format_ok"] = _keeps(answer, pattern, question.id)
    return scores | _retrieval(answer, spans, retrieves) | _grounding(answer)


def _text(question: Question, answer: Answer) -> dict[str, float | None]:
    return {
        f"{name}{form}": _one(metric, question, answer, bool(form))
        for form in ("", "_folded")
        for name, metric in ANSWER_METRICS.items()
    }


def _one(metric: _Metric, question: Question, answer: Answer, folded: bool) -> float | None:
    if answer.outcome == "error":
        return None
    if not question.answerable:
        return float(answer.outcome == "refused")
    # Without a text the metric is still asked whether it applies to this question.
    return metric(answer.text if answer.outcome == "ok" else "", question.answers, folded)


def _grounding(answer: Answer) -> dict[str, float | None]:
    if answer.outcome != "ok":
        asked = {"cites": 0.0 if answer.outcome == "unparseable" else None}
        return {"citations_resolved": None, "supported": None} | (
            asked if answer.with_citations else {}
        )
    given = answer.with_citations
    return {
        "citations_resolved": grounding.citations_resolved(given or answer.text, answer.seen),
        "supported": grounding.supported(answer.text, answer.seen),
    } | ({"cites": float(bool(grounding.cited(given)))} if given else {})


def _retrieval(
    answer: Answer, spans: Sequence[retrieval.Span], retrieves: bool | None
) -> dict[str, float | None]:
    found = retrieval.measures(() if answer.outcome == "error" else answer.passages, spans)
    if retrieves and not answer.passages and answer.outcome != "error":
        return dict.fromkeys(found, 0.0 if retrieval.found_at((), spans) else None)
    return found


def _keeps(answer: Answer, pattern: str, question: str) -> float | None:
    if answer.outcome in ("error", "refused"):
        return None
    if answer.outcome == "unparseable":
        return 0.0
    return float(_compiled(pattern, question).fullmatch(nfc(answer.text).strip()) is not None)


@cache
def _compiled(pattern: str, question: str) -> re.Pattern[str]:
    try:
        return re.compile(nfc(pattern))
    except re.error as error:
        raise TailorError(
            f"The format {pattern!r} of question {question} is not a regular expression "
            f"({error}); correct it in the benchmark or in tailor.toml."
        ) from None
