"""Shows the model questions with the answers that are wanted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tailor.assistant import REFUSAL, Assistant, Example, digest
from tailor.benchmark import Question
from tailor.benchmarking.leakage import sift
from tailor.errors import NotApplicable
from tailor.settings import setting
from tailor.stage import Stage
from tailor.text import fold, words
from tailor.workspace import Workspace


@dataclass(frozen=True)
class FewShot(Stage):
    """Put train questions with their answers before the question."""

    shots: int = setting(4, "examples shown with every question", low=1)
    pick: Literal["nearest", "fixed"] = setting(
        "nearest", "nearest: those most like the question; fixed: the same for all"
    )

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """The same assistant with examples from the train questions, never from dev or test.

        A train question that gives one of those away is left out.
        """
        train = workspace.benchmark.split("train")
        pool = sift(workspace, "few_shot", train, "dev", "test")
        if len(pool) < self.shots:
            raise NotApplicable(
                f"few_shot shows {self.shots} examples but the benchmark has {len(pool)} train "
                f'questions{_less(train, pool)}: add questions with "split": "train", or set '
                "few_shot.shots lower."
            )
        nearest = Nearest(pool, self.shots)
        if self.pick == "nearest":
            return replace(assistant, examples=nearest)
        return replace(assistant, examples=nearest(""))


def _less(train: Sequence[Question], pool: Sequence[Question]) -> str:
    leaking = len(train) - len(pool)
    return f" that may be used ({leaking} give a dev or test question away)" if leaking else ""


class Nearest:
    """Picks the train questions that share most words with a question; the closest comes last."""

    def __init__(self, pool: Sequence[Question], shots: int) -> None:
        self.pool = pool
        self.shots = shots
        self.fingerprint = digest([shots, [[q.question, q.answers, q.lang] for q in pool]])
        self._words = [frozenset(words(fold(q.question))) for q in pool]

    def __call__(self, question: str) -> tuple[Example, ...]:
        """The examples for a question; the question itself is never among them."""
        asked = frozenset(words(fold(question)))
        order = sorted(
            (at for at, known in enumerate(self._words) if known != asked),
            key=lambda at: (-_overlap(asked, self._words[at]), at),
        )
        return tuple(_example(self.pool[at]) for at in reversed(order[: self.shots]))


def _overlap(a: frozenset[str], b: frozenset[str]) -> float:
    return len(a & b) / len(a | b) if a or b else 0.0


def _example(question: Question) -> Example:
    refusal = REFUSAL["vi" if question.lang == "vi" else "en"]
    return Example(question.question, question.answers[0] if question.answerable else refusal)
