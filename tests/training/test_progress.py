"""A training on disk: its curve while it goes, after it ended, and when its process was killed."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tailor.training.progress import Recorder, read, recorded, trainings


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Recorder]:
    file = tmp_path / "training" / "one.jsonl"
    with recorded(file, "base", {"rank": 8}, 9, 1, "cpu") as recorder:
        recorder.steps(4)
        yield recorder


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
        file = tmp_path / "training" / "one.jsonl"
        with recorded(file, "base", {}, 9, 1, "cpu") as recorder:
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


def test_what_goes_on_is_one_curve(tmp_path: Path, begun: Recorder) -> None:
    """Steps after the checkpoint are computed again; a line cut off in between does no harm."""
    for step, loss in enumerate((3.0, 2.0, 1.0), 1):
        begun.point(step, loss=loss)
    (file,) = (tmp_path / "training").iterdir()
    before = read(file)
    assert before is not None
    with file.open("a") as opened:
        opened.write('{"step": 4, "secon')
    with recorded(file, "base", {}, 9, 1, "cpu", resumed=2) as recorder:
        recorder.steps(4)
        recorder.point(3, loss=1.0)
        recorder.point(4, loss=0.5)
    (found,) = trainings(tmp_path)
    assert [(p.step, p.loss) for p in found.points] == [(1, 3.0), (2, 2.0), (3, 1.0), (4, 0.5)]
    assert (found.status, found.resumed, found.started) == ("complete", 2, before.started)
    assert found.points[2].seconds >= found.points[1].seconds
