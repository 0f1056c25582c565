"""`tailor serve`: one process that listens, answers, and ends when what runs has ended."""

from __future__ import annotations

import gc
import json
import os
import secrets
import shlex
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError, UsageError
from tailor.run import alive, write_json

if TYPE_CHECKING:
    import uvicorn

    from tailor.serving.settings import Serve
    from tailor.workspace import Workspace

TOKEN = "TAILOR_TOKEN"
"""The environment variable that holds the token."""
SHORTEST = 16
"""Characters of a token."""


@dataclass(frozen=True)
class Started:
    """A server that listens."""

    url: str
    """The ``base_url`` to give to a client."""
    row: str
    model: str
    pid: int
    token: str
    """The environment variable that holds the token; empty where none is asked for."""
    chosen: str
    """``best``, or the row that was asked for."""
    at: float
    """Seconds since 1970."""
    left_out: tuple[str, ...] = ()
    """Why stages before the row could not be applied."""

    def to_json(self) -> dict[str, Any]:
        """What ``tailor serve --json`` prints."""
        return {"schema_version": 1, **asdict(self)}


def serve(
    workspace: Workspace,
    stage: str = "best",
    model: str | None = None,
    host: str | None = None,
    port: int | None = None,
    token_env: str = TOKEN,
    started: Callable[[Started], None] = lambda started: None,
    ready: Callable[[uvicorn.Server], None] = lambda server: None,
) -> None:
    """Serve a row of the workspace, or its winner, until the process is told to end.

    Args:
        workspace: where rows, index and the table ``[serve]`` are.
        stage: a row, or ``best``: the winner, and a newer one once there is one.
        model: ``provider:name``; the winner's or the workspace's own when None.
        host: the address to listen at; tailor.toml's when None.
        port: 0 takes any that is free; tailor.toml's when None.
        token_env: the environment variable with the token that every request must carry.
        started: told once it listens.
        ready: given the server, to end it by ``should_exit = True`` from another thread.

    Raises:
        UsageError: others than this machine could reach it, and there is no token.
        TailorError: the row cannot be applied, or the port is taken.
    """
    from tailor.serving.app import app
    from tailor.serving.engine import Engine
    from tailor.serving.guard import Guard
    from tailor.serving.keeper import Keeper
    from tailor.serving.listener import listener, speak
    from tailor.serving.metrics import Metrics

    given = workspace.config.serve
    settings = replace(
        given,
        host=given.host if host is None else host,
        port=given.port if port is None else port,
    )
    token = checked_token(settings, token_env)
    with closing(_listen(settings)) as listening:
        engine = Engine(workspace.root, None if stage == "best" else stage, model)
        metrics, keeper = Metrics(), Keeper(engine)
        engine.told = metrics.takes_up
        engine.told(engine.card)
        about = Started(
            f"{_url(listening)}/v1", engine.card.row, engine.card.model, os.getpid(),
            token_env if token else "", stage, time.time(), engine.left_out,
        )  # fmt: skip
        guard = Guard(
            app(engine, metrics, keeper),
            hosts=names(settings),
            token=token,
            max_body=1024 * settings.max_body_kb,
            client_timeout=settings.client_timeout,
            requests_per_minute=settings.requests_per_minute,
            refused=lambda problem: metrics.errors.labels(problem.code).inc(),
        )
        speak(token)
        server = listener(guard, settings, lambda: started(about))
        ready(server)
        try:
            with _told(workspace.state, about), _working(engine.watch, keeper.run), _frozen():
                server.run(sockets=[listening])
        finally:
            engine.close()
            keeper.close()


def checked_token(settings: Serve, token_env: str) -> str:
    """The token out of the environment; empty where none is set and none is needed.

    Raises:
        UsageError: others could reach the server, and there is no token; or it is too short.
    """
    token = os.environ.get(token_env, "").strip()
    if not token and not _is_loopback(settings.host):
        raise UsageError(
            f"Others can reach {settings.host}, so a token is needed: set {token_env}, for "
            f"instance with `export {token_env}=$(openssl rand -hex 32)`, or leave --host out."
        )
    if token and (len(token) < SHORTEST or not token.isascii() or not token.isprintable()):
        raise UsageError(
            f"The token in {token_env} must have {SHORTEST} letters and digits or more: make one "
            f"with `export {token_env}=$(openssl rand -hex 32)`."
        )
    return token


def names(settings: Serve) -> frozenset[str]:
    """The names a ``Host`` header may have: this machine's own, and those of tailor.toml."""
    from tailor.serving.guard import HERE

    own = settings.host.lower()
    bound = {f"[{own}]" if ":" in own else own} - {"0.0.0.0", "[::]"}
    return frozenset({*HERE, *bound, *(name.lower() for name in settings.hosts)})


def curl(server: Started, question: str) -> str:
    """A line for a shell that asks a server."""
    body = {"model": "tailor", "messages": [{"role": "user", "content": question}]}
    words = ["curl", f"{server.url}/chat/completions", "-H", "Content-Type: application/json"]
    words += ["-d", json.dumps(body, ensure_ascii=False)]
    secret = f' -H "Authorization: Bearer ${server.token}"' if server.token else ""
    return shlex.join(words) + secret


def serving(state: Path) -> tuple[Started, ...]:
    """The servers of a workspace that run now, the oldest first."""
    found: list[Started] = []
    for path in (state / "serving").glob("*.json"):
        try:
            item = json.loads(path.read_text("utf-8"))
            one = Started(**{**item, "left_out": tuple(item["left_out"])})
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if alive(one.pid):
            found.append(one)
    return tuple(sorted(found, key=lambda one: one.at))


@contextmanager
def _told(state: Path, about: Started) -> Iterator[None]:
    """A note in the workspace for as long as the server runs."""
    note = state / "serving" / f"{about.pid}-{secrets.token_hex(2)}.json"
    write_json(note, asdict(about))
    try:
        yield
    finally:
        note.unlink(missing_ok=True)


@contextmanager
def _working(*works: Callable[[], None]) -> Iterator[None]:
    """Threads beside the server; each ends when what it works for is closed."""
    for work in works:
        threading.Thread(target=work, daemon=True).start()
    yield


@contextmanager
def _frozen() -> Iterator[None]:
    """What is loaded by now stays: else going through it for garbage halts all answers."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def _listen(settings: Serve) -> socket.socket:
    """A socket at the address, so that a taken port is told before anything is loaded."""
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM)
        family, kind, number, _, address = found[0]
        listening = socket.socket(family, kind, number)
    except OSError as error:
        raise UsageError(f"{settings.host} is no address of this machine ({error}).") from None
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise TailorError(
            f"{settings.host}:{settings.port} cannot be used ({error.strerror}): choose another "
            "port with --port, or 0 for any that is free."
        ) from None
    return listening


def _url(listening: socket.socket) -> str:
    host, port = listening.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_loopback(host: str) -> bool:
    from tailor.serving.guard import is_here

    return host == "localhost" or is_here(host)
