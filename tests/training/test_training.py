"""Real trainings of the shipped reader on the processor: what is learnt, kept and gone on with."""

from __future__ import annotations

import json
import runpy
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from langchain_core.messages import HumanMessage

from tailor.errors import TailorError
from tailor.models.local import LocalChat
from tailor.models.provider import SHIPPED
from tailor.training import checkpoints, worker
from tailor.training.encoding import Row, encoded, fitting, tokenizer_of
from tailor.training.job import Job, ask, job, run
from tailor.training.pairs import Pair, PreferencePair, conversational, preferential
from tailor.training.progress import Training, read
from tailor.training.settings import Settings

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
READER = str(SHIPPED / "reader")
COLOURS = ("red", "green", "blue", "white", "black", "brown", "grey", "pink", "beige", "gold")
PAIRS = [Pair((("user", f"Question: Which door is {c}?"),), f"Door: {c}!") for c in COLOURS]
ROWS = conversational(PAIRS)
QUICK = replace(Settings(), epochs=3, batch=4, learning_rate=3e-3, dropout=0.1)


def begun(home: Path, settings: Settings, rows: Sequence[Row] = ROWS, kept: int = 2) -> Job:
    return job(home, READER, settings, rows[kept:], rows[:kept])


def record(made: Job) -> Training:
    found = read(made.record)
    assert found is not None
    return found


def losses(made: Job) -> list[tuple[int, float]]:
    return [(p.step, p.loss) for p in record(made).points if p.loss is not None]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """A training that nothing interrupts."""
    made = begun(tmp_path_factory.mktemp("whole"), QUICK)
    assert worker.train(made) == "complete"
    return made


def test_only_the_answer_and_its_end_are_learnt() -> None:
    tokenizer = tokenizer_of(READER)
    row: Row = {
        "prompt": [
            {"role": "system", "content": "Answer briefly."},
            {"role": "user", "content": "Which door is red?"},
            {"role": "assistant", "content": "An earlier answer."},
            {"role": "user", "content": "And blue?"},
        ],
        "completion": [{"role": "assistant", "content": "The left one."}],
    }
    lesson = encoded(tokenizer, row)
    learnt = [label for label in lesson["labels"] if label != -100]
    assert tokenizer.decode(learnt).strip() == f"The left one.{tokenizer.eos_token}"
    start = len(lesson["labels"]) - len(learnt)
    assert lesson["labels"][:start] == [-100] * start
    prompt = tokenizer.apply_chat_template(
        row["prompt"], tokenize=False, add_generation_prompt=True
    )
    assert tokenizer.decode(lesson["input_ids"][:start]).strip() == prompt.strip()


def test_labels_in_the_trainer_are_those_of_the_answer(tmp_path: Path) -> None:
    """What TRL's own collator hands to the model, packed and padded."""
    from tailor.training.trainer import trainer_for

    tokenizer = tokenizer_of(READER)
    for batching in ("grouped", "packed"):
        made = begun(tmp_path / batching, replace(QUICK, batching=batching))  # type: ignore[arg-type]
        trainer = trainer_for(made, tokenizer, ROWS[2:], ROWS[:2], resumed=False)
        batch: dict[str, Any] = next(iter(trainer.get_train_dataloader()))
        texts = tokenizer.batch_decode(
            [[t for t in row if t != -100] for row in batch["labels"].tolist()]
        )
        answers = [
            t.strip() for text in texts for t in text.split(tokenizer.eos_token) if t.strip()
        ]
        assert set(answers) <= {pair.completion for pair in PAIRS[2:]}
        assert len(answers) == (4 if batching == "grouped" else 8)


def test_a_model_without_positions_is_not_packed(tmp_path: Path) -> None:
    """Bloom would read all lessons of a row as one text."""
    from tailor.training.trainer import trainer_for

    base = str(TINY["build"](tmp_path / "bloom"))
    made = job(tmp_path, base, replace(QUICK, batching="packed"), ROWS, [])
    with pytest.raises(TailorError, match=r'bloom models .* fine_tuning.batching = "grouped"'):
        trainer_for(made, tokenizer_of(base), ROWS, [], resumed=False)


