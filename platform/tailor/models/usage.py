"""How many tokens a call took: as the provider reports them, else counted here."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

OVERHEAD = 4
"""Tokens that a chat template adds to each message, about."""


@dataclass(frozen=True)
class Usage:
    """Tokens of one call."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    """Of the input, those the provider had in its cache."""
    counted: bool = False
    """Counted here, with the tokenizer that comes with Tailor; the provider reported none."""


def usage(messages: Sequence[BaseMessage], reply: BaseMessage) -> Usage:
    """What a call took, from the reply's ``usage_metadata`` where it has one."""
    told = getattr(reply, "usage_metadata", None) or {}
    given, written = told.get("input_tokens") or 0, told.get("output_tokens") or 0
    if given or written:
        cached = (told.get("input_token_details") or {}).get("cache_read") or 0
        return Usage(given, written, min(cached, given))
    calls = getattr(reply, "tool_calls", None) or ()
    text = str(reply.text) + "".join(json.dumps(c["args"], ensure_ascii=False) for c in calls)
    return Usage(prompt_tokens(messages), text_tokens(text), counted=True)


def prompt_tokens(messages: Sequence[BaseMessage], model: str = "") -> int:
    """The tokens of a prompt, about: no provider's own tokenizer comes with Tailor."""
    texts = [str(message.text) for message in messages]
    return sum(text_tokens(text, model) + OVERHEAD for text in texts)


def text_tokens(text: str, model: str = "") -> int:
    """The tokens of a text by the model's own tokenizer where it lies on this machine."""
    return _counter(model)(text)


@cache
def _counter(model: str) -> Callable[[str], int]:
    from tokenizers import Tokenizer

    from tailor.models.provider import SHIPPED, is_local, local_path

    own = Path(local_path(model)) / "tokenizer.json" if is_local(model) else Path()
    file = own if own.is_file() else SHIPPED / "encoder" / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False).ids)
