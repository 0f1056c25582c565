"""Questions put down as files, answered by a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tailor import playground
from tailor.playground import Asked, Side
from tailor.testing import Messages, OpenAIServer, Request, slow
from tailor.workspace import Workspace

ROWS = (("prompting", "openai:double"), ("retrieval", "openai:double"))


def reply(messages: Messages) -> str:
    text = str(messages[-1]["content"])
    return "14 days of paid leave" if "Paid leave is 14 days" in text else "<b>I</b> guess 3"


@pytest.fixture
def late() -> threading.Event:
    """Set: the model does not answer before a second has passed."""
    return threading.Event()


@pytest.fixture
def workspace(tmp_path: Path, late: threading.Event) -> Iterator[Workspace]:
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "leave.md").write_text("Paid leave is 14 days a year.\n", "utf-8")
    lines = [{"question": f"Leave {n}?", "answer": "14", "split": "train"} for n in range(3)]
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(
        "".join(json.dumps(line) + "\n" for line in lines), "utf-8"
    )

    def fault(request: Request) -> object:
        return slow(1.0) if late.is_set() else None

    with OpenAIServer(reply, fault) as server:  # type: ignore[arg-type]
        (tmp_path / "tailor.toml").write_text(
            f'model = "openai:double"\nbase_url = "{server.url}"\n', "utf-8"
        )
        made = Workspace(tmp_path)
        made.ingest()
        yield made


@pytest.fixture
def worker(workspace: Workspace) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []

    def start() -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tailor.cli.main", "playground", "--idle", "20"]
        started.append(subprocess.Popen([*command, "-w", str(workspace.root)]))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def wait(
    state: Path, id: str, until: Callable[[tuple[Side, ...]], bool], seconds: float = 60.0
) -> tuple[Side, ...]:
    found = playground.asked(state, id)
    assert isinstance(found, Asked)
    end = time.monotonic() + seconds
    while not until(sides := playground.sides(state, found)):
        assert time.monotonic() < end, sides
        time.sleep(0.05)
    return sides


def over(sides: tuple[Side, ...]) -> bool:
    return all(side.over for side in sides)


def test_two_rows_answer_warm_and_a_reply_is_paid_once(
    workspace: Workspace, worker: Callable[[], subprocess.Popen[bytes]]
) -> None:
    state = workspace.state
    first = playground.put(state, "How many days of leave?", ROWS)
    process, second_worker = worker(), None
    plain, found = wait(state, first, over)
    assert (plain.status, plain.answer and plain.answer.text) == ("done", "<b>I</b> guess 3")
    assert found.answer
    assert found.answer.text == "14 days of paid leave"
    assert found.answer.passages[0].document == "leave.md"
    assert (found.answer.input_tokens, found.answer.output_tokens) > (0, 0)
    assert found.first_s is not None
    assert not found.stored
    prompt = playground.prompt(workspace, found.answer)
    assert "Paid leave is 14 days" in prompt[-1][1]
    assert prompt[-1][0] == "user"

    second_worker = worker()
    assert second_worker.wait(60) == 0, "a second process took questions up"
    assert playground.answering(state) == process.pid
    began = time.monotonic()
    again = playground.put(state, "How many days of leave?", ROWS)
    assert [side.stored for side in wait(state, again, over)] == [True, True]
    assert time.monotonic() - began < 5, "the process is not warm"


def test_stop_a_killed_process_and_a_row_that_would_train(
    workspace: Workspace,
    worker: Callable[[], subprocess.Popen[bytes]],
    late: threading.Event,
) -> None:
    state = workspace.state
    id = playground.put(state, "Stage?", [("fine_tuning", "shipped"), ("nothing", "shipped")])
    process = worker()
    training, unknown = wait(state, id, over)
    assert (training.status, unknown.status) == ("failed", "failed")
    assert "train questions" in training.message
    assert "There is no stage 'nothing'" in unknown.message

    late.set()
    stopped = playground.put(state, "Leave now?", ROWS[:1])
    wait(state, stopped, lambda sides: sides[0].status == "answering")
    playground.stop(state, stopped)
    assert wait(state, stopped, over)[0].status == "stopped"

    killed = playground.put(state, "Leave then?", ROWS[:1])
    wait(state, killed, lambda sides: sides[0].status == "answering")
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert wait(state, killed, over)[0].status == "interrupted"
    assert playground.answering(state) == 0


def test_what_is_not_prepared_is_refused_and_not_built(workspace: Workspace) -> None:
    from tailor.errors import NotApplicable

    def never(folder: Path) -> None:
        raise AssertionError(folder)

    workspace.builds = False
    with pytest.raises(NotApplicable, match="run the row first"):
        workspace.artifact("adapter", 1, never)
    workspace.builds = True
    made = workspace.artifact("adapter", 1, lambda folder: None)
    workspace.builds = False
    assert workspace.artifact("adapter", 1, never) == made
