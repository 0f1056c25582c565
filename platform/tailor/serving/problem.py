"""Errors in the form of OpenAI's API, which its clients turn into their own exceptions."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from typing import Any

log = logging.getLogger("tailor.serving")

_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    429: "rate_limit_error",
    503: "overloaded_error",
}


@dataclass(eq=False)  # not frozen: Python itself notes a traceback in an exception
class Problem(Exception):
    """A request that is refused or failed; ``message`` is one sentence without any secret."""

    status: int
    message: str
    code: str
    param: str | None = None
    retry_after: int | None = None
    """Seconds after which the client may try again."""

    @property
    def body(self) -> dict[str, Any]:
        """The JSON object that clients get."""
        kind = _KINDS.get(self.status, "server_error" if self.status >= 500 else _KINDS[400])
        error = {"message": self.message, "type": kind, "param": self.param, "code": self.code}
        return {"error": error}

    @property
    def raw(self) -> bytes:
        """The body as it is sent."""
        return json.dumps(self.body, ensure_ascii=False).encode()

    @property
    def headers(self) -> dict[str, str]:
        """What it is sent with; OpenAI's clients try again themselves unless told not to."""
        headers = {"content-type": "application/json"}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return headers


def failed(error: Exception) -> Problem:
    """What a client is told when the answer could not be made; details stay in the log."""
    from tailor.errors import TailorError
    from tailor.models.retry import error_kind, retry_after

    kind = error_kind(error)
    if kind == "rate_limit":
        wait = max(1, round(retry_after(error) or 5))
        said = "The model's provider limits how often it is asked: try again later."
        return Problem(429, said, "provider_rate_limit", retry_after=wait)
    if kind == "timeout":
        return Problem(504, "The model's provider did not answer in time.", "provider_timeout")
    if kind == "context_length":
        said = "The question is too long for the model's context: shorten it."
        return Problem(400, said, "context_length_exceeded", "messages")
    if kind in ("connection", "server"):
        said = "The model's provider cannot be reached or fails: try again later."
        return Problem(503, said, "provider_unavailable", retry_after=5)
    if kind in ("auth", "quota", "not_found", "malformed"):
        said = "The model's provider refuses or cannot answer; the server's log says why."
        return Problem(502, said, f"provider_{kind}")
    code = "cannot_answer" if isinstance(error, TailorError) else "internal_error"
    return Problem(500, "The answer could not be made; the server's log says why.", code)


def noted(error: Exception) -> Problem:
    """What a client is told of an error; the log gets its kind and message, without any key."""
    from tailor.errors import TailorError
    from tailor.models.retry import error_text

    if isinstance(error, Problem):
        return error
    problem = failed(error)
    said = str(error) if isinstance(error, TailorError) else error_text(error)
    log.error("%s: %s", problem.code, said)
    return problem
