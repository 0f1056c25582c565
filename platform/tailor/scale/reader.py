"""The reader without a language model on the workers of a cluster."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.assistant import Assistant, Prompt, Reply
from tailor.models.extraction import Extraction
from tailor.scale.place import Job, Place


class FarReader(Runnable[Prompt, Reply]):
    """As the :class:`Extraction` that it stands for."""

    def __init__(self, place: Place, reader: Extraction) -> None:
        self.fingerprint = reader.fingerprint
        self._place = place
        self._job = Job(partial(_reading, reader), side_by_side=2)
        self.concurrency = place.width(self._job)

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """Have a worker read the passages."""
        reply: Reply = self._place.away(self._job, input)
        return reply


def placed(assistant: Assistant, place: Place) -> Assistant:
    """The assistant with its reader on the workers, where there are any.

    Chat models find the workers by themselves; what estimates numbers and labels takes less time
    than sending would.
    """
    if place.cluster is None or not isinstance(assistant.model, Extraction):
        return assistant
    return replace(assistant, model=FarReader(place, assistant.model))


def _reading(reader: Extraction) -> Callable[[Prompt], Reply]:
    return reader.invoke
