"""A small company in two languages, its questions, and a server that answers them."""

from __future__ import annotations

import json
import os
import runpy
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tailor.models.provider import KEYS
from tailor.testing import Fault, Messages, OpenAIServer, Request
from tailor.workspace import Workspace

if "PYTEST_XDIST_WORKER" in os.environ:  # several workers with a thread for each core only wait
    os.environ.setdefault("OMP_NUM_THREADS", "1")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as under nohup; children would inherit it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Pages in a browser first: the longest files, at the end they would keep one worker alone."""
    browsing = {item.path for item in items if item.get_closest_marker("browser")}
    items.sort(key=lambda item: item.path not in browsing)


DOCUMENTS = {
    "hr/leave.md": (
        "# Leave\n\nNew employees get 12 days of paid annual leave. Sick leave needs a doctor's "
        "note after 3 days.\n\nRequests for leave go to Ms Alvarez.\n"
    ),
    "hr/nghi-phep.md": (
        "# Nghỉ phép\n\nNhân viên mới được nghỉ phép 12 ngày mỗi năm. Nghỉ cưới được hưởng "
        "3 ngày lương.\n"
    ),
    "sales/refunds.md": (
        "# Refunds\n\nCustomers may return goods within 30 days. Refunds are paid within 5 "
        "working days by bank transfer.\n"
    ),
    "kho/lanh.txt": "Kho lạnh Hải Phòng giữ ở âm 18 độ. Thủ kho là ông Trần Văn Bình.\n",
    "it/laptops.txt": (
        "Laptops are replaced every 4 years. The help desk is open from 8:00 to 17:00. The guest "
        "network is called Blue Heron.\n"
    ),
}

Line = tuple[str, str, str, str | None, str, str]
LINES: tuple[Line, ...] = (
    ("t1", "train", "Who takes requests for leave?", "Ms Alvarez", "hr/leave.md", "Ms Alvarez"),
    ("t2", "train", "How often are laptops replaced?", "every 4 years", "it/laptops.txt",
     "every 4 years"),
    ("t3", "train", "Ai là thủ kho ở Hải Phòng?", "ông Trần Văn Bình", "kho/lanh.txt",
     "Trần Văn Bình"),
    ("t4", "train", "What is the name of the dog?", None, "", ""),
    ("d1", "dev", "How many days of paid leave do new employees get?", "12 days", "hr/leave.md",
     "12 days of paid annual leave"),
    ("d2", "dev", "Kho lạnh giữ ở bao nhiêu độ?", "âm 18 độ", "kho/lanh.txt", "âm 18 độ"),
    ("d3", "dev", "When does the help desk close?", "17:00", "it/laptops.txt", "17:00"),
    ("d4", "dev", "Giám đốc tên là gì?", None, "", ""),
    ("s1", "test", "Within how many days may goods be returned?", "30 days", "sales/refunds.md",
     "within 30 days"),
    ("s2", "test", "How are refunds paid?", "by bank transfer", "sales/refunds.md",
     "by bank transfer"),
    ("s3", "test", "Nhân viên mới được nghỉ phép mấy ngày?", "12 ngày", "hr/nghi-phep.md",
     "12 ngày mỗi năm"),
    ("s4", "test", "Nghỉ cưới được hưởng mấy ngày lương?", "3 ngày", "hr/nghi-phep.md", "3 ngày"),
    ("s5", "test", "What is the guest network called?", "Blue Heron", "it/laptops.txt",
     "Blue Heron"),
    ("s6", "test", "What does the parking permit cost?", None, "", ""),
)  # fmt: skip


@pytest.fixture(autouse=True)
def _no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test can spend anything."""
    for variable in KEYS.values():
        monkeypatch.delenv(variable, raising=False)


@pytest.fixture(autouse=True, scope="session")
def _kept_parser() -> Iterator[None]:
    """The process that parses is one for all ingestions of this process."""
    kept = runpy.run_path(str(Path(__file__).with_name("kept_parser.py")))["KeptBox"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tailor.documents.ingest.Box", kept)
        yield
    kept.end_kept()


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """Five documents and 14 questions (4 train, 4 dev, 6 test); nothing is ingested yet."""
    return _company(tmp_path / "acme")


@pytest.fixture(scope="session")
def company() -> tuple[Callable[[Path], Workspace], Callable[[Messages], str]]:
    """What writes that workspace into a folder, and what answers its questions rightly."""
    return _company, right


def _company(root: Path) -> Workspace:
    for path, text in DOCUMENTS.items():
        target = root / "knowledge" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, "utf-8")
    rows = [
        {
            "id": id,
            "split": split,
            "question": question,
            "answer": answer,
            "evidence": [{"document": document, "quote": quote}] if document else [],
        }
        for id, split, question, answer, document, quote in LINES
    ]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (root / "knowledge" / "benchmark.jsonl").write_text(lines, "utf-8")
    return Workspace(root)


