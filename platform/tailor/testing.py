"""A stand-in for an OpenAI-compatible server, to test against without a network or a key.

It is a real HTTP server on this machine that can be told to fail::

    with OpenAIServer(lambda messages: "12 days", in_order(rate_limited(0.1))) as server:
        workspace = Workspace("acme", {"base_url": server.url})
        answer = workspace.root_assistant("openai:any-name").answer("How many days?")
    assert answer.text == "12 days"
    assert server.count == 2  # the first call was refused and tried again
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any

from tailor import testing_protocol as protocol

Messages = Sequence[Mapping[str, Any]]

_TRANSCRIPTIONS = "/v1/audio/transcriptions"
_EMBEDDINGS = "/v1/embeddings"


@dataclass(frozen=True)
class Request:
    """One request as it came in."""

    number: int
    """0 for the first request of the server, then 1, 2, …"""
    path: str
    headers: Mapping[str, str]
    """Names in lower case."""
    body: Mapping[str, Any]
    """The JSON object, or the fields of the form with files as bytes."""
    method: str = "POST"

    @property
    def messages(self) -> Messages:
        """The chat messages, ``{"role": ..., "content": ...}`` each."""
        found: Messages = self.body.get("messages", ())
        return found

    @property
    def question(self) -> str:
        """The text of the last message."""
        return protocol.text_of(self.messages[-1]) if self.messages else ""


@dataclass(frozen=True)
class Fault:
    """What happens to one request instead of a normal answer."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str | None = None
    """Sent as it is; None: the normal answer."""
    seconds: float = 0.0
    """Waited before anything is sent; closing the server ends the wait."""
    pace: float = 0.0
    """Seconds between the words of a stream."""
    cut: bool = False
    """Close the connection when half of the answer is sent."""


def rate_limited(retry_after: float = 1.0) -> Fault:
    """429: too many requests, come back after these seconds."""
    body = protocol.error("Rate limit reached for requests", "requests", "rate_limit_exceeded")
    return Fault(429, {"Retry-After": f"{retry_after:g}"}, body)


def quota_exceeded() -> Fault:
    """429 that waiting does not mend: the account has no money left."""
    message = "You exceeded your current quota, please check your plan and billing details."
    return Fault(429, body=protocol.error(message, "insufficient_quota", "insufficient_quota"))


def too_long(limit: int, sent: int) -> Fault:
    """400: the prompt does not fit into the model's context of ``limit`` tokens."""
    message = (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted "
        f"in {sent} tokens. Please reduce the length of the messages."
    )
    return Fault(
        400, body=protocol.error(message, "invalid_request_error", "context_length_exceeded")
    )


def unauthorized() -> Fault:
    """401: the key is wrong."""
    message = "Incorrect API key provided."
    return Fault(401, body=protocol.error(message, "invalid_request_error", "invalid_api_key"))


def server_error(status: int = 500) -> Fault:
    """The server fails."""
    return Fault(status, body=protocol.error("The server had an error", "server_error", None))


def slow(seconds: float) -> Fault:
    """The normal answer, late."""
    return Fault(seconds=seconds)


def cut_off() -> Fault:
    """The connection is closed in the middle of the answer."""
    return Fault(cut=True)


def not_json() -> Fault:
    """A body that is no JSON, though its headers say so."""
    return Fault(body='{"choices": [{"mess')


def not_a_completion() -> Fault:
    """JSON that is no chat completion."""
    return Fault(body='{"status": "ok"}')


