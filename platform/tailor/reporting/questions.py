"""The worst answers of a row, beside those of another one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tailor.assistant import Answer
from tailor.reporting.facts import Facts
from tailor.scoring import attribution, format, told
from tailor.scoring.diff import Piece, words
from tailor.scoring.retrieval import Span
from tailor.scoring.scored import Graded
from tailor.scoring.worst import Wrong, worst_scored


def questions(facts: Facts, found: attribution.Attribution, most: int) -> dict[str, Any]:
    """The lowest scores of the best row, each with both answers and what they were given."""
    best, rival = facts.best, facts.rival
    at = facts.runs.index(best)
    scored = facts.scored[at]
    wrong = worst_scored(scored, found, len(scored.questions))
    other = facts.scored[facts.runs.index(rival)] if rival else None
    others = other.read() if other else {}
    name = facts.name(best)
    say = facts.words
    diff = say["worst_diff"].format(base=facts.name(rival), row=name) if rival else ""
    shown = [
        _question(
            facts,
            item,
            scored.answers[item.question.id],
            others.get(item.question.id),
            other.answers.get(item.question.id) if other else None,
        )
        for item in wrong[:most]
    ]
    told = say["worst_note"].format(
        shown=format.count(len(shown), facts.lang),
        n=format.count(len(wrong), facts.lang),
        row=name,
        diff=diff,
    )
    return {
        "note": told if shown else say["all_right"].format(row=name),
        "base": facts.name(rival) if rival else "",
        "candidate": name,
        "items": shown,
    }


def _question(
    facts: Facts, item: Wrong, graded: Graded, other: Answer | None, other_graded: Graded | None
) -> dict[str, Any]:
    question, answer = item.question, item.answer
    spans = facts.workspace.spans.get(question.id, ())
    pieces = words(_text(other) if other else _text(answer), _text(answer))
    before = [piece for piece in pieces if piece.kind != "added"]
    after = [piece for piece in pieces if piece.kind != "removed"]
    return {
        "id": question.id,
        "question": question.question,
        "tags": ", ".join((question.lang, *question.tags)),
        "expected": " / ".join(question.answers) or facts.words["not_said"],
        "why": attribution.label(item.why, facts.lang),
        "advice": attribution.advice(item.why, facts.lang),
        "base": other and _side(facts, other, other_graded, spans, before),
        "candidate": _side(facts, answer, graded, spans, after),
    }


def _side(
    facts: Facts,
    answer: Answer,
    graded: Graded | None,
    spans: Sequence[Span],
    pieces: list[Piece],
) -> dict[str, Any]:
    say, lang = facts.words, facts.lang
    outcome = say[{"refused": "refused_long", "unparseable": "unparseable_long"}.get(
        answer.outcome, answer.outcome)]  # fmt: skip
    seen = len(answer.passages) - answer.dropped
    return {
        "outcome": outcome,
        "score": told.item(graded.scores if graded else {}, facts.workspace.target, lang),
        "pieces": pieces,
        "sources": [
            {
                "number": number,
                "source": passage.source,
                "evidence": any(
                    document == passage.document and start < passage.end and end > passage.start
                    for document, start, end in spans
                ),
                "dropped": number > seen,
            }
            for number, passage in enumerate(answer.passages, 1)
        ],
    }


def _text(answer: Answer) -> str:
    return answer.error or answer.text or "–"
