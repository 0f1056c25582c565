"""Two rows question by question, for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tailor.reporting.words import words as sentences
from tailor.scoring import format, wording
from tailor.scoring.changes import MARKS, change, counted
from tailor.scoring.diff import words
from tailor.text import shown

if TYPE_CHECKING:
    from rich.text import Text

    from tailor.assistant import Answer
    from tailor.scoring.side_by_side import SideBySide
    from tailor.scoring.step import Step

_OUTCOMES = {"refused": "refused_long", "unparseable": "unparseable_long"}
_COLOURS = {"better": "bold green", "worse": "bold red"}
_MARKED = {"same": ("", "", ""), "removed": ("[-", "red", "-]"), "added": ("{+", "green", "+}")}


def told(
    items: Sequence[SideBySide],
    step: Step | None,
    base: str,
    candidate: str,
    lang: str,
    every: bool = False,
) -> list[Text | str]:
    """The questions whose score changed, or all, and then how many ended how."""
    task = items[0].target.task if items else "answer"
    say = sentences(task, lang)
    counts = counted(items)
    some = [item for item in items if every or change(item) in ("better", "worse")]
    pair = say["pair"].format(
        base=base,
        candidate=candidate,
        n=format.count(step.paired.n if step else 0, lang),
        step=wording.step(step, lang),
    )
    ended = say["counts"].format(**{name: format.count(n, lang) for name, n in counts.items()})
    out: list[Text | str] = [question(item, base, candidate, lang) for item in some]
    out.append(f"{pair} {ended}")
    if hidden := len(items) - len(some):
        out.append(say["hidden"].format(count=format.count(hidden, lang)))
    return out


def question(item: SideBySide, base: str, candidate: str, lang: str) -> Text:
    """A question with what was expected and both answers as one text, changes marked."""
    from rich.text import Text

    say, kind = sentences(item.target.task, lang), change(item)
    text = Text()
    text.append(f"{MARKS[kind]} {say[kind]}", _COLOURS.get(kind, "bold"))
    text.append(f"  {_plain(item.question.question)}")
    text.append(f"  ({_plain(item.question.id)})\n", "dim")
    expected = _plain(" / ".join(item.question.answers)) or say["not_said"]
    text.append(f"  {say['expected']} ", "dim").append(f"{expected}\n")
    sides = (
        (base, item.base, item.told("base", lang)),
        (candidate, item.candidate, item.told("candidate", lang)),
    )
    for row, answer, score in sides:
        outcome = _OUTCOMES.get(answer.outcome, answer.outcome) if answer else "not_asked"
        text.append(f"  {row}: {score}, {say[outcome]}\n", "dim")
    text.append("  ")
    for piece in words(_said(item.base), _said(item.candidate)):
        before, style, after = _MARKED[piece.kind]
        text.append(f"{before}{_plain(piece.text)}{after}", style)
    return text.append("\n")


def _said(answer: Answer | None) -> str:
    return (answer.error or answer.text) if answer else ""


def _plain(text: str) -> str:
    """Without the characters by which a text could steer the terminal."""
    return "\n".join(map(shown, text.split("\n")))
