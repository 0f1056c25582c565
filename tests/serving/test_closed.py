"""Closed by default: on every route, for every host, and to whatever is sent."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tailor.serving.app import ROUTES

if TYPE_CHECKING:
    from conftest import Served

TRICKS = (
    "/v1/../metrics", "//v1/models", "/v1/models/../../metrics", "/v1/models%2f..%2fhealth",
    "/health/../v1/models", "/health/", "/HEALTH", "/health%00", "/v1/models;/health", "/docs",
    "/openapi.json", "/", "/health?/v1/models", "http://127.0.0.1/v1/models",
    "http://evil.example/v1/models", "/.env", "/v1/chat/completions/",
)  # fmt: skip
OPEN = {"/health", "/health?/v1/models"}
"""Liveness alone, and only for GET."""


@pytest.mark.parametrize("path", [*ROUTES, *TRICKS])
def test_nothing_without_the_token(served: Served, path: str) -> None:
    path = path.replace("{id}", "tailor")
    wrong = ("wrong-horse-battery-staple", "", served.token[:-1], f"{served.token}x")
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"):
        for token in (None, *(wrong if method == "POST" else ())):
            answer = served.ask(method, path, {} if method == "POST" else None, token)
            if path in OPEN and method == "GET":
                assert (answer.status, answer.json) == (200, {"status": "ok"})
            else:
                assert answer.status == 401
                assert method == "HEAD" or answer.code == "no_token"


@pytest.mark.parametrize("path", TRICKS)
def test_a_tricked_path_leads_nowhere(served: Served, path: str) -> None:
    answer = served.ask("GET", path)
    if path.startswith(("http://", *OPEN)) and "%" not in path and ".." not in path:
        assert answer.status in (200, 404)
    else:
        assert 400 <= answer.status < 500


@pytest.mark.parametrize(
    "given",
    [
        "Basic {}",
        "bearer",
        "Bearer",
        "Token {}",
        "Bearer {} x",
        "{}",
        "Bearer {}\r\nAuthorization: x",
    ],
)
def test_other_ways_to_say_the_token_do_not_count(served: Served, given: str) -> None:
    answer = served.ask("GET", "/v1/models", None, None, Authorization=given.format(served.token))
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_opens_every_route(served: Served) -> None:
    assert served.ask("GET", "/v1/models").status == 200
    assert served.ask("GET", "/v1/models/tailor").json["card"]["row"] == "retrieval"
    assert served.ask("GET", "/v1/models/nobody").code == "model_not_found"
    assert b"tailor_requests_total" in served.ask("GET", "/metrics").body
    assert served.ask("GET", "/health").json["row"] == "retrieval"
    assert served.chat().status == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "127.0.0.1@evil.example", "evil.example:80", "",
     "localhost:8000:1", "127.0.0.1:x", "127.0.0.1\r\nHost: evil.example"],
)  # fmt: skip
def test_other_hosts_are_not_served(served: Served, host: str) -> None:
    answer = served.ask("GET", "/v1/models", Host=host)
    assert (answer.status, answer.code) == (421, "wrong_host")
    assert served.ask("GET", "/health", None, None, Host=host).status == 421


def test_pages_of_other_sites_may_not_ask(served: Served) -> None:
    assert served.ask("GET", "/v1/models", Origin="https://evil.example").code == "wrong_origin"
    assert served.ask("GET", "/v1/models", Origin="null").status == 403
    assert served.ask("GET", "/v1/models", Origin="http://localhost:3000").status == 200
    body = {"messages": [{"role": "user", "content": "Leave?"}]}
    plain = served.ask("POST", "/v1/chat/completions", body, Content_Type="text/plain")
    assert (plain.status, plain.code) == (415, "not_json")


def user(content: Any, **more: Any) -> dict[str, Any]:
    return {"model": "tailor", "messages": [{"role": "user", "content": content}], **more}


MALFORMED: tuple[object, ...] = (
    b"", b"{", b'{"messages": [{"role": "user", "con', b"[]", b"null", b"\xff\xfe{}", b"[" * 5000,
    b'{"messages": [{"role": "user", "content": "\\ud800"}]}', {"messages": []}, {"messages": "x"},
    {"messages": [{"role": "user"}]}, {"messages": [{"role": "root", "content": "x"}]},
    {"messages": [{"role": "tool", "content": "x", "tool_call_id": "1"}]},
    {"messages": [{"role": "assistant", "content": "x"}]}, user(""), user(" ?! "), user(7),
    user([{"type": "image_url", "image_url": {"url": "https://evil.example/a.png"}}]),
    user("x", n=0), user("x", n=99), user("x", n="1"), user("x", stream="yes"),
    user("x", max_tokens=-1), user("x", tools=[{"type": "function"}]), user("x", model=7),
    user("x", response_format={"type": "json_object"}), user("x", model="m" * 500),
    user("word " * 400), user("w" * 15_000), user("x", stream_options=3),
    {"messages": [{"role": "user", "content": "x"}] * 7},
)  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_questions(served: Served, body: object) -> None:
    before = served.engine.server.count
    answer = served.ask("POST", "/v1/chat/completions", body)
    assert answer.status == 400
    assert answer.json["error"]["type"] == "invalid_request_error"
    assert answer.code
    assert "evil.example" not in answer.body.decode()
    assert served.engine.server.count == before


def test_malformed_texts_and_ratings(served: Served) -> None:
    texts: tuple[object, ...] = ([], ["a"] * 5, [[1, 2]], "  ", None, {})
    more = ({}, {"input": "x", "dimensions": 8}, {"input": "x", "encoding_format": "hex"})
    for body in (*({"input": text} for text in texts), *more):
        assert served.ask("POST", "/v1/embeddings", body).status == 400
    assert served.ask("POST", "/v1/embeddings", {"input": "x", "model": "no"}).status == 404
    for body in ({}, {"id": "x", "rating": "good"}, {"id": "x", "rating": "up", "more": 1},
                 {"id": "x", "rating": "up", "comment": "c" * 5000}):  # fmt: skip
        assert served.ask("POST", "/v1/feedback", body).status == 400
    assert served.ask("POST", "/v1/feedback", {"id": "x", "rating": "up"}).status == 404


def test_other_methods_are_refused(served: Served) -> None:
    for method in ("GET", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert served.ask(method, "/v1/chat/completions").status == 405
    assert served.ask("POST", "/v1/models").status == 405


def test_large_bodies_are_refused_before_they_are_read(served: Served) -> None:
    told = served.ask("POST", "/v1/chat/completions", b"{", Content_Length=str(10**12))
    assert (told.status, told.code, told.headers["connection"]) == (413, "too_large", "close")
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
        f"Authorization: Bearer {served.token}\r\nContent-Type: application/json\r\n\r\n"
    )
    raw = served.raw(head.encode() + b"4000\r\n" + b"x" * 0x4000 + b"\r\n10\r\n" + b"x" * 16)
    assert raw.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize(
    "raw",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\nX-A: " + b"a" * 40_000 + b"\r\n\r\n",
        b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n",
        b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"GET /v1/models HTTP/1.0\r\n\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
    ids=range(11),
)
def test_what_is_no_http_gets_4xx_and_nothing_else(served: Served, raw: bytes) -> None:
    answer = served.raw(raw)
    assert answer.startswith(b"HTTP/1.1 4")
    assert answer.count(b"HTTP/1.1") == 1
    assert served.ask("GET", "/health", None, None).status == 200


def test_slow_clients_are_dropped(served: Served) -> None:
    """Neither a head nor a body may take long to come; this server waits 1 s."""
    head = b"POST /v1/feedback HTTP/1.1\r\nHost: localhost\r\n"
    token = f"Authorization: Bearer {served.token}\r\nContent-Type: application/json\r\n".encode()
    begun = (b"", head, head + token + b"Content-Length: 50\r\n\r\n{")
    connections = [socket.create_connection(served.address, timeout=10) for _ in begun]
    began = time.monotonic()
    for connection, data in zip(connections, begun, strict=True):
        connection.sendall(data)
    time.sleep(0.6)
    connections[1].sendall(b"X-A: b\r\n")  # a little more does not buy more time
    ended = [connection.makefile("rb").read() for connection in connections]
    assert time.monotonic() - began < 5
    assert ended[:2] == [b"", b""]
    assert ended[2].startswith(b"HTTP/1.1 408 ")
    for connection in connections:
        connection.close()


def test_who_does_not_read_the_answer_is_dropped(served: Served) -> None:
    """More than the buffers on the way hold; this server waits 1 s for a client to read on."""
    served.engine.said = lambda messages: "word" * 450_000  # as one word it is read soon
    body = b'{"messages": [{"role": "user", "content": "All words?"}], "n": 3}'
    head = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
        f"{served.token}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(30)
        connection.connect(served.address)
        connection.sendall(head.encode() + body)
        assert connection.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        time.sleep(2)
        found = b""
        with contextlib.suppress(ConnectionResetError):
            while part := connection.recv(2**20):
                found += part
    assert len(found) < 5_000_000
    assert served.ask("GET", "/health", None, None).status == 200


@pytest.mark.parametrize("stream", [False, True])
def test_who_went_away_keeps_no_place(served: Served, stream: bool) -> None:
    gate = threading.Event()
    served.engine.said = lambda messages: "12 days" if gate.wait(20) else "late"
    body = {"model": "tailor", "n": 2, "stream": stream}

    def left(question: str, count: int) -> None:
        """Ask twice, and go away as soon as the questions are under way."""
        raw = json.dumps({**body, "messages": [{"role": "user", "content": question}]}).encode()
        head = (
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
            f"{served.token}\r\nContent-Type: application/json\r\nContent-Length: {len(raw)}\r\n"
        )
        with socket.create_connection(served.address, timeout=10) as connection:
            connection.sendall(head.encode() + b"\r\n" + raw)
            served.in_flight(count)

    left(f"Leave in Hue, {stream}?", 2)
    left(f"Leave in Vinh, {stream}?", 4)
    left(f"Leave in Lyon, {stream}?", 6)  # these wait, as four are made at once
    served.in_flight(4)
    gate.set()
    served.in_flight(0)
    assert served.chat("And now?").status == 200
