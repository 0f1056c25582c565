"""Planted secrets: in the environment, tailor.toml, addresses, headers, replies and documents.

What Tailor was told to keep out is in no file of the workspace, in no byte of a database and in
nothing that is printed. What stands in a document is the document's: it is in the index and in the
prompts and answers made from it, and nowhere else.
"""

from __future__ import annotations

import json
import logging
import sqlite3
from base64 import b64encode
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.errors import TailorError
from tailor.redaction import HIDDEN, redacted
from tailor.testing import Fault, Messages, OpenAIServer, Request
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Ended

    Wanted = Mapping[str, str]

ENVIRONMENT = {
    "OPENAI_API_KEY": "zq-planted-openai-7d1f",
    "ANTHROPIC_API_KEY": "zq-planted-anthropic-83ab",
    "ACME_WIKI_TOKEN": "zq-planted-wiki-55e0",
    "DATABASE_PASSWORD": "zq-planted-database-19cc",
    "TAILOR_TOKEN": "zq-planted-serving-token-4b",
    "HF_TOKEN": "zq-planted-hub-2f90",
}
ADDRESS = "zq-planted-url-6e21"
"""Stands before the host in base_url."""
ARGUMENT = "zq-planted-argument-0b7d"
"""Stands in tailor.toml, as an argument of a source."""
HEADER = "zq-planted-header-c3c3"
"""Stands in the headers of a provider's error reply."""
DOCUMENT = "sk-proj-Zq9PlantedInADocument4Rt7Yw"
"""Stands in a document."""
QUOTES = ("ask", "explain", "lessons")
"""Commands that show passages as they are."""
BASIC = b64encode(f"robot:{ADDRESS}".encode()).decode()
"""The address' name and password as they are sent."""
OUTSIDE = {
    **ENVIRONMENT, "address": ADDRESS, "basic": BASIC, "argument": ARGUMENT, "header": HEADER,
}  # fmt: skip


def echoing(request: Request) -> Fault | None:
    """An error that quotes all it got, with a header of its own; for one question in two."""
    if "return" not in request.question and "leave" not in request.question:
        return None
    said = f"bad call {json.dumps(dict(request.headers))} of {request.path}?api_key={ADDRESS}"
    body = json.dumps({"error": {"message": said, "type": "invalid", "code": "bad", "param": None}})
    return Fault(400, {"X-Session": HEADER, "Set-Cookie": f"s={HEADER}"}, body)


def quoting(messages: Messages) -> str:
    return "12 days"


@pytest.fixture
def planted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Workspace, OpenAIServer]]:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    (workspace.knowledge / "it" / "keys.md").write_text(
        f"# Keys\n\nThe build server uses the key {DOCUMENT} for its models.\n", "utf-8"
    )
    with OpenAIServer(quoting, echoing) as server:
        url = server.url.replace("://", f"://robot:{ADDRESS}@")
        (workspace.root / "tailor.toml").write_text(
            f'model = "openai:double"\nbase_url = "{url}"\nretries = 0\nconcurrency = 2\n'
            'judge = "openai:judge"\nladder = ["prompting", "retrieval"]\n'
            '[prices."openai:double"]\ninput = 1.0\noutput = 1.0\n',
            "utf-8",
        )
        yield Workspace(workspace.root), server


def told(ended: Ended, wanted: Wanted) -> None:
    for name, secret in wanted.items():
        assert secret not in ended.out, name
        assert secret not in ended.err, name


def holding(root: Path, secret: str) -> set[str]:
    """The files below a folder whose bytes hold the text, however it is written there."""
    forms = {secret.encode(), secret.encode("utf-16-le"), json.dumps(secret)[1:-1].encode()}
    return {
        path.relative_to(root).as_posix()
        for path in root.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in forms)
    }


