"""Limits and repeats under real processes: nothing is bought twice, nothing beyond the limit."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest

from tailor.run import newest_runs
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model, Rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
Start = Callable[..., "subprocess.Popen[str]"]
Stored = Callable[[], "Rows"]
CONCURRENCY = 2
ASKED = 10
"""Dev and test questions of the workspace."""


@pytest.fixture
def priced(hosted: Workspace) -> Workspace:
    """The workspace with a price for its model, and short replies."""
    path = hosted.root / "tailor.toml"
    text = path.read_text("utf-8")
    price = '[prices."openai:double"]\ninput = 1000.0\noutput = 4000.0\n'
    path.write_text(f"max_tokens = 20\n{text}{price}", "utf-8")
    return Workspace(hosted.root)


@pytest.fixture
def start(priced: Workspace) -> Iterator[Start]:
    """Starts ``tailor`` as a process of its own; whatever still runs at the end is killed."""
    children: list[subprocess.Popen[str]] = []

    def launch(*arguments: str) -> subprocess.Popen[str]:
        child = subprocess.Popen(
            [sys.executable, "-m", "tailor.cli.main", *arguments, "-w", str(priced.root)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1", "COLUMNS": "200"},
        )
        children.append(child)
        return child

    yield launch
    for child in children:
        if child.poll() is None:
            child.kill()
        child.communicate(timeout=20)


def test_a_limited_run_is_killed_and_what_it_bought_is_not_bought_again(
    priced: Workspace, model: Model, start: Start, stored: Stored, tailor: Command
) -> None:
    model.gate.open(2)
    child = start("run", "prompting", "--max-cost", "1")
    model.server.wait_for(2 + CONCURRENCY, timeout=90)
    child.kill()
    assert child.wait(20) == -signal.SIGKILL
    assert len(stored()) == 2
    assert newest_runs(priced)[0].state().status == "interrupted"

    # The limit is of what a command buys: what was stored before costs this one nothing.
    model.gate.open()
    before = model.server.count
    paused = tailor("run", "prompting", "--max-cost", "0.25", "-w", priced.root)
    assert paused.code == 130
    bought = model.server.count - before
    assert 0 < bought < ASKED - 2
    assert len(stored()) == 2 + bought
    assert f"{ASKED - 2 - bought} of 10 answers of prompting are left." in paused.err
    assert newest_runs(priced)[0].state().status == "paused"

    assert tailor("run", "prompting", "--max-cost", "9", "-w", priced.root).code == 0
    assert model.server.count - before == ASKED - 2
    assert len(stored()) == ASKED


def test_repeats_killed_twice_ask_only_what_is_missing(
    priced: Workspace, model: Model, start: Start, stored: Stored, tailor: Command
) -> None:
    for given in (12, 3):  # the first kill comes among the second answers
        model.gate.open(given)
        before = model.server.count
        child = start("run", "prompting", "--repeats", "2")
        model.server.wait_for(before + given + CONCURRENCY, timeout=90)
        child.kill()
        assert child.wait(20) == -signal.SIGKILL
    kept = stored()
    assert len(kept) == 15

    model.gate.open()
    assert tailor("run", "prompting", "--repeats", "2", "-w", priced.root).code == 0
    assert stored().items() >= kept.items()
    assert len(stored()) == 2 * ASKED
    asked = Counter(model.questions())
    assert sum(asked.values()) == 2 * ASKED + 2 * CONCURRENCY
    state = newest_runs(priced)[0].state()
    assert (state.status, state.done, state.total) == ("complete", 2 * ASKED, 2 * ASKED)
