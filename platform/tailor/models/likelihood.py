"""How likely a local model holds given replies to be."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.models.chat_template import rendered

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.models.local import LocalChat

_IGNORED = -100


@dataclass(frozen=True)
class Loss:
    """What one reply costs a model."""

    nats: float
    """The negative log-likelihood of its tokens, summed."""
    tokens: int


def losses(
    local: LocalChat,
    prompts: Sequence[Sequence[BaseMessage]],
    replies: Sequence[str],
    batch: int = 8,
) -> list[Loss | None]:
    """For each prompt the loss of its reply; None where both do not fit, or it has no token.

    Only the reply's tokens count, each given the prompt and the tokens before it.

    Raises:
        TailorError: the model cannot be loaded.
    """
    tokenizer, model = local.load()
    limit = getattr(model.config, "max_position_embeddings", None)
    encoded = [_encoded(tokenizer, p, r) for p, r in zip(prompts, replies, strict=True)]
    fitting = [
        i
        for i, (prompt, reply) in enumerate(encoded)
        if prompt and reply and (limit is None or len(prompt) + len(reply) <= int(limit))
    ]
    # Texts of like length stand together, so that little is padded.
    fitting.sort(key=lambda i: len(encoded[i][0]) + len(encoded[i][1]))
    found: list[Loss | None] = [None] * len(encoded)
    for start in range(0, len(fitting), batch):
        some = fitting[start : start + batch]
        nats = _nats(model, tokenizer.pad_token_id, [encoded[i] for i in some])
        for i, value in zip(some, nats, strict=True):
            found[i] = Loss(value, len(encoded[i][1]))
    return found


def _encoded(
    tokenizer: Any, prompt: Sequence[BaseMessage], reply: str
) -> tuple[list[int], list[int]]:
    """Tokens of the prompt and of the reply, parted as when the model writes the reply itself."""
    from langchain_core.messages import convert_to_openai_messages

    messages = convert_to_openai_messages(list(prompt))
    before = rendered(tokenizer, messages, reply=True)
    whole = rendered(tokenizer, [*messages, {"role": "assistant", "content": reply}], reply=False)
    # Some templates part the reply from the prompt by a space, which the model writes itself.
    space = whole.removeprefix(before).split(reply, 1)[0] if reply else ""
    reply = reply if space.strip() else space + reply
    one, two = (tokenizer(t, add_special_tokens=False)["input_ids"] for t in (before, reply))
    return one, two


def _nats(model: Any, pad: int, pairs: Sequence[tuple[list[int], list[int]]]) -> list[float]:
    import torch
    from torch.nn.functional import cross_entropy

    width = max(len(prompt) + len(reply) for prompt, reply in pairs)
    ids = torch.full((len(pairs), width), pad)
    mask = torch.zeros_like(ids)
    labels = torch.full_like(ids, _IGNORED)
    for row, (prompt, reply) in enumerate(pairs):
        whole = len(prompt) + len(reply)
        ids[row, :whole] = torch.tensor([*prompt, *reply])
        mask[row, :whole] = 1
        labels[row, len(prompt) : whole] = torch.tensor(reply)
    # A vocabulary is large: scores of the prompt's tokens are left out where the model can.
    kept = width - min(len(prompt) for prompt, _ in pairs) + 1
    some = "logits_to_keep" in inspect.signature(model.forward).parameters
    with torch.inference_mode():
        logits = model(
            input_ids=ids.to(model.device),
            attention_mask=mask.to(model.device),
            **({"logits_to_keep": kept} if some else {}),
        ).logits[:, -kept:-1]
        targets = labels[:, 1:][:, -(kept - 1) :].to(logits.device)
        each = cross_entropy(
            logits.float().transpose(1, 2), targets, ignore_index=_IGNORED, reduction="none"
        )
    totals: list[float] = each.sum(dim=1).tolist()
    return totals
