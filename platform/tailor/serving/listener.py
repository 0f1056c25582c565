"""uvicorn as `tailor serve` needs it: impatient, discreet, and ending without loss."""

from __future__ import annotations

import logging
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import uvicorn

from tailor.serving.protocol import protocol

if TYPE_CHECKING:
    from tailor.serving.guard import App
    from tailor.serving.settings import Serve

KEEP_ALIVE = 30
"""Seconds a connection without a request stays open."""


def listener(app: App, settings: Serve, listens: Callable[[], None]) -> uvicorn.Server:
    """The server; ``listens`` is called once it does."""

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            listens()

        @contextmanager
        def capture_signals(self) -> Iterator[None]:
            # uvicorn would send itself the signal again, and end before what was served is kept.
            if threading.current_thread() is not threading.main_thread():
                yield
                return
            own = (signal.SIGINT, signal.SIGTERM)
            before = {number: signal.signal(number, self.handle_exit) for number in own}
            try:
                yield
            finally:
                for number, handler in before.items():
                    signal.signal(number, handler)

    body = 1024 * settings.max_body_kb
    return Server(
        uvicorn.Config(
            app,
            http=protocol(settings.client_timeout, body),
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            proxy_headers=False,  # who a client is, no client decides
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
            timeout_graceful_shutdown=round(settings.timeout) + 1,
        )
    )


def speak(token: str) -> None:
    """Let the server's own errors be told on standard error, never with the token in them."""

    class Discreet(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            from tailor.redaction import redacted

            said = super().format(record)
            return redacted(said.replace(token, "[token]") if token else said)

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(message)s"))
    for name in ("tailor.serving", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False
        logger.setLevel(logging.ERROR)
