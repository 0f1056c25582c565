"""QLoRA on a GPU: Tailor's training beside a plain TRL script, on random Llamas of 1B and 8B shape.

    python tests/benchmarks/training_gpu.py [--shape 1B] [--lessons 512] [--json FILE]

Both ways learn the same lessons in the same process, one after the other: Tailor's job with its
defaults and 4-bit weights, and TRL's SFTTrainer with its own defaults over the same weights in
NF4. Printed are tokens per second (without padding and without loading), the most memory that was
allocated, and MFU: the model's floating-point operations (6 per parameter and token, Chowdhery et
al. 2022, arXiv:2204.02311, appendix B; recomputed activations are not counted) over what a bf16
matrix product was measured to reach here. Goal: 1.3 times TRL's tokens per second, no more memory.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import tempfile
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from training_speed import lessons

from tailor.models.provider import SHIPPED
from tailor.models.quantized import quantized
from tailor.models.quiet import quiet_libraries
from tailor.training.encoding import Row, encoded, tokenizer_of
from tailor.training.job import job
from tailor.training.progress import recorded
from tailor.training.settings import Settings
from tailor.training.trainer import look_every, trainer_for
from tailor.training.watching import watching

GOAL = 1.3
SETTINGS = Settings(quantization="4bit", target_modules=("all-linear",), epochs=1)
SHAPES = {
    "tiny": {"hidden_size": 256, "intermediate_size": 688, "num_hidden_layers": 4,
             "num_attention_heads": 4, "num_key_value_heads": 4},
    "1B": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
           "num_attention_heads": 32, "num_key_value_heads": 8},
    "8B": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
           "num_attention_heads": 32, "num_key_value_heads": 8},
}  # fmt: skip
"""As Llama 3 has them; the vocabulary is the shipped tokenizer's, of 4,096 tokens."""


@dataclass(frozen=True)
class Figure:
    """One way to train."""

    shape: str
    way: str
    tokens: int
    seconds: float
    tokens_per_second: float
    peak_bytes: int
    mfu: float


def model_folder(place: Path, shape: str, tokenizer: Any) -> tuple[str, int]:
    """A random Llama of this shape in bf16, and how many parameters it has."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), max_position_embeddings=2048, dtype="bfloat16",
        pad_token_id=tokenizer.pad_token_id, **SHAPES[shape],
    )  # fmt: skip
    with torch.device("cuda" if torch.cuda.is_available() else "cpu"):
        torch.set_default_dtype(torch.bfloat16)
        model = LlamaForCausalLM(config)
        torch.set_default_dtype(torch.float32)
    model.save_pretrained(place)
    tokenizer.save_pretrained(place)
    return str(place), int(model.num_parameters())


def ours(base: str, rows: Sequence[Row], tokenizer: Any, home: Path) -> Callable[[], None]:
    """Tailor's training, ready to run."""
    made = job(home, base, SETTINGS, rows, [])
    trainer = trainer_for(made, tokenizer, rows, [], resumed=False)

    def run() -> None:
        with recorded(made.record, base, {}, len(rows), 0, "gpu") as recorder:
            trainer.add_callback(watching(made, recorder, look_every(trainer, SETTINGS)))
            trainer.train()

    return run


def plain(base: str, rows: Sequence[Row], tokenizer: Any, home: Path) -> Callable[[], None]:
    """TRL's own trainer with its defaults, ready to run."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from trl.trainer.sft_config import SFTConfig
    from trl.trainer.sft_trainer import SFTTrainer

    cuda = torch.cuda.is_available()
    trainer = SFTTrainer(
        model=base,
        processing_class=tokenizer,
        train_dataset=Dataset.from_list([dict(row) for row in rows]),
        peft_config=LoraConfig(
            r=8, lora_alpha=16, target_modules="all-linear", task_type="CAUSAL_LM"
        ),
        args=SFTConfig(
            output_dir=str(home), num_train_epochs=1, report_to="none", disable_tqdm=True,
            model_init_kwargs={
                "dtype": torch.bfloat16 if cuda else torch.float32,
                **quantized("4bit", base, cuda),
            },
            **({} if cuda else {"use_cpu": True, "bf16": False}),
        ),
    )  # fmt: skip
    return lambda: trainer.train() and None


def measured(make: Callable[[], Callable[[], None]]) -> tuple[float, int]:
    """Seconds of the training itself, and the most memory of loading and training."""
    import torch

    cuda = torch.cuda.is_available()
    gc.collect()
    if cuda:
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats()
    run = make()
    began = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):
        run()
    if cuda:
        torch.cuda.synchronize()
    peak = torch.cuda.max_memory_allocated() if cuda else 0
    return time.perf_counter() - began, peak


def matmul_rate() -> float:
    """Floating-point operations per second of a large bf16 matrix product here."""
    import torch

    cuda = torch.cuda.is_available()
    size, device = (8192, "cuda") if cuda else (512, "cpu")
    one = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    for _ in range(3):
        one @ one
    if cuda:
        torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(20):
        one @ one
    if cuda:
        torch.cuda.synchronize()
    return 20 * 2 * size**3 / (time.perf_counter() - began)


def compared(shape: str, count: int, rate: float) -> list[Figure]:
    """Both ways on a model of this shape, each warmed up on a few lessons first."""
    tokenizer = tokenizer_of(str(SHIPPED / "reader"))
    rows = lessons(10**9, tokenizer, most=count)
    tokens = sum(len(encoded(tokenizer, row)["input_ids"]) for row in rows)
    found = []
    with tempfile.TemporaryDirectory() as folder:
        base, parameters = model_folder(Path(folder) / "model", shape, tokenizer)
        for name, way in (("Tailor", ours), ("TRL defaults", plain)):
            home = Path(folder) / name
            measured(lambda way=way, home=home: way(base, rows[:16], tokenizer, home / "warm"))
            seconds, peak = measured(lambda way=way, home=home: way(base, rows, tokenizer, home))
            pace = tokens / seconds
            mfu = 6 * parameters * pace / rate
            found.append(Figure(shape, name, tokens, seconds, pace, peak, mfu))
    return found


def main() -> None:
    """Print a line for each shape and way, and the ratios."""
    parser = argparse.ArgumentParser(description="Compare QLoRA trainings on a GPU.")
    parser.add_argument("--shape", choices=tuple(SHAPES), action="append")
    parser.add_argument("--lessons", type=int, default=512)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    quiet_libraries()
    warnings.simplefilter("ignore")
    import torch

    name = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
    rate = matmul_rate()
    print(f"{name}: bf16 matrix products reach {rate / 1e12:.1f} TFLOP/s")  # noqa: T201
    found: list[Figure] = []
    for shape in given.shape or ("1B", "8B"):
        two = compared(shape, given.lessons, rate)
        found += two
        for one in two:
            print(  # noqa: T201
                f"{one.shape} {one.way}: {one.tokens_per_second:.0f} tokens/s, "
                f"{one.peak_bytes / 2**30:.1f} GiB, MFU {one.mfu:.1%}"
            )
        ratio = two[0].tokens_per_second / two[1].tokens_per_second
        memory = two[0].peak_bytes / max(1, two[1].peak_bytes)
        told = f"{shape}: {ratio:.2f} times the tokens per second (goal {GOAL})"
        print(f"{told}, {memory:.2f} times the memory (goal at most 1)")  # noqa: T201
    if given.json:
        about = {"device": name, "matmul_flops": rate, "figures": [asdict(f) for f in found]}
        given.json.write_text(json.dumps(about, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
