"""Stage ``fine_tuning``: what it trains, chooses, refuses, and what it would take."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from tailor.errors import TailorError, UsageError
from tailor.models.chat import Chat
from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED
from tailor.stages import FineTuning
from tailor.training import local, worker
from tailor.training.encoding import encoded, tokenizer_of
from tailor.training.forecast import check, forecast, memory, shape_of, tell
from tailor.training.job import Job
from tailor.training.local import Rows
from tailor.training.pairs import Pair, conversational
from tailor.training.progress import trainings
from tailor.training.settings import SWEEP, Settings
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

READER = str(SHIPPED / "reader")
COLOURS = ("red", "green", "blue", "white", "black", "brown", "grey", "pink")
ROWS = conversational(
    [Pair((("user", f"Question: Which door is {c}?"),), f"Door: {c}!") for c in COLOURS]
)


@pytest.fixture
def in_process(monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Trainings run in this process, which has the libraries loaded; the jobs are listed."""
    jobs: list[Job] = []

    def run(job: Job, told: Callable[[str, int, int], None] | None = None) -> Path:
        jobs.append(job)
        assert worker.train(job) == "complete"
        return job.adapter

    monkeypatch.setattr(local, "run", run)
    return jobs


def test_a_sweep_takes_larger_ranks_while_they_help(
    workspace: Workspace, in_process: list[Job]
) -> None:
    notes: list[str] = []
    workspace.note = notes.append
    settings = Settings(rank="sweep", epochs=1, learning_rate=1e-3)
    rows = Rows(ROWS[2:], ROWS[:2])
    folder = local.adapter(workspace, READER, rows, settings)
    ranks = [job.settings.rank for job in in_process]
    assert ranks == list(SWEEP)[: len(ranks)]
    assert len(ranks) >= 2
    chosen = json.loads((folder / "adapter_config.json").read_text())
    assert chosen["r"] in SWEEP
    assert chosen["lora_alpha"] == 2 * chosen["r"]
    assert f"Rank {chosen['r']} was chosen" in notes[-1]
    losses = [t.last("validation_loss") for t in trainings(workspace.state)]
    assert local.validation_loss(folder) <= min(losses) * 1.01 + 1e-9
    # All of it is there now: nothing is trained again, and no lessons lie about.
    assert local.adapter(workspace, READER, rows, settings) == folder
    assert len(in_process) == len(ranks)
    assert not [f for f in (workspace.state / "training").iterdir() if f.is_dir()]
    with pytest.raises(UsageError, match="no example is kept back"):
        local.adapter(workspace, READER, Rows(ROWS, []), settings)


def test_settings_are_read_as_they_are_typed() -> None:
    typed = {"rank": "sweep", "target_modules": "q_proj,v_proj", "alpha": "none"}
    stage = FineTuning.with_settings(typed)
    assert isinstance(stage, FineTuning)
    assert (stage.rank, stage.target_modules, stage.alpha) == ("sweep", ("q_proj", "v_proj"), None)
    assert replace(FineTuning(), rank=16).scale == 32
    for wrong in ({"rank": "0"}, {"rank": "many"}, {"batching": "none"}, {"max_length": "3"}):
        with pytest.raises(UsageError):
            FineTuning.with_settings(wrong)


def test_what_it_takes_is_told_before(tmp_path: Path) -> None:
    found = forecast(READER, replace(Settings(), batch=4), ROWS, tmp_path)
    assert (found.lessons, found.steps, found.device) == (8, 4, "cpu")
    tokenizer = tokenizer_of(READER)
    assert found.tokens == 2 * sum(len(encoded(tokenizer, row)["input_ids"]) for row in ROWS)
    assert found.fits
    assert found.seconds
    assert not found.measured
    said: list[str] = []
    tell(found, said.append)
    assert "8 lessons" in said[0]


def test_what_does_not_fit_is_refused_with_the_setting_that_would(tmp_path: Path) -> None:
    shape = shape_of(READER, ("all-linear",))
    long = conversational([Pair((("user", "word " * 700),), "x")] * 64)
    settings = replace(Settings(), batch=64)
    needs = forecast(READER, settings, long, tmp_path).memory_bytes
    with pytest.raises(TailorError, match=r'set fine_tuning.gradient_checkpointing = "on", which'):
        check(READER, settings, long, tmp_path, available=round(needs * 0.6))
    on = replace(settings, gradient_checkpointing="on", batch=1, accumulation=64)
    least = memory(shape, on, 702, cuda=False)
    with pytest.raises(TailorError, match=r"batch = 1 and fine_tuning.accumulation = 64"):
        check(READER, settings, long, tmp_path, available=round(least * 1.01))
    with pytest.raises(TailorError, match="no setting makes it fit: take a smaller model"):
        check(READER, settings, long, tmp_path, available=10**8)


def test_memory_is_for_what_is_computed_at_once(tmp_path: Path) -> None:
    def needed(batch: int, batching: Literal["grouped", "packed"] = "grouped") -> int:
        settings = replace(Settings(), batch=batch, batching=batching)
        return forecast(READER, settings, ROWS * 8, tmp_path).memory_bytes

    # No batch holds more than there are lessons.
    assert needed(64) == needed(10**6) > needed(8)
    # Packed, each row of a batch is as long as lessons fill it.
    packed = forecast(READER, replace(Settings(), batching="packed"), ROWS * 8, tmp_path)
    assert packed.longest == 1024  # what the reader reads
    assert packed.steps < forecast(READER, Settings(), ROWS * 8, tmp_path).steps
    assert needed(2, "packed") > needed(2)


def test_four_bits_take_an_eighth() -> None:
    shape = shape_of(READER, ("all-linear",))
    plain, packed = (
        memory(shape, replace(Settings(), quantization=bits), 100, cuda=True)
        for bits in ("none", "4bit")
    )
    assert plain - packed == pytest.approx(shape.linear * (2 - 0.52), rel=0.01)


@pytest.mark.gpu
def test_the_device_is_used(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device here")
    from tailor.training.job import job

    settings = Settings(quantization="4bit", epochs=1)
    assert worker.train(job(tmp_path, READER, settings, ROWS[2:], ROWS[:2])) == "complete"
    assert torch.cuda.max_memory_allocated() > 0


def test_it_is_repeated_on_the_tuned_passages(
    workspace: Workspace, tailor: Command, in_process: list[Job]
) -> None:
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