SPOKEN = "Cuộc họp giao ban dời sang thứ năm."


@pytest.fixture(scope="session")
def whisper(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny Whisper that says ``SPOKEN`` once in each window of 30 seconds."""
    build = runpy.run_path(str(Path(__file__).with_name("tiny_whisper.py")))["build"]
    folder = tmp_path_factory.mktemp("whisper")
    build(folder, "vi", f" {SPOKEN}")
    return folder


def right(messages: Messages) -> str:
    """The accepted answer of the benchmark, or that the documents do not say."""
    asked = str(messages[-1]["content"])
    found = [answer for _, _, question, answer, _, _ in LINES if asked.endswith(question)]
    return (found[0] if found else None) or "Not in the documents."


class Gate:
    """A reply function that gives so many answers and then lets the callers wait."""

    def __init__(self, reply: Callable[[Messages], str], limit: int | None = None) -> None:
        self.reply = reply
        self.limit = limit
        self._given = 0
        self._round = 0
        self._changed = threading.Condition()

    def open(self, limit: int | None = None) -> None:
        """Give ``limit`` more answers (None: all); those who waited before are let go."""
        with self._changed:
            self.limit, self._given = limit, 0
            self._round += 1
            self._changed.notify_all()

    def __call__(self, messages: Messages) -> str:
        with self._changed:
            came_in = self._round
            self._changed.wait_for(
                lambda: self._round != came_in or self.limit is None or self._given < self.limit
            )
            if self._round == came_in:
                self._given += 1
        return self.reply(messages)


@dataclass
class Model:
    """A counting model: the server, its gate, and what fails."""

    server: OpenAIServer
    gate: Gate
    fault: Callable[[Request], Fault | None]

    def questions(self, since: int = 0) -> list[str]:
        """Ids of the questions asked, in order of arrival, from this request on."""
        return [
            next(id for id, _, question, *_ in LINES if request.question.endswith(question))
            for request in self.server.requests[since:]
        ]


@pytest.fixture
def model() -> Iterator[Model]:
    """Answers every question of the workspace rightly, unless told otherwise."""
    gate = Gate(right)
    server = OpenAIServer(gate, lambda request: counting.fault(request))
    counting = Model(server, gate, lambda request: None)
    with server:
        yield counting
        gate.open()


@pytest.fixture
def hosted(workspace: Workspace, model: Model) -> Workspace:
    """The workspace with the counting model in its tailor.toml."""
    return _configure(workspace, model)


@pytest.fixture
def configure(workspace: Workspace, model: Model) -> Callable[..., Workspace]:
    """Write a tailor.toml that names the counting model, and open the workspace anew."""
    return lambda **settings: _configure(workspace, model, **settings)


def _configure(workspace: Workspace, model: Model, **settings: Any) -> Workspace:
    values = {
        "model": "openai:double",
        "base_url": model.server.url,
        "concurrency": 2,
        "retries": 1,
        "timeout": 20,
        "ladder": ["prompting", "few_shot"],
        **settings,
    }
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in values.items()]
    (workspace.root / "tailor.toml").write_text("".join(lines), "utf-8")
    return Workspace(workspace.root)


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Mapping[str, Any]:
        """What it printed, read as JSON."""
        value: Mapping[str, Any] = json.loads(self.out)
        return value

    @property
    def sentence(self) -> str:
        """The one line on standard error that says what went wrong."""
        said = [line for line in self.err.splitlines() if line.startswith("tailor: ")]
        assert len(said) == 1, self.err
        assert "Traceback" not in self.err
        return said[0].removeprefix("tailor: ")


Command = Callable[..., Ended]


@pytest.fixture
def tailor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """The command, called in this process: ``tailor("run", "prompting", "-w", root)``."""
    from tailor.cli.main import main

    def run(*arguments: object) -> Ended:
        monkeypatch.setattr(sys, "argv", ["tailor", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return run


Rows = dict[tuple[str, str, int], str]


@pytest.fixture
def stored(workspace: Workspace) -> Callable[[], Rows]:
    """Every answer as it stands in the store's file, read by a connection of its own."""

    def read() -> Rows:
        connection = sqlite3.connect(workspace.state / "answers.db")
        try:
            rows = connection.execute("SELECT assistant, ask, repeat, answer FROM answers")
            return {(assistant, ask, repeat): answer for assistant, ask, repeat, answer in rows}
        finally:
            connection.close()

    return read
