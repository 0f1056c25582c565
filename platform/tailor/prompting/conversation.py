"""A model asked in the way its answer's format wants: by schema, or several times, with tools."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.answers import Call
from tailor.assistant import Prompt, Reply, Turn, digest
from tailor.models.chat import HALT, Chat, values
from tailor.models.overflow import shortened
from tailor.models.retry import MalformedReply, error_kind
from tailor.models.sent import Sent
from tailor.prompting.tools import SCHEMAS, asked_for, called, in_words
from tailor.prompting.wording import RESULT, TOOLS, USED_UP, Language
from tailor.spending import Use
from tailor.text import language

if TYPE_CHECKING:
    from langchain_core.messages import AIMessage, BaseMessage

SCHEMA: Mapping[str, Any] = {
    "title": "answer",
    "description": "An answer with the words of the documents that it rests on.",
    "type": "object",
    "properties": {"answer": {"type": "string"}, "quote": {"type": "string"}},
    "required": ["answer", "quote"],
    "additionalProperties": False,
}
_REASONED = {
    **SCHEMA,
    "properties": {"reasoning": {"type": "string"}, **SCHEMA["properties"]},
    "required": ["reasoning", *SCHEMA["required"]],
}
_NOT_UNDERSTOOD = (400, 404, 415, 422, 501)
"""What servers answer that know no schema or no tools."""


class Conversation(Runnable[Prompt, Reply]):
    """A model with the tools, or the form of the reply, that a prompt's format names.

    A chat model that knows tools or schemas is given them as its provider has them; any other one
    is told in words, and asks for a tool after a mark. Every call is kept, and none sent twice.
    Where there are tools, the form of the last reply is asked for in words.
    """

    def __init__(self, model: Runnable[Prompt, Reply]) -> None:
        self.model = model
        self._natively = isinstance(model, Chat)

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """The last reply, with the tokens, the time and the cost of all calls it took.

        Raises:
            MalformedReply: the provider sent something that is no chat reply.
            Exception: the provider's own errors, after the retries.
        """
        chat = self.model
        if isinstance(chat, Chat):
            told = self._told(input)
            kept = chat.store.call(digest(chat.request(told.messages(), input.repeat)))
            if self._natively and kept is None:
                try:
                    return _natively(chat, input, config)
                except _NotKnown:
                    self._natively = False
        return self._in_words(input, config)

    def _told(self, prompt: Prompt) -> Prompt:
        """The prompt with the tools told in words."""
        if not prompt.format.tools:
            return prompt
        about = TOOLS[_language(prompt)]
        return replace(prompt, instructions=f"{prompt.instructions} {about}".strip())

    def _in_words(self, prompt: Prompt, config: RunnableConfig | None) -> Reply:
        replies: list[Reply] = []
        told, lang = self._told(prompt), _language(prompt)
        for turn in range(prompt.format.rounds + 2):
            replies.append(self.model.invoke(told, config))
            text = replies[-1].text
            use = asked_for(text) if prompt.format.tools else None
            if use is None or turn > prompt.format.rounds:
                break
            over = turn == prompt.format.rounds
            result = USED_UP[lang] if over else in_words(use, prompt.passages, lang)
            said = RESULT[lang].format(result, prompt.question)
            more = (Turn("assistant", text), Turn("user", said))
            told = replace(told, followed=(*told.followed, *more))
        return replace(_together(replies), fell_back=isinstance(self.model, Chat))


class _NotKnown(Exception):
    """The model or its server knows no tools, or no schemas."""


def _natively(chat: Chat, prompt: Prompt, config: RunnableConfig | None) -> Reply:
    fitted = chat.fitted(prompt)
    while True:
        try:
            reply = _exchange(chat, fitted, prompt, config)
            return replace(reply, dropped=len(prompt.passages) - len(fitted.passages))
        except NotImplementedError:
            raise _NotKnown from None
        except Exception as error:  # each provider raises its own
            if error_kind(error) == "context_length":
                if (shorter := shortened(fitted, error, chat.name)) is None:
                    raise
                fitted = shorter
            elif getattr(error, "status_code", None) in _NOT_UNDERSTOOD:
                raise _NotKnown from None
            else:
                raise


def _exchange(chat: Chat, fitted: Prompt, prompt: Prompt, config: RunnableConfig | None) -> Reply:
    from langchain_core.messages import ToolMessage

    messages = fitted.messages()
    replies: list[Reply] = []
    for turn in range(prompt.format.rounds + 2):
        message, reply = _asked(chat, messages, prompt, config)
        replies.append(reply)
        calls = [*message.tool_calls, *message.invalid_tool_calls]
        if not prompt.format.tools or not calls or turn > prompt.format.rounds:
            break
        lang, over = _language(prompt), turn == prompt.format.rounds
        messages.append(message)
        for call in calls:
            args = call["args"] if isinstance(call["args"], dict) else {}  # else it is no JSON
            result = (
                USED_UP[lang] if over else called(call["name"] or "", args, prompt.passages, lang)
            )
            messages.append(ToolMessage(result, tool_call_id=call["id"] or ""))
    return _together(replies)


def _asked(
    chat: Chat, messages: Sequence[BaseMessage], prompt: Prompt, config: RunnableConfig | None
) -> tuple[AIMessage, Reply]:
    """One call by schema or with tools, from the store or made now."""
    from langchain_core.messages import AIMessage, messages_from_dict

    asked = list(messages)
    schema = _REASONED if prompt.format.reasoning else SCHEMA
    by = {"tools": list(SCHEMAS)} if prompt.format.tools else {"schema": dict(schema)}
    request = {**chat.request(asked, prompt.repeat), **by}
    key = digest(request)
    with chat.alone(key):
        call = chat.store.call(key)
        if call is None:
            started = time.monotonic()
            made = chat.sent(asked, _sending(chat, asked, by, config), *_halt(config))
            call = Call(request, values(made), time.monotonic() - started)
            chat.store.keep_call(key, call)
    message = messages_from_dict([call.reply])[0]
    assert isinstance(message, AIMessage)
    took = chat.took(asked, message)
    text = str(message.text)
    if not text and message.tool_calls and not prompt.format.tools:
        text = json.dumps(message.tool_calls[0]["args"], ensure_ascii=False)
    return message, Reply(
        text=text,
        input_tokens=took.input_tokens,
        output_tokens=took.output_tokens,
        seconds=call.seconds,
        cost_usd=chat.cost(took),
        refused=bool(message.additional_kwargs.get("refusal")),
        call=key,
        counted=took.counted,
    )


def _sending(
    chat: Chat, messages: list[BaseMessage], by: Mapping[str, Any], config: RunnableConfig | None
) -> Callable[[], AIMessage]:
    from langchain_core.messages import AIMessage

    def send() -> AIMessage:
        sent = Sent(messages, by.get("schema"), by.get("tools", ()))
        try:
            reply = chat.answered(sent, config)
        except (TypeError, KeyError, AttributeError, IndexError, ValueError) as error:
            # What the provider packages raise over a body that is no chat completion.
            raise MalformedReply(f"the reply is not a chat completion ({error})") from error
        if not isinstance(reply, AIMessage):
            raise MalformedReply(f"the reply is a {type(reply).__name__}, not a chat message")
        return reply

    return send


def _halt(config: RunnableConfig | None) -> tuple[Any, ...]:
    halt = (config or {}).get("configurable", {}).get(HALT)
    return (halt,) if halt is not None else ()


def _together(replies: Sequence[Reply]) -> Reply:
    """The last reply with what all of them took."""
    used = sum((reply.used for reply in replies), Use())
    return replace(
        replies[-1],
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=used.usd,
        seconds=sum(reply.seconds for reply in replies),
        dropped=max(reply.dropped for reply in replies),
        counted=any(reply.counted for reply in replies),
        calls=tuple(key for reply in replies for key in reply.keys),
    )


def _language(prompt: Prompt) -> Language:
    return "vi" if language(prompt.question) == "vi" else "en"
