"""A job as it would be sent: its files, its order, what it would cost. Nothing is sent here."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tailor.assistant import digest
from tailor.errors import TailorError, UsageError
from tailor.models.usage import OVERHEAD, text_tokens
from tailor.training import jsonl
from tailor.training.hosted.service import Method, Order
from tailor.training.pairs import Pair, PreferencePair

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.benchmarking.leakage import Guard
    from tailor.config import Config

Lessons = Sequence[Pair] | Sequence[PreferencePair]

PROVIDER = "openai:"
MOST = 65_536
"""Tokens of a row that OpenAI trains on; what is longer it would cut."""


class HostedSettings(Protocol):
    """What a hosted training needs to know; stage ``fine_tuning`` has these fields.

    The service chooses batch size and learning rate by the model and the data.
    """

    @property
    def epochs(self) -> int: ...  # noqa: D102
    @property
    def seed(self) -> int: ...  # noqa: D102
    @property
    def beta(self) -> float:
        """Of preference tuning."""


@dataclass(frozen=True)
class Prepared:
    """All that is sent, and what is known of it before."""

    order: Order
    train: bytes
    """JSON lines, UTF-8."""
    validation: bytes
    """The same; empty where nothing is kept back."""
    lessons: int
    held_out: int
    tokens: int
    """Of the lessons, times the epochs; about, as no hosted model's tokenizer lies here."""
    price: float | None
    """US dollars per million trained tokens; None where it is not known."""

    @property
    def cost_usd(self) -> float | None:
        """Foreseen; None where the price is not known."""
        return None if self.price is None else self.tokens * self.price / 1e6


def prepare(
    base: str,
    train: Lessons,
    validation: Lessons,
    settings: HostedSettings,
    config: Config,
    guard: Guard,
    known: Sequence[Question] = (),
) -> Prepared:
    """The job that trains ``base`` (``openai:NAME``) on these lessons.

    ``known`` are the questions they were made of, whose evidence the guard needs.

    Raises:
        UsageError: the base is no model of an API like OpenAI's.
        TailorError: the rows are not such that the service would take them.
    """
    from tailor.prices import training_price

    name = base.removeprefix(PROVIDER)
    if name == base or not name:
        raise UsageError(
            f"fine_tuning.where is openai, and {base} is no model there: name one with "
            "`--model openai:NAME` (with base_url for another server), or set where to here."
        )
    sides = (
        _checked(train, guard, known, jsonl.FEWEST),
        _checked(validation, guard, known, 0) if validation else b"",
    )
    dpo = preferred(train)
    beta = settings.beta if dpo else None
    method: Method = "dpo" if dpo else "supervised"
    values = [config.base_url, name, method, settings.epochs, settings.seed, beta]
    key = digest([*values, *(hashlib.sha256(side).hexdigest() for side in sides)])
    order = Order(key, name, method, settings.epochs, settings.seed, beta)
    tokens = settings.epochs * _tokens(train)
    price = training_price(base, config)
    return Prepared(order, *sides, len(train), len(validation), tokens, price)


def preferred(lessons: Lessons) -> bool:
    """Whether these are lessons in preferring, which DPO learns from."""
    return bool(lessons) and isinstance(lessons[0], PreferencePair)


def _checked(lessons: Lessons, guard: Guard, known: Sequence[Question], fewest: int) -> bytes:
    """The file of these lessons, refused here where the service would refuse it later."""
    written = jsonl.lines(lessons)
    kind: jsonl.Kind = "preference" if preferred(lessons) else "chat"
    problems = jsonl.check(written, kind, None, MOST, guard, fewest, known)
    if errors := [problem for problem in problems if problem.level == "error"]:
        first = errors[0]
        where = f"lesson {first.line} " if first.line else ""
        raise TailorError(
            f"Nothing was sent: {len(errors)} things are wrong with the lessons, the first: "
            f"{where}{first.message()} `tailor export openai-jsonl` writes and names them all."
        )
    return "".join(f"{line}\n" for line in written).encode()


def _tokens(lessons: Lessons) -> int:
    """Of all messages and replies, about; a chat template adds some to each."""
    texts = [
        text
        for each in lessons
        for text in (
            *(content for _, content in each.prompt),
            *((each.completion,) if isinstance(each, Pair) else (each.chosen, each.rejected)),
        )
    ]
    return sum(text_tokens(text) + OVERHEAD for text in texts)
