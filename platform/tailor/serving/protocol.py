"""HTTP connections that cannot be held open: requests have a size, and clients a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD = 32 * 1024
"""Bytes of a request's line and headers."""
MOST_CONNECTIONS = 2000
"""Open at once; further ones are closed at once."""


def protocol(client_timeout: float, max_body: int) -> type[HttpToolsProtocol]:
    """uvicorn's protocol, dropping clients that do not send or read on in so many seconds.

    ``max_body`` bytes are what :mod:`tailor.serving.guard` lets pass; a connection that sends far
    more, in trailers or pieces of one byte, is cut.
    """

    class Impatient(HttpToolsProtocol):
        """Waits so long for a head to be complete, and for a client to read what it is sent."""

        _sending: asyncio.TimerHandle | None = None
        _reading: asyncio.TimerHandle | None = None
        _received = 0
        """Bytes since the last request began."""
        _in_body = False

        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > MOST_CONNECTIONS:
                transport.abort()
            self._sending = self._timer(transport.abort)

        def connection_lost(self, exc: Exception | None) -> None:
            for timer in (self._sending, self._reading):
                if timer is not None:
                    timer.cancel()
            super().connection_lost(exc)

        def data_received(self, data: bytes) -> None:
            busy = self.cycle is not None and not self.cycle.response_complete
            if not busy and self._sending is None:
                self._sending = self._timer(self.transport.abort)
            self._received += len(data)
            super().data_received(data)
            if self._received > LARGEST_HEAD + (2 * max_body if self._in_body else 0):
                if busy or self._in_body:
                    self.transport.abort()
                elif not self.transport.is_closing():
                    self.send_400_response("The request's head is too large.")

        def on_message_begin(self) -> None:
            super().on_message_begin()
            self._received = 0

        def on_headers_complete(self) -> None:
            self._in_body = True
            if self._sending is not None:
                self._sending.cancel()
                self._sending = None
            super().on_headers_complete()

        def on_message_complete(self) -> None:
            self._in_body, self._received = False, 0
            super().on_message_complete()

        def pause_writing(self) -> None:
            super().pause_writing()
            self._reading = self._timer(self.transport.abort)

        def resume_writing(self) -> None:
            if self._reading is not None:
                self._reading.cancel()
                self._reading = None
            super().resume_writing()

        def _timer(self, act: Callable[[], None]) -> asyncio.TimerHandle:
            return self.loop.call_later(client_timeout, act)

    return Impatient
