"""TRL's trainers with our batches and our checkpoints, over a LoRA adapter."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from typing import Any

from tailor.errors import TailorError
from tailor.training.encoding import Row, context, encoded, fitting, row_length
from tailor.training.job import Job
from tailor.training.keeping import keeping
from tailor.training.settings import Settings

LOOKS = 6
"""About how often the validation loss is measured in a training, besides at its beginning."""
_ATTENTION = re.compile(r"attn|attention", re.IGNORECASE)


def trainer_for(
    job: Job, tokenizer: Any, train: Sequence[Row], validation: Sequence[Row], resumed: bool
) -> Any:
    """TRL's trainer for a job: its `SFTTrainer`, or its `DPOTrainer` for preferences.

    Raises:
        TailorError: a setting does not fit the model.
    """
    from peft import LoraConfig

    settings = job.settings
    assert isinstance(settings.rank, int)  # a sweep is several jobs
    sft = settings.method == "sft"
    model = _model(job)
    side = (_learnt if sft else _preferred)(tokenizer, train)
    row = _packed(job, model, side) if sft and settings.batching == "packed" else None
    arguments = _arguments(job, row, bool(validation) and not resumed, bool(validation))
    kept = (_learnt if sft else _preferred)(tokenizer, validation) if validation else None
    kind = keeping(_trl(sft), job)
    made = kind(
        model=model,
        args=arguments,
        train_dataset=side,
        eval_dataset=kept,
        processing_class=tokenizer,
        peft_config=LoraConfig(
            r=settings.rank,
            lora_alpha=settings.scale,
            lora_dropout=settings.dropout,
            target_modules=target_layers(model, settings.target_modules),
            task_type="CAUSAL_LM",
        ),
    )
    made.args.eval_steps = look_every(made, settings)  # only now it is known how many are packed
    return made


def most_tokens(base: str, settings: Settings) -> int:
    """Tokens of the longest lesson that is learnt."""
    from tailor.models import loading

    return context(loading.settings(base), settings.max_length)


def fitted(tokenizer: Any, rows: Sequence[Row], most: int) -> list[Row]:
    """The rows that are not too long.

    Raises:
        TailorError: none is left.
    """
    kept = fitting(tokenizer, rows, most)
    if rows and not kept:
        raise TailorError(
            f"Every lesson has more than {most} tokens: set fine_tuning.max_length higher if the "
            "model reads more, or retrieval.k lower so that prompts hold fewer passages."
        )
    return kept


def _trl(sft: bool) -> Any:
    if sft:
        from trl.trainer.sft_trainer import SFTTrainer

        return SFTTrainer
    from trl.trainer.dpo_trainer import DPOTrainer

    return DPOTrainer


def _packed(job: Job, model: Any, rows: Any) -> int:
    """Tokens of the rows that lessons are packed into.

    Raises:
        TailorError: the model would read the lessons of a row as one text.
    """
    own = model.get_base_model() if hasattr(model, "get_base_model") else model
    if "position_ids" not in inspect.signature(type(own).forward).parameters:
        raise TailorError(
            f"{own.config.model_type} models tell no packed lessons apart, as they take no "
            'positions: set fine_tuning.batching = "grouped".'
        )
    longest = max(map(len, rows["input_ids"]))
    return row_length(most_tokens(job.base, job.settings), job.settings.max_length, longest)


def _arguments(job: Job, row: int | None, look_first: bool, look: bool) -> Any:
    import torch
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.sft_config import SFTConfig

    settings, cuda = job.settings, torch.cuda.is_available()
    checkpointing = settings.checkpointing_on(cuda)
    told: dict[str, Any] = {
        "output_dir": str(job.checkpoints),
        "num_train_epochs": settings.epochs,
        "per_device_train_batch_size": settings.batch,
        "per_device_eval_batch_size": settings.batch,
        "gradient_accumulation_steps": settings.accumulation,
        "learning_rate": settings.learning_rate,
        "lr_scheduler_type": "constant_with_warmup"
        if settings.scheduler == "constant"
        else settings.scheduler,
        "warmup_steps": settings.warmup,
        "optim": settings.optimizer_on(cuda),
        "max_length": row,
        "gradient_checkpointing": checkpointing,
        "use_cpu": not cuda,
        "bf16": cuda,
        "dataloader_pin_memory": cuda,
        "seed": settings.seed,
        "data_seed": settings.seed,
        "report_to": "none",
        "save_strategy": "no",  # our own say when, see `tailor.training.watching`
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "eval_strategy": "steps" if look else "no",
        "eval_on_start": look_first,
        "disable_tqdm": True,
    }
    if settings.method == "dpo":
        return DPOConfig(**told, beta=settings.beta)
    return SFTConfig(**told, packing=row is not None, eval_packing=False)


def steps_of(trainer: Any, settings: Settings) -> int:
    """How many steps a trainer will make."""
    batches = -(-len(trainer.train_dataset) // (settings.batch * settings.processes))
    return settings.epochs * -(-batches // settings.accumulation)


def look_every(trainer: Any, settings: Settings) -> int:
    """Steps between two looks at the validation loss, and between two checkpoints."""
    return max(1, steps_of(trainer, settings) // LOOKS)


def _model(job: Job) -> Any:
    import torch

    from tailor.models.loading import base_of, causal_model

    if base := base_of(job.base):
        raise TailorError(
            f"The model {job.base} is an adapter of {base}: train on that, or merge the two first."
        )
    model = causal_model(job.base, job.settings.quantization)
    if model.num_parameters() < 100_000_000:
        # More threads than two only wait for one another on matrices this small.
        torch.set_num_threads(min(2, torch.get_num_threads()))
    return model


def linear_layers(model: Any) -> list[str]:
    """The names of all linear layers but the output layer, also where they have few bits."""
    import torch
    from transformers.pytorch_utils import Conv1D

    output = model.get_output_embeddings()
    return [
        name
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not output
    ]


def target_layers(model: Any, wanted: Sequence[str]) -> list[str]:
    """The layers that are adapted: ``attention``, ``all-linear`` or by the end of their names.

    Raises:
        TailorError: the model has no such layer.
    """
    names = linear_layers(model)
    if tuple(wanted) == ("all-linear",):
        found = names
    elif tuple(wanted) == ("attention",):
        # The attention's own layers: no part of their path says where the layer lies in the model.
        found = [n for n in names if any(_ATTENTION.search(p) for p in n.split(".")[:-1])]
    else:
        found = [n for n in names if any(n == w or n.endswith(f".{w}") for w in wanted)]
        missing = [w for w in wanted if not any(n == w or n.endswith(f".{w}") for n in names)]
        found = [] if missing else found
    if not found:
        there = ", ".join(sorted({n.rpartition(".")[2] for n in names}))
        raise TailorError(
            f"fine_tuning.target_modules = {','.join(wanted)} names no linear layer of this model; "
            f"it has {there}: name some of those, attention or all-linear."
        )
    return found


def _learnt(tokenizer: Any, rows: Sequence[Row]) -> Any:
    from datasets import Dataset

    return Dataset.from_list([encoded(tokenizer, row) for row in rows])


def _preferred(tokenizer: Any, rows: Sequence[Row]) -> Any:
    from datasets import Dataset

    return Dataset.from_list([dict(row) for row in rows])
