"""How much the reference answers surprise a local model, asked as an assistant asks it.

Perplexity is exp(nats / tokens) over all reference answers taken together, so that every token
weighs the same (Jelinek et al. 1977); prompts do not count. Models with other tokens are compared
by bits per byte.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.assistant import Assistant
    from tailor.benchmark import Question
    from tailor.scoring.statistics import Interval


@dataclass(frozen=True)
class Surprise:
    """What the reference answer of one question costs a model."""

    nats: float
    tokens: int
    bytes: int
    """Of the answer in UTF-8."""


def surprises(assistant: Assistant, questions: Sequence[Question]) -> dict[str, Surprise]:
    """By question id, for the preferred answer after the prompt the assistant puts together.

    Questions whose answer is not in the documents, and prompts that do not fit into the model's
    context, are left out. Empty where the model does not run here.

    Raises:
        TailorError: the model cannot be loaded.
    """
    from tailor.assistant import Ask
    from tailor.models.chat import Chat
    from tailor.models.likelihood import losses
    from tailor.models.local import LocalChat

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


def pooled(
    found: Mapping[str, Surprise], questions: Sequence[Question]
) -> dict[str, Interval | None]:
    """``perplexity`` and ``bits_per_byte`` of all answers together, each with its 95 % interval.

    See :func:`tailor.scoring.pooled.intervals`; None without answers.

    Args:
        found: by question id.
        questions: those and perhaps others, with the evidence that says which belong together.
    """
    import numpy as np

    from tailor.scoring.groups import groups
    from tailor.scoring.pooled import Measure, intervals

    known = [q for q in questions if q.id in found]
    nats, tokens, size = (
        np.array([getattr(found[q.id], name) for q in known], dtype=float)
        for name in ("nats", "tokens", "bytes")
    )
    bits = np.stack([nats / math.log(2), size], axis=1)
    measures = [
        Measure("perplexity", np.stack([nats, tokens], axis=1), lambda s: np.exp(_ratio(s))),
        Measure("bits_per_byte", bits, _ratio),
    ]
    return intervals(measures, groups(known))


def _ratio(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    ratio: NDArray[np.float64] = sums[..., 0] / sums[..., 1]
    return ratio
