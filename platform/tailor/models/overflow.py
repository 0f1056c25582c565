"""Prompts that are too long for a model's context: known by the error, and made shorter."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from tailor.models.usage import prompt_tokens

if TYPE_CHECKING:
    from tailor.assistant import Prompt
    from tailor.documents.passages import Passage

_TOLD = re.compile(
    r"context_length|context[ _]window|context[ _](?:length|size)|contextoverflow"
    r"|prompt is too long|(?:prompt|input|request) (?:is )?too (?:long|large)|too many tokens"
    r"|input is too long|maximum number of (?:input )?tokens|reduce the length of"
    r"|token count \(?\d+\)? exceeds|exceed_context",
    re.IGNORECASE,
)
"""What OpenAI, Anthropic, Google, Bedrock, Groq, Mistral, vLLM and llama.cpp say of it."""

_LIMIT = re.compile(
    r"(?:max(?:imum)?|context (?:length|size|window)|limit)\D{0,40}?(\d[\d,]{2,})", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.,-])\d[\d,]{2,}(?!\w)")
_STATUS = re.compile(r"error code: \d+", re.IGNORECASE)
_MARGIN = 0.97
"""Of the room that is there, as tokens are counted a little differently here."""


def is_overflow(error: BaseException, status: int | None) -> bool:
    """Whether a provider refused a prompt because it is too long for the model."""
    if status not in (400, 413, 422, 429, 500, None):
        return False
    if "contextoverflow" in type(error).__name__.lower():
        return True
    told = f"{error} {getattr(error, 'code', '')} {getattr(error, 'body', '')}"
    if status == 429:  # of one prompt that no minute has room for; "too many tokens" passes
        return "request too large" in told.lower()
    # Without a status, only an error of a provider can mean this, not one of Python.
    return bool(_TOLD.search(told)) and (status is not None or hasattr(error, "body"))


def shortened(prompt: Prompt, error: BaseException, model: str = "") -> Prompt | None:
    """The prompt without as many of its least relevant passages as the error asks for.

    By the numbers in the error's message; without them, half of the passages' tokens. None where
    no passage is left to drop.
    """
    if not prompt.passages:
        return None
    whole = prompt_tokens(prompt.messages(), model)
    bare = prompt_tokens(replace(prompt, passages=()).messages(), model)
    share = _share(str(error))
    room = (whole + bare) / 2 if share is None else whole * share * _MARGIN
    for dropped in range(1, len(prompt.passages)):
        kept = replace(prompt, passages=parted(prompt.passages, dropped)[0])
        if prompt_tokens(kept.messages(), model) <= room:
            return kept
    return replace(prompt, passages=())


def parted(
    passages: Sequence[Passage], dropped: int
) -> tuple[tuple[Passage, ...], tuple[Passage, ...]]:
    """The passages that stay, in their order, and so many of the least relevant, which go.

    By their scores, the later of two equal ones first; by their places where a score is missing.
    """
    places = list(range(len(passages)))
    scores = [passage.score for passage in passages]
    known = [score for score in scores if score is not None]
    if len(known) == len(scores):
        places.sort(key=lambda place: -known[place])
    stay = len(passages) - dropped
    kept = tuple(passages[place] for place in sorted(places[:stay]))
    return kept, tuple(passages[place] for place in places[stay:])


def _share(message: str) -> float | None:
    """How much of the prompt fits, by a message that names the limit and what was sent."""
    message = _STATUS.sub("", message)
    numbers = [int(text.replace(",", "")) for text in _NUMBER.findall(message)]
    named = _LIMIT.search(message)
    if len(numbers) < 2:
        return None
    limit = int(named[1].replace(",", "")) if named else min(numbers)
    sent = max(numbers)
    return limit / sent if sent > limit else None
