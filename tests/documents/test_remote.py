"""Vectors on a Chroma server: Chroma's own, started here for the tests alone and on loopback only.

A relay stands between, which sees what is sent and loses connections when it is told to.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tailor.config import Config
from tailor.documents import generation, index, parts, remote
from tailor.errors import TailorError, UsageError
from tailor.workspace import Workspace

TOKEN = "tok3n-" + "x9Q" * 8
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
QUESTION = "How many days of paid leave do new employees get?"


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a Chroma server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    folder = tmp_path_factory.mktemp("chroma")
    command = Path(sys.executable).with_name("chroma")
    server = subprocess.Popen(
        [command, "run", "--path", folder, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for _ in range(300):
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            except OSError:
                assert server.poll() is None, "the server ended"
                time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait()


class Relay(ThreadingHTTPServer):
    """Passes requests on to Chroma, as far as they have the token and are not to be lost."""

    def __init__(self, chroma: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.chroma = chroma
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.lost: Callable[[str], bool] = lambda path: False
        self.added: list[str] = []
        self.paths: list[str] = []

    def delete(self, name: str) -> None:
        """Delete a collection behind its back."""
        connection = HTTPConnection("127.0.0.1", self.chroma)
        connection.request("DELETE", f"{COLLECTIONS}/{name}")
        assert connection.getresponse().status == 200
        connection.close()

    def collections(self) -> list[str]:
        """The names of all collections, asked behind its back."""
        connection = HTTPConnection("127.0.0.1", self.chroma)
        connection.request("GET", COLLECTIONS)
        found = json.loads(connection.getresponse().read())
        connection.close()
        return sorted(one["name"] for one in found)


class _Handler(BaseHTTPRequestHandler):
    server: Relay

    def _relayed(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.paths.append(self.path)
        if self.server.lost(self.path):
            self.connection.shutdown(socket.SHUT_RDWR)
            return
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._reply(401, b'{"message": "who are you"}')
            return
        connection = HTTPConnection("127.0.0.1", self.server.chroma)
        connection.request(self.command, self.path, body, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        told = reply.read()
        connection.close()
        if self.path.endswith("/add"):
            self.server.added += json.loads(body)["ids"]
        self._reply(reply.status, told)

    def _reply(self, status: int, told: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_DELETE = do_PUT = _relayed

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def relay(chroma: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Relay]:
    monkeypatch.setenv(remote.TOKEN, TOKEN)
    monkeypatch.setattr(remote, "_WAITS", (0.01,))
    server = Relay(chroma)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
    for name in server.collections():
        server.delete(name)


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the graph, as above 100,000 passages."""
    monkeypatch.setattr(index, "_COMPARED", 0)


def at(workspace: Workspace, url: str) -> Workspace:
    (workspace.root / "tailor.toml").write_text(f'chroma_url = "{url}"\n', "utf-8")
    return Workspace(workspace.root)


def own(relay: Relay, workspace: Workspace) -> list[str]:
    """The collections of this workspace's current generation."""
    return [name for name in relay.collections() if name.endswith(str(workspace.generation))]


@pytest.mark.usefixtures("graphs")
def test_vectors_go_to_the_server_and_answer_from_there(
    workspace: Workspace, relay: Relay, tmp_path: Path
) -> None:
    workspace.ingest()
    local = [(p.source, p.score) for p in workspace.search(QUESTION)]
    here = at(workspace, relay.url)
    report = here.ingest()
    # The generation is the same, nothing was embedded again, and the folder with vectors is gone.
    assert (report.generation, report.embedded) == (workspace.generation, 0)
    folder = here.state / "index" / str(here.generation)
    manifest = generation.Manifest.read(folder)
    assert manifest.vectors.startswith("server-")
    assert not list(folder.glob("chroma-*"))
    (name,) = own(relay, here)
    assert name.startswith("tailor-acme-")
    assert len(relay.added) == manifest.directions > 0
    relay.paths.clear()
    assert [(p.source, p.score) for p in here.search(QUESTION)] == local
    assert [path for path in relay.paths if path.endswith("/query")]
    assert here.ingest().generation == report.generation
    secret = TOKEN.encode()
    files = [file for file in here.root.rglob("*") if file.is_file()]
    assert not [file for file in files if secret in file.read_bytes()]
    # And back again, into a folder.
    back = at(here, "")
    assert back.ingest().generation == report.generation
    assert own(relay, back) == []
    assert not list(folder.glob("server-*"))
    assert [(p.source, p.score) for p in back.search(QUESTION)] == local


