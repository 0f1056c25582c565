"""Weights in 8 or 4 bits, through bitsandbytes."""

from __future__ import annotations

from typing import Any, Literal

from tailor.errors import TailorError, first_line

Quantization = Literal["none", "8bit", "4bit"]


def quantized(quantization: Quantization, path: str, cuda: bool) -> dict[str, Any]:
    """What ``from_pretrained`` is told so that it loads the weights in so many bits.

    Raises:
        TailorError: bitsandbytes is missing or cannot be used here.
    """
    if quantization == "none":
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    try:
        import bitsandbytes  # noqa: F401
    except Exception as error:  # a library for another GPU raises what it likes
        raise not_quantized(quantization, path, error) from None
    if quantization == "8bit":
        how = BitsAndBytesConfig(load_in_8bit=True)
    else:
        how = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if cuda else torch.float32,
        )
    return {"quantization_config": how, "device_map": {"": "cuda" if cuda else "cpu"}}


def not_quantized(quantization: Quantization, path: str, error: Exception) -> TailorError:
    """The sentence for a model that cannot be had in so few bits."""
    first = first_line(error)
    return TailorError(
        f"The model {path} cannot be loaded with quantization = {quantization!r} ({first}): set "
        'quantization = "none" in tailor.toml, or run where bitsandbytes supports the machine.'
    )
