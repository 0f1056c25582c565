"""Two processes at one workspace: one waits or is refused by name, and nothing is mixed."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest
from streamlit.testing.v1 import AppTest

from tailor.documents.activity import activity
from tailor.run import current_run, newest_runs
from tailor.workspace import Workspace

from .forked import Forks

if TYPE_CHECKING:
    from conftest import Command, Model

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
CONCURRENCY, ASKED = 2, 10
"""Callers, and dev and test questions of the workspace."""
OLD, NEW = "12 days of paid annual leave", "19 days of paid annual leave"
TOKEN = "correct-horse-battery-staple"
PAGES = ("overview.py", "knowledge.py", "stages.py", "compare.py")


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Forks processes with the command line."""
    started = Forks(
        *("chromadb", "langchain_openai", "tailor.cli.main", "tailor.cli.run"),
        *("tailor.documents.ingest", "tailor.ladder", "tailor.cli.ingest", "tailor.stages"),
        TAILOR_TOKEN=TOKEN,
    )
    yield started
    started.close()


class Other:
    """A ``tailor`` in a process of its own."""

    def __init__(self, forks: Forks, root: Path, arguments: tuple[str, ...], stop_at: str) -> None:
        self.forks = forks
        self.said = root / f"said-{time.monotonic_ns()}"
        given = [*arguments, "-w", str(root)]
        self.pid = forks.start("command", arguments=given, said=str(self.said), stop_at=stop_at)
        self.code: int | None = None

    def stopped(self) -> None:
        """Wait until it stands still."""
        end = time.monotonic() + 60
        while psutil.Process(self.pid).status() != psutil.STATUS_STOPPED:
            assert time.monotonic() < end, self.err
            time.sleep(0.02)

    def go_on(self) -> None:
        """Let it go on."""
        os.kill(self.pid, signal.SIGCONT)

    def end(self) -> int:
        """Its exit code, once it has ended."""
        if self.code is None:
            self.code = self.forks.wait(self.pid)
        assert "Traceback" not in self.err
        return self.code

    @property
    def err(self) -> str:
        """What it said."""
        return Path(f"{self.said}.err").read_text("utf-8")


Start = Callable[..., Other]


@pytest.fixture
def start(forks: Forks, hosted: Workspace) -> Iterator[Start]:
    """Starts ``tailor``: ``start("ingest", stop_at="pointer.before")``."""
    begun: list[Other] = []

    def starting(*arguments: str, stop_at: str = "") -> Other:
        begun.append(Other(forks, hosted.root, arguments, stop_at))
        return begun[-1]

    yield starting
    for one in begun:
        if one.code is None:
            os.kill(one.pid, signal.SIGKILL)
            forks.wait(one.pid)


@pytest.fixture
def changed(hosted: Workspace) -> Workspace:
    """Ingested, and then a document was changed."""
    hosted.ingest()
    leave = hosted.knowledge / "hr" / "leave.md"
    leave.write_text(leave.read_text("utf-8").replace(OLD, NEW), "utf-8")
    return hosted


def found(workspace: Workspace) -> str:
    return workspace.search("days of paid annual leave", k=1)[0].text


def test_of_two_ingestions_the_second_is_told_who_is_first(
    changed: Workspace, start: Start, tailor: Command
) -> None:
    first = start("ingest", stop_at="passages.before")
    first.stopped()
    for command in (["ingest"], ["ingest", "--retry"], ["clean", "--yes"]):
        refused = tailor(*command, "-w", changed.root)
        assert refused.code == 1
        assert f"Process {first.pid} is writing the index" in refused.sentence
    assert OLD in found(changed)
    first.go_on()
    assert first.end() == 0
    assert NEW in found(changed)
    after = tailor("ingest", "--json", "-w", changed.root)
    assert after.code == 0
    assert {file["status"] for file in after.json["files"]} == {"unchanged"}


def test_two_runs_of_one_stage_begun_at_once_ask_each_question_once(
    hosted: Workspace, start: Start, model: Model
) -> None:
    model.gate.open(0)
    both = [start("run", "prompting") for _ in range(2)]
    model.server.wait_for(CONCURRENCY, timeout=90)
    holder = current_run(hosted)
    assert holder
    runs, refused = sorted(both, key=lambda one: one.pid != holder["pid"])
    assert refused.end() == 1
    assert f"process {runs.pid}, prompting" in refused.err
    model.gate.open()
    assert runs.end() == 0
    assert set(Counter(model.questions()).values()) == {1}
    assert len(model.questions()) == ASKED
    assert [run.state().status for run in newest_runs(hosted)] == ["complete"]


