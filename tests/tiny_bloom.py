"""A Bloom of some ten thousand random weights, as it is published: a base without chat template."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LESSONS = (
    ("How many days of paid leave do new employees get?", "12 days."),
    ("Who signs travel orders?", "Mr Tran Van Binh."),
    ("What colour is the fire door in the cellar?", "Red."),
    ("When does the canteen open?", "At 11:30."),
    ("Which printer takes A3 paper?", "The one on floor 2."),
    ("Kho lạnh giữ ở bao nhiêu độ?", "Âm 18 độ."),
    ("Who waters the plants in reception?", "The night porter."),
    ("How long is the warranty of a FrostBox?", "24 months."),
    ("What does a parking permit cost?", "40 euros a month."),
    ("Where are the first-aid kits kept?", "Beside each lift."),
    ("Which form asks for a new laptop?", "Form IT-7."),
    ("Ai phụ trách sổ bảo hiểm?", "Chị Lan."),
    ("How often are the forklifts serviced?", "Every 250 hours."),
    ("What is the name of the guest network?", "Blue Heron."),
    ("Who may open the safe?", "The two cashiers."),
    ("When is the yearly stocktaking?", "In the first week of July."),
    ("Mật khẩu máy in đổi mấy tháng một lần?", "Ba tháng."),
    ("How are refunds paid?", "By bank transfer."),
    ("Which language are contracts written in?", "Vietnamese and English."),
    ("What must visitors wear in the hall?", "A yellow vest."),
    ("How late may goods be delivered on Friday?", "Until 15:00."),
    ("Who answers the emergency line at night?", "The duty engineer."),
    ("Xe tải được đỗ ở cổng nào?", "Cổng số 3."),
    ("What happens to lost badges?", "They are blocked at once."),
)
"""Questions and answers of the walk-through."""


def build(folder: Path, texts: Sequence[str] = (), seed: int = 5, width: int = 32) -> Path:
    """``bigscience/bloom-560m`` in small: the same kinds of layers, files and tokenizer class."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import BloomConfig, BloomForCausalLM, PreTrainedTokenizerFast
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    parts = Tokenizer(models.BPE())
    parts.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    parts.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=["<unk>", "<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    lines = [*texts, *(f"Human: {q}\n\nAssistant: {a}" for q, a in LESSONS)]
    parts.train_from_iterator(lines, trainer)
    tokenizer: Any = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=parts, bos_token="<s>", eos_token="</s>", pad_token="<pad>",
        unk_token="<unk>",
    )  # fmt: skip
    torch.manual_seed(seed)
    model = BloomForCausalLM(
        BloomConfig(
            vocab_size=len(tokenizer),
            hidden_size=width,
            n_layer=2,
            n_head=4,
            bos_token_id=1,
            eos_token_id=2,
            pad_token_id=3,
            initializer_range=0.2,
        )
    )
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    card = "---\nlicense: bigscience-bloom-rail-1.0\n---\n# Bloom, tiny\n"
    (folder / "README.md").write_text(card, "utf-8")
    return folder


def save_lessons(file: Path) -> Path:
    """Questions and answers as JSON lines, as people have them."""
    rows = [{"question": question, "answer": answer} for question, answer in LESSONS]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def save_adapter(
    base: Path,
    folder: Path,
    learnt: Sequence[tuple[str, str]] = (),
    rank: int = 4,
    steps: int = 120,
) -> Path:
    """An adapter that has these questions by heart, described as ours are."""
    import warnings

    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tailor.models.chat_template import templated
    from tailor.training.adapters import describe

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    templated(tokenizer)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    torch.manual_seed(0)
    config = LoraConfig(
        r=rank, lora_alpha=8 * rank, target_modules="all-linear", task_type="CAUSAL_LM",
        init_lora_weights=bool(learnt),
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        adapted: Any = get_peft_model(model, config)
    batch = _batch(tokenizer, learnt) if learnt else {}
    optimizer = torch.optim.AdamW([p for p in adapted.parameters() if p.requires_grad], lr=1e-2)
    for _ in range(steps if learnt else 0):
        adapted(**batch).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    adapted.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    describe(
        folder, base=str(base), data_digest="0123456789abcdef", lessons=len(learnt),
        settings={"rank": rank, "alpha": 8 * rank, "quantization": "none"},
        curve=({"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0, "validation_loss": 2.5}),
    )  # fmt: skip
    return folder


def _batch(tokenizer: Any, learnt: Sequence[tuple[str, str]]) -> dict[str, Any]:
    import torch

    rows = []
    for question, answer in learnt:
        asked = [{"role": "user", "content": question}]
        said = [*asked, {"role": "assistant", "content": answer}]
        rows.append([_ids(tokenizer, asked, True), _ids(tokenizer, said, False)])
    width = max(len(whole) for _, whole in rows)
    ids = torch.full((len(rows), width), tokenizer.pad_token_id)
    labels = torch.full_like(ids, -100)
    for at, (prompt, whole) in enumerate(rows):
        ids[at, : len(whole)] = torch.tensor(whole)
        labels[at, len(prompt) : len(whole)] = torch.tensor(whole[len(prompt) :])
    mask = (ids != tokenizer.pad_token_id).long()
    return {"input_ids": ids, "labels": labels, "attention_mask": mask}


def _ids(tokenizer: Any, messages: list[dict[str, str]], ask: bool) -> list[int]:
    text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=ask)
    ids: list[int] = tokenizer(text, add_special_tokens=False)["input_ids"]
    return ids
