"""What every request passes before anything reads it: default-deny, on whatever path.

Refused here: other hosts than those allowed, other origins, a missing or wrong token, bodies that
are too large or too slow, clients that ask too often, and all that no running server has room for.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import ipaddress
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tailor.serving.problem import Problem

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

HERE = ("127.0.0.1", "localhost", "[::1]")
HEALTH = "/health"
_CLIENTS = 10_000
"""Addresses whose requests are counted; the oldest are forgotten."""


@dataclass(frozen=True)
class Guard:
    """An ASGI application around another one."""

    app: App
    hosts: frozenset[str]
    """Names that a ``Host`` header may have, without port, in lower case."""
    token: str = field(repr=False, default="")
    """Empty: none is asked for, which is for this machine alone."""
    max_body: int = 2**20
    """Bytes."""
    client_timeout: float = 10.0
    """Seconds in which the whole body must have come."""
    requests_per_minute: float | None = None
    """Of one address."""
    refused: Callable[[Problem], None] = lambda problem: None
    """Told what was refused, to be counted."""
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)
    """By address: requests it may send now, and when that was so (monotonic)."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request pass, or answer it with a problem."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":  # a WebSocket: nothing here speaks that
            await send({"type": "websocket.close", "code": 1008})
            return
        try:
            self._check(scope)
            body = await self._body(scope, receive)
        except Problem as problem:
            self.refused(problem)
            await answer(problem, send)
            return
        except _Gone:
            return
        await self.app(scope, _once(body, receive), send)

    def _check(self, scope: Scope) -> None:
        headers: list[tuple[bytes, bytes]] = scope["headers"]
        named = [value.decode("latin-1") for name, value in headers if name == b"host"]
        if len(named) != 1 or _host(named[0]) not in self.hosts:
            raise Problem(421, "This host is not served here.", "wrong_host")
        origins = [value.decode("latin-1") for name, value in headers if name == b"origin"]
        if any(_origin(origin) not in self.hosts for origin in origins):
            raise Problem(403, "Pages of other sites may not ask this server.", "wrong_origin")
        address = (scope.get("client") or ("", 0))[0]
        scope["state"]["authorized"] = authorized = self._authorized(headers)
        # Liveness, without any detail, is for who watches over the process on this machine.
        alive = scope["path"] == HEALTH and scope["method"] == "GET" and is_here(address)
        if not (authorized or alive):
            raise Problem(401, "Send the server's token: Authorization: Bearer TOKEN.", "no_token")
        if self.requests_per_minute is not None and not alive:
            self._count(address, self.requests_per_minute)

    def _authorized(self, headers: list[tuple[bytes, bytes]]) -> bool:
        if not self.token:
            return True
        given = [value for name, value in headers if name == b"authorization"]
        kind, _, secret = (given[0] if len(given) == 1 else b"").partition(b" ")
        # Digests are of one length, so that the time says nothing of the token's.
        same = hmac.compare_digest(_digest(secret.strip()), _digest(self.token.encode()))
        return same and kind.lower() == b"bearer"

    def _count(self, address: str, limit: float) -> None:
        """Take one request out of the address's bucket, which holds those of a minute."""
        now = time.monotonic()
        most = max(1.0, limit)
        left, then = self._buckets.pop(address, (most, now))
        left = min(most, left + (now - then) * limit / 60)
        self._buckets[address] = (left - 1 if left >= 1 else left), now
        if len(self._buckets) > _CLIENTS:
            self._buckets.popitem(last=False)
        if left < 1:
            wait = max(1, round((1 - left) * 60 / limit + 0.5))
            said = "You ask more often than this server allows: try again later."
            raise Problem(429, said, "too_many_requests", retry_after=wait)

    async def _body(self, scope: Scope, receive: Receive) -> bytes:
        """All of the body; GET and the like have none."""
        too_large = Problem(413, f"A request may have {self.max_body} bytes.", "too_large")
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if any(int(value) > self.max_body for value in lengths if value.isdigit()):
            raise too_large
        body = bytearray()
        try:
            async with asyncio.timeout(self.client_timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise _Gone
                    body += message.get("body", b"")
                    if len(body) > self.max_body:
                        raise too_large
                    if not message.get("more_body"):
                        return bytes(body)
        except TimeoutError:
            said = f"The request did not come within {self.client_timeout:g} seconds."
            raise Problem(408, said, "too_slow") from None


class _Gone(Exception):
    """The client went away before its request was complete."""


async def answer(problem: Problem, send: Send) -> None:
    """Send a problem, and close the connection: what it had yet to say is not read."""
    headers = {**problem.headers, "connection": "close", "content-length": str(len(problem.raw))}
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": problem.status, "headers": raw})
    await send({"type": "http.response.body", "body": problem.raw})


def _once(body: bytes, receive: Receive) -> Receive:
    """The body in one piece, then whatever else comes, such as that the client went away."""
    given = False

    async def read() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return read


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()


def _host(header: str) -> str:
    """The name in a ``Host`` header, without its port; empty where it is none."""
    name, colon, port = header.strip().lower().rpartition(":")
    if not colon or header.strip().endswith("]"):
        name, port = header.strip().lower(), ""
    return name if not port or port.isdigit() else ""


def _origin(header: str) -> str:
    try:
        return _host(urlsplit(header).netloc)
    except ValueError:
        return ""


def is_here(address: str) -> bool:
    """Whether an address is of this machine alone."""
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
