"""Hosted models: the real clients against a real server that is told to fail."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.answers import AnswerStore
from tailor.assistant import Prompt
from tailor.config import Config, Price
from tailor.errors import TailorError, UsageError
from tailor.models.chat import Chat
from tailor.models.provider import KEYS, _parameters, chat
from tailor.models.retry import MalformedReply, error_kind, error_text
from tailor.models.structured import StructuredChat
from tailor.testing import (
    Fault,
    OpenAIServer,
    cut_off,
    in_order,
    not_a_completion,
    not_json,
    quota_exceeded,
    rate_limited,
    server_error,
    slow,
    unauthorized,
)
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Make = Callable[..., tuple[Chat, OpenAIServer]]
SECRET = "sk-planted-0123456789"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """A chat model over a server with these faults."""
    servers: list[OpenAIServer] = []
    stores: list[AnswerStore] = []

    def build(
        *faults: Fault | None, always: Fault | None = None, text: str = "12 days", **settings: Any
    ) -> tuple[Chat, OpenAIServer]:
        script = in_order(*faults)
        server = OpenAIServer(lambda messages: text, lambda request: script(request) or always)
        servers.append(server.__enter__())
        stores.append(AnswerStore(tmp_path / f"{len(stores)}.db"))
        values = {"retries": 1, "timeout": 10.0, **settings}
        config = Config(base_url=server.url, **values)
        return chat("openai:double", config, stores[-1]), server

    yield build
    for server in servers:
        server.__exit__(None, None, None)
    for store in stores:
        store.close()


PROMPT = Prompt("How many days of leave?", instructions="Answer briefly.")


def _raised(model: Chat) -> Exception:
    """Whatever the provider's package raises: which class is its own affair."""
    with pytest.raises(Exception, match=r".") as caught:
        model.invoke(PROMPT)
    return caught.value


def test_tokens_and_cost_come_from_usage_and_prices(make: Make) -> None:
    price = Price(input=2.0, output=10.0)
    model, server = make(prices={"openai:double": price})
    reply = model.invoke(PROMPT)
    # "Answer briefly." and "Question: How many days of leave?" are 2 + 6 words, the answer 2.
    assert (reply.text, reply.input_tokens, reply.output_tokens) == ("12 days", 8, 2)
    assert reply.cost_usd == pytest.approx((8 * 2.0 + 2 * 10.0) / 1e6)
    assert reply.seconds > 0
    assert server.requests[0].body["messages"] == [
        {"role": "system", "content": "Answer briefly."},
        {"role": "user", "content": "Question: How many days of leave?"},
    ]


def test_cost_is_unknown_without_a_price(make: Make) -> None:
    model, _ = make()
    assert model.invoke(PROMPT).cost_usd is None


def test_what_tailor_toml_sets_reaches_the_server(make: Make) -> None:
    model, server = make(max_tokens=17, temperature=None)
    model.invoke(PROMPT)
    body = server.requests[0].body
    assert 17 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert "temperature" not in body
    model, server = make(temperature=0.0)
    model.invoke(PROMPT)
    assert server.requests[0].body["temperature"] == 0.0


def test_an_identical_request_is_never_sent_twice(make: Make) -> None:
    model, server = make()
    first = model.invoke(PROMPT)
    assert model.invoke(PROMPT) == first
    assert server.count == 1
    model.invoke(Prompt("How many days of leave?", instructions="Answer.", repeat=0))
    assert server.count == 2
    model.invoke(Prompt(**{**PROMPT.__dict__, "repeat": 1}))
    assert server.count == 3


def test_of_those_that_wait_for_a_call_that_fails_one_makes_it(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, server = make(retries=0)
    send, calls = Chat._once, []

    def first_fails(self: Chat, *given: Any) -> Any:
        calls.append(given)
        time.sleep(0.2)
        if len(calls) == 1:
            raise OSError("unplugged")
        return send(self, *given)

    monkeypatch.setattr(Chat, "_once", first_fails)
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(model.invoke, PROMPT) for _ in range(4)]
    assert sum(one.exception() is not None for one in asked) == 1
    assert len(calls) == 2
    assert server.count == 1


def test_an_identical_request_by_schema_is_never_sent_twice_at_once(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, server = make(text='{"days": 12}')
    send = Chat.sent

    def slowly(self: Chat, *given: Any) -> Any:
        time.sleep(0.2)
        return send(self, *given)

    monkeypatch.setattr(Chat, "sent", slowly)
    structured = StructuredChat(model)
    schema = {"title": "days", "type": "object", "properties": {"days": {"type": "integer"}}}
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(structured.ask, PROMPT.messages(), schema) for _ in range(4)]
    assert [one.result() for one in asked] == [{"days": 12}] * 4
    assert server.count == 1


