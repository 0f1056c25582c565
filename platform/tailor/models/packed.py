"""Llama's forward pass over the tokens of several rows at once, none of them filled up.

What a row has read stays in memory as keys and values, so that each token is read once, and what
two rows begin with alike is read once for both. The result is that of transformers' own pass;
this one copies less, and of the last layer works out what the next token needs and no more.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
        half = self._width // 2
        self._cos, self._sin = cos[0, :, None, :half], sin[0, :, None, :half]
        self.held = [[] for _ in range(self.rows)]

    def copy(self, source: int, row: int, tokens: int) -> None:
        """Have a row begin with the first tokens that another row has read."""
        if source != row:
            for memory in (*self._keys, *self._values):
                memory[row, :tokens] = memory[source, :tokens]
        self.held[row] = self.held[source][:tokens]

    def read(self, rows: Sequence[int], tokens: Sequence[Sequence[int]]) -> Tensor:
        """Read new tokens behind what these rows hold.

        Args:
            rows: each once.
            tokens: for each row, one at least.

        Returns:
            The logits of the token that follows each row, shape (rows, vocabulary).
        """
        import torch

        with torch.inference_mode():
            spans = [(len(self.held[r]), len(t)) for r, t in zip(rows, tokens, strict=True)]
            flat = torch.tensor([token for own in tokens for token in own])
            places = torch.cat([torch.arange(start, start + n) for start, n in spans])
            last = torch.tensor([n for _, n in spans]).cumsum(0) - 1
            for row, own in zip(rows, tokens, strict=True):
                self.held[row].extend(own)
            pass_ = _Pass(self, rows, spans, places, last)
            llama = self.model.model
            x = llama.embed_tokens(flat)
            for at, layer in enumerate(llama.layers):
                x = pass_.layer(x, at, layer, final=at == len(llama.layers) - 1)
            logits: Tensor = self.model.lm_head(llama.norm(x))
            return logits


class _Pass:
    """One time through the layers."""

    def __init__(
        self,
        packed: Packed,
        rows: Sequence[int],
        spans: Sequence[tuple[int, int]],
        places: Tensor,
        last: Tensor,
    ) -> None:
        self.packed, self.rows, self.spans = packed, rows, spans
        self.places, self.last = places, last
        self.cos, self.sin = packed._cos[places], packed._sin[places]
        self.single = all(n == 1 for _, n in spans)
        self.masks: dict[tuple[int, int], Tensor] = {}

    def layer(self, x: Tensor, at: int, layer: Any, final: bool) -> Tensor:
        """What a layer makes of the tokens; the final one of each row's last token alone."""
        attention, mlp = layer.self_attn, layer.mlp
        packed = self.packed
        h = layer.input_layernorm(x)
        key = self._turned(attention.k_proj(h).view(len(h), packed._shared, -1), self.cos, self.sin)
        value = attention.v_proj(h).view(len(h), packed._shared, -1)
        self._keep(packed._keys[at], key)
        self._keep(packed._values[at], value)
        cos, sin = self.cos, self.sin
        if final and not self.single:
            x, h, cos, sin = x[self.last], h[self.last], cos[self.last], sin[self.last]
        query = self._turned(attention.q_proj(h).view(len(h), packed._heads, -1), cos, sin)
        if final or self.single:
            seen = self._one_each(query, packed._keys[at], packed._values[at])
        else:
            seen = self._all(query, packed._keys[at], packed._values[at])
        x = x + attention.o_proj(seen.reshape(len(x), -1))
        h = layer.post_attention_layernorm(x)
        out: Tensor = mlp.down_proj(mlp.act_fn(mlp.gate_proj(h)).mul_(mlp.up_proj(h))).add_(x)
        return out

    def _turned(self, x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Turned by the position: rotary embedding (Su et al. 2021, arXiv:2104.09864)."""
        import torch

        a, b = x.chunk(2, dim=-1)
        turned = torch.empty_like(x)
        c, d = turned.chunk(2, dim=-1)
        torch.mul(a, cos, out=c).addcmul_(b, sin, value=-1)
        torch.mul(b, cos, out=d).addcmul_(a, sin)
        return turned

    def _keep(self, memory: Tensor, new: Tensor) -> None:
        if self.single:
            memory[list(self.rows), self.places] = new
            return
        begin = 0
        for row, (start, n) in zip(self.rows, self.spans, strict=True):
            memory[row, start : start + n] = new[begin : begin + n]
            begin += n

    def _one_each(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What the last token of each row sees of it, shape (rows, heads, width)."""
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        rows = max(self.rows) + 1
        if rows > 2 * len(self.rows):
            ends = [start + n for start, n in self.spans]
            return torch.cat(
                [
                    self._of_row(query[at : at + 1], keys[row, :end], values[row, :end], end - 1)
                    for at, (row, end) in enumerate(zip(self.rows, ends, strict=True))
                ]
            )
        # Those between are worked out in vain, and nothing is copied.
        after = torch.ones(rows, dtype=torch.long)
        after[list(self.rows)] = torch.tensor([start + n for start, n in self.spans])
        width = int(after.max())
        if (mask := self.masks.get((rows, width))) is None:
            hidden = torch.arange(width)[None] >= after[:, None]
            mask = torch.zeros(rows, width, dtype=query.dtype).masked_fill_(hidden, float("-inf"))
            self.masks[rows, width] = mask
        asked = query.new_zeros(rows, *query.shape[1:])
        asked[list(self.rows)] = query
        seen = scaled_dot_product_attention(
            asked[:, :, None],
            keys[:rows, :width].transpose(1, 2),
            values[:rows, :width].transpose(1, 2),
            attn_mask=mask[:, None, None],
            enable_gqa=self.packed._heads != self.packed._shared,
        )
        found: Tensor = seen[:, :, 0][list(self.rows)]
        return found

    def _all(self, query: Tensor, keys: Tensor, values: Tensor) -> Tensor:
        """What each token sees of its row, shape (tokens, heads, width)."""
        seen, begin = query.new_empty(query.shape), 0
        for row, (start, n) in zip(self.rows, self.spans, strict=True):
            own, end = slice(begin, begin + n), start + n
            seen[own] = self._of_row(query[own], keys[row, :end], values[row, :end], start)
            begin += n
        return seen

    def _of_row(self, query: Tensor, keys: Tensor, values: Tensor, start: int) -> Tensor:
        import torch
        from torch.nn.functional import scaled_dot_product_attention

        n, end = len(query), len(keys)
        mask = None
        if end <= 2 * n:
            # Of a square, torch leaves out the half that is hidden; of another form it does not.
            whole = query.new_zeros(end, *query.shape[1:]) if start else query
            if start:
                whole[start:] = query
            query = whole
        elif n > 1 and (mask := self.masks.get((start, n))) is None:
            hidden = torch.arange(end)[None] > torch.arange(start, end)[:, None]
            mask = torch.zeros(n, end, dtype=query.dtype).masked_fill_(hidden, float("-inf"))
            self.masks[start, n] = mask
        seen = scaled_dot_product_attention(
            query.transpose(0, 1)[None],
            keys.transpose(0, 1)[None],
            values.transpose(0, 1)[None],
            attn_mask=mask,
            is_causal=end <= 2 * n,
            enable_gqa=self.packed._heads != self.packed._shared,
        )[0].transpose(0, 1)
        return seen[-n:]
