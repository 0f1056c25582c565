"""A run's checkpoint: what is needed to go on, and to export the reader as a folder of weights."""

from __future__ import annotations

import os
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.errors import TailorError
from tailor.models.pretraining import network
from tailor.models.pretraining.network import Shape
from tailor.models.pretraining.plan import Plan, State

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerBase

CHECKPOINT = "checkpoint.pt"


def save(
    folder: Path,
    plan: Plan,
    state: State,
    model: LlamaForCausalLM,
    optimizing: list[torch.optim.Optimizer],
) -> None:
    """Write the checkpoint of a run into its folder, replacing the old one at once."""
    import torch

    folder.mkdir(parents=True, exist_ok=True)
    written = folder / f"{CHECKPOINT}.new"
    torch.save(
        {
            "shape": asdict(plan.shape),
            "state": asdict(state),
            "model": model.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in optimizing],
        },
        written,
    )
    os.replace(written, folder / CHECKPOINT)


def restored(
    folder: Path, plan: Plan, model: LlamaForCausalLM, optimizing: list[torch.optim.Optimizer]
) -> State:
    """Put a run's weights and moments back; how far it was.

    Raises:
        TailorError: there is no checkpoint, or it is of a network of another shape.
    """
    import torch

    path = folder / CHECKPOINT
    if not path.exists():
        raise TailorError(f"There is no checkpoint in {folder}: run without --resume first.")
    saved = torch.load(path, weights_only=True, map_location=plan.device)
    if saved["shape"] != asdict(plan.shape):
        raise TailorError(f"The checkpoint in {folder} has another shape: choose another --run.")
    model.load_state_dict(saved["model"])
    for optimizer, moments in zip(optimizing, saved["optimizers"], strict=True):
        optimizer.load_state_dict(moments)
    return State(**saved["state"])


def trained(folder: Path, tokens: PreTrainedTokenizerBase) -> LlamaForCausalLM:
    """The model of the checkpoint in a run's folder, finished or not."""
    import torch

    path = folder / CHECKPOINT
    if not path.exists():
        raise TailorError(f"There is no checkpoint in {folder}: train the reader first.")
    saved = torch.load(path, weights_only=True, map_location="cpu")
    model = network.build(Shape(**saved["shape"]), 0, tokens.pad_token_id, tokens.eos_token_id)
    model.load_state_dict(saved["model"])
    return model


def export(model: LlamaForCausalLM, tokens: PreTrainedTokenizerBase, target: Path) -> None:
    """Write the reader as a Hugging Face folder in fp16, replacing the old one at once."""
    import copy

    fresh = target.with_name(target.name + ".new")
    shutil.rmtree(fresh, ignore_errors=True)
    half = copy.deepcopy(model).half().eval()
    half.generation_config.update(
        do_sample=False,
        max_new_tokens=64,
        pad_token_id=tokens.pad_token_id,
        eos_token_id=tokens.eos_token_id,
    )
    half.save_pretrained(fresh)
    tokens.save_pretrained(fresh, save_jinja_files=False)
    for file in fresh.iterdir():
        file.chmod(0o644)
    for kept in target.glob("*.md"):
        shutil.copy2(kept, fresh)
    old = target.with_name(target.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    shutil.rmtree(old, ignore_errors=True)
