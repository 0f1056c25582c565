"""What a row that trains would learn from, without training it."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from tailor.errors import UsageError
from tailor.training.lessons import Lessons, lessons
from tailor.training.lessons_settings import LessonSettings, Shapes
from tailor.training.preference_lessons import PreferenceLessons, preference_lessons

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.models.chat import Chat
    from tailor.workspace import Workspace


def row_lessons(
    workspace: Workspace,
    row: str = "fine_tuning",
    model: str | None = None,
    fewest: int | None = None,
) -> Lessons:
    """The lessons of a row of the ladder; the rows that it builds on are applied.

    Raises:
        UsageError: there is no such row, or it trains nothing.
        TailorError: the leakage guard cannot do its work, or there is too little to learn from.
    """
    assistant, chat, settings = _start(workspace, row, model)
    return lessons(assistant, chat, workspace, settings, fewest)


def row_preferences(
    workspace: Workspace,
    row: str = "fine_tuning",
    model: str | None = None,
    fewest: int | None = None,
) -> PreferenceLessons:
    """The lessons in preferring of a row of the ladder; the rows that it builds on are applied.

    Raises:
        UsageError: there is no such row, or it trains nothing.
        TailorError: the leakage guard cannot do its work, or there is too little to learn from.
    """
    assistant, chat, settings = _start(workspace, row, model)
    return preference_lessons(assistant, chat, workspace, settings, fewest)


def _start(
    workspace: Workspace, row: str, model: str | None
) -> tuple[Assistant, Chat, LessonSettings]:
    from tailor.ladder import built_on
    from tailor.models.chat import Chat

    last, assistant, left_out = built_on(workspace, row, model)
    if not isinstance(last.stage, Shapes) or not isinstance(assistant.model, Chat):
        raise UsageError(f"{row} learns from no lessons; name a row of stage fine_tuning.")
    if workspace.note is not None:
        for sentence in left_out:
            workspace.note(sentence)
    return assistant, assistant.model, cast(LessonSettings, last.stage)
