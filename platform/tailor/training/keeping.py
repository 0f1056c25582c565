"""TRL's trainers with our batches and checkpoints, and a sparing output layer on the processor."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from tailor.training import checkpoints
from tailor.training.encoding import IGNORED
from tailor.training.job import Job
from tailor.training.sampling import LengthGrouped


def keeping(kind: Any, job: Job) -> Any:
    """A trainer of TRL with our batches, and with checkpoints that hold no pickled file."""

    class Keeping(kind):  # type: ignore[misc]
        tokens = 0
        """Of the lessons learnt so far, padding left out."""

        def compute_loss(
            self,
            model: Any,
            inputs: Any,
            return_outputs: bool = False,
            num_items_in_batch: Any = None,
        ) -> Any:
            own = self.accelerator.unwrap_model(self.model).get_base_model()
            if return_outputs or not _sparing(own, job):
                return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
            if model.training:
                here = (inputs["labels"].new_tensor(_counted(inputs)),)
                self.tokens += int(self.accelerator.gather(here)[0].sum())
            loss = _loss_of_answers(model, inputs, num_items_in_batch)
            # Of the tokens of all processes, whose gradients are averaged.
            each = self.args.average_tokens_across_devices and num_items_in_batch is not None
            return loss * self.accelerator.num_processes if each else loss

        def log(self, logs: Any, start_time: float | None = None) -> None:
            if self.tokens and "loss" in logs:
                logs["num_tokens"] = self.tokens
            super().log(logs, start_time)

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            if job.settings.batching != "grouped":
                return super()._get_train_sampler(train_dataset)
            rows = train_dataset if train_dataset is not None else self.train_dataset
            sides = [c for c in ("input_ids", "prompt_ids", "chosen_ids") if c in rows.column_names]
            columns = [rows[side] for side in sides]
            lengths = [sum(map(len, each)) for each in zip(*columns, strict=True)]
            settings = job.settings
            return LengthGrouped(
                lengths, settings.batch, settings.seed, lambda: self.state.epoch or 0.0
            )

        def _save_checkpoint(self, model: Any, trial: Any) -> None:
            if not self.args.should_save:
                return

            def fill(part: Path) -> None:
                self.accelerator.unwrap_model(self.model).save_pretrained(str(part))
                checkpoints.save_state(part, self.optimizer, self.lr_scheduler)
                self.state.save_to_json(str(part / "trainer_state.json"))

            checkpoints.write(job.checkpoints, self.state.global_step, fill)

        def _load_from_checkpoint(self, checkpoint: Any, model: Any = None) -> None:
            restore(self.accelerator.unwrap_model(self.model), Path(checkpoint))

        def _load_optimizer_and_scheduler(self, checkpoint: Any) -> None:
            if checkpoint is not None:
                checkpoints.load_state(Path(checkpoint), self.optimizer, self.lr_scheduler)

        def _load_rng_state(self, checkpoint: Any) -> None:
            if checkpoint is not None:
                checkpoints.load_random_state(Path(checkpoint))

    return Keeping


def _sparing(model: Any, job: Job) -> bool:
    """Whether only positions that are learnt go through the output layer.

    On a GPU, TRL's own kernel leaves the others out; elsewhere it computes them all, which takes
    half of the time where answers are short and prompts long.
    """
    import torch

    if job.settings.method != "sft" or torch.cuda.is_available():
        return False
    return "logits_to_keep" in inspect.signature(type(model).forward).parameters


def _loss_of_answers(model: Any, inputs: Any, count: Any) -> Any:
    """Cross-entropy per learnt token; ``count`` is how many there are in all batches of a step."""
    import torch

    given = {name: value for name, value in inputs.items() if name != "labels"}
    following = inputs["labels"][:, 1:]
    keep = (following != IGNORED).any(dim=0).nonzero().flatten()
    targets = following[:, keep].flatten()
    logits = model(**given, use_cache=False, logits_to_keep=keep).logits
    total = torch.nn.functional.cross_entropy(
        logits.flatten(0, 1).float(), targets, ignore_index=IGNORED, reduction="sum"
    )
    learnt = (targets != IGNORED).sum() if count is None else torch.as_tensor(count)
    return total / learnt.clamp(min=1)


def _counted(inputs: Any) -> int:
    """Tokens of a batch; one that is packed has no padding."""
    mask = inputs.get("attention_mask")
    return int(inputs["input_ids"].numel() if mask is None else mask.sum())


def restore(model: Any, checkpoint: Path) -> None:
    """Give the adapter the weights it had at a checkpoint."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    set_peft_model_state_dict(model, load_file(checkpoint / "adapter_model.safetensors"))
