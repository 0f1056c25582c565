"""The train items that may be learnt from, as texts with numbers or labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailor.benchmarking.leakage import sift
from tailor.errors import NotApplicable

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.workspace import Workspace

FEWEST = 20
"""Below this many train items nothing is learnt."""


def train_items(workspace: Workspace, user: str) -> tuple[Question, ...]:
    """The train items with an answer, without those that give a dev or test item away.

    Raises:
        NotApplicable: there are too few.
    """
    train = [item for item in workspace.benchmark.split("train") if item.answerable]
    items = sift(workspace, user, train, "dev", "test")
    if len(items) < FEWEST:
        raise NotApplicable(
            f"{user} learns from at least {FEWEST} train items and there are {len(items)} that "
            'give no dev or test item away: add items with "split": "train".'
        )
    return items
