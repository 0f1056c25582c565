"""Models by hub id, from a server on this machine that speaks as the hub does."""

from __future__ import annotations

import hashlib
import json
import runpy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest
from langchain_core.messages import HumanMessage

from tailor.errors import TailorError
from tailor.models import loading
from tailor.models.hub import commit, commits, hub_id, pinned
from tailor.models.local import LocalChat, weights_digest
from tailor.selection.facts import facts
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
OLD, NEW = "a" * 40, "b" * 40
ASKED = [HumanMessage("Which printer takes A3 paper?")]


@dataclass
class Hub:
    """Repositories by name and commit, and what was asked for."""

    address: str = ""
    repositories: dict[str, dict[str, Path]] = field(default_factory=dict)
    """By name: the folder of each commit; the last one is ``main``."""
    gated: set[str] = field(default_factory=set)
    breaks: dict[str, list[int]] = field(default_factory=dict)
    """By file: the bytes after which the next replies with it end, with the connection."""
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    """Method, path and the range."""

    def sent(self, name: str) -> list[str]:
        """The ranges in which a file was sent; empty: from its beginning."""
        return [how for verb, path, how in self.asked if verb == "GET" and path.endswith(name)]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def log_message(self, *_: Any) -> None:
        """Stay quiet."""

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append((self.command, path, self.headers.get("Range", "")))
        api = path.removeprefix("/api/models/")
        name = "/".join((api if api != path else path[1:]).split("/")[:2])
        known = self.hub.repositories.get(name)
        if known is None:
            self._refuse(404, "RepoNotFound")
            return
        rest = (api if api != path else path[1:]).removeprefix(name + "/")
        kind, _, rest = rest.partition("/")
        revision, _, file = rest.partition("/")
        sha = list(known)[-1] if revision in ("main", "") else revision
        if sha not in known:
            self._refuse(404, "RevisionNotFound")
        elif kind == "revision":
            self._json({"id": name, "sha": sha, "siblings": [], "tags": []})
        elif kind == "tree":
            self._json(_tree(known[sha]))
        elif name in self.hub.gated:
            self._refuse(403, "GatedRepo")
        else:
            self._file(known[sha] / file, sha)

    def _refuse(self, status: int, code: str) -> None:
        self.send_response(status)
        self.send_header("X-Error-Code", code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _file(self, file: Path, sha: str) -> None:
        if not file.is_file():
            self._refuse(404, "EntryNotFound")
            return
        body = file.read_bytes()
        start = int(self.headers.get("Range", "bytes=0-")[6:].split("-")[0])
        self.send_response(206 if start else 200)
        self.send_header("X-Repo-Commit", sha)
        self.send_header("ETag", f'"{_oid(file)}"')
        self.send_header("Accept-Ranges", "bytes")
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        if self.command == "HEAD":
            return
        if breaks := self.hub.breaks.get(file.name):
            most = breaks.pop(0)
            self.wfile.write(body[start : start + most])
            self.wfile.flush()
            self.close_connection = True
            self.connection.close()
            return
        self.wfile.write(body[start:])


def _oid(file: Path) -> str:
    return hashlib.sha1(file.read_bytes(), usedforsecurity=False).hexdigest()


def _tree(folder: Path) -> list[dict[str, Any]]:
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [
        {"type": "file", "path": str(file.relative_to(folder)), "size": file.stat().st_size,
         "oid": _oid(file)}
        for file in files
    ]  # fmt: skip


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder: Path = TINY["build"](tmp_path_factory.mktemp("bloom"))
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n", "utf-8")
    (folder / "code.py").write_text("raise SystemExit\n", "utf-8")
    (folder / "pytorch_model.bin").write_bytes(b"no")
    return folder


@pytest.fixture
def hub(bloom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    from huggingface_hub import constants

    made = Hub(repositories={"acme/bloom": {OLD: bloom, NEW: bloom}})
    handler = type("Handler", (_Handler,), {"hub": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        made.address = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setenv("HF_ENDPOINT", made.address)
        monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
        for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_XET"):
            monkeypatch.setattr(constants, name, name != "HF_HUB_OFFLINE")
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        yield made
        server.shutdown()
        thread.join()


def test_names_of_the_hub_and_folders_are_told_apart(tmp_path: Path) -> None:
    assert hub_id("acme/bloom@v1.0") is not None
    assert hub_id("gpt2") is not None
    for path in (str(tmp_path), "./acme/bloom", "~/bloom", "acme/a/b", "acme/bloom@../../x"):
        assert hub_id(path) is None
    assert pinned(str(tmp_path)) == str(tmp_path)


def test_a_hub_id_is_a_commit_from_then_on(hub: Hub, bloom: Path) -> None:
    chat = LocalChat(path="acme/bloom", max_tokens=8)
    assert weights_digest("acme/bloom") == f"acme/bloom@{NEW}"
    said = chat.invoke(ASKED).text
    assert said == LocalChat(path=str(bloom), max_tokens=8).invoke(ASKED).text
    got = {path.rsplit("/", 1)[1] for verb, path, _ in hub.asked if verb == "GET"}
    assert "model.safetensors" in got
    assert not {"code.py", "pytorch_model.bin"} & got
    hub.repositories["acme/bloom"]["c" * 40] = bloom  # the branch moves on
    asked = len(hub.asked)
    assert LocalChat(path="acme/bloom", max_tokens=8).invoke(ASKED).text == said
    assert len(hub.asked) == asked  # all of it is here
    assert commits("huggingface:acme/bloom", "shipped", "openai:acme") == {"acme/bloom": NEW}
    assert commit(f"acme/bloom@{OLD}") == OLD


def test_only_what_facts_need_is_downloaded(hub: Hub, workspace: Workspace) -> None:
    (one,) = facts(workspace, ["huggingface:acme/bloom"])
    assert not one.problems
    assert (one.revision, one.licence) == (NEW, "apache-2.0")
    assert one.memory is not None
    assert not hub.sent("model.safetensors")


def test_the_record_of_a_run_names_the_commit(
    hub: Hub, workspace: Workspace, tailor: Command
) -> None:
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", "huggingface:acme/bloom")
    assert ended.code == 0, ended.err
    (run,) = Workspace(workspace.root).runs()
    assert run.versions["acme/bloom"] == NEW
    assert f"Of the hub: acme/bloom at {NEW[:12]}." in ended.err


def test_a_connection_that_breaks_goes_on_where_it_was(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import constants, file_download

    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)
    hub.breaks = {"model.safetensors": [20_000, 5_000]}
    told: list[tuple[int, int]] = []
    loading.fetched("acme/bloom", told=lambda done, total: told.append((done, total)))
    assert hub.sent("model.safetensors") == ["", "bytes=20000-", "bytes=25000-"]
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
    loading.causal_model("acme/bloom")


def test_a_download_that_was_given_up_goes_on_with_what_is_missing(
    hub: Hub, bloom: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import file_download

    whole = loading.causal_model(str(bloom))
    whole.save_pretrained(tmp_path / "shards", max_shard_size="20KB")
    shards = sorted(file.name for file in (tmp_path / "shards").glob("*.safetensors"))
    assert len(shards) > 2
    hub.repositories["acme/shards"] = {OLD: tmp_path / "shards"}
    monkeypatch.setattr(file_download.time, "sleep", lambda _: None)
    hub.breaks = {shards[1]: [0] * 9}
    with pytest.raises(TailorError, match=r"acme/shards cannot be had from the hub .* are missing"):
        loading.fetched("acme/shards")
    hub.breaks = {}
    hub.asked.clear()
    loading.fetched("acme/shards")
    assert len(hub.sent(shards[1])) == 1
    assert sum(bool(hub.sent(name)) for name in shards) < len(shards)
    assert loading.causal_model("acme/shards").num_parameters() == whole.num_parameters()


def test_what_cannot_be_had_is_one_sentence_each(
    hub: Hub, bloom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repositories["acme/gated"] = {OLD: bloom}
    hub.gated = {"acme/gated"}
    said = {
        "acme/none": "the hub knows no such repository",
        "acme/bloom@v9": "has no revision v9",
        "acme/gated": "is gated: accept its terms at https://huggingface.co/acme/gated",
    }
    for path, sentence in said.items():
        with pytest.raises(TailorError, match=sentence):
            loading.causal_model(path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub.asked)
    with pytest.raises(TailorError, match="HF_HUB_OFFLINE forbids"):
        loading.causal_model("acme/bloom")
    assert len(hub.asked) == before
    assert commit("acme/bloom") == ""
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(TailorError, match="check the network"):
        loading.causal_model("acme/bloom")


def test_what_is_here_needs_no_network(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    loading.fetched("acme/bloom")
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    before = len(hub.asked)
    loading.causal_model("acme/bloom")
    assert len(hub.asked) == before
