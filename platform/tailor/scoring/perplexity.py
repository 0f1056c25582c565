"""How much the reference answers surprise a local model, asked as each row asks it.

Perplexity is exp(nats / tokens) over all reference answers taken together, so that every token
weighs the same (Jelinek et al. 1977); prompts do not count. Models with other tokens are compared
by bits per byte.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tailor.scoring.statistics import Interval

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.run import Run

_RESAMPLES = 2000


@dataclass(frozen=True)
class Surprise:
    """What the reference answer of one question costs a model."""

    nats: float
    tokens: int
    bytes: int
    """Of the answer in UTF-8."""

    @property
    def perplexity(self) -> float:
        """Of this answer alone."""
        return math.exp(self.nats / self.tokens)


def surprises(run: Run, questions: Sequence[Question]) -> dict[str, Surprise]:
    """By question id, for the preferred answer after the prompt this row puts together.

    Questions whose answer is not in the documents, and prompts that do not fit into the model's
    context, are left out. Empty where the row's model does not run here.

    Raises:
        TailorError: the row cannot be put together again, or its model cannot be loaded.
    """
    from tailor.assistant import Ask
    from tailor.models.chat import Chat
    from tailor.models.likelihood import losses
    from tailor.models.local import LocalChat

    if run.imported:
        return {}
    assistant = run.assistant()
    chat = assistant.model
    if not isinstance(chat, Chat) or not isinstance(local := chat.model, LocalChat):
        return {}
    asked = [q for q in questions if q.answerable]
    prompts = [chat.fitted(assistant.prompt(Ask(q.question))).messages() for q in asked]
    found = losses(local, prompts, [q.answers[0] for q in asked])
    return {
        q.id: Surprise(loss.nats, loss.tokens, len(q.answers[0].encode()))
        for q, loss in zip(asked, found, strict=True)
        if loss is not None
    }


def pooled(found: Mapping[str, Surprise], seed: int = 0) -> dict[str, Interval | None]:
    """``perplexity`` and ``bits_per_byte`` of all answers together, each with its 95 % interval.

    The interval is a percentile bootstrap over questions; None without answers.
    """
    if not found:
        return {"perplexity": None, "bits_per_byte": None}
    import numpy as np

    nats, tokens, size = (
        np.array([getattr(s, name) for s in found.values()], dtype=float)
        for name in ("nats", "tokens", "bytes")
    )
    draws = np.random.default_rng(seed).integers(len(nats), size=(_RESAMPLES, len(nats)))

    def told(total: Any, of: Any, turn: Any) -> Interval:
        value = float(turn(total.sum() / of.sum()))
        drawn = turn(total[draws].sum(axis=1) / of[draws].sum(axis=1))
        low, high = np.quantile(drawn, (0.025, 0.975)).tolist()
        return Interval(value, min(low, value), max(high, value), len(total))

    return {
        "perplexity": told(nats, tokens, np.exp),
        "bits_per_byte": told(nats / math.log(2), size, lambda share: share),
    }
