"""Replies as JSON of a given schema, through the same store as every other call of a model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

from tailor.answers import Call
from tailor.assistant import digest
from tailor.models.chat import Chat, received, values
from tailor.models.sent import Sent

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_MOST_STARTS = 1000
_NOT_UNDERSTOOD = (400, 404, 415, 422, 501)
"""What servers answer that know no JSON schema."""


class StructuredChat:
    """A chat model that is asked for JSON; an identical request is never sent twice.

    The provider is asked to keep to the schema. One that cannot is asked without it, so the
    messages must describe the form, too.
    """

    def __init__(self, chat: Chat) -> None:
        self.chat = chat
        self._by_schema = True

    def ask(
        self,
        messages: Sequence[BaseMessage],
        schema: Mapping[str, Any],
        halt: threading.Event | None = None,
        repeat: int = 0,
    ) -> Any:
        """The JSON value of the reply; None where it holds none. The schema needs a ``title``.

        Raises:
            MalformedReply: the provider sent something that is no chat reply.
            Exception: the provider's own errors, after the retries.
        """
        return value(self.call(messages, schema, halt, repeat))

    def call(
        self,
        messages: Sequence[BaseMessage],
        schema: Mapping[str, Any],
        halt: threading.Event | None = None,
        repeat: int = 0,
    ) -> Call:
        """The call as it is stored; another ``repeat`` is another, independent call.

        Raises:
            MalformedReply: the provider sent something that is no chat reply.
            Exception: the provider's own errors, after the retries.
        """
        request = self._request(messages, schema, repeat)
        key = digest(request)
        with self.chat.alone(key):
            call = self.chat.store.call(key)
            if call is None:
                started = time.monotonic()
                stop, asked = halt or threading.Event(), list(messages)
                reply = self.chat.sent(
                    asked, lambda: received(lambda: self._shaped(asked, schema)), stop
                )
                call = Call(request, values(reply), time.monotonic() - started)
                self.chat.store.keep_call(key, call)
        return call

    def stored(
        self, messages: Sequence[BaseMessage], schema: Mapping[str, Any], repeat: int = 0
    ) -> Call | None:
        """The stored call; None where it would have to be made."""
        return self.chat.store.call(digest(self._request(messages, schema, repeat)))

    def _request(
        self, messages: Sequence[BaseMessage], schema: Mapping[str, Any], repeat: int
    ) -> dict[str, Any]:
        from langchain_core.messages import messages_to_dict

        request: dict[str, Any] = {
            "model": self.chat.fingerprint,
            "messages": messages_to_dict(messages),
            "schema": dict(schema),
        }
        return {**request, "repeat": repeat} if repeat else request

    def _shaped(self, messages: Sequence[BaseMessage], schema: Mapping[str, Any]) -> object:
        if self._by_schema:
            try:
                return self.chat.answered(Sent(messages, schema))
            except NotImplementedError:
                self._by_schema = False
            except Exception as error:
                if getattr(error, "status_code", None) not in _NOT_UNDERSTOOD:
                    raise
                self._by_schema = False
        return self.chat.answered(Sent(messages))


def value(call: Call) -> Any:
    """The JSON value of a stored reply; None where it holds none."""
    from langchain_core.messages import messages_from_dict

    if calls := call.reply.get("data", {}).get("tool_calls"):
        return calls[0].get("args")
    return json_in(str(messages_from_dict([call.reply])[0].text))


def json_in(text: str) -> Any:
    """The first JSON object in a text, whatever stands around it; None where there is none.

    It is looked for at the first ``_MOST_STARTS`` places where one may begin.
    """
    for start in islice((at for at, c in enumerate(text) if c == "{"), _MOST_STARTS):
        try:
            return json.JSONDecoder().raw_decode(text, start)[0]
        except (ValueError, RecursionError):
            continue
    return None
