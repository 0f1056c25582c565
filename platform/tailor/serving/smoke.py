"""One question to a server, as a client of OpenAI's API asks it: does it answer at all?"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError
from tailor.serving.asked import MODEL

if TYPE_CHECKING:
    from tailor.serving.server import Started

LONGEST = 60.0
"""Seconds waited for the answer."""


@dataclass(frozen=True)
class Smoke:
    """What came back."""

    text: str
    documents: tuple[str, ...]
    """That the answer rests on."""
    seconds: float


def smoke(server: Started, question: str) -> Smoke:
    """Ask a server, with the token out of the environment.

    Raises:
        TailorError: it does not answer, or refuses.
    """
    from openai import OpenAI, OpenAIError

    key = os.environ.get(server.token, "") if server.token else ""
    began = time.monotonic()
    try:
        with OpenAI(
            base_url=server.url, api_key=key or "none", max_retries=0, timeout=LONGEST
        ) as client:
            reply = client.chat.completions.create(
                model=MODEL, messages=[{"role": "user", "content": question}]
            )
    except OpenAIError as error:
        from tailor.models.retry import error_text

        raise TailorError(
            f"The server at {server.url} did not answer ({error_text(error)}): see its log in "
            ".tailor/logs, and start it again."
        ) from None
    choice: Any = reply.choices[0]
    cited = choice.model_extra["tailor"]["citations"]
    documents = tuple(dict.fromkeys(str(one["document"]) for one in cited))
    return Smoke(str(choice.message.content), documents, time.monotonic() - began)
