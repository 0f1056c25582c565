"""The one retry layer: what is waited for, what is told of it, and how fast a provider is asked."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.assistant import Prompt
from tailor.models.chat import HALT, WAITING
from tailor.models.limiter import Limiter
from tailor.models.retry import MalformedReply, Wait, error_kind, error_text, retry_after
from tailor.run import newest_runs
from tailor.testing import Fault, OpenAIServer, rate_limited, server_error
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

SECRET = "sk-planted-0123456789"


class Refused(Exception):
    """An error as provider packages have them."""

    def __init__(self, status: int | None = None, message: str = "no", **headers: str) -> None:
        super().__init__(message)
        self.status_code = status
        self.body = message
        self.response = type("Response", (), {"headers": headers})()


def test_what_the_server_says_is_waited_for() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    assert retry_after(Refused(429, **{"retry-after": "7"})) == 7
    assert retry_after(Refused(429, **{"retry-after": "7", "retry-after-ms": "250"})) == 0.25
    assert 25 < (retry_after(Refused(429, **{"retry-after": soon})) or 0) <= 30
    assert retry_after(Refused(429, **{"retry-after": "99999"})) == 300
    assert retry_after(Refused(429, **{"retry-after": "-5"})) == 0
    assert retry_after(Refused(429, **{"retry-after": "later"})) == 5
    assert retry_after(Refused(429)) is None
    assert retry_after(ValueError("no response at all")) is None


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Refused(429), "rate_limit"),
        (Refused(429, "Too many tokens, please wait before trying again."), "rate_limit"),
        (Refused(429, "Request too large on tokens per min: Limit 300, Requested 500."),
         "context_length"),
        (Refused(529, "overloaded"), "server"),
        (Refused(408), "timeout"),
        (type("ThrottlingException", (Exception,), {})("slow down"), "rate_limit"),
        (type("ResourceExhausted", (Exception,), {})("quota per minute"), "rate_limit"),
        (type("RemoteProtocolError", (Exception,), {})("closed"), "connection"),
        (type("ClientError", (Exception,), {"code": 503})("unavailable"), "server"),
        (type("ClientError", (Exception,), {
            "response": {"ResponseMetadata": {"HTTPStatusCode": 403}}})("no"), "auth"),
        (ModuleNotFoundError("a bug of ours"), "other"),
        (MalformedReply("empty"), "malformed"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)  # fmt: skip
def test_kinds_of_errors_of_other_packages(error: Exception, kind: str) -> None:
    assert error_kind(error) == kind


def test_a_wait_is_said_in_words() -> None:
    assert str(Wait(12.04, 3, "rate_limit")) == "waiting 12 s, 3rd try"
    assert str(Wait(0.2, 2, "server")) == "waiting 1 s, 2nd try"


def test_every_retry_is_logged_without_keys_and_told(
    monkeypatch: pytest.MonkeyPatch, configure: Callable[..., Workspace], model: Model
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    body = json.dumps({"error": {"message": f"no room for {SECRET}"}})
    busy = Fault(503, {"Retry-After": "0"}, body)
    model.fault = lambda request: busy if request.number < 2 else None
    workspace = configure(retries=2)
    waits: list[Wait] = []
    workspace.chat().invoke(Prompt("How many days?"), {"configurable": {WAITING: waits.append}})
    assert [(wait.attempt, wait.kind) for wait in waits] == [(2, "server"), (3, "server")]
    log = workspace.state / "logs" / "retries.jsonl"
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert [(line["model"], line["attempt"]) for line in lines] == [
        ("openai:double", 2), ("openai:double", 3)
    ]  # fmt: skip
    assert lines[0]["error"].startswith("server: ")
    assert SECRET not in log.read_text("utf-8")


def test_a_run_says_that_it_waits(hosted: Workspace, model: Model, tailor: Command) -> None:
    from tailor.ladder import climb
    from tailor.stages import Prompting

    model.fault = lambda request: rate_limited(1) if request.number == 0 else None
    notes: list[str] = []
    states: list[tuple[int, int]] = []

    def told(row: str, step: str, done: int, total: int, note: str = "") -> None:
        notes.append(note)
        if "waiting" in note:  # the interface reads it from the disk
            state = newest_runs(Workspace(hosted.root))[0].state()
            states.append((state.wait_s, state.attempt))

    (run,) = climb(hosted, [Prompting()], progress=told)
    assert any("waiting 1 s, 2nd try" in note for note in notes)
    assert states[0] == (1, 2)
    assert model.server.count == 11
    assert (run.state().wait_s, run.state().status) == (0, "complete")


def test_nobody_asks_while_the_server_wants_to_be_left_alone(
    configure: Callable[..., Workspace], model: Model
) -> None:
    arrived: list[float] = []

    def fault(request: Any) -> Fault | None:
        arrived.append(time.monotonic())
        return rate_limited(1) if request.number == 0 else None

    model.fault = fault
    chat = configure(retries=1).chat()
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(chat.invoke, Prompt("first"))
        model.server.wait_for(1)
        time.sleep(0.2)  # the refusal has arrived by now
        rest = [pool.submit(chat.invoke, Prompt(f"{n}")) for n in range(3)]
        assert [each.result().text for each in (first, *rest)]
    assert len(arrived) == 5
    assert min(arrived[1:]) - arrived[0] >= 1
    assert chat.retries == 1  # those that waited for another's refusal used up no try of theirs


def test_fewer_calls_are_in_flight_after_a_refusal_and_more_again_later() -> None:
    limiter, halt = Limiter(), threading.Event()

    def refused() -> None:
        with limiter.admitted(0, halt):
            raise Refused(429, **{"retry-after": "0"})

    for _ in range(3):
        with pytest.raises(Refused):
            refused()
    peak = flight = 0
    lock = threading.Lock()

    def call(_: int) -> None:
        nonlocal peak, flight
        with limiter.admitted(0, halt):
            with lock:
                flight += 1
                peak = max(peak, flight)
            halt.wait(0.01)
            with lock:
                flight -= 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(3)))
        assert peak <= 2
        list(pool.map(call, range(40)))
    assert peak > 2


def test_requests_per_minute_are_spread(configure: Callable[..., Workspace], model: Model) -> None:
    workspace = configure(requests_per_minute=120)
    judge, chat = workspace.chat("openai:judge"), workspace.chat()
    assert judge.limiter is chat.limiter  # one provider, one limit
    started = time.monotonic()
    for n in range(4):
        (judge if n % 2 else chat).invoke(Prompt(f"How many days? {n}"))
    assert time.monotonic() - started >= 0.9  # two at once, and two more in the second after
    chat.invoke(Prompt("How many days? 0"))
    assert model.server.count == 4


def test_tokens_per_minute_are_made_up_for(configure: Callable[..., Workspace]) -> None:
    chat = configure(tokens_per_minute=1200).chat()
    started = time.monotonic()
    chat.invoke(Prompt("How many days? " * 10))  # may begin, though it is more than is there
    assert time.monotonic() - started < 20
    chat.invoke(Prompt("And how many hours?"))
    assert time.monotonic() - started >= 0.9


def test_a_stop_ends_the_waiting_for_a_limit() -> None:
    limiter, halt = Limiter(requests_per_minute=1), threading.Event()
    with limiter.admitted(0, halt):
        pass
    halt.set()
    with pytest.raises(TimeoutError), limiter.admitted(0, halt):
        pass


def test_a_stop_ends_the_waiting_for_another_try(
    configure: Callable[..., Workspace], model: Model
) -> None:
    model.fault = lambda request: server_error()
    halt = threading.Event()
    halt.set()
    with pytest.raises(Exception, match="server"):
        configure(retries=9).chat().invoke(Prompt("How many?"), {"configurable": {HALT: halt}})
    assert model.server.count == 1


def test_the_sample_double_embeds(tmp_path: Path) -> None:
    from tailor.config import Config
    from tailor.models.embedder import embeddings

    faults = [rate_limited(0), server_error(), None]
    with OpenAIServer(
        lambda messages: "", lambda request: faults[min(request.number, 2)],
        embed=lambda texts: [[float(len(text)), 1.0] for text in texts],
    ) as server:  # fmt: skip
        log = tmp_path / "retries.jsonl"
        embedder = embeddings("openai:e", server.url, Config(retries=2), Limiter(log=log))
        assert embedder.embed_documents(["a", "bcd"]) == [[1.0, 1.0], [3.0, 1.0]]
        assert embedder.embed_query("bc") == [2.0, 1.0]
        assert server.count == 4
        assert len(log.read_text("utf-8").splitlines()) == 2
        assert server.requests[0].body["input"] == ["a", "bcd"]


def test_keys_under_other_names_are_not_told_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", SECRET)
    assert SECRET not in error_text(Refused(401, f"wrong key {SECRET}"))
