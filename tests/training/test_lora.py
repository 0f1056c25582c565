"""Real LoRA and QLoRA training of the shipped reader, on the processor in seconds."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED
from tailor.stages import FineTuning
from tailor.training.lora import train
from tailor.training.pairs import Pair

COLOURS = ("red", "green", "blue", "white", "black", "brown", "grey", "pink")
LESSONS = [
    Pair((("user", f"Question: Which door is {colour}?"),), f"Door: {colour}!")
    for colour in COLOURS
]


def losses(folder: Path) -> list[float]:
    history = json.loads((folder / "trainer_state.json").read_text("utf-8"))["log_history"]
    return [entry["loss"] for entry in history if "loss" in entry]


@pytest.mark.parametrize("quantize", [False, True], ids=["LoRA", "QLoRA"])
def test_an_adapter_is_learnt(tmp_path: Path, quantize: bool) -> None:
    base = str(SHIPPED / "reader")
    settings = replace(FineTuning(), epochs=20, learning_rate=3e-3, quantize=quantize)
    told: list[tuple[int, int]] = []
    train(base, LESSONS, tmp_path, settings, lambda _, done, total: told.append((done, total)))
    curve = losses(tmp_path)
    assert len(curve) == 20
    assert curve[-1] < curve[0] / 2
    assert told[-1] == (20, 20)
    assert not [f.name for f in tmp_path.iterdir() if f.suffix in (".bin", ".pt", ".pkl")]
    question = [HumanMessage("Question: Which door is blue?")]
    plain = LocalChat(path=base).invoke(question).text
    tuned = LocalChat(path=base, adapter=str(tmp_path)).invoke(question).text
    assert not plain.startswith("Door")
    assert tuned.startswith("Door")


def test_the_same_seed_gives_the_same_adapter(tmp_path: Path) -> None:
    base = str(SHIPPED / "reader")
    settings = replace(FineTuning(), epochs=1)
    for name in ("a", "b"):
        train(base, LESSONS, tmp_path / name, settings)
    assert losses(tmp_path / "a") == losses(tmp_path / "b")


@pytest.mark.gpu
def test_the_device_is_used(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    train(str(SHIPPED / "reader"), LESSONS, tmp_path, replace(FineTuning(), quantize=True))
    assert torch.cuda.max_memory_allocated() > 0
