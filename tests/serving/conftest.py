"""A workspace that is served by the real server on loopback, over an engine told what to do."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from tailor.serving.server import Started, serve
from tailor.testing import Fault, Messages, OpenAIServer, Request
from tailor.workspace import Workspace

if TYPE_CHECKING:
    import uvicorn

TOKEN = "correct-horse-battery-staple"
LEAVE = "# Leave\n\nNew employees get 12 days of paid annual leave.\n"
REFUNDS = (
    "# Refunds\n\nRefunds are paid by bank transfer; see https://acme.example/refunds there.\n"
)


@dataclass
class Engine:
    """What the model behind the assistant says, and what goes wrong with it."""

    said: Callable[[Messages], str] = lambda messages: "12 days"
    fault: Callable[[Request], Fault | None] = lambda request: None
    server: OpenAIServer = field(init=False)

    def __post_init__(self) -> None:
        self.server = OpenAIServer(lambda m: self.said(m), lambda r: self.fault(r))

    def reset(self) -> None:
        """Answer as at first."""
        self.said, self.fault = (lambda messages: "12 days"), (lambda request: None)


@dataclass
class Answered:
    """A reply as it came over the wire."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """Of the error, which has the form of OpenAI's."""
        error = self.json["error"]
        assert set(error) == {"message", "type", "param", "code"}
        return str(error["code"])


@dataclass
class Served:
    """A server that runs in this process."""

    workspace: Workspace
    engine: Engine
    started: Started
    listener: uvicorn.Server
    thread: threading.Thread
    token: str = TOKEN

    @property
    def url(self) -> str:
        return self.started.url

    @property
    def address(self) -> tuple[str, int]:
        parts = urlsplit(self.url)
        return str(parts.hostname), int(parts.port or 0)

    def raw(self, data: bytes, timeout: float = 10) -> bytes:
        """Send bytes as they are; everything that comes back until the server closes."""
        with socket.create_connection(self.address, timeout=timeout) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR) if data.endswith(b"\0cut") else None
            return read(connection)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        token: str | None = TOKEN,
        **headers: str,
    ) -> Answered:
        """One request with a body as JSON, or as it is where it is bytes."""
        raw = (
            body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        )
        given = {"Host": "127.0.0.1", "Content-Type": "application/json", "Connection": "close"}
        if token is not None:
            given["Authorization"] = f"Bearer {token}"
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        given.setdefault("Content-Length", str(len(raw)))
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        return answered(self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + raw))

    def chat(self, content: str = "How many days of leave?", **more: Any) -> Answered:
        """A question to the assistant."""
        body = {"model": "tailor", "messages": [{"role": "user", "content": content}], **more}
        return self.ask("POST", "/v1/chat/completions", body)

    def in_flight(self, count: int) -> None:
        """Wait until so many answers are made or wait."""
        end = time.monotonic() + 10
        while self.ask("GET", "/health").json["in_flight"] != count:
            assert time.monotonic() < end
            time.sleep(0.02)

    def end(self) -> None:
        """End it as a signal does."""
        self.listener.should_exit = True
        self.thread.join(30)
        assert not self.thread.is_alive()


def read(connection: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            part = connection.recv(65536)
        except ConnectionResetError:
            return found
        if not part:
            return found
        found += part


def answered(raw: bytes) -> Answered:
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    assert lines[0], "the connection was closed without an answer"
    headers = {name.lower(): value for name, _, value in (one.partition(": ") for one in lines[1:])}
    if headers.get("transfer-encoding") == "chunked":
        rest, body = body, b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            body, rest = body + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
    return Answered(int(lines[0].split()[1]), headers, body)


def start(root: Path, engine: Engine, stage: str, token: str = TOKEN, **limits: Any) -> Served:
    """Serve a workspace from a thread of this process."""
    settings = {
        "max_body_kb": 16, "max_messages": 6, "max_n": 3, "max_input_tokens": 300, "max_texts": 4,
        "concurrency": 4, "queue": 2, "client_timeout": 1.0, "timeout": 8, "port": 0, **limits,
    }  # fmt: skip
    lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
    (root / "tailor.toml").write_text(
        f'model = "openai:double"\nbase_url = "{engine.server.url}"\nretries = 0\n'
        f"[serve]\n{''.join(lines)}",
        "utf-8",
    )
    workspace = Workspace(root)
    if not (workspace.state / "index" / "current").exists():
        workspace.ingest()
    found: list[Any] = []
    up = threading.Event()

    def started(one: Started) -> None:
        found.append(one)
        up.set()

    def run() -> None:
        try:
            serve(workspace, stage, started=started, ready=found.append)
        finally:
            up.set()

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILOR_TOKEN", token)
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        assert up.wait(60)
    listener, about = found
    return Served(workspace, engine, about, listener, thread, token)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The assistant of row retrieval, for all tests of a module."""
    root = tmp_path_factory.mktemp("acme")
    for name, text in {"hr/leave.md": LEAVE, "sales/refunds.md": REFUNDS}.items():
        (root / "knowledge" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "knowledge" / name).write_text(text, "utf-8")
    engine = Engine()
    with engine.server:
        served = start(root, engine, "retrieval")
        yield served
        served.end()


@pytest.fixture
def served(made: Served) -> Served:
    """The server, with an engine that answers as at first."""
    made.engine.reset()
    return made


Begin = Callable[..., Served]


@pytest.fixture
def begin() -> Iterator[Begin]:
    """Serve a workspace from a thread of this process: ``begin(root, engine, stage, **limits)``."""
    begun: list[Served] = []

    def beginning(*given: Any, **limits: Any) -> Served:
        begun.append(start(*given, **limits))
        return begun[-1]

    yield beginning
    for one in begun:
        if one.thread.is_alive():
            one.end()


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine for one test."""
    one = Engine()
    with one.server:
        yield one


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of a workspace with one document."""
    (tmp_path / "knowledge").mkdir()
    (tmp_path / "knowledge" / "leave.md").write_text(LEAVE, "utf-8")
    return tmp_path
