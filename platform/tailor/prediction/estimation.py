"""The model slot filled without a language model: an estimator of numbers or labels."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from langchain_core.runnables import Runnable, RunnableConfig

from tailor.assistant import REFUSAL, Prompt, Reply
from tailor.prediction.parsing import canonical
from tailor.text import language

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Numbers(Protocol):
    """Estimates numbers."""

    def numbers(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """(n,)."""


class Labels(Protocol):
    """Chooses labels."""

    def likeliest(self, text: str) -> tuple[str, float]:
        """The label and its probability."""


class Estimation(Runnable[Prompt, Reply]):
    """Answers with the number or label that was estimated from the question's text alone."""

    def __init__(
        self, made: Callable[[], Numbers | Labels], fingerprint: str, abstain: float = 0.0
    ) -> None:
        self._made = made
        self.fingerprint = fingerprint
        """Content hash of what it was fitted on, and how."""
        self.abstain = abstain
        """A label below this probability is not given; the item is refused."""

    @cached_property
    def estimator(self) -> Numbers | Labels:
        """Loaded once, when the first item is asked."""
        return self._made()

    def invoke(self, input: Prompt, config: RunnableConfig | None = None, **_: Any) -> Reply:
        """Estimate; nothing but the question's text is used."""
        estimator = self.estimator
        started = time.monotonic()
        if hasattr(estimator, "numbers"):
            text = shown(float(estimator.numbers([input.question])[0]))
            return Reply(text, seconds=time.monotonic() - started)
        label, probability = estimator.likeliest(input.question)
        seconds = time.monotonic() - started
        if probability < self.abstain:
            return Reply(REFUSAL[language(input.question)], seconds=seconds, refused=True)
        return Reply(label, seconds=seconds)


def shown(value: float) -> str:
    """An estimate as it is written: six digits that matter, of 1 and more at most two decimals."""
    value = float(f"{value:.6g}")
    return canonical(round(value, 2) if abs(value) >= 1 else value)