def test_a_reply_is_stored_raw(make: Make) -> None:
    model, server = make(text="  Mười hai ngày \n")
    reply = model.invoke(PROMPT)
    call = model.store.call(reply.call)
    assert call is not None
    assert call.reply["data"]["content"] == "  Mười hai ngày \n"
    assert call.reply["data"]["response_metadata"]["id"] == "chatcmpl-0"
    assert call.request["messages"][-1]["data"]["content"].endswith(PROMPT.question)
    assert server.count == 1


def test_streaming_gives_the_same_text(make: Make) -> None:
    model, server = make(text="12 days of paid leave, ngày phép năm")
    pieces = [str(chunk.content) for chunk in model.model.stream("How many days?")]
    assert sum(map(bool, pieces)) > 3
    assert "".join(pieces) == model.model.invoke("How many days?").content
    assert server.requests[0].body["stream"] is True


def test_streaming_can_tell_its_usage(make: Make) -> None:
    model, _ = make(text="12 days")
    chunks = list(model.model.stream("How many days?", stream_usage=True))
    usage = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata]
    assert [(u["input_tokens"], u["output_tokens"]) for u in usage] == [(3, 2)]


def test_a_rate_limit_waits_as_long_as_the_server_says(make: Make) -> None:
    model, server = make(rate_limited(0.3), rate_limited(0.3), retries=2)
    started = time.monotonic()
    assert model.invoke(PROMPT).text == "12 days"
    assert server.count == 3
    assert time.monotonic() - started >= 0.6


def test_a_retry_after_that_makes_no_sense_does_no_harm(make: Make) -> None:
    model, server = make(Fault(429, {"Retry-After": "-5"}, "{}"))
    assert model.invoke(PROMPT).text == "12 days"
    assert server.count == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (rate_limited(0), "rate_limit"),
        (server_error(), "server"),
        (Fault(503, {"Retry-After": "0"}, "busy"), "server"),
        (cut_off(), "connection"),
    ],
)
def test_passing_faults_are_retried_and_bounded(make: Make, fault: Fault, kind: str) -> None:
    model, server = make(fault)
    assert model.invoke(PROMPT).text == "12 days"
    assert server.count == 2

    model, server = make(always=fault)
    assert error_kind(_raised(model)) == kind
    assert server.count == 2  # one retry, and no second layer of retries beneath
    assert model.store.count() == (0, 0)


def test_a_slow_answer_is_a_timeout(make: Make) -> None:
    model, server = make(always=slow(30), timeout=0.2, retries=0)
    assert error_kind(_raised(model)) == "timeout"
    assert server.count == 1


@pytest.mark.parametrize(
    "fault",
    [
        not_json(),
        not_a_completion(),
        Fault(body="null"),
        Fault(body=""),
        Fault(body="<html>Bad gateway</html>"),
        Fault(body='{"choices": []}'),
        Fault(body='{"choices": null}'),
        Fault(body='{"choices": [{"index": 0}]}'),
        Fault(body='{"choices": "none"}'),
        Fault(body='["a", "list"]'),
    ],
    ids=lambda fault: fault.body[:24] or "empty",
)
def test_a_malformed_body_is_an_error_and_not_cached(make: Make, fault: Fault) -> None:
    model, server = make(fault)
    with pytest.raises(MalformedReply) as caught:
        model.invoke(PROMPT)
    assert error_kind(caught.value) == "malformed"
    assert server.count == 1
    assert model.store.count() == (0, 0)
    assert model.invoke(PROMPT).text == "12 days"
    assert server.count == 2


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (unauthorized(), "auth"),
        (Fault(403, body='{"error": {"message": "no access"}}'), "auth"),
        (quota_exceeded(), "quota"),
        (Fault(404, body='{"error": {"message": "no such model"}}'), "not_found"),
        (Fault(400, body='{"error": {"message": "bad parameter"}}'), "other"),
    ],
    ids=["401", "403", "quota", "404", "400"],
)
def test_lasting_faults_are_not_retried(make: Make, fault: Fault, kind: str) -> None:
    model, server = make(always=fault)
    assert error_kind(_raised(model)) == kind
    assert server.count == 1


def test_no_key_is_told_in_an_error(monkeypatch: pytest.MonkeyPatch, make: Make) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    body = json.dumps({"error": {"message": f"Incorrect API key provided: {SECRET}"}})
    model, server = make(always=Fault(401, body=body))
    error = _raised(model)
    assert SECRET in str(error)
    assert server.requests[0].headers["authorization"] == f"Bearer {SECRET}"
    assert SECRET not in error_text(error)
    assert error_text(error).startswith("auth: ")


