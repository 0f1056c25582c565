"""The model slot filled by a LangChain chat model: prompts rendered, every call kept."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.answers import AnswerStore, Call
from tailor.assistant import Prompt, Reply, digest
from tailor.config import Price

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage


HALT = "halt"
"""Key in a config's ``configurable``: a ``threading.Event`` after which nothing is tried again."""

_NEVER = threading.Event()

T = TypeVar("T")


class Chat(Runnable[Prompt, Reply]):
    """A LangChain chat model behind a thin adapter.

    An identical request is never sent twice: replies come from the store where it has them, and
    are committed to it, raw, before they are looked at.
    """

    def __init__(
        self,
        name: str,
        load: Callable[[], BaseChatModel],
        fingerprint: str,
        store: AnswerStore,
        price: Price | None = None,
        retries: int = 4,
        concurrency: int = 8,
    ) -> None:
        self.name = name
        self._load = load
        self._model: BaseChatModel | None = None
        self._lock = threading.Lock()
        self.fingerprint = fingerprint
        self.store = store
        self.price = price
        self.retries = retries
        self.concurrency = concurrency

    @property
    def model(self) -> BaseChatModel:
        """The LangChain chat model, made when it is first needed.

        Raises:
            TailorError: its provider, package or key is missing.
        """
        with self._lock:
            if self._model is None:
                self._model = self._load()
            return self._model

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """Ask the model, or return what it replied to exactly this before.

        Raises:
            MalformedReply: the provider sent something that is no chat reply.
            Exception: the provider's own errors, after the retries.
        """
        from langchain_core.messages import messages_from_dict, messages_to_dict

        fitted = self.fitted(input)
        messages, dropped = fitted.messages(), len(input.passages) - len(fitted.passages)
        request = {
            "model": self.fingerprint,
            "messages": messages_to_dict(messages),
            "repeat": input.repeat,
        }
        key = digest(request)
        call = self.store.call(key)
        if call is None:
            started = time.monotonic()
            message = self._ask(messages, config)
            call = Call(request, messages_to_dict([message])[0], time.monotonic() - started)
            self.store.keep_call(key, call)
        reply = messages_from_dict([call.reply])[0]
        usage = getattr(reply, "usage_metadata", None) or {}
        tokens = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
        return Reply(
            text=str(reply.text),
            input_tokens=tokens[0],
            output_tokens=tokens[1],
            seconds=call.seconds,
            cost_usd=self.cost(*tokens),
            refused=bool(reply.additional_kwargs.get("refusal")),
            call=key,
            dropped=dropped,
        )

    def fitted(self, prompt: Prompt) -> Prompt:
        """The prompt without the least relevant passages that a small context has no room for."""
        fits = getattr(self.model, "fits", None)
        while fits is not None and not fits(prompt.messages()) and prompt.passages:
            prompt = replace(prompt, passages=prompt.passages[:-1])
        return prompt

    def _ask(self, messages: list[BaseMessage], config: RunnableConfig | None) -> AIMessage:
        halt: threading.Event = (config or {}).get("configurable", {}).get(HALT, _NEVER)
        return retried(lambda: self._once(messages, config), self.retries, halt)

    def _once(self, messages: list[BaseMessage], config: RunnableConfig | None) -> AIMessage:
        from langchain_core.messages import AIMessage

        try:
            message = self.model.invoke(messages, config)
        except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
            # What the provider packages raise over a body that is no chat completion.
            raise MalformedReply(f"the reply is not a chat completion ({error})") from error
        if not isinstance(message, AIMessage):
            raise MalformedReply(f"the reply is a {type(message).__name__}, not a chat message")
        return message

    def cost(self, input_tokens: int, output_tokens: int) -> float | None:
        """US dollars for so many tokens; None where the model's price is not known."""
        if self.price is None:
            return None
        return (input_tokens * self.price.input + output_tokens * self.price.output) / 1e6


class MalformedReply(Exception):
    """The provider answered with something that is no chat reply; it may be asked again."""


def retried(ask: Callable[[], T], retries: int, halt: threading.Event = _NEVER) -> T:
    """What ``ask`` returns, asked again after errors that may pass, until ``halt`` is set.

    Raises:
        Exception: the last error of ``ask``.
    """
    attempt = 0
    while True:
        try:
            return ask()
        except Exception as error:
            last = attempt == retries or not is_transient(error)
            if last or halt.wait(_pause(error, attempt)):
                raise
        attempt += 1


def error_kind(error: BaseException) -> str:
    """What went wrong, in one word.

    ``rate_limit``, ``timeout``, ``connection``, ``server``; ``auth``, ``quota``, ``not_found``;
    ``malformed``; or ``other``. Decided by the HTTP status and the class name, which all provider
    packages share.
    """
    status = getattr(error, "status_code", None)
    names = " ".join(kind.__name__.lower() for kind in type(error).__mro__)
    if isinstance(error, MalformedReply):
        return "malformed"
    if status in (401, 403) or "authentication" in names or "permissiondenied" in names:
        return "auth"
    if status == 429 or "ratelimit" in names:
        told = f"{error} {getattr(error, 'body', '')}"
        return "quota" if "insufficient_quota" in told else "rate_limit"
    if status == 404 or "notfound" in names:
        return "not_found"
    if "timeout" in names:
        return "timeout"
    if isinstance(status, int) and status >= 500:
        return "server"
    if "connection" in names or "connecterror" in names:
        return "connection"
    return "other"


def is_transient(error: BaseException) -> bool:
    """Whether the same call may succeed a little later."""
    return error_kind(error) in ("rate_limit", "timeout", "connection", "server")


def error_text(error: BaseException) -> str:
    """Kind and message on one line, at most 300 characters, without the value of any key."""
    from tailor.models.provider import without_keys

    return f"{error_kind(error)}: {without_keys(' '.join(str(error).split()))[:300]}"


def _pause(error: BaseException, attempt: int) -> float:
    """Seconds to wait: what ``Retry-After`` says, else 0.5, 1, 2, 4 … with jitter; 60 at most."""
    response = getattr(error, "response", None)
    after = response.headers.get("retry-after") if response is not None else None
    try:
        seconds = float(after) if after is not None else 0.5 * 2**attempt
    except ValueError:
        seconds = 5.0
    return min(60.0, seconds) + random.uniform(0, 0.1)
