"""How an answer came about: the exact prompts, the passages, the raw replies, time and cost."""

from __future__ import annotations

import difflib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailor.assistant import Answer, Ask
from tailor.benchmark import Question
from tailor.differences import Difference, step_differences
from tailor.errors import TailorError, UsageError
from tailor.models.usage import usage

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.answers import Call
    from tailor.run import Run, Step
    from tailor.scoring.target import Target
    from tailor.workspace import Workspace


@dataclass(frozen=True)
class Message:
    """One message of a prompt."""

    role: str
    """``system``, ``human``, ``ai`` or ``tool``, as LangChain has them."""
    text: str


@dataclass(frozen=True)
class Exchange:
    """One call of a model: the exact prompt and the raw reply."""

    messages: tuple[Message, ...]
    reply: str
    """The text of the reply; where there is none, the tools it wants called, as JSON."""
    raw: Mapping[str, Any] | None = None
    """The whole reply as it was stored; None where the call is not in the store."""
    seconds: float = 0.0
    """The call took, when it was made."""
    input_tokens: int = 0
    output_tokens: int = 0

    @property
    def stored(self) -> bool:
        """From the stored call; otherwise put together again from the run's record."""
        return self.raw is not None

    def to_json(self) -> dict[str, Any]:
        """The fields, and whether it is from the store."""
        return {**asdict(self), "stored": self.stored}


@dataclass(frozen=True)
class Explained:
    """All that is known of how a row came to its answer."""

    row: str
    model: str
    builds_on: str | None
    changed: tuple[Difference, ...]
    """The settings in which the row differs from the one it builds on."""
    question: Question
    answer: Answer
    """As it was read from the last reply: outcome, text, passages, tokens, seconds, cost."""
    scores: Mapping[str, float | None]
    """By metric; empty where the answer is not scored."""
    target: Target
    """The task, with what scores are taken against."""
    exchanges: tuple[Exchange, ...]
    """Every model call behind the answer, in order; what was given where no call is stored."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor explain --json`` prints it."""
        return {
            "schema_version": 1,
            "row": self.row,
            "model": self.model,
            "builds_on": self.builds_on,
            "changed": [asdict(one) for one in self.changed],
            "question": asdict(self.question),
            "answer": asdict(self.answer),
            "scores": dict(self.scores),
            "exchanges": [one.to_json() for one in self.exchanges],
        }


def explain(run: Run, question: str, repeat: int = 0) -> Explained:
    """How the row answered a question, named by its id or its text; ``repeat`` counts from 0.

    Raises:
        UsageError: the benchmark has no such question.
        TailorError: it was not asked, or the answer store is damaged.
    """
    from tailor.scoring.cache import graded

    found = _question(run, question)
    answer = run.answers(found.split, repeat=repeat).get(found.id)
    if answer is None:
        raise TailorError(
            f"{run.row} has no answer to {found.id}: only dev and test questions are asked; run "
            f"the row with `tailor run {run.row}`."
        )
    known = graded(run, [found], repeat).get(found.id)
    made = exchanges(run.workspace, answer)
    if not made and not run.imported:
        made = (rebuilt(run, found, answer),)
    return Explained(
        row=run.row,
        model=run.model,
        builds_on=run.previous,
        changed=changed(run.lineage),
        question=found,
        answer=answer,
        scores=known.scores if known else {},
        target=run.workspace.target,
        exchanges=made,
    )


def changed(lineage: Sequence[Step]) -> tuple[Difference, ...]:
    """The settings in which the last step of a lineage differs from what it builds on."""
    found = step_differences(lineage[:-1], lineage)
    return tuple(one for one in found if one.name != "stage")


def exchanges(workspace: Workspace, answer: Answer) -> tuple[Exchange, ...]:
    """The stored calls behind an answer, in the order they were made.

    Raises:
        TailorError: the answer store is damaged.
    """
    keys = answer.calls or ((answer.call,) if answer.call else ())
    found = (workspace.answers.call(key) for key in keys)
    return tuple(_exchange(call) for call in found if call is not None)


def rebuilt(run: Run, question: Question, answer: Answer) -> Exchange:
    """The prompt as the run's assistant makes it, for an answer whose call is not stored.

    Raises:
        NotApplicable: the answers were imported: there was no prompt.
        TailorError: the assistant cannot be put together again.
    """
    prompt = run.assistant().prompt(Ask(question.question))
    return Exchange(_messages(prompt.messages()), answer.text)


def _question(run: Run, wanted: str) -> Question:
    questions = run.workspace.benchmark.questions
    for question in questions:
        if wanted in (question.id, question.question):
            return question
    near = difflib.get_close_matches(wanted, [q.id for q in questions], 1)
    listed = "`tailor compare --answers --format csv` lists the ids."
    hint = f"did you mean {near[0]!r}?" if near else listed
    raise UsageError(f"The benchmark has no question {wanted!r}; {hint}")


def _exchange(call: Call) -> Exchange:
    from langchain_core.messages import messages_from_dict

    sent, reply = messages_from_dict(call.request["messages"]), messages_from_dict([call.reply])[0]
    used = usage(sent, reply)
    return Exchange(
        messages=_messages(sent),
        reply=str(reply.text) or _wanted(reply),
        raw=call.reply,
        seconds=call.seconds,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
    )


def _wanted(reply: BaseMessage) -> str:
    wanted = [[one["name"], one["args"]] for one in getattr(reply, "tool_calls", ())]
    return json.dumps(wanted, ensure_ascii=False) if wanted else ""


def _messages(messages: list[BaseMessage]) -> tuple[Message, ...]:
    return tuple(Message(message.type, str(message.text)) for message in messages)