def test_a_run_with_a_wrong_key_stops_early(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    model.fault = lambda request: unauthorized()
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert ended.code == 1
    assert "openai:double refuses the calls: auth" in ended.sentence
    assert 1 <= model.server.count <= hosted.config.concurrency
    assert hosted.answers.count() == (0, 0)
    assert hosted.runs()[0].state().status == "failed"

    model.fault = lambda request: None
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert hosted.answers.count() == (10, 10)


def test_a_run_without_quota_stops_early(hosted: Workspace, model: Model, tailor: Command) -> None:
    model.fault = lambda request: quota_exceeded()
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert "quota" in ended.sentence
    assert model.server.count <= hosted.config.concurrency


def test_a_wrong_model_name_stops_the_run_early(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    model.fault = lambda request: Fault(404, body='{"error": {"message": "no model double"}}')
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert "no model double" in ended.sentence
    assert model.server.count <= hosted.config.concurrency


def test_base_url_comes_from_tailor_toml_or_from_set(
    workspace: Workspace, hosted: Workspace, model: Model, tailor: Command
) -> None:
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert model.server.count == 10

    with OpenAIServer(lambda messages: "another") as other:
        ended = tailor(
            "run", "prompting", "-w", hosted.root, "--set", f"base_url={other.url}", "--json"
        )
        assert ended.code == 0
        # Another server may be another model: nothing is taken from the first one's answers.
        assert other.count == 10
    assert model.server.count == 10
    assert ended.json["stages"][0]["metrics"]["f1"]["mean"] == 0


def test_tokens_and_cost_reach_the_comparison(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    path = hosted.root / "tailor.toml"
    path.write_text(
        path.read_text("utf-8") + '[prices."openai:double"]\ninput = 1.0\noutput = 4.0\n', "utf-8"
    )
    row = tailor("run", "prompting", "-w", hosted.root, "--json").json["stages"][0]
    tokens = row["tokens"]
    assert tokens["input"] > tokens["output"] > 0
    assert row["cost_usd"] == pytest.approx((tokens["input"] + 4 * tokens["output"]) / 1e6)


def test_a_missing_key_is_one_sentence_that_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, workspace: Workspace, tailor: Command
) -> None:
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", "openai:gpt-x")
    assert ended.code == 1
    assert "OPENAI_API_KEY" in ended.sentence

    # Another provider's key does not do, and its value is not shown.
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    remote = "base_url=https://models.example.com/v1"
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", "openai:m", "--set", remote)
    assert "models.example.com" in ended.sentence
    assert "OPENAI_API_KEY" in ended.sentence
    assert SECRET not in ended.err + ended.out


def test_a_row_without_a_language_model_needs_no_key(workspace: Workspace, tailor: Command) -> None:
    workspace.ingest()
    assert tailor("run", "baseline", "-w", workspace.root, "-m", "openai:gpt-x").code == 0


@pytest.mark.parametrize("name", ["gpt-x", "openai:", "nonsense:model"])
def test_an_unknown_provider_is_one_sentence(
    workspace: Workspace, tailor: Command, name: str
) -> None:
    ended = tailor("run", "prompting", "-w", workspace.root, "-m", name)
    assert ended.code == UsageError.exit_code
    assert name in ended.sentence


@pytest.mark.filterwarnings("ignore:.langchain-community.:DeprecationWarning")
@pytest.mark.parametrize(
    ("model", "package", "line"),
    [
        ("groq:m", "langchain_groq", "pip install langchain-groq"),
        ("ollama:m", "langchain_ollama", "pip install langchain-ollama"),
        ("bedrock:m", "langchain_aws", "pip install langchain-aws"),
        ("google_genai:m", "langchain_google_genai", "pip install langchain-google-genai"),
    ],
)
def test_a_missing_package_is_one_sentence_with_the_pip_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: str, package: str, line: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    for variable in KEYS.values():
        monkeypatch.setenv(variable, SECRET)
    with pytest.raises(TailorError, match=f"`{line}`") as caught:
        _ = chat(model, Config(), AnswerStore(tmp_path / "a.db")).model
    assert SECRET not in str(caught.value)


def test_a_provider_that_wants_more_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"'azure_openai:m' cannot be used: .*AZURE_OPENAI_API_KEY"
    ):
        _ = chat("azure_openai:m", Config(), AnswerStore(tmp_path / "a.db")).model


def test_ollama_is_told_under_its_own_names() -> None:
    config = Config(max_tokens=9, timeout=3.0, temperature=None)
    assert _parameters("ollama", config) == {"num_predict": 9, "client_kwargs": {"timeout": 3.0}}
