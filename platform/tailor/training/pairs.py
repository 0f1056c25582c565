"""Training pairs: what a model is given, and the reply it is to learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

Shape = Literal["as_asked", "closed_book", "gold", "retrieved", "refusal", "house_format"]
"""What a lesson's prompt holds; see `tailor.training.lessons_shapes`."""
Message = tuple[str, str]
"""(role, content)."""


@dataclass(frozen=True)
class Pair:
    """One lesson: the messages before the reply, in OpenAI's form, and the reply."""

    prompt: tuple[Message, ...]
    """In order."""
    completion: str
    source: str = ""
    """The id of the question it is made of."""
    shape: Shape = "as_asked"


@dataclass(frozen=True)
class PreferencePair:
    """One lesson in preferring: a prompt with the better and the worse of two replies."""

    prompt: tuple[Message, ...]
    chosen: str
    rejected: str
    source: str = ""
    """The question that was asked."""


def conversational(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """TRL's conversational prompt/completion rows, of which only the completion is learnt."""
    return [
        {"prompt": messages(pair.prompt), "completion": messages([("assistant", pair.completion)])}
        for pair in pairs
    ]


def preferential(pairs: Sequence[PreferencePair]) -> list[dict[str, Any]]:
    """TRL's conversational prompt/chosen/rejected rows, as its DPO trainer takes them."""
    return [
        {
            "prompt": messages(pair.prompt),
            "chosen": messages([("assistant", pair.chosen)]),
            "rejected": messages([("assistant", pair.rejected)]),
        }
        for pair in pairs
    ]


def messages(of: Sequence[Message]) -> list[dict[str, str]]:
    """Messages as dictionaries."""
    return [{"role": role, "content": content} for role, content in of]