def tool_call(name: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
    """A message that calls a tool instead of answering."""
    function = {"name": name, "arguments": json.dumps(arguments, ensure_ascii=False)}
    call = {"id": f"call_{name}", "type": "function", "function": function}
    return {"content": None, "tool_calls": [call]}


def in_order(*faults: Fault | None) -> Callable[[Request], Fault | None]:
    """The first fault for the first request, and so on; None, and all later ones: no fault."""
    return lambda request: faults[request.number] if request.number < len(faults) else None


class OpenAIServer:
    """Speaks OpenAI's chat, embedding and transcription protocols on a free port of 127.0.0.1.

    Args:
        reply: from the messages to the text of the answer, or to the whole message, such as one
            of :func:`tool_call`; may block, for instance on an event.
        fault: what goes wrong with a request; None where nothing does.
        transcribe: from the fields of a transcription request, its ``file`` as bytes, to the
            reply; None: there is no such endpoint.
        embed: from texts to a vector each; None: there is no such endpoint.
        more: what answers at other addresses, such as a
            :class:`tailor.testing_jobs.FineTuning`; None from it: there is no such endpoint.

    Usage is counted in words separated by blanks, so that it can be foretold. Streams (server-sent
    events) come word by word. Requests are answered at once, each on its own thread.
    """

    def __init__(
        self,
        reply: Callable[[Messages], str | Mapping[str, Any]],
        fault: Callable[[Request], Fault | None] = lambda request: None,
        transcribe: Callable[[Mapping[str, Any]], Mapping[str, Any]] | None = None,
        embed: Callable[[Sequence[str]], Sequence[Sequence[float]]] | None = None,
        more: Callable[[Request], Fault | None] | None = None,
    ) -> None:
        self.reply = reply
        self.fault = fault
        self.transcribe = transcribe
        self.embed = embed
        self.more = more
        self._requests: list[Request] = []
        self._arrived = threading.Condition()
        self._closing = threading.Event()
        self._http: _Server | None = None

    def __enter__(self) -> OpenAIServer:
        self._http = _Server(self)
        threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()

    @property
    def url(self) -> str:
        """The ``base_url`` to give to a client.

        Raises:
            RuntimeError: the server is not running.
        """
        if self._http is None:
            raise RuntimeError("OpenAIServer runs inside `with OpenAIServer(...) as server:` only.")
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def requests(self) -> tuple[Request, ...]:
        """What came in so far, in order of arrival."""
        with self._arrived:
            return tuple(self._requests)

    @property
    def count(self) -> int:
        """How many requests came in so far."""
        return len(self.requests)

    def wait_for(self, count: int, timeout: float = 30.0) -> None:
        """Wait until that many requests have come in.

        Raises:
            TimeoutError: they did not come within ``timeout`` seconds.
        """
        with self._arrived:
            if not self._arrived.wait_for(lambda: len(self._requests) >= count, timeout):
                raise TimeoutError(f"{len(self._requests)} of {count} requests came in {timeout} s")

    def _admit(
        self, path: str, headers: Mapping[str, str], body: Mapping[str, Any], method: str = "POST"
    ) -> Request:
        with self._arrived:
            request = Request(len(self._requests), path, headers, body, method)
            self._requests.append(request)
            self._arrived.notify_all()
        return request


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, double: OpenAIServer) -> None:
        self.double = double
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Requests are kept, not logged."""

    def do_POST(self) -> None:
        double = self.server.double
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        transcribes = self.path == _TRANSCRIPTIONS and double.transcribe is not None
        embeds = self.path == _EMBEDDINGS and double.embed is not None
        body = (
            protocol.form(self.headers.get("Content-Type", ""), raw)
            if transcribes
            else protocol.json_object(raw)
        )
        if body is None or not (transcribes or embeds or self.path == "/v1/chat/completions"):
            self._other(raw)
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = double._admit(self.path, headers, body)
        fault = double.fault(request) or Fault()
        double._closing.wait(fault.seconds)
        if fault.body is not None:
            self._send(fault.status, fault.headers, [fault.body], cut=fault.cut)
        elif transcribes and double.transcribe is not None:
            heard = json.dumps(double.transcribe(body), ensure_ascii=False)
            self._send(fault.status, fault.headers, [heard], cut=fault.cut)
        elif embeds and double.embed is not None:
            vectors = json.dumps(protocol.embeddings(request, double.embed))
            self._send(fault.status, fault.headers, [vectors], cut=fault.cut)
        else:
            self._complete(request, fault, double.reply(request.messages))

    def do_GET(self) -> None:
        self._other(b"")

    def do_DELETE(self) -> None:
        self._other(b"")

    def _other(self, raw: bytes) -> None:
        """A request at another address: answered first, so that a fault can lose the answer."""
        double, answer = self.server.double, None
        if double.more is not None:
            kind = self.headers.get("Content-Type", "")
            body = (
                protocol.form(kind, raw)
                if kind.startswith("multipart/")
                else protocol.json_object(raw) or {}
            )
            if named := re.search(rb'filename="([^"]*)"', raw):
                body["filename"] = named[1].decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = double._admit(self.path, headers, body, self.command)
            before = double.fault(request) or Fault()
            double._closing.wait(before.seconds)
            answer = before if before.body is not None else double.more(request)
            answer = answer and replace(answer, cut=before.cut)
        if answer is None or answer.body is None:
            answer = Fault(
                404, body=protocol.error(f"No such endpoint: {self.path}", "not_found", None)
            )
        self._send(answer.status, answer.headers, [answer.body or ""], cut=answer.cut)

    def _complete(self, request: Request, fault: Fault, text: str | Mapping[str, Any]) -> None:
        if request.body.get("stream"):
            parts = list(
                protocol.stream(request, text if isinstance(text, str) else protocol.text_of(text))
            )
            self._send(fault.status, fault.headers, parts, True, fault.cut, fault.pace)
        else:
            answer = json.dumps(protocol.completion(request, text))
            self._send(fault.status, fault.headers, [answer], cut=fault.cut)

    def _send(
        self,
        status: int,
        headers: Mapping[str, str],
        parts: Sequence[str],
        stream: bool = False,
        cut: bool = False,
        pace: float = 0.0,
    ) -> None:
        body = "".join(parts).encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/event-stream" if stream else "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if cut:
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        for part in parts:
            self.wfile.write(part.encode())
            self.server.double._closing.wait(pace)
