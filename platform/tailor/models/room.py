"""Whether a model's weights fit into the memory that is free, and in how many bits they would."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.models.quantized import Quantization
from tailor.models.weight_files import weights_of

_CLOSE = 0.5
"""Weights beyond this share of the free memory are reckoned in full before they are loaded."""


def check_room(
    name: str,
    folder: str,
    quantization: Quantization,
    wide: int,
    empty: Callable[[], tuple[Any, Any]],
) -> None:
    """Refuse weights that do not fit into the free memory, before they are loaded.

    Args:
        name: of the model, for the sentence.
        folder: with its weights.
        quantization: the bits they are to have.
        wide: bytes of a weight where they are not quantized.
        empty: the model's settings, and the model without values.

    Raises:
        TailorError: they do not fit; the sentence says how much they need, and what would fit.
    """
    import torch

    from tailor.scoring import format
    from tailor.training.forecast import free

    available = free(torch.cuda.is_available())
    count = sum(map(weights_of, sorted(Path(folder).glob("*.safetensors"))))
    if count * wide <= _CLOSE * available:
        return
    needs = _needs(empty, count)
    now: str = quantization if quantization != "none" else {4: "fp32", 2: "bf16"}[wide]
    if needs[now] <= available:
        return
    size, left = format.memory(needs[now]), format.memory(available)
    for bits in ("8bit", "4bit"):
        if needs[bits] < needs[now] and needs[bits] <= available:
            raise TailorError(
                f"The model {name} cannot be loaded: it needs about {size} of memory, and {left} "
                f'are free: quantization = "{bits}" in tailor.toml needs about '
                f"{format.memory(needs[bits])}."
            )
    most = available * count // max(needs["4bit"], 1)
    raise TailorError(
        f"The model {name} cannot be loaded: it needs about {size} of memory, and {left} are "
        f"free: no fewer bits make it fit; take a model of at most about {format.count(most)} "
        "parameters, or a machine with more memory."
    )


def _needs(empty: Callable[[], tuple[Any, Any]], count: int) -> Mapping[str, int]:
    """Bytes of the weights by precision."""
    try:
        config, model = empty()
    except TailorError:  # of a kind that cannot be made without values
        each = {"fp32": 4.0, "bf16": 2.0, "8bit": 1.1, "4bit": 0.6}
        return {name: round(wide * count) for name, wide in each.items()}
    return memory_of(model, config)


def memory_of(model: Any, config: Any) -> Mapping[str, int]:
    """Bytes of the weights by precision, of a model without values."""
    from tailor.selection.memory import PRECISIONS, memory

    size = memory(model, config, None)
    return {name: size.weights(name) for name in PRECISIONS}
