"""The worst answers of a row, each with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.assistant import Answer
from tailor.benchmark import Question, Split
from tailor.scoring.attribution import NEXT, Attribution, Why, attribute

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.scoring.scored import Scored


@dataclass(frozen=True)
class Wrong:
    """A wrong answer and why it is wrong."""

    question: Question
    answer: Answer
    score: float | None
    """The primary score; None for an error."""
    why: Why

    def to_json(self) -> dict[str, Any]:
        """The question, what was wanted, what came, and the reason."""
        return {
            "id": self.question.id,
            "question": self.question.question,
            "accepted": list(self.question.answers),
            "lang": self.question.lang,
            "tags": list(self.question.tags),
            "outcome": self.answer.outcome,
            "text": self.answer.text,
            "score": self.score,
            "why": self.why,
            "next": list(NEXT[self.why]),
        }


def worst(run: Run, n: int = 20, split: Split = "test") -> tuple[Wrong, ...]:
    """The ``n`` worst wrong answers of a run, with the reason; see :func:`worst_scored`."""
    return worst_scored(run.scored(split), attribute(run, split), n)


def worst_scored(scored: Scored, found: Attribution, n: int = 20) -> tuple[Wrong, ...]:
    """The ``n`` worst wrong answers: the lowest score first, equal ones in file order.

    Errors have no score and come last.
    """
    answers = scored.read()
    wrong = [
        Wrong(q, answers[q.id], scored.answers[q.id].scores.get(scored.target.primary), reason)
        for q in scored.questions
        if (reason := found.by_question.get(q.id, "right")) != "right"
    ]
    wrong.sort(key=lambda item: 2.0 if item.score is None else item.score)  # stable
    return tuple(wrong[:n])
