"""A server's life: it starts closed or not at all, takes up what is new, and ends without loss."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest

from tailor.config import Config
from tailor.errors import UsageError
from tailor.serving import kept
from tailor.serving.asked import MODEL
from tailor.serving.guard import Guard, answer
from tailor.serving.keeper import Keeper
from tailor.serving.problem import Problem
from tailor.serving.server import checked_token, names, serving
from tailor.serving.settings import Serve
from tailor.serving.told import Pieces
from tailor.testing import Fault
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Begin, Command, Engine

    from tailor.serving.engine import Engine as Serving


def asked(id: str, question: str) -> kept.Served:
    return kept.Served(
        id, time.time(), question, (), "12 days", "ok", "", "retrieval", "openai:double", "", "",
        "", (), "", 0.1, 1, 1, None,
    )  # fmt: skip


def test_a_new_index_and_new_settings_without_a_failed_request(
    root: Path, engine: Engine, begin: Begin
) -> None:
    engine.said = lambda messages: "zebra"  # no passage says it, so all that are shown are cited
    served = begin(root, engine, "retrieval", concurrency=8, queue=8)
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def ask(number: int) -> None:
        while not over.is_set():
            statuses[served.chat(f"Who is the head of sales {number} {time.time()}?").status] += 1
            time.sleep(0.02)

    def swapped(times: int) -> None:
        end = time.monotonic() + 20
        while served.ask("GET", "/health").json["swaps"] < times:
            assert time.monotonic() < end
            time.sleep(0.05)

    threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(3)]
    for thread in threads:
        thread.start()
    before = served.ask("GET", "/v1/models").json["data"][0]["card"]["generation"]
    (root / "knowledge" / "sales.md").write_text("The head of sales is Ms Blue.\n", "utf-8")
    Workspace(root).ingest()
    swapped(1)
    cited = served.chat("Who is the head of sales?").json["choices"][0]["tailor"]["citations"]
    assert "sales.md" in {one["document"] for one in cited}
    assert served.ask("GET", "/v1/models").json["data"][0]["card"]["generation"] != before
    toml = (root / "tailor.toml").read_text("utf-8")
    (root / "tailor.toml").write_text(f"{toml}[stages.retrieval]\nk = 1\n", "utf-8")
    swapped(2)
    assert len(served.chat("Who heads sales now?").json["choices"][0]["tailor"]["citations"]) == 1
    # What cannot be taken up leaves the one before in its place.
    (root / "tailor.toml").write_text("modle = 1\n", "utf-8")
    end = time.monotonic() + 10
    while served.ask("GET", "/health").json["not_taken_up"] is None and time.monotonic() < end:
        time.sleep(0.05)
    assert "modle" in served.ask("GET", "/health").json["not_taken_up"]
    assert served.chat("And still?").status == 200
    over.set()
    for thread in threads:
        thread.join()
    assert set(statuses) == {200}
    assert statuses[200] > 20
    served.end()


def test_a_deleted_document_is_shown_no_more(root: Path, engine: Engine, begin: Begin) -> None:
    """In a server that was open before it was deleted."""
    engine.said = lambda messages: "zebra"  # no passage says it, so all that are shown are cited
    (root / "knowledge" / "sales.md").write_text("The head of sales is Ms Blue.\n", "utf-8")
    served = begin(root, engine, "retrieval")

    def cited(question: str) -> set[str]:
        told = served.chat(question).json["choices"][0]["tailor"]["citations"]
        return {one["document"] for one in told}

    assert "sales.md" in cited("Who is the head of sales?")
    (root / "knowledge" / "sales.md").unlink()
    Workspace(root).ingest()
    end = time.monotonic() + 20
    while not served.ask("GET", "/health").json["swaps"]:
        assert time.monotonic() < end
        time.sleep(0.05)
    questions = ("Who is the head of sales?", "Who heads sales now?", "Is it Ms Blue?")
    assert [cited(question) for question in questions] == [{"leave.md"}] * 3
    assert not any("Ms Blue" in str(one.body) for one in engine.server.requests[-3:-1])
    served.end()


def test_what_runs_is_finished_and_kept(root: Path, engine: Engine, begin: Begin) -> None:
    served = begin(root, engine, "retrieval")
    gate = threading.Event()
    engine.said = lambda messages: "12 days" if gate.wait(5) else ""
    found: list[int] = []
    asking = threading.Thread(target=lambda: found.append(served.chat("The last one?").status))
    asking.start()
    engine.server.wait_for(1)
    assert len(serving(root / ".tailor")) == 1
    served.listener.should_exit = True
    time.sleep(0.3)
    with pytest.raises(OSError, match=r"refused|reset"):
        served.chat("Too late?")
    gate.set()
    asking.join()
    served.end()
    assert found == [200]
    assert [one.question for one in kept.served(served.workspace)] == ["The last one?"]
    assert serving(root / ".tailor") == ()


def test_what_cannot_be_kept_now_waits(root: Path, caplog: pytest.LogCaptureFixture) -> None:
    workspace = Workspace(root)
    keeper = Keeper(cast("Serving", SimpleNamespace(workspace=workspace)))
    in_the_way = workspace.state / "served.db"
    in_the_way.mkdir(parents=True)
    for number in range(2):
        keeper.put(asked(f"q{number}", f"Question {number}?"))
        keeper.flush()
    assert len(caplog.records) == 1
    assert "permissions" in caplog.text
    in_the_way.rmdir()
    keeper.put(asked("q2", "Question 2?"))
    keeper.flush()
    assert [one.id for one in kept.served(workspace)] == ["q0", "q1", "q2"]


def test_an_error_with_half_a_character_is_kept(root: Path, engine: Engine, begin: Begin) -> None:
    served = begin(root, engine, "retrieval")
    engine.fault = lambda request: Fault(400, body='{"error": {"message": "no \\ud800"}}')
    assert served.chat("What leave?").status == 500
    engine.reset()
    assert served.chat("What leave is there?").status == 200
    served.end()
    assert [one.outcome for one in kept.served(served.workspace)] == ["error", "ok"]


def test_nothing_is_kept_where_that_is_said(root: Path, engine: Engine, begin: Begin) -> None:
    served = begin(root, engine, "retrieval", keep=False, requests_per_minute=2)
    reply = served.chat("A secret question?")
    told = served.ask("POST", "/v1/feedback", {"id": reply.json["id"], "rating": "up"})
    assert told.status == 404
    often = served.chat("Too often?")
    assert (often.status, often.code) == (429, "too_many_requests")
    assert 1 <= int(often.headers["retry-after"]) <= 31
    served.end()
    stored = [p for p in (root / ".tailor").rglob("*") if p.is_file()]
    assert not any(b"A secret question" in p.read_bytes() for p in stored)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "tailor.example"])
def test_others_need_a_token(monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    monkeypatch.delenv("TAILOR_TOKEN", raising=False)
    with pytest.raises(UsageError, match="TAILOR_TOKEN"):
        checked_token(Serve(host=host), "TAILOR_TOKEN")
    for bad in ("short", "ééééééééééééééééééé", "with\ttab and more letters"):
        monkeypatch.setenv("TAILOR_TOKEN", bad)
        with pytest.raises(UsageError, match="16 letters") as error:
            checked_token(Serve(host=host), "TAILOR_TOKEN")
        assert bad not in str(error.value)
    monkeypatch.setenv("TAILOR_TOKEN", "long-enough-a-token")
    assert checked_token(Serve(host=host), "TAILOR_TOKEN") == "long-enough-a-token"


def test_loopback_may_do_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TAILOR_TOKEN", raising=False)
    for host in ("127.0.0.1", "::1", "localhost", "127.0.0.5"):
        assert checked_token(Serve(host=host), "TAILOR_TOKEN") == ""
    assert names(Serve(host="0.0.0.0", hosts=("Ask.acme.example",))) == frozenset(
        {"127.0.0.1", "localhost", "[::1]", "ask.acme.example"}
    )


def test_the_command_says_why_it_does_not_start(
    tailor: Command, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TAILOR_TOKEN", raising=False)
    where = ("-w", workspace.root)
    assert "set TAILOR_TOKEN" in tailor("serve", "--host", "0.0.0.0", *where).sentence
    assert "tailor ingest" in tailor("serve", "--stage", "baseline", "--port", 0, *where).sentence
    assert "no stage 'nothing'" in tailor("serve", "-s", "nothing", "--port", 0, *where).sentence
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "--port" in tailor("serve", "--port", port, *where).sentence


def test_the_table_of_settings() -> None:
    def read(**given: object) -> Serve:
        return Config().with_values({"serve": given}, "tailor.toml").serve

    assert read(port=0, hosts=["a.example"], keep=False).hosts == ("a.example",)
    for bad in ({"prt": 1}, {"port": 70_000}, {"concurrency": 0}, {"citations": "no"},
                {"timeout": -1}, {"token": "abc"}):  # fmt: skip
        with pytest.raises(UsageError, match="serve"):
            read(**bad)


@pytest.mark.parametrize(
    ("reply", "held"),
    [
        ("There are [1] 12 days [2, 3] of it", ""),
        ("See http://a.example/x now", "http"),
        ("Look [here](https://a.example) now", "[here"),
        ("Look ![x] [y]: z", "!["),
        ("A <b>tag</b> here", "<b"),
        ("Write to ann@a.example now", "ann@"),
    ],
)
def test_pieces_of_a_stream_are_harmless(reply: str, held: str) -> None:
    from tailor.answer_format import AnswerFormat

    pieces = Pieces(AnswerFormat())
    sent = "".join(pieces.more(reply[:end]) for end in range(len(reply) + 1))
    assert reply.startswith(sent)
    assert sent
    assert not held or held not in sent
    assert held or sent == reply.rpartition(" ")[0]
    assert Pieces(AnswerFormat(reasoning=True)).more("It is so. Answer: x y") == ""


def test_the_model_has_one_name_and_problems_no_secret() -> None:
    assert MODEL == "tailor"
    assert "correct" not in repr(Guard(answer, frozenset(), "correct-horse"))  # type: ignore[arg-type]
    assert Problem(401, "x", "y").headers["www-authenticate"] == "Bearer"
