"""Llama's forward pass over the tokens of several rows at once, none of them filled up.

What a row has read stays in memory as keys and values, so that each token is read once, and what
two rows begin with alike is read once for both. The result is that of transformers' own pass;
this one copies less, and of the last layer works out what the next token needs and no more.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.models.packed_attention import Attention, Span

if TYPE_CHECKING:
    from torch import Tensor

_HARMLESS = frozenset({
    "bos_token_id", "eos_token_id", "pad_token_id", "do_sample", "temperature", "top_p", "top_k",
    "min_p", "typical_p", "max_length", "max_new_tokens", "use_cache", "output_attentions",
    "output_hidden_states", "transformers_version", "_from_model_config", "trust_remote_code",
})  # fmt: skip
"""Settings of ``generate`` under which a greedy reply is the most likely token, time and again."""
_ROPES = frozenset({"default", "linear", "llama3"})
"""Ways to turn positions that do not depend on a prompt's length."""
_STEP = 128
"""Tokens; memory for keys and values is taken in multiples of it."""
_BLOCK = 384
"""Tokens that go through the layers together: fewer cost more calls, more new memory each time."""


def is_packable(model: Any) -> bool:
    """Whether this is a Llama in plain numbers on a processor, whose greedy replies are plain."""
    import torch
    from transformers import LlamaForCausalLM

    if type(model) is not LlamaForCausalLM or model.device.type != "cpu":
        return False
    linear = [m for n, m in model.named_modules() if n.endswith(("_proj", "lm_head"))]
    rope = getattr(model.model.rotary_emb, "rope_type", "")
    return (
        all(type(module) is torch.nn.Linear for module in linear)
        and rope in _ROPES
        and set(model.generation_config.to_diff_dict()) <= _HARMLESS
    )


