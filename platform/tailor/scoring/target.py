"""What answers are scored against besides their own question: by task, from all items."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.scoring.number import Yardstick
from tailor.task import Task

if TYPE_CHECKING:
    from tailor.benchmark import Benchmark
    from tailor.config import Items

PRIMARY: Mapping[Task, str] = {"answer": "f1", "number": "skill", "label": "accuracy"}
"""The metric that rows are compared by; higher is better."""


@dataclass(frozen=True)
class Target:
    """The task, with what its scores need."""

    task: Task = "answer"
    labels: tuple[str, ...] = ()
    """All there are, for task ``label``."""
    by: Yardstick | None = None
    """For task ``number``."""

    @classmethod
    def of(cls, benchmark: Benchmark, items: Items) -> Target:
        """That of a workspace.

        Raises:
            TailorError: numbers are asked for, and there is no train item.
        """
        by = Yardstick.of(benchmark, items) if benchmark.task == "number" else None
        return cls(benchmark.task, benchmark.labels, by)

    @property
    def primary(self) -> str:
        """See ``PRIMARY``."""
        return PRIMARY[self.task]
