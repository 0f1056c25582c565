"""What a training changed: perplexity of the reference answers, and answers to compare by eye.

Both on dev questions, never on test, asked as the adapter's row asks them.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.errors import TailorError
from tailor.newer import of_json
from tailor.scoring.statistics import Interval

if TYPE_CHECKING:
    from tailor.assistant import Assistant
    from tailor.benchmark import Question
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat
    from tailor.training.adapters import Adapter
    from tailor.workspace import Workspace

FILE = "before_after.json"
VERSION = 1
"""Of that file; raised when an older Tailor would misread it."""
MOST = 64
"""Questions whose reference answers are measured, at most."""
SAMPLES = 6
"""Questions that are answered before and after."""


@dataclass(frozen=True)
class Sample:
    """A question, what should be answered, and what was, without and with the adapter."""

    question: str
    reference: str
    before: str
    after: str


@dataclass(frozen=True)
class BeforeAfter:
    """The same questions without and with an adapter."""

    questions: int
    """How many reference answers were measured."""
    before: Interval | None
    """Perplexity, see `tailor.scoring.perplexity`; None where no question fits."""
    after: Interval | None
    samples: tuple[Sample, ...]

    def to_json(self) -> dict[str, Any]:
        """All of it, as JSON values."""
        return asdict(self)


def keep(workspace: Workspace, folder: Path, before: Assistant, after: Assistant) -> None:
    """Register an adapter that a stage has put into ``after``, and measure it if nobody has.

    Nothing is measured where there are no dev questions or the workspace is only replayed. What
    goes wrong is noted, and loses nothing: `tailor adapters --measure` does it later.
    """
    from tailor.training.adapters import register

    adapter = register(workspace, folder)
    if (adapter.place / FILE).exists() or not workspace.builds:
        return
    try:
        if workspace.benchmark.split("dev"):
            measure(workspace, adapter, before, after)
    except TailorError as error:
        if workspace.note:
            workspace.note(f"Before and after were not measured: {error}")


def measure(
    workspace: Workspace, adapter: Adapter, before: Assistant, after: Assistant
) -> BeforeAfter:
    """Measure an adapter of the workspace, and keep it beside the adapter.

    Both assistants have models that run here; ``before``'s gives its memory back.

    Raises:
        TailorError: there are no dev questions, or the base cannot be loaded.
    """
    from tailor.run import write_json

    questions = sampled(workspace.benchmark.split("dev"))
    if not questions:
        raise TailorError(
            "Before and after are measured on dev questions, and there are none: give some "
            'questions "split": "dev", or run `tailor benchmark split`.'
        )
    sides = []
    for at, assistant in enumerate((before, after)):
        if workspace.progress:
            workspace.progress("before and after", at, 2)
        sides.append(_side(assistant, questions))
        if assistant is before:
            local_of(before)[1].unload()
    (perplexity, texts), (perplexity_after, texts_after) = sides
    samples = (
        Sample(q.question, q.answers[0] if q.answers else "", one, other)
        for q, one, other in zip(questions, texts, texts_after, strict=False)
    )
    found = BeforeAfter(len(questions), perplexity, perplexity_after, tuple(samples))
    write_json(adapter.place / FILE, {"schema_version": VERSION, **found.to_json()})
    return found


def again(workspace: Workspace, adapter: Adapter, base: str = "") -> BeforeAfter:
    """Measure an adapter anew, in the assistant that its row builds on.

    Raises:
        TailorError: as :func:`measure`, or what it builds on cannot be applied here.
    """
    from tailor.training.trained import before, chat

    asked = before(workspace, adapter)
    sides = (
        replace(asked, model=chat(workspace, adapter, base or adapter.base, tuned=tuned)[0])
        for tuned in (False, True)
    )
    return measure(workspace, adapter, *sides)


def read(adapter: Adapter) -> BeforeAfter | None:
    """What was measured of an adapter; None where nothing was."""
    try:
        file = adapter.place / FILE
        told = of_json(json.loads(file.read_text("utf-8")), VERSION, file)
        sides = [told[side] and Interval(**told[side]) for side in ("before", "after")]
        samples = tuple(Sample(**one) for one in told["samples"])
        return BeforeAfter(told["questions"], sides[0], sides[1], samples)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None


def sampled(questions: tuple[Question, ...]) -> tuple[Question, ...]:
    """At most ``MOST`` of the questions, spread evenly over the file."""
    every = max(1, -(-len(questions) // MOST))
    return questions[::every]


def local_of(assistant: Assistant) -> tuple[Chat, LocalChat]:
    """The model of an assistant, which runs on this machine."""
    from tailor.models.chat import Chat
    from tailor.models.local import LocalChat

    chat = assistant.model
    assert isinstance(chat, Chat)
    assert isinstance(chat.model, LocalChat)
    return chat, chat.model


def _side(
    assistant: Assistant, questions: tuple[Question, ...]
) -> tuple[Interval | None, list[str]]:
    from tailor.assistant import Answer
    from tailor.scoring.perplexity import pooled, surprises
    from tailor.trial import answered

    found = surprises(assistant, questions)
    answers = answered(assistant, questions[:SAMPLES], "The adapter")
    texts = [answer.text if isinstance(answer, Answer) else "" for answer in answers]
    return pooled(found, questions)["perplexity"], texts
