"""Lessons as tokens: of a row of messages, only the reply is learnt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tailor.errors import TailorError, first_line

Row = Mapping[str, Any]
"""``prompt`` with ``completion``, or with ``chosen`` and ``rejected``: lists of messages."""
IGNORED = -100
"""Label of a token that is not learnt."""
PACKED = 2048
"""Tokens of a row of packed lessons: as many as a model reads would take too much memory."""


def tokenizer_of(base: str) -> Any:
    """The tokenizer of a model, with our chat template where it has none.

    Raises:
        TailorError: there is none that can be used.
    """
    from tailor.models import loading
    from tailor.models.chat_template import templated

    tokenizer = loading.tokenizer(base)
    if tokenizer.eos_token_id is None:
        raise TailorError(
            f"The tokenizer of {base} has no end-of-text token, so that a tuned model would never "
            "stop: set eos_token in its tokenizer_config.json."
        )
    templated(tokenizer)
    tokenizer.padding_side = "right"
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    check_template(tokenizer, base)
    return tokenizer


def check_template(tokenizer: Any, base: str) -> None:
    """Refuse a chat template from which the reply cannot be told apart.

    Raises:
        TailorError: it leaves out a role, or writes the prompt otherwise when a reply follows.
    """
    asked = [{"role": "user", "content": "Zebra?"}]
    told = [*asked, {"role": "assistant", "content": "Okapi."}]
    try:
        before = _rendered(tokenizer, asked, True)
        whole = _rendered(tokenizer, told, False)
    except Exception as error:  # a template can raise what it likes
        reason = first_line(error)
    else:
        if "Zebra?" not in before or "Okapi." not in whole[whole.find("Zebra?") :]:
            reason = "it does not write the messages of user and assistant"
        elif not whole.startswith(before.rstrip()):
            reason = "it writes the prompt otherwise when a reply follows"
        else:
            return
    raise TailorError(
        f"The chat template of {base} cannot be trained with ({reason}): mend chat_template in "
        "its tokenizer_config.json, or take it out to use Tailor's own."
    )


def encoded(tokenizer: Any, row: Row) -> dict[str, list[int]]:
    """``input_ids`` and ``labels`` of a lesson: the reply and its end token are learnt."""
    prompt = _ids(tokenizer, row["prompt"], True)
    whole = _ids(tokenizer, [*row["prompt"], *row["completion"]], False)
    start = _shared(prompt, whole)
    ends = [at for at in range(start, len(whole)) if whole[at] == tokenizer.eos_token_id]
    # What a template writes after the end token, such as a newline, is never to be generated.
    whole = whole[: ends[-1] + 1] if ends else [*whole, tokenizer.eos_token_id]
    return {"input_ids": whole, "labels": [IGNORED] * start + whole[start:]}


def length(tokenizer: Any, row: Row) -> int:
    """Tokens that a lesson takes when it is computed; of a preference both replies."""
    if "completion" in row:
        return len(encoded(tokenizer, row)["input_ids"])
    return sum(len(_ids(tokenizer, [*row["prompt"], *row[side]], False)) for side in _SIDES)


_SIDES = ("chosen", "rejected")


def longest(tokenizer: Any, row: Row) -> int:
    """Tokens of the longest sequence that a lesson is."""
    if "completion" in row:
        return len(encoded(tokenizer, row)["input_ids"])
    return max(len(_ids(tokenizer, [*row["prompt"], *row[side]], False)) for side in _SIDES)


def fitting(tokenizer: Any, rows: Sequence[Row], most: int) -> list[Row]:
    """The rows of at most so many tokens: cut ones would lose the end of their reply."""
    return [row for row in rows if longest(tokenizer, row) <= most]


def context(config: Any, settings_most: int | None) -> int:
    """Tokens of the longest lesson: ``max_length``, or what the model reads."""
    limit = getattr(config.get_text_config(), "max_position_embeddings", None)
    limits = [most for most in (settings_most, limit) if most]
    return min(limits, default=2**20)


def row_length(most: int, wanted: int | None, longest: int) -> int:
    """Tokens of a row that lessons are packed into: ``wanted``, or ``PACKED``; none is cut."""
    return min(most, wanted or max(PACKED, longest))


def _rendered(tokenizer: Any, messages: Sequence[Mapping[str, str]], ask: bool) -> str:
    text: str = tokenizer.apply_chat_template(
        list(messages), tokenize=False, add_generation_prompt=ask
    )
    return text


def _ids(tokenizer: Any, messages: Sequence[Mapping[str, str]], ask: bool) -> list[int]:
    text = _rendered(tokenizer, messages, ask)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