def shown_to(model: Model, since: int = 0) -> set[str]:
    """Which of the two texts the model was shown."""
    requests = "\n".join(str(request.messages) for request in model.server.requests[since:])
    return {text for text in (OLD, NEW) if text in requests}


def test_a_run_during_an_ingestion_is_of_the_documents_before_it(
    changed: Workspace, start: Start, model: Model, tailor: Command
) -> None:
    ingestion = start("ingest", stop_at="pointer.before")
    ingestion.stopped()
    # What would need an index of its own, of documents that are half read, is refused.
    other = tailor("run", "retrieval", "--set", "passage_size=60", "-w", changed.root)
    assert other.code == 1
    assert f"Process {ingestion.pid} is writing the index" in other.sentence
    assert model.server.count == 0

    model.gate.open(3)
    run = start("run", "retrieval")
    model.server.wait_for(3 + CONCURRENCY, timeout=90)
    ingestion.go_on()
    assert ingestion.end() == 0
    model.gate.open()
    assert run.end() == 0
    assert len(model.questions()) == ASKED
    assert shown_to(model) == {OLD}
    (record,) = newest_runs(changed)
    assert record.state().status == "complete"
    assert "documents" in record.stale()

    assert tailor("run", "retrieval", "-w", changed.root).code == 0
    assert shown_to(model, since=ASKED) == {NEW}
    assert model.server.count < 2 * ASKED + 1
    assert [run.stale() for run in newest_runs(changed)] == [""]


def page_errors(root: Path, lang: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What any page says is wrong."""
    spec = find_spec("tailor.ui.app")
    assert spec is not None
    assert spec.origin is not None
    monkeypatch.setenv("TAILOR_WORKSPACE", str(root))
    app = AppTest.from_file(spec.origin, default_timeout=60)
    app.query_params["lang"] = lang
    app.run()
    wrong: list[str] = []
    for page in PAGES:
        app.switch_page(page).run()
        wrong += [f"{page}: {element.value}" for element in (*app.exception, *app.error)]
    return wrong


def test_every_page_is_shown_while_an_ingestion_and_a_run_go_on(
    changed: Workspace, start: Start, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    model.gate.open(3)
    run = start("run", "retrieval")
    model.server.wait_for(3 + CONCURRENCY, timeout=90)
    ingestion = start("ingest", stop_at="pointer.before")
    ingestion.stopped()
    told = activity(changed.state)
    assert told
    assert told.pid == ingestion.pid
    holder = current_run(changed)
    assert holder
    assert holder["pid"] == run.pid
    assert page_errors(changed.root, "EN", monkeypatch) == []
    ingestion.go_on()
    assert ingestion.end() == 0
    assert page_errors(changed.root, "VI", monkeypatch) == []  # the run is of former documents now
    model.gate.open()
    assert run.end() == 0
    assert page_errors(changed.root, "EN", monkeypatch) == []


def test_what_is_served_changes_between_two_answers_and_never_fails(
    changed: Workspace, start: Start, model: Model
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"

    def ask(path: str, body: object = None) -> dict[str, object]:
        data = None if body is None else json.dumps(body).encode()
        given = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        request = urllib.request.Request(url + path, data, given)
        with urllib.request.urlopen(request, timeout=30) as reply:
            answer: dict[str, object] = json.loads(reply.read())
        return answer

    def waiting(until: Callable[[dict[str, object]], bool]) -> None:
        end = time.monotonic() + 60
        while True:
            try:
                if until(ask("/health")):
                    return
            except OSError:
                pass
            assert time.monotonic() < end, server.err
            time.sleep(0.05)

    server = start("serve", "--stage", "retrieval", "--port", str(port))
    waiting(lambda health: health["row"] == "retrieval")
    question = "How many days of paid annual leave are there?"
    failures: list[str] = []
    answers = 0
    over = threading.Event()

    def going() -> None:
        nonlocal answers
        while not over.is_set():
            try:
                content = f"{question} ({answers})"
                messages = [{"role": "user", "content": content}]
                ask("/v1/chat/completions", {"model": "tailor", "messages": messages})
                answers += 1
            except OSError as error:
                failures.append(str(error))

    asking = threading.Thread(target=going, daemon=True)
    asking.start()
    try:
        both = [start("ingest"), start("run", "prompting")]
        assert [one.end() for one in both] == [0, 0]
        before = answers
        waiting(lambda health: health["swaps"] != 0)
        swapped = answers
        waiting(lambda health: answers > swapped + 2)
    finally:
        over.set()
        asking.join(60)
    assert failures == []
    assert before > 0
    shown = [
        NEW in text
        for request in model.server.requests
        if (text := str(request.messages)) and question in text
    ]
    assert len(shown) >= answers
    assert shown == sorted(shown), "a passage of the former index came after one of the new"
    assert set(shown) == {False, True}
