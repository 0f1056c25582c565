"""The model slot filled without a language model: the extractive reader."""

from __future__ import annotations

import time
from functools import cached_property
from typing import TYPE_CHECKING, Any

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.assistant import REFUSAL, Prompt, Reply, digest
from tailor.text import language

if TYPE_CHECKING:
    from tailor.models.extractive import ExtractiveReader


class Extraction(Runnable[Prompt, Reply]):
    """Copies the span of the passages that looks most like an answer; refuses when none does."""

    def __init__(self, confidence: float) -> None:
        self.confidence = confidence

    @cached_property
    def reader(self) -> ExtractiveReader:
        """The shipped reader, loaded once."""
        from tailor.models.extractive import ExtractiveReader

        return ExtractiveReader.load()

    @property
    def fingerprint(self) -> str:
        """Content hash of the reader's weights and the confidence asked of it."""
        return digest([self.reader.fingerprint, self.confidence])

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """Read the passages; nothing else of the prompt is used."""
        started = time.monotonic()
        span = self.reader.best(input.question, [passage.text for passage in input.passages])
        seconds = time.monotonic() - started
        if span is None or span.score < self.confidence:
            refusal = REFUSAL[language(input.question)]
            return Reply(refusal, seconds=seconds, refused=True)
        return Reply(span.text, seconds=seconds)
