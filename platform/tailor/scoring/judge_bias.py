"""Whether a judge is swayed by what should not matter: the order of what it reads, and length.

Some answers are judged again with one thing changed. Whatever differs then is the judge's doing.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from tailor.scoring.groups import groups
from tailor.scoring.judge_prompts import BEST
from tailor.scoring.judging import Case, ask, cases
from tailor.scoring.statistics import Paired, paired

if TYPE_CHECKING:
    from tailor.benchmark import Split
    from tailor.models.structured import StructuredChat
    from tailor.run import Run
    from tailor.scoring.judge import Vote

Kind = Literal["position", "length"]

PADDING: Mapping[str, str] = {
    "en": "Thank you for your question. This is a point that many people ask about, and it is "
    "good that you want to be sure of it. {answer} I hope that this helps you; please do not "
    "hesitate to ask again if anything is unclear.",
    "vi": "Cảm ơn bạn đã đặt câu hỏi. Đây là điều nhiều người thắc mắc, và bạn muốn biết cho chắc "
    "là rất tốt. {answer} Hy vọng câu trả lời này có ích cho bạn; nếu còn điều gì chưa rõ, xin cứ "
    "hỏi thêm.",
}
"""Says nothing more, at greater length."""


@dataclass(frozen=True)
class Bias:
    """How correctness changed when only one thing did."""

    kind: Kind
    """``position``: the answer stood before the references; ``length``: it was padded."""
    difference: Paired | None
    """Changed minus plain, between -1 and 1; None where nothing was judged both ways."""
    changed: float | None
    """The share of answers whose correctness is not the same."""

    @property
    def found(self) -> bool:
        """Whether the interval of the difference leaves out 0."""
        return self.difference is not None and (self.difference.low > 0 or self.difference.high < 0)

    def to_json(self) -> dict[str, Any]:
        """As ``tailor judge --bias --json`` prints it."""
        told = asdict(self.difference) if self.difference else None
        return {
            "kind": self.kind,
            "n": self.difference.n if self.difference else 0,
            "delta": told and told["delta"],
            "ci95": told and [told["low"], told["high"]],
            "p": told and told["p"],
            "changed": self.changed,
            "found": self.found,
        }


def biases(
    chat: StructuredChat,
    runs: Sequence[Run],
    split: Split,
    n: int,
    seed: int = 0,
    told: Callable[[str, int, int], None] | None = None,
) -> list[Bias]:
    """Position and length bias on ``n`` of the answers, drawn by ``seed``: two more calls each."""
    every = cases(runs, split)
    drawn = random.Random(seed).sample(every, min(n, len(every)))
    padded = {case: _padded(case) for case in drawn}
    plain = [(case, 0, False) for case in drawn]
    votes = ask(
        chat,
        [*plain, *((case, 0, True) for case in drawn), *((p, 0, False) for p in padded.values())],
        told,
    )
    first = [votes[case, 0, False] for case in drawn]
    return [
        _bias("position", drawn, first, [votes[case, 0, True] for case in drawn]),
        _bias("length", drawn, first, [votes[padded[case], 0, False] for case in drawn]),
    ]


def _padded(case: Case) -> Case:
    question, answer = case
    text = PADDING["vi" if question.lang == "vi" else "en"].format(answer=answer.text)
    return question, replace(answer, text=text)


def _bias(
    kind: Kind, drawn: Sequence[Case], plain: Sequence[Vote], changed: Sequence[Vote]
) -> Bias:
    """Answers of several rows to one question belong together, as questions on one document do."""
    both = [
        (q, a.verdict.scores["correctness"] / BEST, b.verdict.scores["correctness"] / BEST)
        for (q, _), a, b in zip(drawn, plain, changed, strict=True)
        if a.verdict and b.verdict
    ]
    questions = {q.id: q for q, _, _ in both}
    of = dict(zip(questions, groups(list(questions.values())), strict=True))
    difference = paired(
        [a for _, a, _ in both], [b for _, _, b in both], [of[q.id] for q, _, _ in both]
    )
    return Bias(kind, difference, fmean(a != b for _, a, b in both) if both else None)
