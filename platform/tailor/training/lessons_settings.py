"""What lessons depend on: their shapes, and what is shared with the training itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tailor.settings import setting
from tailor.training.pairs import Shape


@dataclass(frozen=True)
class Shapes:
    """The settings of a fine-tuning that say what its lessons look like."""

    shapes: tuple[Shape, ...] = setting(
        ("as_asked",),
        "lessons made of each question: as_asked, closed_book, gold, retrieved, refusal, "
        "house_format",
    )
    distractors: int = setting(
        3, "other passages beside the one with the evidence, in shape retrieved", low=0, high=50
    )
    refusals: float = setting(
        0.2, "share of the questions whose evidence shape refusal withholds", low=0, high=1
    )


class LessonSettings(Protocol):
    """What lessons depend on; stage ``fine_tuning`` has these fields."""

    @property
    def shapes(self) -> tuple[Shape, ...]: ...  # noqa: D102
    @property
    def distractors(self) -> int: ...  # noqa: D102
    @property
    def refusals(self) -> float: ...  # noqa: D102
    @property
    def max_length(self) -> int | None:
        """Tokens of a lesson at most; None: what the model's context holds."""

    @property
    def validation(self) -> float:
        """Share of the lessons kept back."""

    @property
    def seed(self) -> int: ...  # noqa: D102