@pytest.mark.usefixtures("graphs")
def test_each_generation_has_a_collection_and_clean_drops_the_old_ones(
    workspace: Workspace, relay: Relay
) -> None:
    here = at(workspace, relay.url)
    first = here.ingest().generation
    (here.knowledge / "canteen.txt").write_text("The canteen opens at noon.", "utf-8")
    second = here.ingest().generation
    names = relay.collections()
    assert first != second
    assert len(names) == 2
    assert here.search("When does the canteen open?")[0].document == "canteen.txt"
    relay.lost = lambda path: True
    with pytest.raises(TailorError, match=r"Chroma server .* cannot be used"):
        here.clean(drop=True)
    relay.lost = lambda path: False
    assert here.clean(drop=True).dropped
    assert relay.collections() == own(relay, here) != []
    assert here.clean().items == ()
    assert here.search("When does the canteen open?")[0].document == "canteen.txt"


@pytest.mark.usefixtures("graphs")
def test_a_server_that_is_away_is_one_sentence_and_words_are_searched_on(
    workspace: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = at(workspace, relay.url)
    here.ingest()
    relay.lost = lambda path: True
    opened = Workspace(here.root)
    with pytest.raises(TailorError, match=r"Chroma server .* cannot be used") as away:
        opened.search(QUESTION)
    assert relay.url in str(away.value)
    found = opened.index().search(QUESTION, weight=1)
    assert found[0].document == "hr/leave.md"
    (here.knowledge / "canteen.txt").write_text("The canteen opens at noon.", "utf-8")
    with pytest.raises(TailorError, match=r"Chroma server .* cannot be used"):
        opened.ingest()
    relay.lost = lambda path: False
    # Nothing was taken for damaged: the former index is searched on, and the next one is built.
    assert Workspace(here.root).search(QUESTION)[0].document == "hr/leave.md"
    assert Workspace(here.root).ingest().embedded == 0
    monkeypatch.setenv(remote.TOKEN, "another-token")
    with pytest.raises(TailorError, match=r"401") as refused:
        Workspace(here.root).search(QUESTION)
    assert "another-token" not in str(refused.value)


def test_a_connection_lost_in_mid_build_is_gone_on_with(
    workspace: Workspace, relay: Relay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "_AT_ONCE", 2)
    here = at(workspace, relay.url)
    relay.lost = lambda path: path.endswith("/add") and len(relay.added) >= 4
    with pytest.raises(TailorError, match=r"goes on from what is there"):
        here.ingest()
    before = list(relay.added)
    assert len(before) == 4
    assert here.generation is None
    relay.lost = lambda path: False
    report = here.ingest()
    assert report.embedded == 0
    assert len(relay.added) == len(set(relay.added))  # none was sent twice
    manifest = generation.Manifest.read(here.state / "index" / report.generation)
    assert len(relay.added) == manifest.directions
    assert len(own(relay, here)) == 1
    # One that is lost for a moment stops nothing.
    (here.knowledge / "canteen.txt").write_text("The canteen opens at noon.", "utf-8")
    lost: list[str] = []

    def once(path: str) -> bool:
        lost.extend([path] if path.endswith("/add") and not lost else [])
        return lost == [path] and relay.paths.count(path) == 1

    relay.lost = once
    assert here.ingest().generation != report.generation
    assert lost


@pytest.mark.usefixtures("graphs")
def test_a_collection_that_somebody_deleted_is_built_anew(
    workspace: Workspace, relay: Relay
) -> None:
    here = at(workspace, relay.url)
    here.ingest()
    (name,) = own(relay, here)
    relay.delete(name)
    opened = Workspace(here.root)
    with pytest.raises(TailorError, match=r"is damaged: run `tailor ingest`"):
        opened.search(QUESTION)
    assert opened.ingest().embedded == 0
    assert opened.search(QUESTION)[0].document == "hr/leave.md"
    (again,) = own(relay, here)
    assert again != name


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://chroma.example.com", "could read the token"),
        ("http://10.0.0.5:8000", "could read the token"),
        ("https://ann:pass@chroma.example.com", "CHROMA_TOKEN"),
        ("https://chroma.example.com?token=1", "CHROMA_TOKEN"),
        ("ftp://chroma.example.com", "is no address"),
    ],
)
def test_addresses_where_keys_may_not_travel_are_refused(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Config().with_values({"chroma_url": url}, "tailor.toml")
    kept = Config().with_values({"chroma_url": "https://chroma.example.com/team"}, "tailor.toml")
    assert kept.chroma_url == "https://chroma.example.com/team"
