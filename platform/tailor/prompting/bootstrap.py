"""Examples made by the model itself: train questions that it answered rightly (DSPy's idea)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import Answer, Assistant
from tailor.example import Example

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.workspace import Workspace


def bootstrapped(
    workspace: Workspace,
    assistant: Assistant,
    questions: Sequence[Question],
    examples: Sequence[Example],
) -> list[Example | None]:
    """Each question's example with what the model said; None where the model was wrong.

    The assistant answers without examples; with reasoning where its format asks for that. The
    calls are kept, and what came of them is an artifact.

    Raises:
        TailorError: more than half of the questions failed, or the provider refuses the calls.
    """
    from tailor.scoring.score import METRIC_VERSION
    from tailor.trial import answered

    plain = replace(assistant, examples=())

    def build(folder: Path) -> None:
        if workspace.progress:
            workspace.progress("bootstrap", 0, len(questions))
        answers = answered(plain, questions, "few_shot.bootstrap")
        found = [_said(workspace, plain, q, a) for q, a in zip(questions, answers, strict=True)]
        (folder / "examples.json").write_text(json.dumps(found), "utf-8")

    asked = [[q.id, q.question, q.answers] for q in questions]
    folder = workspace.artifact("bootstrap", [plain.fingerprint, asked, METRIC_VERSION], build)
    kept = json.loads((folder / "examples.json").read_text("utf-8"))
    return [
        None if said is None else replace(example, answer=said[0], reasoning=said[1])
        for example, said in zip(examples, kept, strict=True)
    ]


def _said(
    workspace: Workspace, assistant: Assistant, question: Question, answer: Answer | Exception
) -> tuple[str, str] | None:
    """The answer with the reasoning before it; None where it is not right."""
    from tailor.scoring.score import score

    if isinstance(answer, Exception):
        return None
    scores = score(question, answer, target=workspace.target)
    names = ("exact_match", "f1", "contains", "good", "accuracy")
    right = max(scores.get(name) or 0.0 for name in names)
    if right < 1:
        return None
    call = workspace.answers.call(answer.call) if answer.call else None
    if call is None:
        return answer.text, ""
    from langchain_core.messages import messages_from_dict

    reply = str(messages_from_dict([call.reply])[0].text)
    return answer.text, assistant.format.thought(reply)
