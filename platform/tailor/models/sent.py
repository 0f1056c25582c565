"""What a chat model is sent, as a value: the same to a model here and to one on a worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import BaseMessage
    from langchain_core.runnables import RunnableConfig

Fits = Callable[[list["BaseMessage"]], bool]
"""Whether messages and an answer fit into the model's context."""


@dataclass(frozen=True)
class Sent:
    """Messages, and how the reply is asked for: as text, by a JSON schema, or with tools."""

    messages: Sequence[BaseMessage]
    schema: Mapping[str, Any] | None = None
    tools: Sequence[Mapping[str, Any]] = ()

    def to(self, model: BaseChatModel, config: RunnableConfig | None = None) -> object:
        """The model's reply, a message where all goes well.

        Raises:
            NotImplementedError: the model knows no schemas or tools.
            Exception: the provider's own errors.
        """
        messages = list(self.messages)
        if self.tools:
            return model.bind_tools([dict(tool) for tool in self.tools]).invoke(messages, config)
        if self.schema is None:
            return model.invoke(messages, config)
        shaped = model.with_structured_output(dict(self.schema), include_raw=True)
        reply = shaped.invoke(messages, config)
        return reply["raw"] if isinstance(reply, dict) else reply


@dataclass(frozen=True)
class Measured:
    """Messages of which is asked whether they fit."""

    messages: Sequence[BaseMessage]


class Sender:
    """A model on a worker: made once, sent many prompts, several at a time."""

    def __init__(self, load: Callable[[], BaseChatModel], fits: Fits | None) -> None:
        self.model = load()
        self.fits = fits

    def __call__(self, value: Sent | Measured) -> object:
        """The reply, or whether the messages fit."""
        if isinstance(value, Sent):
            return value.to(self.model)
        return self.fits is None or self.fits(list(value.messages))
