"""The table ``[serve]`` of tailor.toml: where the assistant is served, and within what limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from tailor.settings import check, convert_table


@dataclass(frozen=True)
class Serve:
    """How `tailor serve` serves; the token never stands here, but in an environment variable."""

    host: str = "127.0.0.1"
    """The address it listens at; outside this machine a token is required."""
    port: int = 8000
    """The port it listens at; 0: any that is free."""
    hosts: tuple[str, ...] = ()
    """Names under which clients may reach it, besides this machine's own: ``ask.acme.example``."""
    citations: Literal["text", "structured"] = "text"
    """Whether answers name their sources in the text, too, or in the field ``tailor`` alone."""
    max_body_kb: int = 1024
    """The largest request, in KiB."""
    max_messages: int = 64
    """The most messages of one conversation."""
    max_input_tokens: int = 8192
    """The most tokens that the messages of a request may have together, about."""
    max_n: int = 4
    """The most answers that one request may ask for."""
    max_texts: int = 256
    """The most texts that one request may have embedded."""
    concurrency: int = 32
    """How many answers are made at once."""
    queue: int = 128
    """How many requests may wait beside them; further ones are told to come back later."""
    requests_per_minute: float | None = None
    """How many requests each client's address may send per minute; None: any number."""
    timeout: float = 120.0
    """Seconds an answer may take, and that running ones are given when the server ends."""
    client_timeout: float = 10.0
    """Seconds in which a client must have sent its request, or read on; else it is dropped."""
    keep: bool = True
    """Whether served questions are kept, with secrets and personal data masked."""
    keep_days: int = 90
    """Days after which they are dropped."""


_LEAST = {
    "port": 0, "max_body_kb": 1, "max_messages": 1, "max_input_tokens": 1, "max_n": 1,
    "max_texts": 1, "concurrency": 1, "queue": 0, "timeout": 0.1, "client_timeout": 0.1,
    "requests_per_minute": 0.1, "keep_days": 1,
}  # fmt: skip


def serve(value: Any) -> Serve:
    """The table as it stands in tailor.toml.

    Raises:
        TypeError: a value is of another kind.
        ValueError: a key is unknown, or a value too small or too large.
    """
    if not isinstance(value, dict):
        raise ValueError("write [serve] with host, port, hosts and limits")
    read = convert_table(value, Serve)
    for name, least in _LEAST.items():
        check(getattr(read, name), least, 65535 if name == "port" else None)
    return read
