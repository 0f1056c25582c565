"""Questions that a model answers without any document."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from tailor.asking import asking
from tailor.assistant import Answer, Ask
from tailor.benchmark import Line
from tailor.benchmarking.finding import Finding
from tailor.errors import TailorError
from tailor.scoring.score import score

if TYPE_CHECKING:
    from tailor.workspace import Workspace

RIGHT = 0.8
"""The score from which on an answer counts as right."""


def answered_blind(
    workspace: Workspace,
    lines: Sequence[Line],
    model: str | None = None,
    progress: Callable[[str, int, int], None] | None = None,
) -> Iterator[Finding]:
    """The answerable questions that the plain model gets right, asked without passages.

    Answers are kept: a second check asks only what is new.

    Raises:
        TailorError: a call fails.
    """
    from tailor.models.chat import HALT
    from tailor.models.retry import error_text

    model = model or workspace.config.model
    assistant = workspace.root_assistant(model)
    chain, fingerprint = assistant.chain(), assistant.fingerprint
    known, target = workspace.answers.answers(fingerprint), workspace.target
    todo = [line for line in lines if line.question.answerable]
    workers = getattr(assistant.model, "concurrency", workspace.config.concurrency)

    def ask(line: Line, halt: threading.Event) -> Answer:
        asked = Ask(line.question.question)
        former = known.get(asked.key)
        if former is not None and former.outcome != "error":
            return former
        try:
            answer = chain.invoke(asked, {"configurable": {HALT: halt}})
        except TailorError:
            raise
        except Exception as error:  # each provider raises its own
            raise TailorError(
                f"{model} did not answer {line.question.id} ({error_text(error)}): run the same "
                "command again; what was answered is kept."
            ) from None
        workspace.answers.keep_answer(fingerprint, asked.key, answer)
        return answer

    right: list[Line] = []
    with asking(ask, todo, workers) as answered:
        for done, (line, answer) in enumerate(answered, 1):
            scores = score(line.question, answer, target=target)
            if (scores[target.primary] or 0.0) >= RIGHT:
                right.append(line)
            if progress:
                progress("asked without documents", done, len(todo))
    for line in sorted(right, key=lambda line: line.number):
        yield Finding("answered_blind", line.number, line.question.id, {"model": model})