class Packed:
    """A Llama with memory for what several rows have read.

    Args:
        model: for which :func:`is_packable` holds.
        rows: how many, at most.
        most: bytes of keys and values, at most; a single row is given what it needs.
    """

    def __init__(self, model: Any, rows: int, most: int) -> None:
        self.model = model
        self.rows = self._rows = rows
        self._most = most
        config = model.config
        self._heads, self._shared = config.num_attention_heads, config.num_key_value_heads
        self._width = model.model.layers[0].self_attn.head_dim
        self._keys: list[Tensor] = []
        self._values: list[Tensor] = []
        self.room = 0
        self.held: list[list[int]] = [[] for _ in range(rows)]
        """By row, the tokens that were read."""

    def reserve(self, tokens: int) -> None:
        """Make room for rows of so many tokens; where it grows, what was read is forgotten."""
        import torch

        if tokens <= self.room:
            return
        self.room = math.ceil(tokens / _STEP) * _STEP
        weight = self.model.lm_head.weight
        size = 2 * len(self.model.model.layers) * self._shared * self._width * weight.element_size()
        self.rows = max(1, min(self._rows, self._most // (size * self.room)))
        shape = (self.rows, self.room, self._shared, self._width)
        self._keys, self._values = [], []
        for _ in self.model.model.layers:
            # Not empty: nothing is seen of what is not yet read, but 0 times infinity is no number.
            self._keys.append(torch.zeros(shape, dtype=weight.dtype))
            self._values.append(torch.zeros(shape, dtype=weight.dtype))
        cos, sin = self.model.model.rotary_emb(weight[:1], torch.arange(self.room)[None])
        sin[..., : self._width // 2] *= -1
        self._cos, self._sin = cos[0, :, None], sin[0, :, None]
        self.held = [[] for _ in range(self.rows)]

    def copy(self, source: int, row: int, tokens: int) -> None:
        """Have a row begin with the first tokens that another row has read."""
        if source != row:
            for memory in (*self._keys, *self._values):
                memory[row, :tokens] = memory[source, :tokens]
        self.held[row] = self.held[source][:tokens]

    def read(
        self, rows: Sequence[int], tokens: Sequence[Sequence[int]], asked: Sequence[int] = ()
    ) -> Tensor:
        """Read new tokens behind what these rows hold.

        Args:
            rows: each once.
            tokens: for each row, one at least.
            asked: for each row, behind how many of its last tokens the next one is asked for; by
                default behind the last.

        Returns:
            The logits of what is asked for, row by row, shape (sum of ``asked``, vocabulary).
        """
        import torch

        llama = self.model.model
        with torch.inference_mode():
            blocks = list(self._blocks(rows, tokens, asked or [1] * len(rows)))
            x = torch.cat([self._through(block) for block in blocks])
            logits: Tensor = self.model.lm_head(_normed(llama.norm, x))
        for row, own in zip(rows, tokens, strict=True):
            self.held[row].extend(own)
        return logits

    def _blocks(
        self, rows: Sequence[int], tokens: Sequence[Sequence[int]], asked: Sequence[int]
    ) -> Iterator[list[_Part]]:
        """The tokens in their order, ``_BLOCK`` at a time."""
        block: list[_Part] = []
        free = _BLOCK
        for row, own, last in zip(rows, tokens, asked, strict=True):
            begin = 0
            while begin < len(own):
                end = min(begin + free, len(own))
                span = Span(row, len(self.held[row]) + begin, end - begin)
                wanted = max(0, end - max(begin, len(own) - last))
                block.append(_Part(span, own[begin:end], wanted))
                begin, free = end, free - span.count
                if not free:
                    yield block
                    block, free = [], _BLOCK
        if block:
            yield block

    def _through(self, parts: Sequence[_Part]) -> Tensor:
        """What the last layer makes of the tokens behind which the next one is asked for."""
        import torch

        llama, grouped = self.model.model, self._heads != self._shared
        dtype = llama.embed_tokens.weight.dtype
        every = Attention([part.span for part in parts], grouped, dtype)
        turn = self._cos[every.places], self._sin[every.places]
        x: Tensor = llama.embed_tokens(torch.tensor([t for part in parts for t in part.tokens]))
        for at in range(len(llama.layers) - 1):
            x = self._layer(at, x, turn, every, every)
        last = [Span(p.span.row, p.span.end - p.asked, p.asked) for p in parts if p.asked]
        some = Attention(last, grouped, dtype) if last else None
        chosen = [n >= len(p.tokens) - p.asked for p in parts for n in range(len(p.tokens))]
        return self._layer(len(llama.layers) - 1, x, turn, every, some, torch.tensor(chosen))

    def _layer(
        self,
        at: int,
        x: Tensor,
        turn: tuple[Tensor, Tensor],
        every: Attention,
        asking: Attention | None,
        chosen: Tensor | None = None,
    ) -> Tensor:
        """What a layer makes of the tokens, or of those chosen alone."""
        layer = self.model.model.layers[at]
        attention, mlp = layer.self_attn, layer.mlp
        cos, sin = turn
        h = _normed(layer.input_layernorm, x)
        key = _turned(attention.k_proj(h).view(len(h), self._shared, -1), cos, sin)
        self._keys[at][every.rows, every.places] = key
        value = attention.v_proj(h).view(len(h), self._shared, -1)
        self._values[at][every.rows, every.places] = value
        if chosen is not None:
            x, h, cos, sin = x[chosen], h[chosen], cos[chosen], sin[chosen]
        if asking is None:
            return x
        query = _turned(attention.q_proj(h).view(len(h), self._heads, -1), cos, sin)
        seen = asking(query, self._keys[at], self._values[at])
        x = x + attention.o_proj(seen.reshape(len(x), -1))
        h = _normed(layer.post_attention_layernorm, x)
        out: Tensor = mlp.down_proj(mlp.act_fn(mlp.gate_proj(h)).mul_(mlp.up_proj(h))).add_(x)
        return out

    def forget(self, row: int, tokens: int) -> None:
        """Take the last tokens of a row for not read."""
        del self.held[row][len(self.held[row]) - tokens :]


@dataclass(frozen=True)
class _Part:
    """New tokens of a row, and behind how many of the last the next one is asked for."""

    span: Span
    tokens: Sequence[int]
    asked: int


def _normed(norm: Any, x: Tensor) -> Tensor:
    """As ``norm`` does it, in fewer steps."""
    from torch.nn.functional import rms_norm

    return rms_norm(x, x.shape[-1:], norm.weight, norm.variance_epsilon)


def _turned(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Turned by the position: rotary embedding (Su et al. 2021, arXiv:2104.09864).

    The first half of ``sin`` is that of the turn backwards.
    """
    return (x * cos).addcmul_(x.roll(x.shape[-1] // 2, -1), sin)
