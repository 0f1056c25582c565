"""What a training can be told: LoRA, its optimizer, its batches; the fields of `fine_tuning`."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Literal

from tailor.settings import setting

SWEEP = (8, 16, 32)
"""Ranks that ``rank = "sweep"`` tries, in this order."""
ENOUGH = 0.01
"""A larger rank has to lower the validation loss by this share, or the sweep ends."""


@dataclass(frozen=True)
class Settings:
    """The settings of a training, with rules of thumb as defaults."""

    method: Literal["sft", "dpo"] = setting(
        "sft", "learn from right answers (sft), or from people's preferences (dpo)"
    )
    rank: int | Literal["sweep"] = setting(
        8, 'size of the adapter\'s matrices; "sweep" tries 8, 16, 32 on validation', low=1,
        words=("sweep",),
    )  # fmt: skip
    alpha: int | None = setting(None, "scale of the adapter; none: twice the rank", low=1)
    dropout: float = setting(
        0.0, "share of the adapter's inputs left out at random while it learns", low=0, high=1
    )
    target_modules: tuple[str, ...] = setting(
        ("attention",), "layers that are adapted: attention, all-linear, or names of layers"
    )
    quantization: Literal["none", "8bit", "4bit"] = setting(
        "none", "bits of the weights below the adapter: 4bit is QLoRA (NF4, double quantization)"
    )
    epochs: int = setting(2, "how often each example is seen", low=1)
    batch: int = setting(8, "examples that are computed together", low=1)
    accumulation: int = setting(1, "batches per step of the optimizer", low=1)
    learning_rate: float = setting(5e-4, "peak learning rate", low=1e-9, high=1)
    optimizer: Literal["auto", "adamw", "adamw_8bit", "paged_adamw_8bit", "adafactor"] = setting(
        "auto", "auto: paged 8-bit AdamW on a GPU, AdamW elsewhere"
    )
    warmup: float = setting(0.1, "share of the steps in which the rate rises", low=0, high=0.9)
    scheduler: Literal["cosine", "linear", "constant"] = setting(
        "cosine", "how the rate goes on after the warm-up"
    )
    batching: Literal["grouped", "packed", "shuffled"] = setting(
        "grouped", "examples of like length together, many packed into a row, or as they come"
    )
    gradient_checkpointing: Literal["auto", "on", "off"] = setting(
        "auto", "compute activations twice to save memory; auto: on a GPU"
    )
    max_length: int | None = setting(
        None, "tokens of the longest example; none: as many as the model reads", low=8
    )
    validation: float = setting(
        0.1, "share of the examples kept back to watch the loss on", low=0, high=0.5
    )
    patience: int = setting(
        0, "stop when the validation loss has not fallen so many times in a row; 0: never", low=0
    )
    beta: float = setting(0.1, "dpo: how closely the model stays with what it was", low=1e-3)
    processes: int = setting(1, "processes that train together, one for each GPU", low=1)
    seed: int = setting(0, "seed of order and initial values", low=0, high=2**32 - 1)

    @property
    def scale(self) -> int:
        """``alpha``, or twice the rank."""
        assert isinstance(self.rank, int)
        return self.alpha or 2 * self.rank

    def optimizer_on(self, cuda: bool) -> str:
        """The optimizer under the name that transformers has for it."""
        if self.optimizer == "auto":
            return "paged_adamw_8bit" if cuda else "adamw_torch"
        return {"adamw": "adamw_torch", "adamw_8bit": "adamw_bnb_8bit"}.get(
            self.optimizer, self.optimizer
        )

    def checkpointing_on(self, cuda: bool) -> bool:
        """Whether activations are computed again in the backward pass."""
        on = self.gradient_checkpointing
        return cuda if on == "auto" else on == "on"


def values(settings: Settings) -> dict[str, Any]:
    """The settings of a training as JSON values, without those that a stage has besides."""
    found = {f.name: getattr(settings, f.name) for f in fields(Settings)}
    return {name: list(v) if isinstance(v, tuple) else v for name, v in found.items()}


def read(found: dict[str, Any]) -> Settings:
    """What :func:`values` gave, as settings again."""
    return Settings(**{**found, "target_modules": tuple(found["target_modules"])})
