"""The model slot filled by a LangChain chat model: prompts rendered, every call kept."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.answers import AnswerStore, Call
from tailor.assistant import Prompt, Reply, digest
from tailor.config import Price
from tailor.models.limiter import Limiter
from tailor.models.overflow import parted, shortened
from tailor.models.retry import NEVER, MalformedReply, Wait, error_kind, error_text, retried
from tailor.models.sent import Measured, Sender, Sent
from tailor.models.usage import Usage, prompt_tokens, usage
from tailor.scale.place import Job, Place
from tailor.spending import Spending, Use
from tailor.text import whole

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage


HALT = "halt"
"""Key in a config's ``configurable``: a ``threading.Event`` after which nothing is tried again."""

TOLD = "told"
"""Key in a config's ``configurable``: called with the reply so far, as it is written."""

WAITING = "waiting"
"""Key in a config's ``configurable``: called with a :class:`Wait` before a call is tried again."""


class Chat(Runnable[Prompt, Reply]):
    """A LangChain chat model behind a thin adapter.

    An identical request is never sent twice: replies come from the store where it has them, and
    are committed to it, raw, before they are looked at.
    """

    name: str
    """``provider:name``."""

    def __init__(
        self,
        name: str,
        load: Callable[[], BaseChatModel],
        fingerprint: str,
        store: AnswerStore,
        price: Price | None = None,
        retries: int = 4,
        concurrency: int = 8,
        longest: int = 1024,
        spending: Spending | None = None,
        limiter: Limiter | None = None,
        ready: Callable[[], object] | None = None,
        fits: Callable[[list[BaseMessage]], bool] | None = None,
        place: Place | None = None,
    ) -> None:
        self.name = name
        self._load = load
        self._model: BaseChatModel | None = None
        self._lock = threading.Lock()
        self._under_way: dict[str, threading.Event] = {}
        self.fingerprint = fingerprint
        self.store = store
        self.price = price
        self.retries = retries
        self._concurrency = concurrency
        self.longest = longest
        """Tokens of the longest reply."""
        self.spending = spending or Spending()
        self.limiter = limiter or Limiter()
        self._ready = ready
        self._fits = fits
        self.place = place or Place()

    @property
    def concurrency(self) -> int:
        """How many prompts may wait at once; on a cluster, a local model's on all workers."""
        here = self._concurrency
        return here if self._job.kind == "hosted" else max(here, self.place.width(self._job))

    @cached_property
    def _job(self) -> Job:
        from tailor.models.provider import environment, is_local

        make = partial(Sender, self._load, self._fits)
        if is_local(self.name):
            return Job(make, "model", self._concurrency)
        return Job(make, "hosted", 64, environment(self.name))

    def answered(self, sent: Sent, config: RunnableConfig | None = None) -> object:
        """What the model replies, here or on a worker of the cluster that is connected.

        Raises:
            NotImplementedError: the model knows no schemas or tools.
            Exception: the provider's own errors.
        """
        if self.place.cluster is None:
            return sent.to(self.model, config)
        return self.place.away(self._job, sent)

    def ready(self) -> None:
        """Find out early what a call would fail over; where that is quick, without the model.

        Raises:
            TailorError: its provider, package or key is missing.
        """
        _ = self.model if self._ready is None else self._ready()

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

    @cached_property
    def quotes(self) -> bool:
        """Whether passages are framed as quoted material; the shipped reader learned them plain."""
        from tailor.models.provider import local_path

        return local_path(self.name) != local_path("shipped")

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """Ask the model, or return what it replied to exactly this before.

        Raises:
            MalformedReply: the provider sent something that is no chat reply.
            Exception: the provider's own errors, after the retries.
        """
        from langchain_core.messages import messages_from_dict

        fitted = self.fitted(input)
        while True:
            messages = fitted.messages()
            try:
                key, call = self._call(messages, input.repeat, config)
                break
            except Exception as error:
                shorter = None
                if error_kind(error) == "context_length":
                    shorter = shortened(fitted, error, self.name)
                if shorter is None:
                    raise
                fitted = shorter
        reply = messages_from_dict([call.reply])[0]
        took = self.took(messages, reply)
        return Reply(
            text=str(reply.text),
            input_tokens=took.input_tokens,
            output_tokens=took.output_tokens,
            seconds=call.seconds,
            cost_usd=self.cost(took),
            refused=bool(reply.additional_kwargs.get("refusal")),
            call=key,
            dropped=len(input.passages) - len(fitted.passages),
            counted=took.counted,
        )

    def _call(
        self, messages: list[BaseMessage], repeat: int, config: RunnableConfig | None
    ) -> tuple[str, Call]:
        """The stored call with its key; made and stored first where there is none."""
        request = self.request(messages, repeat)
        key = digest(request)
        with self.alone(key):
            call = self.store.call(key)
            if call is None:
                started = time.monotonic()
                told = (config or {}).get("configurable", {})
                message = self.sent(
                    messages,
                    lambda: self._once(messages, config),
                    told.get(HALT, NEVER),
                    told.get(WAITING),
                )
                call = Call(request, values(message), time.monotonic() - started)
                self.store.keep_call(key, call)
        return key, call

    @contextmanager
    def alone(self, key: str) -> Iterator[None]:
        """Wait for another thread that is making the call of this key: it is not paid twice."""
        own = threading.Event()
        while True:
            with self._lock:
                first = self._under_way.setdefault(key, own)
            if first is own:
                break
            first.wait()  # it may have failed, and then one of those that wait makes the call
        try:
            yield
        finally:
            with self._lock:
                del self._under_way[key]
            own.set()

    def request(self, messages: list[BaseMessage], repeat: int) -> dict[str, Any]:
        """What tells one call from another; its digest is the key of the stored call."""
        from langchain_core.messages import messages_to_dict

        return {
            "model": self.fingerprint,
            "messages": messages_to_dict(messages),
            "repeat": repeat,
        }

    def fitted(self, prompt: Prompt) -> Prompt:
        """The prompt without the least relevant passages that a small context has no room for."""
        if (fits := self._fits) is None:
            return prompt
        if self.place.cluster is not None:
            fits = self._fits_away
        fitted, dropped = prompt, 0
        while fitted.passages and not fits(fitted.messages()):
            dropped += 1
            fitted = replace(prompt, passages=parted(prompt.passages, dropped)[0])
        return fitted

    def _fits_away(self, messages: list[BaseMessage]) -> bool:
        return bool(self.place.away(self._job, Measured(messages)))

    def sent(
        self,
        messages: list[BaseMessage],
        send: Callable[[], AIMessage],
        halt: threading.Event = NEVER,
        waiting: Callable[[Wait], None] | None = None,
    ) -> AIMessage:
        """What ``send`` returns: within the provider's limits and the budget, tried again.

        Raises:
            BudgetReached: the call could pass the limit of what may be spent.
            Exception: the last error of ``send``.
        """

        def waits(wait: Wait, error: Exception) -> None:
            self.limiter.waited(self.name, wait, error_text(error))
            if waiting is not None:
                waiting(wait)

        return retried(lambda: self._admitted(messages, send, halt), self.retries, halt, waits)

    def _admitted(
        self, messages: list[BaseMessage], send: Callable[[], AIMessage], halt: threading.Event
    ) -> AIMessage:
        limiter = self.limiter
        tokens = prompt_tokens(messages, self.name) if limiter.counts_tokens else 0
        with limiter.admitted(tokens, halt):
            reply = self.charged(messages, halt, send)
        if limiter.counts_tokens:
            limiter.written(usage(messages, reply).output_tokens)
        return reply

    def charged(
        self, messages: list[BaseMessage], halt: threading.Event, send: Callable[[], AIMessage]
    ) -> AIMessage:
        """What ``send`` returns, made and paid for within what may be spent.

        Raises:
            BudgetReached: the call could pass the limit.
            Exception: whatever ``send`` raises.
        """
        spending = self.spending
        most = None
        if spending.limit is not None:
            most = self.cost(Usage(prompt_tokens(messages, self.name), self.longest))
        with spending.charged(most, halt) as charge:
            try:
                reply = send()
            except Exception as error:
                if error_kind(error) not in ("timeout", "connection", "malformed"):
                    charge.usd = 0.0  # the server refused the call, and bills none
                raise
            charge.usd = self.cost(usage(messages, reply)) or 0.0
        return reply

    def took(self, messages: list[BaseMessage], reply: BaseMessage) -> Usage:
        """The tokens of a reply that is used now, noted with what is spent."""
        took = usage(messages, reply)
        self.spending.used(Use(1, took.input_tokens, took.output_tokens, self.cost(took)))
        return took

    def _once(self, messages: list[BaseMessage], config: RunnableConfig | None) -> AIMessage:

        told = (config or {}).get("configurable", {}).get(TOLD)
        if told is None:
            return received(lambda: self.answered(Sent(messages), config))
        return received(lambda: _streamed(self.model, messages, config, told))

    def cost(self, used: Usage) -> float | None:
        """US dollars for so many tokens; None where the model's price is not known."""
        price = self.price
        if price is None:
            return None
        cached = price.input if price.cached_input is None else price.cached_input
        fresh = used.input_tokens - used.cached_tokens
        return (
            fresh * price.input + used.cached_tokens * cached + used.output_tokens * price.output
        ) / 1e6


