"""What judging would send and cost; nothing has been sent yet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tailor.models.usage import Usage, prompt_tokens, usage
from tailor.scoring import judge_prompts
from tailor.scoring.judging import cases, judge_chat, named

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.answers import Call
    from tailor.benchmark import Split
    from tailor.run import Run
    from tailor.workspace import Workspace

PER_SCALE = 40
"""Tokens of a score with its reason, where no verdict of this judge is stored yet."""


@dataclass(frozen=True)
class Sending:
    """What judging would send; nothing has been sent yet."""

    model: str
    to: str
    """The host or provider; empty when nothing leaves the machine."""
    answers: int
    """Different answers to judge; those that need no judge are left out."""
    calls: int
    """To be made; a reply that is no verdict costs one more."""
    stored: int
    """Made before, and kept."""
    characters: int
    """Of the messages to be sent."""
    input_tokens: int
    """Of these messages, counted with the tokenizer that comes with Tailor."""
    output_tokens: int
    """Of the verdicts, by the length of those stored, else by a rule."""
    cost_usd: float | None
    """Of both; None where the judge's price is not known."""
    same_model: tuple[str, ...]
    """Rows answered by the judge's own model, whose answers it may favour."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor judge --dry-run --json`` prints it."""
        return {**self.__dict__, "same_model": list(self.same_model)}


def sending(
    workspace: Workspace, runs: Sequence[Run], split: Split, repeats: int, model: str | None = None
) -> Sending:
    """What :func:`tailor.scoring.judging.judge` would send.

    Raises:
        UsageError: no judge is named.
    """
    from tailor.models.provider import receiver

    name = named(workspace, model)
    chat = judge_chat(workspace, name)
    distinct = cases(runs, split)
    calls = characters = tokens = scales = 0
    lengths: list[int] = []
    for question, answer in distinct:
        messages = judge_prompts.messages(question, answer)
        asked = judge_prompts.scales(answer)
        stored = [chat.stored(messages, judge_prompts.schema(asked), r) for r in range(repeats)]
        lengths += [_written(messages, call) for call in stored if call is not None]
        missing = stored.count(None)
        calls += missing
        scales += missing * len(asked)
        characters += missing * sum(len(str(message.text)) for message in messages)
        tokens += missing * prompt_tokens(messages, name) if missing else 0
    written = round(calls * fmean(lengths)) if lengths else PER_SCALE * scales
    return Sending(
        model=name,
        to=receiver(name, workspace.config),
        answers=len(distinct),
        calls=calls,
        stored=len(distinct) * repeats - calls,
        characters=characters,
        input_tokens=tokens,
        output_tokens=written,
        cost_usd=chat.chat.cost(Usage(tokens, written)),
        same_model=tuple(run.row for run in runs if run.model == name and not run.imported),
    )


def _written(messages: Sequence[BaseMessage], call: Call) -> int:
    from langchain_core.messages import messages_from_dict

    return usage(messages, messages_from_dict([call.reply])[0]).output_tokens
