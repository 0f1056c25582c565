"""A small company in two languages, with a model that answers from what it is shown."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.cli.ui import options
from tailor.playground import answering
from tailor.run import current_run
from tailor.testing import Fault, Messages, OpenAIServer
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = os.environ.get("TAILOR_CHROMIUM") or "/usr/bin/chromium"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WAIT = 20_000

TRAP = "<b>bold</b> *star* $5 :red[x] # head"

FACTS = {
    "leave": ("How many days of paid leave are there?", "14 days", "hr/leave.md"),
    "notice": ("How long is the notice period?", "six weeks", "hr/leave.md"),
    "fridge": ("How cold is the sample fridge?", "4 degrees", "lab/fridge.md"),
    "alarm": ("When does the fridge alarm ring?", "above 8 degrees", "lab/fridge.md"),
    "kho": ("Kho lạnh chứa bao nhiêu pallet?", "24 pallet", "kho/quy-trinh.md"),
    "xe": ("Xe nâng chạy tối đa bao nhiêu?", "8 km/h", "kho/quy-trinh.md"),
}
DOCUMENTS = {
    "hr/leave.md": "# Leave\n\nPaid leave is 14 days a year.\n\nThe notice period is six weeks.\n",
    "lab/fridge.md": "# Fridge\n\nThe sample fridge is kept at 4 degrees.\n\n"
    "The fridge alarm rings above 8 degrees.\n",
    "kho/quy-trinh.md": "# Kho\n\nKho lạnh chứa 24 pallet.\n\nXe nâng chạy tối đa 8 km/h.\n",
}
REPEATS = 6


def fill(root: Path, url: str) -> Workspace:
    """A workspace with three documents and 36 questions, its model served at ``url``."""
    for name, text in DOCUMENTS.items():
        path = root / "knowledge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    lines = []
    for repeat in range(REPEATS):
        for id, (question, answer, document) in FACTS.items():
            lines.append(
                {
                    "id": f"{id}-{repeat}",
                    "question": f"{question} ({repeat})",
                    "answer": answer,
                    "evidence": [{"document": document, "quote": answer}],
                    "split": ("train", "dev", "test")[min(repeat, 2)],
                }
            )
    benchmark = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(benchmark, "utf-8")
    (root / "tailor.toml").write_text(
        f'model = "openai:double"\nbase_url = "{url}"\nconcurrency = 2\n'
        'ladder = ["prompting", "retrieval"]\n',
        "utf-8",
    )
    return Workspace(root)


def reader(messages: Messages) -> str:
    """The right answer where a passage holds it, and two of the six facts by heart."""
    text = str(messages[-1]["content"])
    for id, (question, answer, _) in FACTS.items():
        if question in text.splitlines()[-1]:
            passages = text.split(question)[0]
            return answer if answer in passages or id in ("leave", "xe") else TRAP
    return TRAP


@pytest.fixture(autouse=True, scope="session")
def _as_started() -> None:
    """Scripts are run as by `tailor ui`, which has none of Streamlit's magic: it takes long."""
    from streamlit import config

    assert options(8501, browser=False)["runner.magicEnabled"] == "false"
    config.set_option("runner.magicEnabled", False)


class Delay:
    """How late the model answers; changed while it runs."""

    seconds = 0.0
    pace = 0.0
    """Seconds between the words of a reply that is streamed."""

    def __call__(self, request: object) -> Fault:
        return Fault(seconds=self.seconds, pace=self.pace)


_delay = Delay()


@pytest.fixture(scope="session")
def double() -> Iterator[OpenAIServer]:
    """The model's server."""
    with OpenAIServer(reader, _delay) as server:
        yield server


@pytest.fixture
def slowly() -> Iterator[Callable[..., None]]:
    """Makes the model take that many seconds for an answer, or a word, from now on."""

    def set_seconds(seconds: float, pace: float = 0.0) -> None:
        _delay.seconds, _delay.pace = seconds, pace

    yield set_seconds
    set_seconds(0.0)


@pytest.fixture
def company(tmp_path: Path, double: OpenAIServer) -> Workspace:
    """A workspace whose documents are read and whose stages have not run."""
    workspace = fill(tmp_path / "hồ sơ", double.url)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="session")
def with_runs(tmp_path_factory: pytest.TempPathFactory, double: OpenAIServer) -> Workspace:
    """A workspace in which both stages have run."""
    from tailor.ladder import climb
    from tailor.rows import rows_for

    workspace = fill(tmp_path_factory.mktemp("workspaces") / "with-runs", double.url)
    workspace.ingest()
    climb(workspace, rows_for(workspace, ["all"]))
    return workspace


@pytest.fixture(scope="session")
def trap() -> str:
    """What the model says when it does not know; must be shown letter by letter."""
    return TRAP


class Ui:
    """A `tailor ui` with its workspace."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tailor.cli.main", "ui", "--no-browser",
             "-w", str(self.workspace.root), "--port", str(self.port)],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        end = time.monotonic() + 30
        while True:
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=1)
                return
            except OSError:
                assert time.monotonic() < end, "tailor ui did not start"
                time.sleep(0.1)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)

    def close(self) -> None:
        self.stop()
        pids = [int((current_run(self.workspace) or {}).get("pid", 0))]
        for pid in filter(None, [*pids, answering(self.workspace.state)]):
            os.kill(pid, signal.SIGKILL)


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Workspace], Ui]]:
    """Starts a `tailor ui` for a workspace; ended after the last test of the file."""
    started: list[Ui] = []

    def start(workspace: Workspace) -> Ui:
        started.append(Ui(workspace))
        return started[-1]

    yield start
    for one in started:
        one.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real Chromium; tests are skipped where there is none."""
    reason = "Playwright is not installed"
    playwright = pytest.importorskip("playwright.sync_api", reason=reason)
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}; set TAILOR_CHROMIUM")
    playwright.expect.set_options(timeout=WAIT)
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture
def tabs(browser: Browser) -> Iterator[BrowserContext]:
    """Tabs in which nothing may leave this machine or end in an error."""
    wrong: list[str] = []
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(WAIT)

    def watch(page: Page) -> None:
        page.on("pageerror", lambda error: wrong.append(f"page error: {error}"))
        page.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
        page.on("dialog", lambda dialog: wrong.append(dialog.message) or dialog.dismiss())
        page.on("request", lambda r: wrong.append(r.url) if _leaves(r.url) else None)
        page.on("response", lambda r: wrong.append(r.url) if _missing(r.url, r.status) else None)

    context.on("page", watch)
    yield context
    for page in context.pages:
        assert page.get_by_test_id("stException").count() == 0
    context.close()
    # Streamlit probes two addresses below deep links, which do not exist; the browser says so.
    assert [text for text in wrong if "status of 404" not in text] == []


def _leaves(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "ws://127.0.0.1:", "data:", "blob:"))


def _missing(url: str, status: int) -> bool:
    return status >= 400 and not re.search(r"/_stcore/(health|host-config)$", url)
