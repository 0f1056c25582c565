"""Prompts that are longer than a hosted model's context."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from tailor.assistant import Prompt
from tailor.documents.passages import Passage
from tailor.models.overflow import parted
from tailor.models.retry import error_kind, is_transient
from tailor.testing import Fault, Request, too_long
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Configure = Callable[..., Workspace]
LIMIT = 110


def passage(name: str, score: float | None, words: int = 30) -> Passage:
    """A passage of so many words."""
    return Passage(f"{name}.md", 0, words, " ".join([name] * words), score=score)


SIX = (
    passage("a", 0.9), passage("c", 0.5), passage("e", 0.2),
    passage("f", 0.1), passage("d", 0.4), passage("b", 0.7),
)  # fmt: skip
"""The best at either end, as against being lost in the middle."""


def size(request: Request) -> int:
    """Words of a request."""
    return sum(len(str(message["content"]).split()) for message in request.messages)


def small(request: Request) -> Fault | None:
    """A model of few words."""
    return too_long(LIMIT, size(request)) if size(request) > LIMIT else None


def names(passages: tuple[Passage, ...]) -> str:
    """The passages' names in one word."""
    return "".join(one.document[0] for one in passages)


def test_the_least_relevant_go_wherever_they_stand() -> None:
    assert [names(side) for side in parted(SIX, 2)] == ["acdb", "ef"]
    assert [names(side) for side in parted(SIX, 0)] == ["acefdb", ""]
    assert [names(side) for side in parted(SIX, 6)] == ["", "abcdef"]
    unknown = (*SIX[:5], passage("b", None))
    assert [names(side) for side in parted(unknown, 2)] == ["acef", "db"]
    equal = tuple(replace(one, score=1.0) for one in SIX)
    assert [names(side) for side in parted(equal, 2)] == ["acef", "db"]


def test_passages_are_dropped_until_the_prompt_fits(configure: Configure, model: Model) -> None:
    model.fault = small
    chat = configure().chat()
    prompt = Prompt("Who is it?", passages=SIX)
    reply = chat.invoke(prompt)
    assert reply.dropped == 3
    sent = model.server.requests[-1].question
    assert [name for name in "abcdef" if f"{name}.md" in sent] == ["a", "b", "c"]
    assert sent.index("a.md") < sent.index("c.md") < sent.index("b.md")
    assert model.server.count <= 3
    assert chat.store.count()[0] == 1
    assert chat.invoke(prompt).dropped == 3  # its answer is there


def test_without_numbers_it_ends_all_the_same(configure: Configure, model: Model) -> None:
    error = {"error": {"message": "prompt is too long", "code": None}}
    told = Fault(400, body=json.dumps(error))
    model.fault = lambda request: told if size(request) > LIMIT else None
    assert 3 <= configure().chat().invoke(Prompt("Who is it?", passages=SIX)).dropped <= 4
    assert model.server.count <= 4


def test_without_passages_it_is_an_error_and_asked_once(configure: Configure, model: Model) -> None:
    model.fault = lambda request: too_long(5, size(request))
    chat = configure(retries=3).chat()
    with pytest.raises(Exception, match="maximum context length") as caught:
        chat.invoke(Prompt("Who is it, and how long are they to be there?"))
    assert error_kind(caught.value) == "context_length"
    assert not is_transient(caught.value)
    assert model.server.count == 1
    assert chat.store.count() == (0, 0)


class Six(BaseRetriever):
    """Finds the same six passages."""

    fingerprint: str = "six"

    def _get_relevant_documents(self, query: str, **_: Any) -> list[Document]:
        return [
            Document(one.text, metadata={
                "document": one.document, "start": 0, "end": one.end, "score": one.score
            })
            for one in SIX
        ]  # fmt: skip


def test_an_answer_lists_first_what_the_model_was_shown(configure: Configure, model: Model) -> None:
    model.fault = small
    assistant = replace(configure().root_assistant(), retriever=Six())
    answer = assistant.answer("Who is it?")
    sent = model.server.requests[-1].question
    shown = answer.passages[: -answer.dropped]
    assert 0 < len(shown) < 6
    assert names(shown) == "".join(name for name in "acefdb" if f"{name}.md" in sent)
    assert names(answer.passages[-answer.dropped :]) == "abcdef"[len(shown) :]


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, {"message": "too long", "code": "context_length_exceeded"}),
        (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}),
        (400, {"message": "The input token count (1200000) exceeds the maximum number of tokens "
                          "allowed (1048576)."}),
        (400, {"message": "Input is too long for requested model."}),
        (413, {"message": "Request too large for model", "code": "request_too_large"}),
        (400, {"message": "the request exceeds the available context size, try increasing it",
               "type": "exceed_context_size_error"}),
        (400, {"message": "Please reduce the length of the messages or completion."}),
        (422, {"message": "This model's maximum context length is 4096 tokens. However, you "
                          "requested 5000 tokens (4000 in the messages, 1000 in the completion)."}),
    ],
    ids=["openai", "anthropic", "google", "bedrock", "groq", "llama.cpp", "groq-2", "vllm"],
)  # fmt: skip
def test_how_providers_say_it(
    configure: Configure, model: Model, status: int, body: dict[str, str]
) -> None:
    model.fault = lambda request: Fault(status, body=json.dumps({"error": body}))
    with pytest.raises(Exception, match=r".") as caught:
        configure().chat().invoke(Prompt("Who is it?"))
    assert error_kind(caught.value) == "context_length"


@pytest.mark.parametrize(
    "message", ["Unsupported value: 'temperature'", "max_tokens is too large: 99999", "bad"]
)
def test_other_refusals_are_no_overflow(configure: Configure, model: Model, message: str) -> None:
    model.fault = lambda request: Fault(400, body=json.dumps({"error": {"message": message}}))
    with pytest.raises(Exception, match=r".") as caught:
        configure().chat().invoke(Prompt("Who is it?", passages=SIX))
    assert error_kind(caught.value) == "other"
    assert model.server.count == 1


def test_a_run_goes_on_over_questions_that_fit(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    model.fault = lambda request: too_long(5, 50) if request.number == 0 else None
    ended = tailor("run", "prompting", "-w", hosted.root)
    assert ended.code == 4
    assert "1 answer ended in an error (1 context_length)" in ended.err
    assert hosted.answers.count() == (9, 10)
