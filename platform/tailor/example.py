"""Examples in a prompt: questions with the answers that are wanted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tailor.documents.passages import Passage


@dataclass(frozen=True)
class Example:
    """A question with the answer that is wanted, shown in the prompt."""

    question: str
    answer: str
    reasoning: str = ""
    """What leads to the answer; shown where the format asks for reasoning."""
    quote: str = ""
    """Where the documents say it; shown where the format has a quote."""
    shows: int = 0
    """How many passages are found for it and shown with it, where there is a retriever."""
    gold: Passage | None = None
    """The passage that holds its evidence: shown first where the retriever misses it."""
    passages: tuple[Passage, ...] = ()

    def with_passages(self, found: Sequence[Passage]) -> Example:
        """The example with so many of the found passages as it shows, the evidence among them."""
        shown, gold = tuple(found[: self.shows]), self.gold
        held = any(
            p.document == gold.document and p.start < gold.end and gold.start < p.end
            for p in shown
            if gold is not None
        )
        if gold is not None and not held:
            shown = (gold, *shown[: self.shows - 1])
        return replace(self, passages=shown)


Complete = Callable[[Example], Example]
"""Puts the passages to show into an example."""


def as_it_is(example: Example) -> Example:
    """The same example: there is no retriever to complete it."""
    return example


class ExampleSelector(Protocol):
    """Picks the examples for each question."""

    fingerprint: str

    def __call__(self, question: str, complete: Complete = as_it_is) -> tuple[Example, ...]:
        """The examples to show with this question, completed, in the order they are shown."""