def received(ask: Callable[[], object]) -> AIMessage:
    """What ``ask`` returns, a reply of a model.

    Raises:
        MalformedReply: it is none.
        Exception: the provider's own errors.
    """
    from langchain_core.messages import AIMessage

    try:
        message = ask()
    except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
        # What the provider packages raise over a body that is no chat completion.
        came = f": {error.doc}" if isinstance(error, json.JSONDecodeError) else ""
        raise MalformedReply(f"the reply is not a chat completion ({error}){came}") from error
    if not isinstance(message, AIMessage):
        raise MalformedReply(f"the reply is a {type(message).__name__}, not a chat message")
    return message


def _streamed(
    model: BaseChatModel,
    messages: list[BaseMessage],
    config: RunnableConfig | None,
    told: Callable[[str], None],
) -> BaseMessage:
    from langchain_core.messages import AIMessageChunk, message_chunk_to_message

    reply = AIMessageChunk(content="")
    for chunk in model.stream(messages, config):
        reply += chunk
        text = str(reply.text)
        half = "\ud800" <= text[-1:] <= "\udbff"  # the next chunk may hold the other half
        told(whole(text[:-1] if half else text))
    return message_chunk_to_message(reply)


def values(reply: BaseMessage) -> dict[str, Any]:
    """A reply as JSON values that a store can keep."""
    from langchain_core.messages import messages_to_dict

    made: dict[str, Any] = messages_to_dict([reply])[0]
    text = json.dumps(made, ensure_ascii=False)
    return made if (kept := whole(text)) == text else cast(dict[str, Any], json.loads(kept))
