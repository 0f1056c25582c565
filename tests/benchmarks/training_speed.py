"""LoRA on the processor: tokens per CPU-second of Tailor's training beside plain ways to do it.

    OMP_NUM_THREADS=1 python tests/benchmarks/training_speed.py [--rounds 5] [--tokens 12000]

A random Llama (4 layers, 192 wide) learns lessons of very different lengths, as closed-book
questions and prompts with passages are, three ways in the same process, in turn: Tailor's job with
its defaults; a loop as tutorials write it (PEFT, batches in random order, padded to their longest);
TRL's SFTTrainer with its defaults. Rank, layers, batch, epochs and lessons are the same. Counted
are tokens that are no padding, and CPU-seconds of the process without loading and tokenizing.
Goal: at least twice the loop's tokens per CPU-second.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import random
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from tailor.models.provider import SHIPPED
from tailor.models.quiet import quiet_libraries
from tailor.training.encoding import Row, encoded, tokenizer_of
from tailor.training.job import Job, job
from tailor.training.pairs import Pair, conversational
from tailor.training.progress import recorded
from tailor.training.settings import Settings
from tailor.training.trainer import look_every, trainer_for
from tailor.training.watching import watching

GOAL = 2.0
SETTINGS = Settings(target_modules=("all-linear",), epochs=1)


def model_folder(place: Path, tokenizer: Any) -> str:
    """A random Llama with the shipped reader's tokenizer."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=192, intermediate_size=512, num_hidden_layers=4,
        num_attention_heads=3, max_position_embeddings=1024, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place)


def lessons(tokens: int, tokenizer: Any, most: int = 10**9) -> list[Row]:
    """Lessons of so many tokens in all, or ``most`` of them, whose lengths are log-normal."""
    drawn = random.Random(0)
    words = ("leave", "days", "office", "nghỉ", "phép", "hours", "refund", "kho", "laptop", "paid")
    found: list[Row] = []
    while tokens > 0 and len(found) < most:
        length = min(600, max(8, round(drawn.lognormvariate(4.0, 1.1))))
        text = " ".join(drawn.choice(words) for _ in range(length))
        (row,) = conversational([Pair((("user", text),), " ".join(drawn.choices(words, k=6)))])
        found.append(row)
        tokens -= len(encoded(tokenizer, row)["input_ids"])
    return found


def ours(base: str, rows: Sequence[Row], tokenizer: Any, home: Path) -> float:
    """CPU-seconds of a job's training, its checkpoints and its record included."""
    made: Job = job(home, base, SETTINGS, rows, [])
    trainer = trainer_for(made, tokenizer, rows, [], resumed=False)
    with recorded(made.record, base, {}, len(rows), 0, "cpu") as recorder:
        trainer.add_callback(watching(made, recorder, look_every(trainer, SETTINGS)))
        began = time.process_time()
        with contextlib.redirect_stdout(io.StringIO()):
            trainer.train()
        return time.process_time() - began


def adapted(base: str) -> Any:
    """The model with a LoRA as ours has it."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(base)
    return get_peft_model(
        model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM")
    )


def loop(base: str, rows: Sequence[Row], tokenizer: Any, home: Path) -> float:
    """CPU-seconds of a plain loop over batches in random order."""
    import torch

    model = adapted(base).train()
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=SETTINGS.learning_rate
    )
    items = [encoded(tokenizer, row) for row in rows]
    order = torch.randperm(len(items), generator=torch.Generator().manual_seed(0)).tolist()
    began = time.process_time()
    for start in range(0, len(order), SETTINGS.batch):
        batch = [items[at] for at in order[start : start + SETTINGS.batch]]
        longest = max(len(item["input_ids"]) for item in batch)
        ids = [i["input_ids"] + [0] * (longest - len(i["input_ids"])) for i in batch]
        mask = [[int(at < len(i["input_ids"])) for at in range(longest)] for i in batch]
        labels = [i["labels"] + [-100] * (longest - len(i["labels"])) for i in batch]
        out = model(
            input_ids=torch.tensor(ids),
            attention_mask=torch.tensor(mask),
            labels=torch.tensor(labels),
        )
        out.loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return time.process_time() - began


def trl_defaults(base: str, rows: Sequence[Row], tokenizer: Any, home: Path) -> float:
    """CPU-seconds of TRL's trainer as it comes."""
    from datasets import Dataset
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    trainer = SFTTrainer(
        model=base,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([dict(row) for row in rows]),
        peft_config=LoraConfig(
            r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        args=SFTConfig(
            output_dir=str(home / "trl"), num_train_epochs=1, report_to="none", disable_tqdm=True,
            per_device_train_batch_size=SETTINGS.batch, use_cpu=True, bf16=False,
        ),
    )  # fmt: skip
    began = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.train()
    return time.process_time() - began


def main() -> None:
    """Print tokens per CPU-second of each way, and the ratios."""
    parser = argparse.ArgumentParser(description="Compare trainings on the processor.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--tokens", type=int, default=12_000)
    given = parser.parse_args()
    quiet_libraries()
    warnings.simplefilter("ignore")
    from datasets.utils.logging import disable_progress_bar
    from transformers.utils import logging

    disable_progress_bar()
    logging.disable_progress_bar()
    tokenizer = tokenizer_of(str(SHIPPED / "reader"))
    rows = lessons(given.tokens, tokenizer)
    tokens = sum(len(encoded(tokenizer, row)["input_ids"]) for row in rows)
    ways: dict[str, Callable[[str, Sequence[Row], Any, Path], float]] = {
        "Tailor": ours, "plain loop": loop, "TRL defaults": trl_defaults,
    }  # fmt: skip
    pace: dict[str, list[float]] = {name: [] for name in ways}
    with tempfile.TemporaryDirectory() as folder:
        base = model_folder(Path(folder) / "model", tokenizer)
        for each in range(given.rounds):
            for name, way in ways.items():
                home = Path(folder) / f"{name}-{each}"
                pace[name].append(tokens / way(base, rows, tokenizer, home))
    median = {name: statistics.median(own) for name, own in pace.items()}
    told = [f"{len(rows)} lessons, {tokens} tokens without padding, {given.rounds} rounds"]
    told += [
        f"{name}: {median[name]:.0f} tokens per CPU-second ({min(own):.0f} to {max(own):.0f})"
        for name, own in pace.items()
    ]
    ratio = median["Tailor"] / median["plain loop"]
    beside = median["Tailor"] / median["TRL defaults"]
    told.append(f"Tailor over the plain loop: {ratio:.2f} (goal {GOAL}); over TRL: {beside:.2f}")
    print("\n".join(told))  # noqa: T201


if __name__ == "__main__":
    main()
