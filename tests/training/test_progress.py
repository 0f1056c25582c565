"""A training on disk: its curve while it goes, after it ended, and when its process was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tailor.models.provider import SHIPPED
from tailor.stages import FineTuning
from tailor.training.lora import split, train
from tailor.training.pairs import Pair
from tailor.training.progress import Recorder, recorded, trainings

COLOURS = ("red", "green", "blue", "white", "black", "brown", "grey", "pink", "beige", "gold")
LESSONS = [Pair((("user", f"Which door is {colour}?"),), f"Door: {colour}!") for colour in COLOURS]


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Recorder]:
    with recorded(tmp_path / "training", "base", {"rank": 8}, 9, 1, "cpu") as recorder:
        recorder.steps(4)
        yield recorder


def test_real_training_leaves_both_curves_and_can_stop_early(tmp_path: Path) -> None:
    # A rate so high that the validation loss rises at once.
    settings = replace(FineTuning(), epochs=6, batch=4, learning_rate=0.5, patience=1)
    train(str(SHIPPED / "reader"), LESSONS, tmp_path / "a", settings, tmp_path / "training")
    (found,) = trainings(tmp_path)
    assert (found.status, found.lessons, found.held_out, found.steps) == ("complete", 9, 1, 18)
    assert found.message.startswith("stopped early")
    learnt = [p for p in found.points if p.loss is not None]
    looked = [p for p in found.points if p.validation_loss is not None]
    assert 1 <= len(learnt) < 18
    assert len(looked) >= 2
    assert looked[0].step == 0
    assert all(p.tokens_per_second and p.memory_bytes for p in learnt)
    assert all(p.learning_rate is not None for p in learnt)
    assert (tmp_path / "a" / "adapter_model.safetensors").exists()


def test_lessons_kept_back_are_never_learnt_from() -> None:
    settings = replace(FineTuning(), validation=0.3)
    learnt, kept = split(LESSONS, settings)
    assert len(kept) == 3
    assert sorted(map(LESSONS.index, [*learnt, *kept])) == list(range(10))
    assert split(LESSONS, settings) == (learnt, kept)
    assert split(LESSONS[:8], FineTuning()) == (LESSONS[:8], [])


def test_time_left_and_figures_that_are_no_number(tmp_path: Path, begun: Recorder) -> None:
    begun.point(1, loss=2.0, learning_rate=0.1)
    begun.point(2, loss=float("nan"), tokens_per_second=None)
    (found,) = trainings(tmp_path)
    assert (found.status, found.pid) == ("running", os.getpid())
    assert [p.loss for p in found.points] == [2.0, None]
    assert found.last("loss") == 2.0
    assert found.seconds_left == pytest.approx(found.points[-1].seconds)
    json.dumps(found.to_json(), allow_nan=False)


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt(), "cancelled"), (RuntimeError("no memory"), "failed")]
)
def test_how_it_ended(tmp_path: Path, error: BaseException, status: str) -> None:
    def train() -> None:
        with recorded(tmp_path / "training", "base", {}, 9, 1, "cpu") as recorder:
            recorder.point(1, loss=2.0)
            raise error

    with pytest.raises(type(error)):
        train()
    (found,) = trainings(tmp_path)
    assert (found.status, found.message) == (status, str(error))
    assert found.last("loss") == 2.0


def test_a_killed_training_cut_at_every_byte(tmp_path: Path, begun: Recorder) -> None:
    begun.point(1, loss=2.0)
    begun.point(2, loss=1.0)
    (file,) = (tmp_path / "training").iterdir()
    raw = file.read_bytes().replace(f'"pid": {os.getpid()}'.encode(), b'"pid": 999999999')
    first = raw.index(b"\n")
    for end in range(len(raw)):
        file.write_bytes(raw[:end])
        found = trainings(tmp_path)
        assert len(found) == (end >= first)
        assert all(training.status == "interrupted" for training in found)
    file.write_bytes(raw)
    assert [p.loss for p in trainings(tmp_path)[0].points] == [2.0, 1.0]
