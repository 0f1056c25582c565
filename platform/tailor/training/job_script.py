"""Train a LoRA adapter from this folder, on any machine with Python.

It needs only public packages, those of requirements.txt::

    python train.py --check     look at the folder, the machine and what would be learnt, and stop
    python train.py             train; started again after a break, it goes on where it was
    python train.py --base DIR  the same, with the base model in another place

The folder ``result`` is what comes back: ``tailor import adapter result``.
"""

from __future__ import annotations

import argparse
import hashlib
import inspect
import json
import math
import sys
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PACKAGES = ("torch", "transformers", "peft", "trl", "datasets", "accelerate", "bitsandbytes")
SAMPLES, WORDS = 4, 64
"""Lessons that are asked before and after, and tokens of their answers at most."""
PACKED = 2048
"""Tokens of a row of packed lessons, where none is longer."""
LOOKS = 10
"""How often the validation loss is measured, and a checkpoint kept."""


def tell(sentence: str) -> None:
    """A line on standard output."""
    sys.stdout.write(f"{sentence}\n")
    sys.stdout.flush()


class Stop(SystemExit):
    """One sentence with the cause and the next step."""


def main() -> None:
    """Check, train, and write the result."""
    parser = argparse.ArgumentParser(description="Train a LoRA adapter from this folder.")
    parser.add_argument("--check", action="store_true", help="look, and stop before training")
    parser.add_argument("--base", default="", help="folder or hub id of the base model")
    parser.add_argument("--out", type=Path, default=HERE / "result", help="where the result goes")
    given = parser.parse_args()
    job = checked_job()
    base = given.base or (str(HERE / "base") if (HERE / "base").is_dir() else job["base"])
    place = placed(base)
    tokenizer = tokenizer_of(place, job)
    most = job["settings"]["max_length"] or context(place)
    rows = {side: fitting(tokenizer, read(side), most, side) for side in ("train", "validation")}
    trainer, curve = trainer_of(place, tokenizer, rows, job)
    said = checked_labels(trainer, tokenizer, rows["train"], job)
    tell(f"{len(rows['train'])} lessons, {len(rows['validation'])} kept back, on {device()}.")
    tell(f"Of the first lesson this is learnt: {said!r}")
    if given.check:
        tell("The checks are passed. Next: python train.py")
        return
    train(trainer, tokenizer, curve, rows, base, job, given.out)
    tell(f"Trained; the result is in {given.out}. Next: tailor import adapter {given.out}")


def placed(base: str) -> str:
    """The folder of a base that is named with its commit, ORG/NAME@COMMIT, from the hub."""
    name, _, commit = base.partition("@")
    if not commit or Path(base).exists():
        return base
    from huggingface_hub import snapshot_download

    patterns = ["*.json", "*.txt", "*.model", "*.jinja", "*.safetensors"]
    try:
        return str(snapshot_download(name, revision=commit, allow_patterns=patterns))
    except Exception as error:  # the client and its transport each have their own
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Stop(f"The base model {base} cannot be had from the hub ({first}): name a folder "
                   "with a copy with --base.") from None  # fmt: skip


def checked_job() -> dict[str, Any]:
    """What the folder says of itself, when its files are those that were written."""
    try:
        job: dict[str, Any] = json.loads((HERE / "job.json").read_text("utf-8"))
        job["settings"] = json.loads((HERE / "settings.json").read_text("utf-8"))
        wrong = [name for name, told in job["files"].items() if sha256(HERE / name) != told]
    except (OSError, ValueError, KeyError) as error:
        raise Stop(f"job.json or a file that it names cannot be read ({error}): copy the folder "
                   "again, whole.") from None  # fmt: skip
    if wrong:
        raise Stop(f"{', '.join(wrong)} changed since the folder was written: copy it again, or "
                   "export the job anew with the changes.")  # fmt: skip
    return job


def read(side: str) -> list[dict[str, Any]]:
    """The lessons of ``data/SIDE.jsonl``."""
    text = (HERE / "data" / f"{side}.jsonl").read_text("utf-8")
    return [json.loads(line) for line in text.split("\n") if line]


