"""Two rows side by side, question by question."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tailor.scoring import told
from tailor.scoring.target import Target

if TYPE_CHECKING:
    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.scoring.scored import Scored


@dataclass(frozen=True)
class SideBySide:
    """One question with the answers of two rows; None where a row was not asked it."""

    question: Question
    base: Answer | None
    """The first one, where the question was asked several times."""
    candidate: Answer | None
    base_score: float | None
    """The mean, where the question was asked several times."""
    candidate_score: float | None
    base_error: float | None = None
    """By how much its number is off, where numbers are asked for; the mean, too."""
    candidate_error: float | None = None
    target: Target = field(default_factory=Target)

    def told(self, of: Literal["base", "candidate"], lang: str) -> str:
        """A side's score as people read it: a share, or by how much a number is off."""
        base = of == "base"
        score = self.base_score if base else self.candidate_score
        error = self.base_error if base else self.candidate_error
        return told.item({self.target.primary: score, "absolute_error": error}, self.target, lang)

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


def pair(base: Scored, candidate: Scored) -> tuple[SideBySide, ...]:
    """Two rows side by side, over all questions either was to be asked, in file order."""
    left, right = base.values(), candidate.values()
    former, latter = base.read(), candidate.read()
    off, away = base.values("absolute_error"), candidate.values("absolute_error")
    questions = {q.id: q for q in (*base.questions, *candidate.questions)}
    return tuple(
        SideBySide(
            q, former.get(id), latter.get(id), left.get(id), right.get(id), off.get(id),
            away.get(id), candidate.target,
        )
        for id, q in questions.items()
    )  # fmt: skip


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
