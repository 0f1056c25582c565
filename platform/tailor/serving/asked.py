"""Requests as clients of OpenAI's API send them, checked and within the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tailor.assistant import Ask, Turn
from tailor.models.usage import text_tokens
from tailor.serving.problem import Problem
from tailor.serving.settings import Serve
from tailor.text import nfc, words

MODEL = "tailor"
"""The name of whatever assistant is served."""
_REFUSED = {
    "tools": "tools are not supported: the assistant has its own",
    "functions": "functions are not supported: the assistant has its own tools",
    "audio": "audio is not supported",
    "logprobs": "logprobs are not supported",
}
_CHARACTERS = 8
"""Of a token, at most on average; a longer text is refused without counting its tokens."""

M = TypeVar("M", bound=BaseModel)


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)
    type: str
    text: str = ""


class _Message(BaseModel):
    model_config = ConfigDict(strict=True)
    role: Literal["system", "developer", "user", "assistant"]
    content: str | list[_Part]


class _StreamOptions(BaseModel):
    model_config = ConfigDict(strict=True)
    include_usage: bool | None = False


class Conversation(BaseModel):
    """The body of a request for an answer."""

    model_config = ConfigDict(strict=True, extra="allow")
    model: str = Field(MODEL, max_length=200)
    messages: list[_Message] = Field(min_length=1)
    n: int | None = Field(1, ge=1)
    stream: bool | None = False
    stream_options: _StreamOptions | None = None
    max_tokens: int | None = Field(None, ge=1, le=1_000_000)
    max_completion_tokens: int | None = Field(None, ge=1, le=1_000_000)
    response_format: dict[str, Any] | None = None
    citations: Literal["text", "structured"] | None = None


class Texts(BaseModel):
    """The body of a request for vectors."""

    model_config = ConfigDict(strict=True, extra="allow")
    model: str = Field(MODEL, max_length=200)
    input: str | list[str]
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None


class Rating(BaseModel):
    """The body of a request that says how good an answer was."""

    model_config = ConfigDict(strict=True, extra="forbid")
    id: str = Field(min_length=1, max_length=100)
    rating: Literal["up", "down"]
    comment: str = Field("", max_length=4000)
    correction: str = Field("", max_length=4000)


@dataclass(frozen=True)
class Chat:
    """A conversation whose last question is to be answered."""

    ask: Ask
    model: str
    n: int = 1
    stream: bool = False
    include_usage: bool = False
    citations: Literal["text", "structured"] = "text"
    ignored: tuple[str, ...] = ()
    """What of the request the assistant, which is served as it was measured, does not heed."""


@dataclass(frozen=True)
class Embed:
    """Texts to be turned into vectors."""

    texts: tuple[str, ...]
    model: str
    base64: bool


def chat(raw: bytes, limits: Serve) -> Chat:
    """The body of a request for an answer.

    Raises:
        Problem: it is not one, asks for what there is not, or is beyond the limits.
    """
    read = _read(Conversation, raw)
    extra = read.model_extra or {}
    for name, said in _REFUSED.items():
        if extra.get(name):
            raise Problem(400, f"{name}: {said}.", "unsupported", name)
    if (read.response_format or {}).get("type", "text") != "text":
        said = "response_format: only text is supported."
        raise Problem(400, said, "unsupported", "response_format")
    n = read.n or 1
    if n > limits.max_n:
        raise Problem(400, f"n: at most {limits.max_n} answers.", "too_many", "n")
    if len(read.messages) > limits.max_messages:
        said = f"messages: at most {limits.max_messages}."
        raise Problem(400, said, "too_many", "messages")
    turns = [(message.role, _text(message)) for message in read.messages]
    _fits([text for _, text in turns], limits.max_input_tokens, "messages")
    role, question = turns[-1]
    if role != "user" or not words(question):
        said = "messages: the last one must be a question of the user."
        raise Problem(400, said, "no_question", "messages")
    history = tuple(
        Turn("user" if role == "user" else "assistant", text)
        for role, text in turns[:-1]
        if role in ("user", "assistant")
    )
    told = [name for name in (*extra, "max_tokens", "max_completion_tokens") if _set(read, name)]
    if any(role in ("system", "developer") for role, _ in turns):
        told.append("system messages")
    return Chat(
        Ask(question.strip(), history),
        read.model,
        n,
        bool(read.stream),
        bool(read.stream_options and read.stream_options.include_usage),
        read.citations or limits.citations,
        tuple(name[:40] for name in told[:20]),
    )


def embed(raw: bytes, limits: Serve) -> Embed:
    """The body of a request for vectors.

    Raises:
        Problem: it is not one, asks for what there is not, or is beyond the limits.
    """
    read = _read(Texts, raw)
    texts = [read.input] if isinstance(read.input, str) else read.input
    if read.dimensions is not None:
        raise Problem(400, "dimensions: they are the embedder's own.", "unsupported", "dimensions")
    if not 1 <= len(texts) <= limits.max_texts:
        raise Problem(400, f"input: 1 to {limits.max_texts} texts.", "too_many", "input")
    if not all(text.strip() for text in texts):
        raise Problem(400, "input: a text is empty.", "empty", "input")
    for text in texts:
        _fits([text], limits.max_input_tokens, "input")
    return Embed(tuple(map(nfc, texts)), read.model, read.encoding_format == "base64")


def rating(raw: bytes) -> Rating:
    """The body of a request that says how good an answer was.

    Raises:
        Problem: it is not one.
    """
    return _read(Rating, raw)


def _read(kind: type[M], raw: bytes) -> M:
    try:
        return kind.model_validate_json(raw)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:100]
        if first["type"] == "json_invalid":
            raise Problem(400, "The request is not valid JSON.", "invalid_json") from None
        said = f"{place}: {first['msg']}." if place else f"{first['msg']}."
        raise Problem(400, said, "invalid", place or None) from None


def _text(message: _Message) -> str:
    if isinstance(message.content, str):
        return nfc(message.content)
    if any(part.type != "text" for part in message.content):
        said = "messages: only text is supported."
        raise Problem(400, said, "unsupported", "messages")
    return nfc("\n".join(part.text for part in message.content))


def _fits(texts: list[str], most: int, param: str) -> None:
    """Refuse texts of too many tokens; a token has a character at least."""
    length = sum(map(len, texts))
    if length <= most:
        return
    if length > _CHARACTERS * most or sum(map(text_tokens, texts)) > most:
        raise Problem(400, f"{param}: at most {most} tokens.", "context_length_exceeded", param)


def _set(read: Conversation, name: str) -> bool:
    known = getattr(read, name, None)
    return known is not None and known is not False