def tokenizer_of(base: str, job: dict[str, Any]) -> Any:
    """The base model's own, with the job's chat template where it has none."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False)
    except Exception as error:  # the library raises about anything
        first = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise Stop(f"The base model {base} cannot be loaded ({first}): name its folder or hub id "
                   "with --base.") from None  # fmt: skip
    if tokenizer.chat_template is None:
        tokenizer.chat_template = job["chat_template"]
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.eos_token
    tokenizer.padding_side = "right"
    return tokenizer


def context(base: str) -> int:
    """Tokens that the model reads."""
    from transformers import AutoConfig

    config: Any = AutoConfig.from_pretrained(base, trust_remote_code=False).get_text_config()
    return int(getattr(config, "max_position_embeddings", None) or 2**20)


def fitting(
    tokenizer: Any, rows: list[dict[str, Any]], most: int, side: str
) -> list[dict[str, Any]]:
    """The lessons that are not too long: cut ones would lose the end of their reply."""
    kept = [row for row in rows if tokens(tokenizer, row) <= most]
    if len(kept) < len(rows):
        tell(f"{side}: {len(rows) - len(kept)} lessons of more than {most} tokens are left out.")
    if rows and not kept:
        raise Stop(f"No lesson of {side} fits into {most} tokens: export the job with a larger "
                   "fine_tuning.max_length.")  # fmt: skip
    return kept


def tokens(tokenizer: Any, row: dict[str, Any]) -> int:
    """Of the longer reply with its prompt."""
    ends = ("completion",) if "completion" in row else ("chosen", "rejected")
    texts = (
        tokenizer.apply_chat_template([*row["prompt"], *row[end]], tokenize=False) for end in ends
    )
    return max(len(tokenizer(text, add_special_tokens=False)["input_ids"]) for text in texts)


def trainer_of(
    base: str, tokenizer: Any, rows: dict[str, list[dict[str, Any]]], job: dict[str, Any]
) -> tuple[Any, list[dict[str, float]]]:
    """TRL's trainer for these settings, and the curve that it will write."""
    import torch
    from datasets import Dataset
    from peft import LoraConfig
    from transformers import AutoModelForCausalLM

    settings, cuda = job["settings"], torch.cuda.is_available()
    model = AutoModelForCausalLM.from_pretrained(
        base, trust_remote_code=False, use_safetensors=True, **loading(settings, cuda)
    )
    lora = LoraConfig(
        r=settings["rank"], lora_alpha=settings["alpha"], lora_dropout=settings["dropout"],
        target_modules=targets(model, settings["target_modules"]), task_type="CAUSAL_LM",
    )  # fmt: skip
    curve: list[dict[str, float]] = []
    row = None
    if settings["batching"] == "packed" and job["method"] != "dpo":
        longest = max(tokens(tokenizer, lesson) for lesson in rows["train"])
        row = packed(model, min(context(base), settings["max_length"] or max(PACKED, longest)))
    trainer = kind(job)(
        model=model, processing_class=tokenizer, peft_config=lora,
        args=arguments(rows, job, cuda, row),
        train_dataset=Dataset.from_list(rows["train"]),
        eval_dataset=Dataset.from_list(rows["validation"]) if rows["validation"] else None,
        callbacks=[watching(curve, settings["patience"])],
    )  # fmt: skip
    # Only now it is known how many rows the lessons were packed into.
    per_step = settings["batch"] * settings["accumulation"]
    steps = settings["epochs"] * math.ceil(len(trainer.train_dataset) / per_step)
    trainer.args.eval_steps = trainer.args.save_steps = max(1, steps // LOOKS)
    return trainer, curve


def packed(model: Any, row: int) -> int:
    """Tokens of a row of packed lessons; refuses a model that would read them as one text."""
    if "position_ids" not in inspect.signature(type(model).forward).parameters:
        raise Stop(f"{model.config.model_type} models tell no packed lessons apart: export the job "
                   "with fine_tuning.batching = grouped.")  # fmt: skip
    return row


def kind(job: dict[str, Any]) -> Any:
    """The trainer's class."""
    if job["method"] == "dpo":
        from trl.trainer.dpo_trainer import DPOTrainer

        return DPOTrainer
    from trl.trainer.sft_trainer import SFTTrainer

    return SFTTrainer


def arguments(
    rows: dict[str, list[dict[str, Any]]], job: dict[str, Any], cuda: bool, row: int | None
) -> Any:
    """The job's settings under the names that TRL has for them; ``row``: tokens of packed rows."""
    import torch
    from trl.trainer.dpo_config import DPOConfig
    from trl.trainer.sft_config import SFTConfig

    settings, dpo = job["settings"], job["method"] == "dpo"
    look = bool(rows["validation"])
    bf16 = cuda and torch.cuda.is_bf16_supported()
    own: dict[str, Any] = {"beta": settings["beta"]} if dpo else {"packing": row is not None}
    if settings["batching"] == "grouped" and not dpo:
        own["train_sampling_strategy"] = "group_by_length"
    scheduler = "constant_with_warmup" if settings["scheduler"] == "constant" else ""
    optimizer = {"adamw": "adamw_torch", "adamw_8bit": "adamw_bnb_8bit"}
    eight = cuda and installed("bitsandbytes")
    auto = "paged_adamw_8bit" if eight else "adamw_torch"
    checkpointing = settings["gradient_checkpointing"]
    return (DPOConfig if dpo else SFTConfig)(
        output_dir=str(HERE / "checkpoints"), num_train_epochs=settings["epochs"],
        per_device_train_batch_size=settings["batch"],
        per_device_eval_batch_size=settings["batch"],
        gradient_accumulation_steps=settings["accumulation"],
        learning_rate=settings["learning_rate"],
        lr_scheduler_type=scheduler or settings["scheduler"], warmup_steps=settings["warmup"],
        optim=auto if settings["optimizer"] == "auto"
        else optimizer.get(settings["optimizer"], settings["optimizer"]),
        max_length=row,
        gradient_checkpointing=cuda if checkpointing == "auto" else checkpointing == "on",
        use_cpu=not cuda, bf16=bf16, fp16=cuda and not bf16, seed=settings["seed"],
        data_seed=settings["seed"], report_to="none", logging_steps=1,
        save_strategy="steps", save_total_limit=2, load_best_model_at_end=look,
        eval_strategy="steps" if look else "no", eval_on_start=look, **own,
    )  # fmt: skip


def loading(settings: dict[str, Any], cuda: bool) -> dict[str, Any]:
    """How the base is loaded: bf16 on a GPU, fp32 on the processor, fewer bits where asked."""
    import torch

    bf16 = cuda and torch.cuda.is_bf16_supported()
    how: dict[str, Any] = {"dtype": torch.bfloat16 if bf16 else torch.float32}
    if settings["quantization"] == "none":
        return how
    if not installed("bitsandbytes"):
        raise Stop("Quantized training needs bitsandbytes: pip install bitsandbytes.")
    from transformers import BitsAndBytesConfig

    how["device_map"] = {"": 0 if cuda else "cpu"}
    how["quantization_config"] = (
        BitsAndBytesConfig(load_in_8bit=True)
        if settings["quantization"] == "8bit"
        else BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=how["dtype"],
        )
    )  # fmt: skip
    return how


