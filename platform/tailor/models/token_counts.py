"""How many tokens an embedder makes of a word."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings
    from tokenizers import Tokenizer

Count = Callable[[list[str]], list[int]]
"""Words to their numbers of tokens."""


def token_count(embeddings: Embeddings) -> Count:
    """The embedder's own count where it has ``count_tokens``, else that of the shipped encoder.

    Hosted embedders have no tokenizer here. Theirs make about as many tokens of a text, or some
    more, and read several thousand at once, so their passages are cut like the shipped encoder's.
    """
    own: Count | None = getattr(embeddings, "count_tokens", None)
    return own or _shipped_count


def count_with(tokenizer: Tokenizer, words: list[str]) -> list[int]:
    """Numbers of tokens, special ones and padding left out."""
    encodings = tokenizer.encode_batch_fast(words, add_special_tokens=False)
    return [sum(encoding.attention_mask) for encoding in encodings]


def _shipped_count(words: list[str]) -> list[int]:
    from tokenizers import Tokenizer

    from tailor.models.provider import SHIPPED

    file = SHIPPED / "encoder" / "tokenizer.json"
    return count_with(Tokenizer.from_file(str(file)), words)
