"""The form of OpenAI's requests and replies, as the stand-in of `tailor.testing` speaks it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from email import message_from_string
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.testing import Request


def json_object(raw: bytes) -> dict[str, Any] | None:
    """The JSON object in a body; None where it holds none."""
    try:
        body = json.loads(raw)
    except ValueError:
        return None
    return body if isinstance(body, dict) else None


def form(content_type: str, raw: bytes) -> dict[str, Any]:
    """The fields of a form with files; cut by hand, as Python's mail parser takes seconds."""
    boundary = str(message_from_string(f"Content-Type: {content_type}\n\n").get_boundary())
    fields: dict[str, Any] = {}
    for part in raw.split(f"--{boundary}".encode())[1:-1]:
        head, _, value = part[2:-2].partition(b"\r\n\r\n")
        headers = message_from_string(head.decode())
        name = str(headers.get_param("name", header="content-disposition"))
        fields[name] = value if headers.get_filename() else value.decode()
    return fields


def text_of(message: Mapping[str, Any]) -> str:
    """The text of a message, its parts together."""
    content = message.get("content") or ""
    if isinstance(content, str):
        return content
    return "".join(str(part.get("text", "")) for part in content)


def _usage(request: Request, text: str) -> dict[str, int]:
    asked = sum(len(text_of(message).split()) for message in request.messages)
    written = len(text.split())
    return {
        "prompt_tokens": asked,
        "completion_tokens": written,
        "total_tokens": asked + written,
    }


def embeddings(
    request: Request, embed: Callable[[Sequence[str]], Sequence[Sequence[float]]]
) -> dict[str, Any]:
    """The reply to a request for embeddings."""
    given = request.body.get("input", ())
    texts = [given] if isinstance(given, str) else list(given)
    words = sum(len(str(text).split()) for text in texts)
    return {
        "object": "list",
        "model": request.body.get("model", ""),
        "data": [
            {"object": "embedding", "index": at, "embedding": list(vector)}
            for at, vector in enumerate(embed(texts))
        ],
        "usage": {"prompt_tokens": words, "total_tokens": words},
    }


def completion(request: Request, said: str | Mapping[str, Any]) -> dict[str, Any]:
    """The reply to a chat request: a text, or a whole message."""
    message = {"content": said} if isinstance(said, str) else said
    return {
        "id": f"chatcmpl-{request.number}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": request.body.get("model", ""),
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", **message},
                "finish_reason": "tool_calls" if message.get("tool_calls") else "stop",
            }
        ],
        "usage": _usage(request, text_of(message)),
    }


def stream(request: Request, text: str) -> Iterator[str]:
    """The events of a streamed reply, word by word."""
    common = {
        "id": f"chatcmpl-{request.number}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": request.body.get("model", ""),
    }

    def event(value: object) -> str:
        return f"data: {json.dumps(value)}\n\n"

    def chunk(delta: Mapping[str, str], finish: str | None = None) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        return event({**common, "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    for at, word in enumerate(text.split(" ")):
        yield chunk({"content": f" {word}" if at else word})
    yield chunk({}, "stop")
    if (request.body.get("stream_options") or {}).get("include_usage"):
        yield event({**common, "choices": [], "usage": _usage(request, text)})
    yield "data: [DONE]\n\n"


def error(message: str, kind: str, code: str | None) -> str:
    """The body of a refusal."""
    return json.dumps({"error": {"message": message, "type": kind, "param": None, "code": code}})