def test_no_secret_is_kept_or_told(
    planted: tuple[Workspace, OpenAIServer],
    tailor: Command,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    workspace, server = planted
    caplog.set_level(logging.DEBUG)
    root = workspace.root
    commands: tuple[tuple[object, ...], ...] = (
        ("ingest", "--report"),
        ("ingest", "--report", "--json"),
        ("run", "all"),
        ("run", "all", "--dry-run"),
        ("judge",),
        ("compare", "--details"),
        ("compare", "--json"),
        ("compare", "--answers", "-o", tmp_path / "answers.csv"),
        ("report",),
        ("report", "--lang", "vi", "-o", tmp_path / "report.html"),
        ("explain", "prompting", "s1"),
        ("explain", "retrieval", "--json"),
        ("ask", "Within how many days may goods be returned?", "-s", "prompting"),
        ("ask", "What is the guest network called?", "-s", "retrieval", "--explain"),
        ("lessons",),
        ("benchmark", "check", "--ask"),
        ("models", "openai:double"),
        ("export", "openai-jsonl", "-o", tmp_path / "jsonl"),
        ("export", "langchain", tmp_path / "package"),
        ("monitor",),
        ("doctor",),
        ("doctor", "--json"),
    )
    codes = {}
    for arguments in commands:
        ended = tailor(*arguments, "-w", root)
        codes[" ".join(map(str, arguments))] = ended.code
        told(ended, OUTSIDE if arguments[0] in QUOTES else {**OUTSIDE, "document": DOCUMENT})
    assert server.count > 10, "else nothing was asked"
    assert all(BASIC in one.headers["authorization"] for one in server.requests)
    store = sqlite3.connect(workspace.state / "answers.db")
    failed = [text for (text,) in store.execute("SELECT answer FROM answers") if "error" in text]
    store.close()
    assert any(HIDDEN in text for text in failed), "else no error quoted a secret"
    assert [one for one, code in codes.items() if code == 2] == [], "wrong usage tries nothing"
    for name, secret in OUTSIDE.items():
        wanted = {"tailor.toml"} if name == "address" else set()
        assert holding(root, secret) == wanted, name
        assert holding(tmp_path, secret) <= {f"acme/{path}" for path in wanted}, name
        logged = [r for r in caplog.records if secret in r.getMessage()]
        assert [r for r in logged if r.name.startswith("tailor")] == []
    # What a document holds is where documents are, and in prompts and replies made from it.
    found = {"/".join(path.split("/")[:2]) for path in holding(root, DOCUMENT)}
    assert {"knowledge/it", ".tailor/documents.db"} <= found, "else nothing was looked for"
    stores = (".tailor/answers.db", ".tailor/documents.db")
    may = {f"{store}{end}" for store in stores for end in ("", "-wal")}
    assert found <= {"knowledge/it", ".tailor/index", *may}


def test_a_training_that_fails_records_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.training.progress import recorded

    monkeypatch.setenv("HF_TOKEN", ENVIRONMENT["HF_TOKEN"])
    file = tmp_path / "training.jsonl"
    with (
        pytest.raises(RuntimeError),
        recorded(file, "base", {}, 9, 1, "cpu"),
    ):
        raise RuntimeError(f"no model at https://u:{ADDRESS}@hub with {ENVIRONMENT['HF_TOKEN']}")
    text = file.read_text("utf-8")
    assert "no model at https://[hidden]@hub with [hidden]" in text
    assert not any(secret in text for secret in OUTSIDE.values())


def test_the_log_of_the_server_holds_no_secret(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tailor.serving.listener import speak

    monkeypatch.setenv("OPENAI_API_KEY", ENVIRONMENT["OPENAI_API_KEY"])
    loggers = [logging.getLogger(name) for name in ("tailor.serving", "uvicorn.error")]
    for logger in loggers:
        monkeypatch.setattr(logger, "handlers", [])
        monkeypatch.setattr(logger, "propagate", True)
        monkeypatch.setattr(logger, "level", logger.level)
    speak("a-token-of-thirty-letters-or-so")
    try:
        raise RuntimeError(f"refused with {ENVIRONMENT['OPENAI_API_KEY']}")
    except RuntimeError:
        loggers[0].exception(
            "asked http://u:%s@host with %s", ADDRESS, "a-token-of-thirty-letters-or-so"
        )
    said = capsys.readouterr().err
    assert "asked http://[hidden]@host with [token]" in said
    assert "RuntimeError: refused with [hidden]" in said


def test_a_broken_source_does_not_tell_its_arguments(
    workspace: Workspace, tailor: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_WIKI_TOKEN", ENVIRONMENT["ACME_WIKI_TOKEN"])
    from tailor.documents.sources import LoaderSource

    class Loader:
        def __init__(self, url: str, token: str, api_key: str) -> None:
            self.said = f"401 for {url} with {token} and {api_key}"

        def lazy_load(self) -> Iterator[Any]:
            raise RuntimeError(self.said)

    monkeypatch.setattr(LoaderSource, "_type", lambda self: Loader)
    (workspace.root / "tailor.toml").write_text(
        '[sources.wiki]\nloader = "ConfluenceLoader"\narguments = { token = "$ACME_WIKI_TOKEN", '
        f'api_key = "{ARGUMENT}", url = "https://u:{ADDRESS}@wiki.example" }}\n',
        "utf-8",
    )
    ended = tailor("ingest", "-w", workspace.root)
    assert "401 for https://[hidden]@wiki.example" in ended.err + ended.out
    told(ended, OUTSIDE)
    for name, secret in OUTSIDE.items():
        wanted = {"tailor.toml"} if name in ("address", "argument") else set()
        assert holding(workspace.root, secret) == wanted, name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("to http://robot:p%40ss@host.example/v1", "to http://[hidden]@host.example/v1"),
        ("to https://ghp_token@host.example", "to https://[hidden]@host.example"),
        ("to http://robot:a/b@host.example", "to http://[hidden]@host.example"),
        ("http://127.0.0.1:8000/mail@x", "http://127.0.0.1:8000/mail@x"),
        ("GET /v1?api_key=abcdef1&x=1", "GET /v1?api_key=[hidden]&x=1"),
        ("{'Authorization': 'Bearer abc.def1'}", "{'Authorization': '[hidden]'}"),
        ("Authorization: Basic dXNlcjpwYXNzd29yZA==", "Authorization: [hidden]"),
        ("x-api-key: k1e2y3x", "x-api-key: [hidden]"),
        ("key sk-proj-a8f7sd6f87a6sdf876asdf.", "key [hidden]."),
        ("api_key: unknown key", "api_key: unknown key"),
        ("Set OPENAI_API_KEY first.", "Set OPENAI_API_KEY first."),
    ],
)
def test_what_is_redacted(text: str, expected: str) -> None:
    assert redacted(text) == expected
    assert redacted(expected) == expected
    assert str(TailorError(text)) == expected


def test_short_stand_ins_for_keys_are_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    assert redacted("there is none") == "there is none"


def test_a_defect_is_told_without_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in a traceback is a defect of ours; even that goes through the sink."""
    import sys

    from tailor.cli import main

    secret = ENVIRONMENT["ACME_WIKI_TOKEN"]
    monkeypatch.setenv("ACME_WIKI_TOKEN", secret)
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)

    def broken(**_: object) -> None:
        raise RuntimeError(f"with {secret}")

    monkeypatch.setattr(main, "app", broken)
    with pytest.raises(RuntimeError) as raised:
        main.main()
    written: list[str] = []
    monkeypatch.setattr(sys.stderr, "write", written.append)
    sys.excepthook(RuntimeError, raised.value, raised.tb)
    assert "RuntimeError: with [hidden]" in "".join(written)
    assert secret not in "".join(written)
