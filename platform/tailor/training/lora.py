"""LoRA and QLoRA training of a local chat model with PEFT and TRL."""

from __future__ import annotations

import contextlib
import io
import shutil
import tempfile
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tailor.training.pairs import Pair

if TYPE_CHECKING:
    from transformers import TrainerControl, TrainerState, TrainingArguments


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
    def seed(self) -> int: ...  # noqa: D102


def train(
    base: str,
    pairs: Sequence[Pair],
    folder: Path,
    settings: Settings,
    progress: Callable[[str, int, int], None] | None = None,
) -> None:
    """Train an adapter for the model at ``base`` and save it, with its loss curve, in ``folder``.

    Only the completions are learnt from. The adapter goes on all linear layers (Hu et al. 2021,
    arXiv:2106.09685; with ``quantize`` over NF4 weights, Dettmers et al. 2023, arXiv:2305.14314).
    """
    from tailor.models.local import quiet_libraries

    quiet_libraries()
    import torch
    from datasets import Dataset
    from datasets.utils.logging import disable_progress_bar
    from peft import LoraConfig, PeftModel
    from transformers import AutoTokenizer, BitsAndBytesConfig, TrainerCallback
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    disable_progress_bar()
    cuda = torch.cuda.is_available()

    class Told(TrainerCallback):
        """Passes the trainer's steps on to the progress bar."""

        def on_step_end(
            self,
            args: TrainingArguments,
            state: TrainerState,
            control: TrainerControl,
            **_: Any,
        ) -> None:
            if progress:
                progress("train", state.global_step, state.max_steps)

    data = Dataset.from_list(
        [
            {
                "prompt": [{"role": role, "content": text} for role, text in pair.prompt],
                "completion": [{"role": "assistant", "content": pair.completion}],
            }
            for pair in pairs
        ]
    )
    loading: dict[str, Any] = {"dtype": torch.bfloat16 if cuda else torch.float32}
    if settings.quantize:
        loading["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=loading["dtype"],
        )
        loading["device_map"] = {"": 0 if cuda else "cpu"}
    checkpoints = tempfile.mkdtemp(prefix="tailor-lora-")
    try:
        # The trainer prints every step's figures; the bar and the saved curve are enough. It also
        # warns of what its own next major version will drop.
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            arguments = SFTConfig(
                output_dir=checkpoints,
                model_init_kwargs=loading,
                num_train_epochs=settings.epochs,
                per_device_train_batch_size=settings.batch,
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
                disable_tqdm=True,
            )
            trainer = SFTTrainer(
                model=base,
                processing_class=AutoTokenizer.from_pretrained(base),
                train_dataset=data,
                args=arguments,
                peft_config=LoraConfig(
                    r=settings.rank,
                    lora_alpha=settings.alpha,
                    target_modules="all-linear",
                    task_type="CAUSAL_LM",
                ),
                callbacks=[Told()],
            )
            trainer.train()
        tuned = trainer.model
        assert isinstance(tuned, PeftModel)
        tuned.save_pretrained(str(folder))
        trainer.state.save_to_json(str(folder / "trainer_state.json"))
    finally:
        shutil.rmtree(checkpoints, ignore_errors=True)
