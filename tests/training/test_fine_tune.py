"""The walk-through in one command: questions and answers, LoRA, adapter, merged model, ask again.

With a tiny Bloom made on the spot; with the real one where ``TAILOR_BLOOM`` names its folder.
"""

from __future__ import annotations

import json
import os
import runpy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.errors import TailorError
from tailor.training.adapters import adapters
from tailor.training.fine_tune import fine_tune, keep_settings, prepare
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
SETTINGS = {"rank": 8, "alpha": 32, "dropout": 0.05}
"""Of the walk-through; a random model needs a higher rate, and longer, than one that can read."""


def sets(**settings: object) -> list[str]:
    return [word for k, v in settings.items() for word in ("--set", f"fine_tuning.{k}={v}")]


def test_questions_become_a_workspace_of_their_own(tmp_path: Path) -> None:
    questions = TINY["save_lessons"](tmp_path / "qa.jsonl")
    workspace = prepare(tmp_path / "own", questions, "huggingface:bloom")
    splits = {name: len(workspace.benchmark.split(name)) for name in ("train", "dev", "test")}
    assert sum(splits.values()) == 24
    assert splits["train"] >= 18
    assert min(splits.values()) >= 1
    assert workspace.config.model == "huggingface:bloom"
    assert workspace.config.ladder == ("fine_tuning",)
    before = (workspace.knowledge / "benchmark.jsonl").read_bytes()
    again = prepare(tmp_path / "own", questions, "huggingface:bloom")
    assert (again.knowledge / "benchmark.jsonl").read_bytes() == before
    again.config = again.config.with_values({"stages": {"fine_tuning": {"rank": "4"}}}, "test")
    keep_settings(again)
    assert Workspace(again.root).config.stages == {"fine_tuning": {"rank": 4}}


def test_no_workspace_is_left_of_what_could_not_be_begun(tmp_path: Path) -> None:
    questions = TINY["save_lessons"](tmp_path / "qa.jsonl")
    for file, model, said in (
        (tmp_path / "none.jsonl", "shipped", "no file"),
        (questions, "openai:gpt-4o", "not on this machine"),
        (questions, f"huggingface:{tmp_path}/none", "no folder"),
    ):
        with pytest.raises(TailorError, match=said):
            prepare(tmp_path / "own", file, model)
        assert not (tmp_path / "own").exists()
    notes: list[str] = []
    for _ in range(2):
        prepare(tmp_path / "own", questions, "shipped", notes.append)
    assert len(notes) == 1  # only the second time are there questions already
    assert "qa.jsonl is not read again" in notes[0]


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    questions = TINY["save_lessons"](tmp_path / "qa.jsonl")
    workspace = prepare(tmp_path / "own", questions, "shipped")
    with pytest.raises(Exception, match="name another folder"):
        fine_tune(workspace, tmp_path)


@pytest.mark.slow
def test_the_walk_through(tailor: Command, tmp_path: Path) -> None:
    real = os.environ.get("TAILOR_BLOOM", "")
    base = Path(real) if real else TINY["build"](tmp_path / "bloom-tiny")
    questions = TINY["save_lessons"](tmp_path / "qa.jsonl")
    longer = {"epochs": 20} if real else {"epochs": 80, "learning_rate": 0.01}
    asked = TINY["LESSONS"][14][0]
    out = tmp_path / "merged"
    ended = tailor(
        "fine-tune", questions, "-m", f"huggingface:{base}", "-w", tmp_path / "own", "-o", out,
        *sets(**SETTINGS, **longer), "--ask", asked, "--json",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    told = ended.json
    settings = told["adapter"]["settings"]
    assert {name: settings[name] for name in SETTINGS} == SETTINGS
    assert told["adapter"]["licence"] == "bigscience-bloom-rail-1.0"
    losses = [point["loss"] for point in told["adapter"]["curve"] if "loss" in point]
    assert losses[-1] < losses[0] / 2
    assert told["before_after"]["after"]["mean"] < told["before_after"]["before"]["mean"]
    assert told["asked"][0]["before"] != told["asked"][0]["after"]
    forms = {one["form"]: one for one in told["exported"]["gate"]["forms"]}
    assert forms["merged"]["same"] == forms["adapter"]["same"]
    assert _said(out, asked) == told["asked"][0]["after"]
    (adapter,) = adapters(Workspace(tmp_path / "own"))
    names = {file.name for file in adapter.folder.iterdir()}
    assert {"adapter_model.safetensors", "chat_template.jinja", "tokenizer.json"} <= names
    config = json.loads((adapter.folder / "adapter_config.json").read_text("utf-8"))
    assert (config["r"], config["lora_alpha"], config["lora_dropout"]) == (8, 32, 0.05)
    assert any("query_key_value" in name for name in config["target_modules"])
    template = (adapter.folder / "chat_template.jinja").read_text("utf-8")
    assert "Human: " in template
    assert "Assistant: " in template


def _said(folder: Path, question: str) -> str:
    """What plain transformers has the merged model say."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(folder)
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    prompt = tokenizer(f"Human: Question: {question}\n\nAssistant:", return_tensors="pt",
                       add_special_tokens=False)  # fmt: skip
    with torch.inference_mode():
        reply = model.generate(**prompt, max_new_tokens=64, do_sample=False)
    text: str = tokenizer.decode(reply[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)
    return text.strip()
