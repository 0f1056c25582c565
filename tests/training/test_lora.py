"""Real LoRA and QLoRA training of the shipped reader, on the processor in seconds."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from langchain_core.messages import HumanMessage

from tailor.models.chat import Chat
from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED
from tailor.stages import FineTuning
from tailor.training.lora import train
from tailor.training.pairs import Pair
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

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
    records = tmp_path / "records"
    train(
        base, LESSONS, tmp_path, settings, records,
        lambda _, done, total: told.append((done, total)),
    )  # fmt: skip
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
        train(base, LESSONS, tmp_path / name, settings, tmp_path / "records")
    assert losses(tmp_path / "a") == losses(tmp_path / "b")


@pytest.mark.gpu
def test_the_device_is_used(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    settings = replace(FineTuning(), quantize=True)
    train(str(SHIPPED / "reader"), LESSONS, tmp_path, settings, tmp_path / "records")
    assert torch.cuda.max_memory_allocated() > 0


def test_it_is_repeated_on_the_tuned_passages(workspace: Workspace, tailor: Command) -> None:
    """``fine_tuning:2`` behind retrieval_tuning learns from what the tuned search finds."""
    lines = "".join(
        json.dumps({"question": f"Which door is {colour}?", "answer": colour, "split": "train"})
        + "\n"
        for colour in COLOURS
    )
    with (workspace.knowledge / "benchmark.jsonl").open("a", encoding="utf-8") as file:
        file.write(lines)
    (workspace.root / "tailor.toml").write_text(
        "max_tokens = 4\n"
        'ladder = ["retrieval", "fine_tuning", "retrieval_tuning", "fine_tuning:2"]\n'
        "[stages]\n"
        "retrieval = {k = 1}\n"
        "fine_tuning = {epochs = 1, validation = 0}\n"
        '"fine_tuning:2" = {rank = 4}\n'
        "retrieval_tuning = {sizes = [60], weights = [1.0], headings = [0.0], "
        'fusions = ["scores"], forms = ["both"], rerank = false, ks = [2]}\n',
        "utf-8",
    )
    assert tailor("ingest", "-w", workspace.root).code == 0
    assert tailor("run", "fine_tuning:2", "-w", workspace.root).code == 0
    (run,) = Workspace(workspace.root).runs()
    rows = ["retrieval", "fine_tuning", "retrieval_tuning", "fine_tuning:2"]
    assert [step.row for step in run.lineage] == rows
    assert run.previous == "retrieval_tuning"
    first, second = (name for name in run.artifacts or () if name.startswith("adapter"))
    assert first != second
    model = run.assistant().model
    assert isinstance(model, Chat)
    assert isinstance(model.model, LocalChat)
    assert Path(model.model.adapter or "").name == second
    told = tailor("explain", "fine_tuning:2", "-w", workspace.root).out
    assert "fine_tuning:2 builds on retrieval_tuning, and changes:" in told
    assert "fine_tuning:2.rank: 8 → 4" in told
    assert "epochs" not in told
