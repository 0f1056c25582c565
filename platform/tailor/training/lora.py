"""LoRA and QLoRA training of a local chat model with PEFT and TRL."""

from __future__ import annotations

import contextlib
import io
import math
import random
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tailor.training.pairs import Pair
from tailor.training.progress import Recorder, recorded

if TYPE_CHECKING:
    from transformers import TrainerCallback

MOST_HELD_OUT = 64
"""Lessons kept back, at most: more would cost time and tell little more."""
LOOKS = 10
"""How often the validation loss is measured in a training, besides at its beginning."""


class Settings(Protocol):
    """What a training needs to know; stage ``fine_tuning`` has these fields."""

    @property
    def rank(self) -> int: ...  # noqa: D102
    @property
    def alpha(self) -> int: ...  # noqa: D102
    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def learning_rate(self) -> float: ...  # noqa: D102
    @property
    def batch(self) -> int: ...  # noqa: D102
    @property
    def quantize(self) -> bool: ...  # noqa: D102
    @property
    def validation(self) -> float: ...  # noqa: D102
    @property
    def patience(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102


def train(
    base: str,
    pairs: Sequence[Pair],
    folder: Path,
    settings: Settings,
    records: Path,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Train an adapter for the model at ``base`` and save it, with its loss curve, in ``folder``.

    Only the completions are learnt from. The adapter goes on all linear layers (Hu et al. 2021,
    arXiv:2106.09685; with ``quantize`` over NF4 weights, Dettmers et al. 2023, arXiv:2305.14314).
    How it goes is written into ``records``, see `tailor.training.progress`.
    """
    from tailor.models.local import quiet_libraries

    quiet_libraries()
    from datasets.utils.logging import disable_progress_bar

    disable_progress_bar()
    lessons, held_out = split(pairs, settings)
    steps = settings.epochs * math.ceil(len(lessons) / settings.batch)
    checkpoints = tempfile.mkdtemp(prefix="tailor-lora-")
    try:
        # The trainer prints every step's figures; what is recorded is enough. It also warns of
        # what its own next major version will drop.
        with (
            recorded(
                records, base, _values(settings), len(lessons), len(held_out), _device()
            ) as recorder,
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", FutureWarning)
            trainer = _trainer(base, lessons, held_out, settings, steps, Path(checkpoints))
            recorder.steps(steps)
            trainer.add_callback(_told(recorder, settings.patience, progress))
            trainer.train()
            trainer.model.save_pretrained(str(folder))
            trainer.state.save_to_json(str(folder / "trainer_state.json"))
    finally:
        shutil.rmtree(checkpoints, ignore_errors=True)


def split(pairs: Sequence[Pair], settings: Settings) -> tuple[list[Pair], list[Pair]]:
    """The lessons to learn from, and those kept back for the validation loss, in their order."""
    count = min(MOST_HELD_OUT, int(len(pairs) * settings.validation))
    kept = set(random.Random(settings.seed).sample(range(len(pairs)), count))
    return (
        [pair for at, pair in enumerate(pairs) if at not in kept],
        [pair for at, pair in enumerate(pairs) if at in kept],
    )


def _trainer(
    base: str,
    lessons: Sequence[Pair],
    held_out: Sequence[Pair],
    settings: Settings,
    steps: int,
    checkpoints: Path,
) -> Any:
    import torch
    from peft import LoraConfig
    from transformers import AutoTokenizer
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    cuda = torch.cuda.is_available()
    arguments = SFTConfig(
        output_dir=str(checkpoints),
        model_init_kwargs=_loading(settings.quantize),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch,
        per_device_eval_batch_size=settings.batch,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=3,
        max_length=None,
        gradient_checkpointing=cuda,
        use_cpu=not cuda,
        bf16=cuda,
        seed=settings.seed,
        data_seed=settings.seed,
        report_to="none",
        save_strategy="no",
        logging_steps=1,
        eval_strategy="steps" if held_out else "no",
        eval_on_start=bool(held_out),
        eval_steps=max(1, steps // LOOKS),
        disable_tqdm=True,
    )
    return SFTTrainer(
        model=base,
        processing_class=AutoTokenizer.from_pretrained(base),
        train_dataset=_dataset(lessons),
        eval_dataset=_dataset(held_out) if held_out else None,
        args=arguments,
        peft_config=LoraConfig(
            r=settings.rank,
            lora_alpha=settings.alpha,
            target_modules="all-linear",
            task_type="CAUSAL_LM",
        ),
    )


def _dataset(pairs: Sequence[Pair]) -> Any:
    from datasets import Dataset

    return Dataset.from_list(
        [
            {
                "prompt": [{"role": role, "content": text} for role, text in pair.prompt],
                "completion": [{"role": "assistant", "content": pair.completion}],
            }
            for pair in pairs
        ]
    )


def _loading(quantize: bool) -> dict[str, Any]:
    import torch
    from transformers import BitsAndBytesConfig

    cuda = torch.cuda.is_available()
    loading: dict[str, Any] = {"dtype": torch.bfloat16 if cuda else torch.float32}
    if quantize:
        loading["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=loading["dtype"],
        )
        loading["device_map"] = {"": 0 if cuda else "cpu"}
    return loading


def _told(
    recorder: Recorder, patience: int, progress: Callable[[str, int, int], None] | None
) -> TrainerCallback:
    """What passes the trainer's figures on, and ends it when the validation loss stays high."""
    import time

    from transformers import TrainerCallback

    class Told(TrainerCallback):
        tokens, at = 0.0, time.monotonic()
        best, since = math.inf, 0

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            if progress:
                progress("train", state.global_step, state.max_steps)

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            if "loss" in logs:
                now, tokens = time.monotonic(), logs.get("num_tokens", 0.0)
                pace = (tokens - self.tokens) / (now - self.at)
                self.tokens, self.at = tokens, now
                recorder.point(
                    state.global_step,
                    loss=logs["loss"],
                    learning_rate=logs.get("learning_rate"),
                    tokens_per_second=pace,
                    memory_bytes=_memory(),
                )
            elif "eval_loss" in logs:
                recorder.point(state.global_step, validation_loss=logs["eval_loss"])
                self.at = time.monotonic()  # looking at the lessons kept back is no training

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
        ) -> None:
            better = metrics["eval_loss"] < self.best
            self.best = min(self.best, metrics["eval_loss"])
            self.since = 0 if better else self.since + 1
            if patience and self.since >= patience:
                recorder.message = f"stopped early after step {state.global_step}"
                control.should_training_stop = True

    return Told()


def _memory() -> int:
    import psutil
    import torch

    if torch.cuda.is_available():
        return int(torch.cuda.max_memory_allocated())
    return int(psutil.Process().memory_info().rss)


def _device() -> str:
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "cpu"


def _values(settings: Settings) -> dict[str, Any]:
    names = ("rank", "alpha", "epochs", "learning_rate", "batch", "quantize")
    return {name: getattr(settings, name) for name in (*names, "validation", "patience", "seed")}
