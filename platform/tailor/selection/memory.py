"""The memory a local model needs, computed from its config alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

Precision = Literal["fp32", "bf16", "8bit", "4bit"]
PRECISIONS: tuple[Precision, ...] = ("fp32", "bf16", "8bit", "4bit")

_NF4_BITS = 4.127
"""Of a weight in NF4 with double quantization, its constants included (Dettmers et al. 2023,
arXiv:2305.14314, section 3)."""
CONTEXT = 4096
"""Tokens of the cache that is reckoned with, unless the model's context is shorter."""


@dataclass(frozen=True)
class Memory:
    """Bytes of weights, and of the cache of keys and values."""

    parameters: int
    linear: int
    """Of them, weights of linear layers that bitsandbytes would quantize."""
    cache_per_token: int
    """Bytes in 16 bits."""
    context: int
    """Tokens that the cache is reckoned for."""
    rest_bytes: int = 2
    """Of what is not quantized beside 8 and 4 bits: 16 bits on a GPU, 32 on a processor."""

    def weights(self, precision: Precision) -> int:
        """Bytes of the weights."""
        rest = self.rest_bytes * (self.parameters - self.linear)
        return round(
            {
                "fp32": 4.0 * self.parameters,
                "bf16": 2.0 * self.parameters,
                "8bit": self.linear + rest,
                "4bit": self.linear * _NF4_BITS / 8 + rest,
            }[precision]
        )

    def total(self, precision: Precision) -> int:
        """Bytes of weights and cache; in 32 bits the cache is twice as large."""
        size = 2 if precision == "fp32" else 1
        return self.weights(precision) + size * self.cache_per_token * self.context

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Memory:
        """What :meth:`to_json` wrote."""
        return cls(**{field.name: value[field.name] for field in fields(cls)})

    def to_json(self) -> dict[str, Any]:
        """The fields, and the bytes by precision."""
        return {
            **self.__dict__,
            "weights": {name: self.weights(name) for name in PRECISIONS},
            "total": {name: self.total(name) for name in PRECISIONS},
        }


def memory(model: Any, config: Any, context: int | None) -> Memory:
    """Of a model of PyTorch whose parameters need not have values (``meta``), with its config.

    As in transformers, the output layer and embeddings are not quantized.
    """
    import torch

    head = model.get_output_embeddings()
    linear = sum(
        layer.weight.numel()
        for layer in model.modules()
        if isinstance(layer, torch.nn.Linear) and layer is not head
    )
    text = config.get_text_config()
    heads = int(getattr(text, "num_attention_heads", 0) or 0)
    keys = int(getattr(text, "num_key_value_heads", None) or heads)
    width = int(getattr(text, "head_dim", None) or (text.hidden_size // heads if heads else 0))
    layers = int(getattr(text, "num_hidden_layers", 0) or 0)
    tokens = min(CONTEXT, context or CONTEXT)
    return Memory(
        parameters=int(model.num_parameters()),
        linear=int(linear),
        cache_per_token=2 * 2 * layers * keys * width,
        context=tokens,
        rest_bytes=2 if torch.cuda.is_available() else 4,
    )
