"""Checkpoints of a training: whole or not there, and free of anything that could run code.

A checkpoint is a folder ``step-N`` of safetensors and JSON with ``manifest.json``, the digest of
each of its files. It is written under another name, its manifest last, and renamed. Where a file
is missing, added or changed, it is not loaded. Pickled files are neither written nor read.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.fault import hit

MANIFEST = "manifest.json"
STATE, TENSORS = "training_state.json", "training_state.safetensors"
_PICKLED = (".bin", ".pt", ".pth", ".pkl", ".ckpt")
_PREFIX = "step-"


def write(home: Path, step: int, fill: Callable[[Path], None]) -> Path:
    """Let ``fill`` write a checkpoint's files into the folder it is given, and keep them.

    Raises:
        TailorError: they cannot be written; earlier checkpoints stay as they are.
    """
    target, part = home / f"{_PREFIX}{step}", home / f"part-{step}"
    try:
        hit("checkpoint.before")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        fill(part)
        for file in part.iterdir():
            if file.suffix in _PICKLED:
                file.unlink()
        manifest = {file.name: _digest(file) for file in sorted(part.iterdir())}
        with (part / MANIFEST).open("w", encoding="utf-8") as written:
            json.dump(manifest, written, indent=1)
            written.flush()
            os.fsync(written.fileno())
        hit("checkpoint.part")
        shutil.rmtree(target, ignore_errors=True)
        part.rename(target)
        hit("checkpoint.after")
    except Exception as error:  # safetensors has an error of its own for a full disk
        shutil.rmtree(part, ignore_errors=True)
        said = getattr(error, "strerror", None) or str(error).strip() or type(error).__name__
        reason = said.splitlines()[0]
        raise TailorError(
            f"The checkpoint of step {step} cannot be written into {home} ({reason}); free disk "
            "space or permissions, then run the same command again: the training goes on from the "
            "checkpoint before."
        ) from None
    return target


def newest(home: Path, before: int | None = None) -> Path | None:
    """The whole checkpoint of the latest step, or of the latest one before a step."""
    steps = sorted(
        (s for p in home.glob(f"{_PREFIX}*") if (s := step(p)) is not None), reverse=True
    )
    for at in steps:
        folder = home / f"{_PREFIX}{at}"
        if (before is None or at < before) and whole(folder):
            return folder
    return None


def whole(folder: Path) -> bool:
    """Whether it holds exactly the files of its manifest, unchanged, and none that is pickled."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        files = {file.name: file for file in folder.iterdir() if file.name != MANIFEST}
        return (
            bool(manifest)
            and files.keys() == manifest.keys()
            and not any(file.suffix in _PICKLED for file in files.values())
            and all(_digest(file) == manifest[name] for name, file in files.items())
        )
    except (OSError, ValueError, AttributeError):
        return False


def step(folder: Path) -> int | None:
    """The step of a checkpoint, by its name."""
    number = folder.name.removeprefix(_PREFIX)
    return int(number) if number.isdigit() else None


def prune(home: Path, keep: Collection[int]) -> None:
    """Delete the checkpoints of other steps."""
    for folder in home.glob(f"{_PREFIX}*"):
        if step(folder) not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def save_state(folder: Path, optimizer: Any, scheduler: Any) -> None:
    """Write what a training needs besides weights: optimizer, scheduler, random numbers."""
    from safetensors.torch import save_file

    tensors: dict[str, Any] = {}
    state = {
        "optimizer": _plain(optimizer.state_dict(), tensors),
        "scheduler": _plain(scheduler.state_dict(), tensors),
        "random": _plain(_random_state(), tensors),
    }
    (folder / STATE).write_text(json.dumps(state), "utf-8")
    save_file(tensors, folder / TENSORS)


def load_state(folder: Path, optimizer: Any, scheduler: Any) -> None:
    """Give optimizer and scheduler what :func:`save_state` has written."""
    state = _read(folder)
    optimizer.load_state_dict(state["optimizer"])
    scheduler.load_state_dict(state["scheduler"])


def load_random_state(folder: Path) -> None:
    """Let random numbers go on as they would have."""
    import numpy
    import torch

    state = _read(folder)["random"]
    random.setstate(state["python"])
    name, keys, *rest = state["numpy"]
    numpy.random.set_state((name, numpy.array(keys, dtype=numpy.uint32), *rest))
    torch.set_rng_state(state["torch"])
    if torch.cuda.is_available() and state["cuda"]:
        torch.cuda.set_rng_state_all(state["cuda"])


def _random_state() -> dict[str, Any]:
    import numpy
    import torch

    legacy: Any = numpy.random.get_state(legacy=True)
    name, keys, *rest = legacy
    return {
        "python": random.getstate(),
        "numpy": (name, keys.tolist(), *rest),
        "torch": torch.get_rng_state(),
        "cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }


def _read(folder: Path) -> dict[str, Any]:
    from safetensors.torch import load_file

    tensors = load_file(folder / TENSORS)
    found: dict[str, Any] = _nested(json.loads((folder / STATE).read_text("utf-8")), tensors)
    return {name: found[name] for name in ("optimizer", "scheduler", "random")}


def _plain(value: Any, tensors: dict[str, Any]) -> Any:
    """JSON for nested containers, whose tensors go into ``tensors`` under a number."""
    import torch

    if isinstance(value, torch.Tensor):
        name = str(len(tensors))
        # Copied: safetensors refuses tensors that share memory, as those of 8-bit optimizers do.
        tensors[name] = value.detach().to("cpu", copy=True).contiguous()
        return {"tensor": name}
    if isinstance(value, dict):
        return {"dict": [[k, _plain(v, tensors)] for k, v in value.items()]}
    if isinstance(value, tuple):
        return {"tuple": [_plain(v, tensors) for v in value]}
    if isinstance(value, list):
        return [_plain(v, tensors) for v in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} cannot be kept in a checkpoint")


def _nested(value: Any, tensors: dict[str, Any]) -> Any:
    if isinstance(value, list):
        return [_nested(v, tensors) for v in value]
    if isinstance(value, dict):
        if "tensor" in value:
            return tensors[value["tensor"]]
        if "dict" in value:
            return {k: _nested(v, tensors) for k, v in value["dict"]}
        if "tuple" in value:
            return tuple(_nested(v, tensors) for v in value["tuple"])
        return {k: _nested(v, tensors) for k, v in value.items()}
    return value


def _digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
