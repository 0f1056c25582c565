"""The clock is put a year forward or back: what is newer stays newer, and no time is negative."""

from __future__ import annotations

import json
import runpy
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor import ladder, moment, playground
from tailor.run import all_runs, newest_runs
from tailor.serving import kept
from tailor.stages import Prompting
from tailor.training import adapters, job
from tailor.training.hosted.record import begun, hosted_jobs, keep
from tailor.training.settings import Settings, values
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Model

YEAR = 365 * 86400
Jump = Callable[[float], None]


@pytest.fixture
def jump(monkeypatch: pytest.MonkeyPatch) -> Jump:
    """Puts the clock by so many seconds; the monotonic one goes on as it does."""
    really = time.time

    def put(seconds: float) -> None:
        class Clock(datetime):
            @classmethod
            def now(cls, tz: Any = None) -> Any:
                return datetime.fromtimestamp(really() + seconds, tz)

        monkeypatch.setattr(time, "time", lambda: really() + seconds)
        for module in (ladder, moment, adapters):
            monkeypatch.setattr(module, "datetime", Clock)

    return put


@pytest.mark.parametrize("first", [YEAR, -YEAR], ids=["back", "forward"])
def test_the_newest_run_is_the_last_one(
    hosted: Workspace, model: Model, jump: Jump, first: int
) -> None:
    jump(first)
    hosted.climb([Prompting("Be brief.")])
    jump(0)
    hosted.climb([Prompting("Be polite.")])
    earlier, later = all_runs(hosted)
    assert (earlier.started > later.started) is (first > 0)
    assert later.sequence == earlier.sequence + 1
    assert [run.id for run in newest_runs(hosted)] == [later.id]
    assert later.lineage[0].settings["instructions"] == "Be polite."


@pytest.mark.parametrize("seconds", [YEAR, -YEAR], ids=["forward", "back"])
def test_a_jump_during_a_run_is_no_time_that_it_took(
    hosted: Workspace, model: Model, jump: Jump, seconds: int
) -> None:
    answered = model.server.reply

    def jumping(messages: Any) -> Any:
        jump(seconds)
        return answered(messages)

    model.server.reply = jumping
    began = time.monotonic()
    (run,) = hosted.climb([Prompting()])
    took = time.monotonic() - began
    assert 0 <= run.state().seconds <= took
    assert all(0 <= fact.seconds <= took for fact in run.facts().values())
    assert (run.state().status, run.stale()) == ("complete", "")


@pytest.mark.parametrize("first", [YEAR, -YEAR], ids=["back", "forward"])
def test_trainings_jobs_and_questions_are_in_the_order_they_were_begun(
    tmp_path: Path, jump: Jump, first: int
) -> None:
    state = tmp_path / ".tailor"
    keys = ("a" * 16, "b" * 16)
    for key, put in zip(keys, (first, 0), strict=True):
        jump(put)
        told = {"host": "h", "base": "m", "method": "supervised", "epochs": 1, "lessons": 1}
        keep(state, begun(state, key, **told, held_out=0, tokens=1, cost_usd=None))
        playground.put(state, f"Question {key[0]}?", [("prompting", "shipped")])
        name = moment.moment(path.name for path in (state / "training").glob("*"))
        folder = state / "training" / f"{name}-{key[0]}"
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(
            json.dumps({"base": key, "settings": values(Settings())}), "utf-8"
        )
    assert [one.key for one in hosted_jobs(state)] == list(reversed(keys))
    assert [one.question for one in playground.recent(state, 2)] == ["Question b?", "Question a?"]
    assert [one.base for one in job.jobs(state)] == list(reversed(keys))


@pytest.mark.parametrize("first", [YEAR, -YEAR], ids=["back", "forward"])
def test_the_newest_adapter_is_the_one_that_was_registered_last(
    workspace: Workspace, tmp_path: Path, jump: Jump, first: int
) -> None:
    made = runpy.run_path(str(Path(__file__).parents[1] / "upgrades" / "make.py"))["trained"]
    for name, put, value in (("older", first, 1.0), ("newer", 0, 2.0)):
        jump(put)
        adapters.register(workspace, made(tmp_path / name, value), name)
    assert adapters.adapter(workspace).name == "newer"
    older, newer = (adapters.adapter(workspace, name) for name in ("older", "newer"))
    assert (older.created > newer.created) is (first > 0)


def test_what_was_served_is_in_the_order_it_was_served(workspace: Workspace, jump: Jump) -> None:
    for number, put in enumerate((YEAR, 0)):
        jump(put)
        one = kept.Served(
            id=f"chatcmpl-{number}", at=time.time(), question=f"{number}?", history=(), text="x",
            outcome="ok", error="", row="r", model="m", run="", fingerprint="f", generation="",
            passages=(), searched="", seconds=0.1, input_tokens=1, output_tokens=1, cost_usd=0.0,
        )  # fmt: skip
        kept.keep(workspace, [one])
    assert [one.question for one in kept.served(workspace)] == ["0?", "1?"]


def test_a_moment_is_later_than_those_before_it() -> None:
    ahead = f"{datetime.now(UTC) + timedelta(days=365):%Y%m%dT%H%M%S}"
    name = moment.moment([f"{ahead}-x", f"{ahead}000005-y", "no-moment", "20269999T000000"])
    assert name == f"{ahead}000006"
    assert f"{ahead}000005-y" < f"{name}-a"
    assert moment.moment([]) < ahead
