"""Assistants tried on questions: their scores, and the simplest of those in a tie with the best."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.asking import asking
from tailor.assistant import Answer, Ask, Assistant
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.scoring.target import Target

TIE = 0.01
"""Mean scores further apart than this are no tie, however few the questions are."""


@dataclass(frozen=True)
class Trial:
    """How an assistant did on some questions, in their order."""

    scores: tuple[float | None, ...]
    """By the primary metric; None where a question was not answered for an error."""
    tokens: float
    """Of a prompt and its replies, the mean."""

    @property
    def mean(self) -> float:
        """Of the scores; 0 without any."""
        known = [score for score in self.scores if score is not None]
        return sum(known) / len(known) if known else 0.0


def try_on(assistant: Assistant, questions: Sequence[Question], what: str, target: Target) -> Trial:
    """Ask the questions and score the answers against the target; the model's calls are kept.

    Raises:
        TailorError: more than half of the questions failed, or the provider refuses the calls.
    """
    from tailor.scoring.score import score

    answers = answered(assistant, questions, what)
    known = [answer for answer in answers if isinstance(answer, Answer)]
    tokens = sum(answer.input_tokens + answer.output_tokens for answer in known)
    scores = (
        score(question, answer, target=target)[target.primary]
        if isinstance(answer, Answer)
        else None
        for question, answer in zip(questions, answers, strict=True)
    )
    return Trial(tuple(scores), tokens / max(1, len(known)))


def answered(
    assistant: Assistant, questions: Sequence[Question], what: str
) -> list[Answer | Exception]:
    """The answers in the questions' order; what went wrong with one stands in its place.

    Raises:
        TailorError: more than half of the questions failed, or the provider refuses the calls.
    """
    from tailor.models.chat import HALT
    from tailor.models.retry import error_kind, error_text

    chain = assistant.chain()

    def ask(at: int, halt: threading.Event) -> Answer | Exception:
        try:
            return chain.invoke(Ask(questions[at].question), {"configurable": {HALT: halt}})
        except TailorError:
            raise
        except Exception as error:  # each provider raises its own; an answer may have failed
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(f"The provider refuses the calls: {error_text(error)}") from None
            return error

    workers = getattr(assistant.model, "concurrency", 8)
    with asking(ask, range(len(questions)), workers) as done:
        found = dict(done)
    failed = [one for _, one in sorted(found.items()) if isinstance(one, Exception)]
    if len(failed) > len(questions) / 2:
        raise TailorError(
            f"{what} could not be tried: {len(failed)} of {len(questions)} questions failed "
            f"({error_text(failed[0])}); run it again later."
        )
    return [found[at] for at in range(len(questions))]


def simplest(trials: Sequence[Trial]) -> int:
    """Which of the trials to keep; the first one is what there is without choosing.

    Of those in a tie with the best, that of the fewest tokens: within one standard error of the
    paired difference (Breiman et al. 1984), and within one point. Never one that is worse on
    average than the first.
    """
    best = max(trials, key=lambda trial: trial.mean)
    close = [
        at
        for at, trial in enumerate(trials)
        if best.mean - trial.mean <= min(TIE, _error(best, trial)) + 1e-12
    ]
    chosen = min(close, key=lambda at: (trials[at].tokens, -trials[at].mean, at))
    return chosen if trials[chosen].mean >= trials[0].mean else 0


def _error(one: Trial, other: Trial) -> float:
    """The standard error of the mean paired difference."""
    pairs = zip(one.scores, other.scores, strict=True)
    gains = [a - b for a, b in pairs if a is not None and b is not None]
    if len(gains) < 2:
        return 0.0
    mean = sum(gains) / len(gains)
    return math.sqrt(sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1) / len(gains))