def targets(model: Any, named: list[str]) -> str | list[str]:
    """The layers that are adapted; ``attention`` stands for all in the attention blocks."""
    if named == ["all-linear"]:
        return "all-linear"
    if named != ["attention"]:
        return named
    from torch.nn import Linear
    from transformers.pytorch_utils import Conv1D

    found = [
        name
        for name, layer in model.named_modules()
        if isinstance(layer, (Linear, Conv1D))
        and any("attn" in part or "attention" in part for part in name.lower().split(".")[:-1])
    ]
    if not found:
        raise Stop("No attention layers are found in this model: export the job with "
                   "fine_tuning.target_modules = all-linear.")  # fmt: skip
    return found


def watching(curve: list[dict[str, float]], patience: int) -> Any:
    """What keeps the losses, and ends the training where they are no numbers or stay high."""
    from transformers import TrainerCallback

    class Watching(TrainerCallback):
        best, since = math.inf, 0

        def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
            for told, name in (("loss", "loss"), ("eval_loss", "validation_loss")):
                if told in logs and math.isfinite(logs[told]):
                    point = {"step": state.global_step, name: float(logs[told])}
                    if point not in curve:
                        curve.append(point)
                elif told in logs:
                    raise Stop(f"The loss is no number after step {state.global_step}: export the "
                               "job with a lower fine_tuning.learning_rate. The last checkpoint "
                               "is kept.")  # fmt: skip

        def on_evaluate(
            self, args: Any, state: Any, control: Any, metrics: Any = None, **_: Any
        ) -> None:
            better = metrics["eval_loss"] < self.best
            self.best = min(self.best, metrics["eval_loss"])
            self.since = 0 if better else self.since + 1
            if patience and self.since >= patience:
                control.should_training_stop = True

    return Watching()


def checked_labels(
    trainer: Any, tokenizer: Any, rows: list[dict[str, Any]], job: dict[str, Any]
) -> str:
    """What is learnt of the first lesson, decoded from its labels; refuses more than the reply."""
    if job["method"] == "dpo":
        return str(rows[0]["chosen"][0]["content"])
    wanted = str(rows[0]["completion"][0]["content"])
    if trainer.args.packing:
        return wanted
    batch = trainer.data_collator([trainer.train_dataset[0]])
    learnt = batch["input_ids"][0][batch["labels"][0] != -100]
    said: str = tokenizer.decode(learnt, skip_special_tokens=True).strip()
    asked = str(rows[0]["prompt"][-1]["content"]).strip()
    if squeezed(wanted) not in squeezed(said) or (asked and squeezed(asked) in squeezed(said)):
        raise Stop(f"Other text than the reply would be learnt ({said[:200]!r}): the model's chat "
                   "template does not keep prompt and reply apart.")  # fmt: skip
    return said