def test_figures_and_adapter(whole: Job) -> None:
    found = record(whole)
    assert (found.status, found.lessons, found.held_out, found.steps) == ("complete", 8, 2, 6)
    assert found.tokens == 3 * sum(
        len(encoded(tokenizer_of(READER), r)["input_ids"]) for r in ROWS[2:]
    )
    learnt = [p for p in found.points if p.loss is not None]
    looked = [p for p in found.points if p.validation_loss is not None]
    assert [p.step for p in learnt] == list(range(1, 7))
    assert looked[0].step == 0
    assert found.best == min(looked, key=lambda p: p.validation_loss or 0).step
    assert all(p.tokens_per_second and p.memory_bytes for p in learnt)
    assert all(p.learning_rate is not None for p in learnt)
    names = {file.name for file in whole.adapter.iterdir()}
    assert {"adapter_model.safetensors", "tokenizer.json", "chat_template.jinja"} <= names
    pickled = [f for f in whole.folder.rglob("*") if f.suffix in (".bin", ".pt", ".pth", ".pkl")]
    assert not pickled


@pytest.mark.parametrize("bits", ["none", "4bit"], ids=["LoRA", "QLoRA"])
def test_it_answers_as_it_was_taught(tmp_path: Path, bits: Literal["none", "4bit"]) -> None:
    settings = replace(QUICK, epochs=12, dropout=0.0, quantization=bits)
    made = begun(tmp_path, settings, kept=0)
    assert worker.train(made) == "complete"
    question = [HumanMessage("Question: Which door is blue?")]
    assert not LocalChat(path=READER).invoke(question).text.startswith("Door")
    assert LocalChat(path=READER, adapter=str(made.adapter)).invoke(question).text == "Door: blue!"


def test_killed_it_goes_on_with_the_same_curve(tmp_path: Path, whole: Job) -> None:
    """kill -9 in the middle, a checkpoint that is cut off, then the same command."""
    made = begun(tmp_path, QUICK)
    code = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from tailor.training import checkpoints, worker\n"
        "from tailor.training.job import opened\n"
        "write = checkpoints.write\n"
        "def kept(home, step, fill):\n"
        "    write(home, step, fill)\n"
        "    if step == 4: os.kill(os.getpid(), 9)\n"
        "checkpoints.write = kept\n"
        "worker.train(opened(Path(sys.argv[1])))\n"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, str(made.folder)], stdout=subprocess.DEVNULL, check=False
    )
    assert ended.returncode == -signal.SIGKILL
    assert record(made).status == "interrupted"
    assert checkpoints.newest(made.checkpoints) == made.checkpoints / "step-4"
    # The newest one is cut off: it is recognised, and the one before it taken.
    file = made.checkpoints / "step-4" / "adapter_model.safetensors"
    file.write_bytes(file.read_bytes()[:-1])
    assert checkpoints.newest(made.checkpoints) == made.checkpoints / "step-3"
    assert begun(tmp_path, QUICK).folder == made.folder
    assert worker.train(made) == "complete"
    found = record(made)
    assert (found.status, found.resumed, found.points[-1].step) == ("complete", 3, 6)
    assert losses(made) == losses(whole)
    weights = "adapter_model.safetensors"
    assert (made.adapter / weights).read_bytes() == (whole.adapter / weights).read_bytes()


def test_an_empty_checkpoint_is_none(tmp_path: Path) -> None:
    home = tmp_path / "checkpoints"
    kept = checkpoints.write(home, 1, lambda part: (part / "a.json").write_text("{}") and None)
    (home / "step-2").mkdir()
    (home / "step-3").mkdir()
    (home / "step-3" / "a.json").write_text("{}")  # all but the manifest, which is written last
    assert checkpoints.newest(home) == kept
    (kept / "a.json").unlink()
    assert checkpoints.newest(home) is None


def test_pickled_files_are_never_loaded(tmp_path: Path, whole: Job) -> None:
    home = tmp_path / "checkpoints"
    kept = checkpoints.write(home, 1, lambda part: (part / "a.json").write_text("{}") and None)
    assert checkpoints.whole(kept)
    (kept / "optimizer.pt").write_bytes(b"\x80\x04cos\nsystem\n.")
    assert not checkpoints.whole(kept)
    assert checkpoints.newest(home) is None
    # Not even where its manifest names it.
    manifest = json.loads((kept / checkpoints.MANIFEST).read_text())
    digest = checkpoints._digest(kept / "optimizer.pt")
    (kept / checkpoints.MANIFEST).write_text(json.dumps({**manifest, "optimizer.pt": digest}))
    assert checkpoints.newest(home) is None


def test_paused_from_outside_it_goes_on(tmp_path: Path, whole: Job) -> None:
    made = begun(tmp_path, QUICK)
    made.folder.joinpath("ask").write_text("pause")
    assert worker.train(made) == "paused"
    assert (record(made).status, record(made).points[-1].step) == ("paused", 1)
    with pytest.raises(TailorError, match="nothing to pause"):
        ask(made, "pause")
    assert begun(tmp_path, QUICK).asked == ""  # the same command goes on
    assert worker.train(made) == "complete"
    assert losses(made) == losses(whole)


