"""The stand-in for a hosted model does what its docstrings say."""

from __future__ import annotations

import http.client
import json
import textwrap
import threading
import time
from collections.abc import Mapping
from typing import Any

import openai
import pytest

import tailor.testing
from tailor.testing import (
    OpenAIServer,
    cut_off,
    in_order,
    not_json,
    rate_limited,
    server_error,
    slow,
    unauthorized,
)
from tailor.workspace import Workspace


def client(server: OpenAIServer) -> openai.OpenAI:
    return openai.OpenAI(base_url=server.url, api_key="any", max_retries=0, timeout=20)


def ask(server: OpenAIServer, text: str = "How many?", **more: Any) -> Any:
    return client(server).chat.completions.create(
        model="any", messages=[{"role": "user", "content": text}], **more
    )


def test_it_answers_and_keeps_what_it_was_asked() -> None:
    with OpenAIServer(lambda messages: f"{len(messages)} message, mười hai") as server:
        answer = ask(server, "How many days?", temperature=0.5)
        assert answer.choices[0].message.content == "1 message, mười hai"
        assert answer.model == "any"
        assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (3, 4)
        (request,) = server.requests
        assert request.number == 0
        assert request.question == "How many days?"
        assert request.body["temperature"] == 0.5
        assert request.headers["authorization"] == "Bearer any"
        assert server.count == 1


def test_a_stream_carries_the_same_text_and_usage_when_asked() -> None:
    with OpenAIServer(lambda messages: "mười hai  ngày\nphép") as server:
        chunks = list(ask(server, stream=True, stream_options={"include_usage": True}))
        pieces = [c.choices[0].delta.content or "" for c in chunks if c.choices]
        assert "".join(pieces) == "mười hai  ngày\nphép"
        assert chunks[-1].usage.completion_tokens == 4
        assert all(chunk.usage is None for chunk in ask(server, stream=True))


def test_the_example_of_the_docstring(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(workspace.root.parent)
    example = textwrap.dedent((tailor.testing.__doc__ or "").partition("::\n")[2])
    assert "OpenAIServer" in example
    exec(compile(example, "testing.py", "exec"), {**vars(tailor.testing), "Workspace": Workspace})


def test_faults_come_in_their_order() -> None:
    faults = in_order(rate_limited(7), server_error(), None, unauthorized(), not_json())
    with OpenAIServer(lambda messages: "fine", faults) as server:
        with pytest.raises(openai.RateLimitError) as caught:
            ask(server)
        assert caught.value.response.headers["retry-after"] == "7"
        with pytest.raises(openai.InternalServerError):
            ask(server)
        assert ask(server).choices[0].message.content == "fine"
        with pytest.raises(openai.AuthenticationError):
            ask(server)
        with pytest.raises(json.JSONDecodeError):
            ask(server)
        assert ask(server).choices[0].message.content == "fine"
        assert server.count == 6


@pytest.mark.parametrize("stream", [False, True])
def test_a_connection_can_be_cut(stream: bool) -> None:
    with (
        OpenAIServer(lambda messages: "a b c d e f", in_order(cut_off())) as server,
        pytest.raises(Exception, match=r"(?i)connection|peer|incomplete|closed"),
    ):
        list(ask(server, stream=stream))


def test_closing_ends_a_slow_answer() -> None:
    started = time.monotonic()
    with OpenAIServer(lambda messages: "late", lambda request: slow(600)) as server:
        thread = threading.Thread(target=lambda: _ignore(server), daemon=True)
        thread.start()
        server.wait_for(1)
    thread.join(20)
    assert not thread.is_alive()
    assert time.monotonic() - started < 20


def _ignore(server: OpenAIServer) -> None:
    try:
        ask(server)
    except openai.OpenAIError:
        return


def test_waiting_for_requests_that_do_not_come_ends() -> None:
    with (
        OpenAIServer(lambda messages: "x") as server,
        pytest.raises(TimeoutError, match=r"0 of 1 requests"),
    ):
        server.wait_for(1, timeout=0.05)


def test_requests_are_answered_at_the_same_time() -> None:
    both = threading.Barrier(2)

    def reply(messages: Any) -> str:
        both.wait(20)
        return "x"

    with OpenAIServer(reply) as server:
        threads = [threading.Thread(target=ask, args=(server,)) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert not any(thread.is_alive() for thread in threads)
        assert server.count == 2


@pytest.mark.parametrize(("path", "body"), [("/v1/models", "{}"), ("/v1/chat/completions", "x")])
def test_anything_else_is_not_found_and_not_counted(path: str, body: str) -> None:
    with OpenAIServer(lambda messages: "x") as server:
        port = int(server.url.split(":")[2].split("/")[0])
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        connection.request("POST", path, body)
        response = connection.getresponse()
        told: Mapping[str, Any] = json.loads(response.read())
        connection.close()
        assert response.status == 404
        assert path in told["error"]["message"]
        assert server.count == 0


def test_it_has_no_url_unless_it_runs() -> None:
    with pytest.raises(RuntimeError, match="with OpenAIServer"):
        OpenAIServer(lambda messages: "x").url  # noqa: B018


def test_it_transcribes_where_it_is_told_how() -> None:
    sound = b"\r\n--RIFF\r\n"

    def hear(fields: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"text": f"{fields['model']} heard {fields['file'] == sound}"}

    def transcribe(server: OpenAIServer) -> Any:
        transcriptions = client(server).audio.transcriptions
        return transcriptions.create(model="any", file=("a.wav", sound)).text

    with OpenAIServer(lambda _: "", in_order(server_error()), hear) as server:
        with pytest.raises(openai.InternalServerError):
            transcribe(server)
        assert transcribe(server) == "any heard True"
        assert [request.path for request in server.requests] == ["/v1/audio/transcriptions"] * 2
    with OpenAIServer(lambda _: "") as server, pytest.raises(openai.NotFoundError):
        transcribe(server)
