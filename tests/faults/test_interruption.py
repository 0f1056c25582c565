"""Runs that are killed, stopped, doubled or out of disk: real processes, real signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.run import current_run, newest_runs
from tailor.testing import rate_limited
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model, Rows

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
Stored = Callable[[], "Rows"]
Start = Callable[..., "subprocess.Popen[str]"]
CONCURRENCY = 2
ASKED = 10
"""Dev and test questions of the workspace."""


@pytest.fixture
def start(hosted: Workspace) -> Iterator[Start]:
    """Starts ``tailor`` as a process of its own; whatever still runs at the end is killed."""
    children: list[subprocess.Popen[str]] = []

    def launch(*arguments: str, first: str = "") -> subprocess.Popen[str]:
        code = f"{first}\nfrom tailor.cli.main import main\nmain()"
        child = subprocess.Popen(
            [sys.executable, "-c", code, *arguments, "-w", str(hosted.root)],
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


def _end(child: subprocess.Popen[str], code: int) -> tuple[str, str]:
    out, err = child.communicate(timeout=120)
    assert child.returncode == code, err
    assert "Traceback" not in err
    return out, err


def _kill(child: subprocess.Popen[str]) -> None:
    child.kill()
    assert child.wait(20) == -signal.SIGKILL


def test_killed_twice_a_run_asks_only_what_is_missing(
    hosted: Workspace, model: Model, start: Start, stored: Stored, tailor: Command
) -> None:
    # Two callers; a caller sends its next question only when its last answer is stored: with
    # three answers given and two more questions in, three answers are in the store.
    model.gate.open(3)
    child = start("run", "prompting")
    model.server.wait_for(3 + CONCURRENCY, timeout=90)
    assert len(stored()) == 3
    assert newest_runs(hosted)[0].state().status == "running"

    refused = tailor("run", "prompting", "-w", hosted.root)
    assert refused.code == 1
    assert f"process {child.pid}, prompting" in refused.sentence
    assert model.server.count == 3 + CONCURRENCY

    _kill(child)
    first = stored()
    assert len(first) == 3
    assert newest_runs(hosted)[0].state().status == "interrupted"
    assert current_run(hosted) is None

    model.gate.open(2)
    child = start("run", "prompting")
    model.server.wait_for(3 + CONCURRENCY + 2 + CONCURRENCY, timeout=90)
    _kill(child)
    second = stored()
    assert len(second) == 5
    assert second.items() >= first.items()

    model.gate.open()
    before = model.server.count
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    third = stored()
    assert third.items() >= second.items()
    assert len(third) == ASKED
    assert model.server.count - before == ASKED - 5

    # Every question was answered once; only those in flight at a kill were asked again.
    asked = Counter(model.questions())
    assert len(asked) == ASKED
    assert sum(asked.values()) == ASKED + 2 * CONCURRENCY
    assert hosted.answers.count() == (ASKED, ASKED)
    assert newest_runs(hosted)[0].state().status == "complete"


def test_a_kill_between_the_reply_and_the_answer_costs_nothing(
    hosted: Workspace, model: Model, start: Start, stored: Stored, tailor: Command
) -> None:
    """The raw reply is committed before anything else is done with it."""
    dies = (
        "import os, signal\n"
        "from tailor.answers import AnswerStore\n"
        "keep = AnswerStore.keep_answer\n"
        "def dying(self, *a, **k):\n"
        "    if self.count()[1] == 2: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    keep(self, *a, **k)\n"
        "AnswerStore.keep_answer = dying\n"
    )
    child = start("run", "prompting", first=dies)
    child.communicate(timeout=120)
    assert child.returncode == -signal.SIGKILL
    assert len(stored()) == 2
    calls, _ = hosted.answers.count()
    assert calls >= 3
    before = model.server.count
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert model.server.count - before == ASKED - calls
    assert len(stored()) == ASKED


def test_ctrl_c_pauses_and_the_next_run_goes_on(
    configure: Callable[..., Workspace],
    model: Model,
    start: Start,
    stored: Stored,
    tailor: Command,
) -> None:
    # From the fourth question on the server asks to come back in a minute, again and again: when
    # the signal comes one caller waits for that, the other is held back, and both are let go.
    hosted = configure(retries=4)
    model.fault = lambda request: rate_limited(60) if request.number >= 3 else None
    child = start("run", "prompting")
    model.server.wait_for(4, timeout=90)
    child.send_signal(signal.SIGINT)
    _, err = _end(child, 130)
    assert "Paused: 3 answers (3 model calls) kept." in err
    assert "Run the same command again" in err
    kept = stored()
    assert len(kept) == 3
    assert newest_runs(hosted)[0].state().status == "cancelled"

    model.fault = lambda request: None
    before = model.server.count
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert model.server.count - before == ASKED - 3
    assert len(stored()) == ASKED
    assert stored().items() >= kept.items()


def test_a_full_disk_is_one_sentence_and_the_next_run_goes_on(
    hosted: Workspace, model: Model, start: Start, stored: Stored, tailor: Command
) -> None:
    # No file of this process may grow beyond 100 kB: the store's log gets there after some answers.
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))"
    _, err = _end(start("run", "prompting", first=limit), 1)
    said = [line for line in err.splitlines() if line.startswith("tailor: ")]
    assert len(said) == 1
    assert "answers.db cannot be used" in said[0]
    kept = stored()
    assert 0 < len(kept) < ASKED
    spent = model.server.count
    assert spent <= len(kept) + 2 * CONCURRENCY  # it stopped spending

    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert stored().items() >= kept.items()
    assert len(stored()) == ASKED
    assert model.server.count - spent <= ASKED - len(kept)


def test_a_folder_that_cannot_be_written_is_one_sentence(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    (hosted.root / ".tailor").write_text("a file where the folder should be", "utf-8")
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert ended.code == 1
    assert str(Path(hosted.root) / ".tailor") in ended.sentence
    assert model.server.count == 0


def test_an_unfinished_record_file_hinders_nobody(hosted: Workspace, tailor: Command) -> None:
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    folder = hosted.state / "runs" / newest_runs(hosted)[0].id
    (folder / "record.json.part").write_text("{", "utf-8")
    (folder / "state.json.part").write_text("", "utf-8")
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert sorted(path.name for path in folder.iterdir()) == ["record.json", "state.json"]
