"""The real clients, unchanged: answers with their sources, streams, vectors, conversations."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from tailor.serving import kept
from tailor.serving.server import curl, serving
from tailor.testing import Fault, rate_limited, server_error, unauthorized

if TYPE_CHECKING:
    from conftest import Served

QUESTION = [{"role": "user", "content": "How many days of paid leave do new employees get?"}]


@pytest.fixture
def client(served: Served) -> Any:
    from openai import OpenAI

    return OpenAI(base_url=served.url, api_key=served.token, max_retries=0, timeout=20)


def test_the_openai_client(client: Any) -> None:
    reply = client.chat.completions.create(model="tailor", messages=QUESTION)
    choice = reply.choices[0]
    assert choice.message.content == "12 days\n\nSources: [1] hr/leave.md, Leave"
    assert choice.finish_reason == "stop"
    assert reply.usage.total_tokens == reply.usage.prompt_tokens + 2 > 10
    cited = choice.tailor["citations"]
    assert [(c["number"], c["document"]) for c in cited] == [(1, "hr/leave.md")]
    assert cited[0]["text"] in "# Leave\n\nNew employees get 12 days of paid annual leave.\n"
    assert choice.tailor["outcome"] == "ok"


def test_a_stream_with_its_usage(client: Any, served: Served) -> None:
    served.engine.said = lambda messages: "There are 12 days of paid leave"
    served.engine.fault = lambda request: Fault(pace=0.05)
    events = list(
        client.chat.completions.create(
            model="tailor",
            messages=[{"role": "user", "content": "What leave is there for new employees?"}],
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    pieces = [event.choices[0].delta.content or "" for event in events if event.choices]
    assert "".join(pieces).startswith("There are 12 days of paid leave\n\nSources: [1]")
    assert len([piece for piece in pieces if piece]) > 3
    assert events[-1].usage.completion_tokens == 7
    assert events[-2].choices[0].tailor["citations"][0]["document"] == "hr/leave.md"


def test_several_answers_and_what_is_not_heeded(client: Any) -> None:
    asked = [{"role": "system", "content": "Be brief."}, *QUESTION]
    reply = client.chat.completions.create(
        model="tailor", messages=asked, n=3, temperature=1, extra_body={"citations": "structured"}
    )
    assert [choice.index for choice in reply.choices] == [0, 1, 2]
    assert {choice.message.content for choice in reply.choices} == {"12 days"}
    assert reply.choices[0].tailor["ignored"] == ["temperature", "system messages"]
    events = client.chat.completions.create(model="tailor", messages=QUESTION, n=2, stream=True)
    said: dict[int, str] = {}
    for event in events:
        (choice,) = event.choices
        said[choice.index] = said.get(choice.index, "") + (choice.delta.content or "")
    assert set(said) == {0, 1}
    assert all(text.startswith("12 days\n\nSources") for text in said.values())


def test_models_vectors_and_feedback(client: Any, served: Served) -> None:
    card, embedder = client.models.list().data
    assert (card.id, card.card["row"], card.card["score"]) == ("tailor", "retrieval", None)
    assert client.models.retrieve(embedder.id).embeddings is True
    packed = client.embeddings.create(model="shipped", input=["leave", "nghỉ phép"])
    plain = client.embeddings.create(model="tailor", input="leave", encoding_format="float")
    assert packed.data[0].embedding == pytest.approx(plain.data[0].embedding)
    assert len(packed.data[1].embedding) == len(plain.data[0].embedding)
    reply = client.chat.completions.create(
        model="tailor", messages=[{"role": "user", "content": "Is sk-live-4fQ9zR7tY2wK8mN1 mine?"}]
    )
    rating = {"id": reply.id, "rating": "down", "comment": "no", "correction": "14 days"}
    assert served.ask("POST", "/v1/feedback", rating).json["status"] == "kept"
    found = [one for one in kept.served(served.workspace) if one.id == reply.id]
    assert found[0].question.startswith("Is sk-l… (")
    assert found[0].passages[0].document == "hr/leave.md"
    assert kept.feedbacks(served.workspace)[-1].correction == "14 days"


def test_langchain(served: Served) -> None:
    from langchain_openai import ChatOpenAI, OpenAIEmbeddings

    model = ChatOpenAI(base_url=served.url, api_key=served.token, model="tailor", max_retries=0)
    reply = model.invoke("How many days of paid leave do new employees get?")
    assert reply.content.startswith("12 days\n\nSources")
    assert reply.usage_metadata["output_tokens"] == 2
    whole = "".join(chunk.content for chunk in model.stream("How many days of leave?"))
    assert whole.startswith("12 days\n\nSources")
    vectors = OpenAIEmbeddings(
        base_url=served.url, api_key=served.token, model="shipped", check_embedding_ctx_length=False
    )
    assert len(vectors.embed_documents(["a dog", "a cat"])) == 2


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_the_curl_line(served: Served) -> None:
    line = curl(served.started, "How many days' leave do new employees get?")
    assert served.token not in line
    told = subprocess.run(
        ["sh", "-c", f"{line} -s"], env={"TAILOR_TOKEN": served.token, "PATH": "/usr/bin:/bin"},
        capture_output=True, check=True, timeout=20,
    )  # fmt: skip
    assert json.loads(told.stdout)["choices"][0]["message"]["content"].startswith("12 days")


def test_earlier_turns_rewrite_the_question(client: Any, served: Served) -> None:
    def said(messages: Any) -> str:
        rewriting = "follow-up" in str(messages[0]["content"])
        return "How are refunds paid?" if rewriting else "by bank transfer"

    served.engine.said = said
    asked = [
        {"role": "user", "content": "What about refunds?"},
        {"role": "assistant", "content": "They are paid."},
        {"role": "user", "content": "And how?"},
    ]
    reply = client.chat.completions.create(model="tailor", messages=asked)
    assert reply.choices[0].tailor["searched"] == "How are refunds paid?"
    assert reply.choices[0].tailor["citations"][0]["document"] == "sales/refunds.md"
    # The rewriting is no part of the answer that is streamed.
    asked[0]["content"] = "What of refunds?"
    events = client.chat.completions.create(model="tailor", messages=asked, stream=True)
    text = "".join(event.choices[0].delta.content or "" for event in events)
    assert text.startswith("by bank transfer\n\nSources: [1] sales/refunds.md")


HOSTILE = (
    "Look at https://evil.example/?d=secret now, or at ![x](https://evil.example/a.png) and "
    "<img src=x> or [here](https://evil.example), as https://acme.example/refunds says"
)


def test_no_address_leaves_alive_streamed_or_not(client: Any, served: Served) -> None:
    served.engine.said = lambda messages: HOSTILE
    asked = [{"role": "user", "content": "How are refunds paid?"}]
    whole = client.chat.completions.create(model="tailor", messages=asked)
    events = client.chat.completions.create(
        model="tailor", messages=[{"role": "user", "content": "How are the refunds paid?"}],
        stream=True,
    )  # fmt: skip
    streamed = "".join(event.choices[0].delta.content or "" for event in events)
    for text in (str(whole.choices[0].message.content), streamed):
        assert "evil.example" not in text
        assert "<img" not in text
        assert "![" not in text
        assert "https[:]//acme[.]example/refunds" in text
    assert streamed.partition("\n\n")[0] == whole.choices[0].message.content.partition("\n\n")[0]


def test_a_refusal_rests_on_no_passage(client: Any, served: Served) -> None:
    served.engine.said = lambda messages: "Not in the documents."
    reply = client.chat.completions.create(
        model="tailor", messages=[{"role": "user", "content": "What is the dog's name?"}]
    )
    assert reply.choices[0].message.content == "Not in the documents."
    assert reply.choices[0].tailor["outcome"] == "refused"
    assert reply.choices[0].tailor["citations"] == []


def test_overload_is_told_and_passes(served: Served) -> None:
    gate = threading.Event()
    served.engine.said = lambda messages: "12 days" if gate.wait(4) else "late"
    count = served.engine.server.count
    with ThreadPoolExecutor(6) as pool:
        going = [pool.submit(served.chat, f"Leave in year {year}?") for year in range(6)]
        served.engine.server.wait_for(count + 4)
        served.in_flight(6)
        refused = served.chat("One too many?")
        assert (refused.status, refused.code) == (503, "overloaded")
        assert refused.headers["retry-after"] == "1"
        assert served.ask("GET", "/health", None, None).status == 200
        gate.set()
        assert [one.result().status for one in going] == [200] * 6
    assert served.chat("And now?").status == 200


def test_an_answer_that_takes_too_long(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    held = threading.Event()
    served.engine.said = lambda messages: "12 days" if held.wait(20) else ""
    began = time.monotonic()
    answer = served.chat("What takes so long?")
    assert (answer.status, answer.code) == (504, "timeout")
    assert 7 < time.monotonic() - began < 20
    held.set()
    served.in_flight(0)
    assert "never retrieved" not in caplog.text


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (rate_limited(1), 429, "provider_rate_limit"),
        (unauthorized(), 502, "provider_auth"),
        (server_error(), 503, "provider_unavailable"),
        (Fault(body="{"), 502, "provider_malformed"),
    ],
)
def test_what_the_provider_cannot_do(
    served: Served, capsys: pytest.CaptureFixture[str], fault: Fault, status: int, code: str
) -> None:
    served.engine.fault = lambda request: fault
    for stream in (False, True):
        answer = served.chat(f"Leave for {code} {stream}?", stream=stream)
        assert (answer.status, answer.code) == (status, code)
        assert answer.headers.get("retry-after") == {429: "1", 503: "5"}.get(status)
        assert served.token not in answer.body.decode()
        assert "127.0.0.1" not in answer.body.decode()


def test_the_figures_tell_what_happened(served: Served) -> None:
    served.chat()
    text = served.ask("GET", "/metrics").body.decode()
    for figure in (
        'tailor_requests_total{route="/v1/chat/completions",status="200"}',
        'tailor_request_seconds_count{route="/v1/chat/completions"}',
        'tailor_answers_total{outcome="ok"}', 'tailor_tokens_total{kind="input"}',
        "tailor_retrieval_score_count", 'tailor_serving{generation="', "tailor_cost_usd_total",
    ):  # fmt: skip
        (line,) = [line for line in text.splitlines() if line.startswith(figure)]
        assert float(line.rpartition(" ")[2]) >= (0 if "cost" in figure else 1)
    assert served.token not in text
    assert "How many days" not in text


def test_the_workspace_knows_what_serves_it(served: Served) -> None:
    (found,) = serving(served.workspace.state)
    assert found == served.started
    assert served.token not in json.dumps(found.to_json())
