"""A technique and the rule on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Technique = Literal[
    "baseline", "prompting", "few_shot", "retrieval", "fine_tuning", "retrieval_tuning", "ensemble"
]
"""Named like the stages; ``baseline`` and ``ensemble`` are no language models."""


@dataclass(frozen=True)
class Rule:
    """The general rule on one technique, a sentence or two each, in one language."""

    name: str
    when: str
    """When it is worth trying, and when it is not."""
    data: str
    hardware: str
    money: str
    changes: str
    """What is to be done when the documents or the items change."""