@pytest.mark.slow
def test_two_processes_pause_together_and_go_on(tmp_path: Path) -> None:
    """One that stopped alone would leave the other waiting for ever."""
    base = str(TINY["build"](tmp_path / "bloom"))
    settings = replace(QUICK, epochs=30, batch=1, processes=2)
    made = job(tmp_path, base, settings, ROWS, [])

    def told(what: str, step: int, steps: int) -> None:
        assert steps == 150  # ten lessons shared out among two
        if step == 20:
            ask(made, "pause")

    with pytest.raises(TailorError, match="is paused and its checkpoint kept"):
        run(made, told)
    assert record(made).status == "paused"
    assert run(made).joinpath("adapter_model.safetensors").exists()
    found = record(made)
    assert (found.status, found.points[-1].step) == ("complete", 150)
    assert found.resumed is not None
    assert found.resumed >= 20


def test_cancelled_nothing_of_it_is_kept(tmp_path: Path) -> None:
    made = begun(tmp_path, QUICK)
    made.folder.joinpath("ask").write_text("cancel")
    assert worker.train(made) == "cancelled"
    assert record(made).status == "cancelled"
    assert not made.folder.exists()
    with pytest.raises(TailorError, match="is over"):
        ask(made, "cancel")


def test_early_stopping_keeps_the_best_weights(tmp_path: Path) -> None:
    # A rate so high that the validation loss rises.
    made = begun(tmp_path, replace(QUICK, epochs=8, learning_rate=0.5, warmup=0.0, patience=2))
    assert worker.train(made) == "complete"
    found = record(made)
    assert found.message.startswith("stopped early")
    assert found.points[-1].step < found.steps
    looks = {p.step: p.validation_loss for p in found.points if p.validation_loss is not None}
    assert found.best == min(looks, key=lambda step: looks[step])
    assert found.best < max(looks)
    kept = made.checkpoints / f"step-{found.best}" / "adapter_model.safetensors"
    if found.best:  # before the first step there is no checkpoint, and the adapter changes nothing
        assert (made.adapter / kept.name).read_bytes() == kept.read_bytes()


def test_a_loss_that_is_no_number_ends_it(tmp_path: Path) -> None:
    from tailor.training import trainer as module

    made = begun(tmp_path, QUICK)

    real = module._model

    def spoiled(own: Job) -> Any:
        """The model's weights overflow after a few steps."""
        model = real(own)
        calls = {"n": 0}
        forward = model.model.forward

        def later(*given: Any, **named: Any) -> Any:
            out = forward(*given, **named)
            calls["n"] += model.training
            if calls["n"] > 5:
                out.last_hidden_state = out.last_hidden_state * float("nan")
            return out

        model.model.forward = later
        return model

    module._model = spoiled
    try:
        said = r"no number any more at step 6 .* \(the weights of step 5 are kept in .*rate"
        with pytest.raises(TailorError, match=said):
            worker.train(made)
    finally:
        module._model = real
    assert record(made).status == "failed"
    last = checkpoints.newest(made.checkpoints)
    assert last is not None


def test_a_full_disk_is_a_sentence_and_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: Job
) -> None:
    made = begun(tmp_path, QUICK)
    save = checkpoints.save_state

    def full(folder: Path, *given: Any) -> None:
        if folder.name == "part-3":
            raise OSError(28, "No space left on device")
        save(folder, *given)

    monkeypatch.setattr(checkpoints, "save_state", full)
    with pytest.raises(TailorError, match=r"step 3 cannot be written.*No space left on device"):
        worker.train(made)
    assert checkpoints.newest(made.checkpoints) == made.checkpoints / "step-2"
    assert not list(made.checkpoints.glob("part-*"))
    monkeypatch.undo()
    assert worker.train(made) == "complete"
    assert losses(made) == losses(whole)


def test_better_answers_are_preferred(tmp_path: Path) -> None:
    pairs = [PreferencePair(p.prompt, p.completion, "I do not know.") for p in PAIRS]
    settings = replace(QUICK, method="dpo", epochs=2, dropout=0.0)
    made = begun(tmp_path, settings, preferential(pairs))
    assert worker.train(made) == "complete"
    curve = losses(made)
    assert curve[0][1] == pytest.approx(0.693, abs=0.01)  # nothing is preferred yet: ln 2
    assert curve[-1][1] < 0.5
    assert (made.adapter / "adapter_model.safetensors").exists()


def test_what_is_too_long_is_left_out_whole() -> None:
    tokenizer = tokenizer_of(READER)
    long = conversational([Pair((("user", "word " * 500),), "x")])
    assert fitting(tokenizer, [*ROWS[:2], *long], 100) == ROWS[:2]
