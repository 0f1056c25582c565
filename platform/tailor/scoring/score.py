"""The scores of one answer."""

import re
from collections.abc import Sequence
from functools import cache

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.errors import TailorError
from tailor.scoring import metrics, retrieval
from tailor.text import nfc

PRIMARY = "f1"
"""The metric that rows are compared by."""


def score(
    question: Question,
    answer: Answer,
    spans: Sequence[retrieval.Span] = (),
    pattern: str | None = None,
    retrieves: bool | None = None,
) -> dict[str, float | None]:
    """Each metric of an answer, between 0 and 1; None where it does not apply.

    An ``error`` is unscored: every metric is None. Where the documents do not say, a refusal
    scores 1 and anything else 0. Where they do, a refusal or an unparseable reply scores 0.

    ``format_ok`` is there when the question, or the workspace by ``pattern``, has a pattern: 1
    when the whole answer matches it, 0 when it does not or could not be read, None for a refusal.

    ``retrieves`` says whether the assistant has a retriever, so that finding nothing scores 0;
    by default it is taken to have one when the answer has passages.

    Raises:
        TailorError: the pattern is not a regular expression.
    """
    pattern = question.format or pattern
    scores = _text(question, answer)
    if pattern is not None:
        scores["format_ok"] = _keeps(answer, pattern, question.id)
    return scores | _retrieval(answer, spans, retrieves)


def _text(question: Question, answer: Answer) -> dict[str, float | None]:
    names = ("exact_match", "f1", "contains", "exact_match_folded", "f1_folded")
    if answer.outcome == "error":
        return dict.fromkeys(names)
    if not question.answerable:
        return dict.fromkeys(names, float(answer.outcome == "refused"))
    if answer.outcome != "ok":
        return dict.fromkeys(names, 0.0)
    text, accepted = answer.text, question.answers
    return {
        "exact_match": metrics.exact_match(text, accepted),
        "f1": metrics.f1(text, accepted),
        "contains": metrics.contains(text, accepted),
        "exact_match_folded": metrics.exact_match(text, accepted, folded=True),
        "f1_folded": metrics.f1(text, accepted, folded=True),
    }


def _retrieval(
    answer: Answer, spans: Sequence[retrieval.Span], retrieves: bool | None
) -> dict[str, float | None]:
    if answer.outcome == "error":
        return {"recall@5": None, "mrr": None}
    if retrieves and not answer.passages:
        nothing = 0.0 if retrieval.found_at((), spans) else None
        return {"recall@5": nothing, "mrr": nothing}
    return {
        "recall@5": retrieval.recall_at(answer.passages, spans, 5),
        "mrr": retrieval.reciprocal_rank(answer.passages, spans),
    }


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