def squeezed(text: str) -> str:
    """Without white space, which tokenizers change."""
    return "".join(text.split())


def train(
    trainer: Any,
    tokenizer: Any,
    curve: list[dict[str, float]],
    rows: dict[str, list[dict[str, Any]]],
    base: str,
    job: dict[str, Any],
    out: Path,
) -> None:
    """Train from the newest whole checkpoint on, and write the result with its digests."""
    shown = (rows["validation"] or rows["train"])[:SAMPLES]
    with trainer.model.disable_adapter():
        before = [answer(trainer.model, tokenizer, row) for row in shown]
    began, start = time.time(), checkpoint()
    if start:
        tell(f"Going on from {start.name}.")
        state = json.loads((start / "trainer_state.json").read_text("utf-8"))
        curve += points(state["log_history"])
    trainer.train(resume_from_checkpoint=str(start) if start else None)
    out.mkdir(parents=True, exist_ok=True)
    trainer.model.save_pretrained(str(out))
    tokenizer.save_pretrained(str(out))
    trainer.state.save_to_json(str(out / "trainer_state.json"))
    after = [answer(trainer.model, tokenizer, row) for row in shown]
    samples = [
        {"asked": row["prompt"][-1]["content"], "before": one, "after": other}
        for row, one, other in zip(shown, before, after, strict=True)
    ]
    told = {
        "schema_version": 1, "job": job["id"], "base": base, "base_digest": digest_of(base),
        "data": {name: job["files"][name] for name in sorted(job["files"]) if "data/" in name},
        "settings": job["settings"], "method": job["method"], "lessons": len(rows["train"]),
        "curve": curve, "samples": samples, "device": device(),
        "seconds": round(time.time() - began, 1), "versions": versions(),
        "files": {p.name: sha256(p) for p in sorted(out.iterdir()) if kept(p)},
    }  # fmt: skip
    (out / "result.json").write_text(json.dumps(told, ensure_ascii=False, indent=1), "utf-8")


def points(history: list[dict[str, Any]]) -> list[dict[str, float]]:
    """The curve of what was trained before the break."""
    names = (("loss", "loss"), ("eval_loss", "validation_loss"))
    return [
        {"step": line["step"], name: float(line[told])}
        for line in history
        for told, name in names
        if told in line
    ]


def answer(model: Any, tokenizer: Any, row: dict[str, Any]) -> str:
    """The likeliest answer to a lesson's prompt."""
    import torch

    text = tokenizer.apply_chat_template(row["prompt"], tokenize=False, add_generation_prompt=True)
    given = tokenizer(text, add_special_tokens=False, return_tensors="pt").to(model.device)
    given.pop("token_type_ids", None)
    model.eval()
    with torch.inference_mode():
        made = model.generate(
            **given, max_new_tokens=WORDS, do_sample=False, pad_token_id=tokenizer.pad_token_id
        )
    said: str = tokenizer.decode(made[0][given["input_ids"].shape[1] :], skip_special_tokens=True)
    return said.strip()


def checkpoint() -> Path | None:
    """The newest one that was written whole."""
    found = sorted(
        (HERE / "checkpoints").glob("checkpoint-*"), key=lambda path: int(path.name.split("-")[1])
    )
    whole = ("trainer_state.json", "adapter_model.safetensors", "optimizer.pt", "rng_state.pth")
    return next((p for p in reversed(found) if all((p / name).exists() for name in whole)), None)


def digest_of(base: str) -> str:
    """What the base's weights are, the same on every machine: parts of each safetensors file."""
    folder = Path(base)
    if not folder.is_dir():
        return base
    hasher = hashlib.sha256()
    for file in sorted(folder.glob("*.safetensors")):
        size = file.stat().st_size
        hasher.update(str(size).encode())
        with file.open("rb") as opened:
            for at in range(64):
                opened.seek(at * size // 64)
                hasher.update(opened.read(2**16))
    return hasher.hexdigest()[:16]


def kept(path: Path) -> bool:
    """Whether a file of the result is brought back: nothing that could run code."""
    names = (".json", ".jinja", ".model", ".safetensors", ".txt")
    return path.suffix in names and path.name != "result.json"


def sha256(path: Path) -> str:
    """Of the whole file."""
    hasher = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            hasher.update(block)
    return hasher.hexdigest()


def installed(package: str) -> bool:
    """Whether a package is there."""
    return package in versions()


def versions() -> dict[str, str]:
    """Of the packages that matter, those that are there."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def device() -> str:
    """``cpu``, or the name of the GPU."""
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "cpu"


if __name__ == "__main__":
    missing = [name for name in PACKAGES[:6] if not installed(name)]
    if missing:
        sys.exit(f"{', '.join(missing)} are missing: pip install -r requirements.txt")
    main()
