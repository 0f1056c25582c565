"""What watches a training step by step: its figures, when it is kept, and when it ends."""

from __future__ import annotations

import json
import math
import sys
import time
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError
from tailor.training import checkpoints
from tailor.training.job import Job
from tailor.training.progress import Recorder

if TYPE_CHECKING:
    from transformers import TrainerCallback

KEEP_EVERY = 600.0
"""Seconds after which a checkpoint is kept at the latest."""


def watching(job: Job, recorder: Recorder, every: int) -> TrainerCallback:
    """Pass the figures on, keep a checkpoint every so many steps, stop when there is reason to.

    It ends early where the validation loss stays high, where somebody asked for it, and where the
    process that waits for it is gone; a loss that is no number raises `TailorError`.
    """
    from transformers import TrainerCallback

    settings = job.settings

    class Watching(TrainerCallback):
        tokens, at, kept = 0.0, time.monotonic(), time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            step, due = state.global_step, time.monotonic() - self.kept > KEEP_EVERY
            stop = job.asked
            if state.is_world_process_zero and not _said(step, state.max_steps):
                stop = stop or "pause"
            stop = _agreed(stop, args.device)
            if step == state.max_steps:
                stop = "cancel" if stop == "cancel" else ""
            if stop:
                recorder.status = "paused" if stop == "pause" else "cancelled"
                control.should_training_stop = True
            if stop == "pause" or step % every == 0 or due:
                control.should_save = stop != "cancel"

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            logs = logs or {}
            if "loss" in logs:
                _finite(job, state.global_step, logs["loss"], logs.get("grad_norm", 0.0))
                now, tokens = time.monotonic(), logs.get("num_tokens", 0.0)
                pace = (tokens - self.tokens) / max(now - self.at, 1e-9)
                self.tokens, self.at = tokens, now
                recorder.point(
                    state.global_step,
                    loss=logs["loss"],
                    learning_rate=logs.get("learning_rate"),
                    tokens_per_second=pace or None,
                    memory_bytes=_memory(),
                )
            elif "eval_loss" in logs:
                recorder.point(state.global_step, validation_loss=logs["eval_loss"])
                self.at = time.monotonic()  # looking at the lessons kept back is no training

        def on_evaluate(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if settings.patience and _in_vain(state) >= settings.patience:
                recorder.message = f"stopped early after step {state.global_step}"
                control.should_training_stop = True

        def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self.kept = time.monotonic()
            if state.is_world_process_zero:
                keep = {state.global_step, best(state)}
                before = checkpoints.newest(job.checkpoints, before=state.global_step)
                keep.add(checkpoints.step(before) if before else None)
                checkpoints.prune(job.checkpoints, {step for step in keep if step is not None})

    return Watching()


def best(state: Any) -> int | None:
    """The step with the lowest validation loss so far; None where none was measured."""
    looks = [(log["eval_loss"], log["step"]) for log in state.log_history if "eval_loss" in log]
    return min(looks)[1] if looks else None


def _in_vain(state: Any) -> int:
    """How many looks have passed since the lowest validation loss."""
    losses = [log["eval_loss"] for log in state.log_history if "eval_loss" in log]
    return len(losses) - 1 - losses.index(min(losses)) if losses else 0


def _agreed(stop: str, device: Any) -> str:
    """What the first of several processes is asked: one that went on alone would wait for ever."""
    import torch
    import torch.distributed as several

    if not (several.is_available() and several.is_initialized()):
        return stop
    words = ("", "pause", "cancel")
    told = torch.tensor([words.index(stop)], device=device)
    several.broadcast(told, src=0)
    return words[int(told)]


def _said(step: int, steps: int) -> bool:
    """Tell the process that waits; False where it is gone."""
    try:
        sys.stdout.write(json.dumps({"step": step, "steps": steps}) + "\n")
        sys.stdout.flush()
    except OSError:
        return False
    return True


def _finite(job: Job, step: int, *figures: float) -> None:
    if all(math.isfinite(figure) for figure in figures):
        return
    last = checkpoints.newest(job.checkpoints)
    kept = f" (the weights of step {checkpoints.step(last)} are kept in {last})" if last else ""
    raise TailorError(
        f"The loss was no number any more at step {step} of the training{kept}: set "
        f"fine_tuning.learning_rate below {job.settings.learning_rate:g}, or "
        'fine_tuning.quantization = "none".'
    )


def _memory() -> int:
    import psutil
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)
