"""``tailor lessons``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import (
    JsonOption,
    ModelOption,
    SetOption,
    TrainingRowOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from tailor.training.lessons import Lessons
    from tailor.training.lessons_report import LeftOut
    from tailor.training.preference_lessons import PreferenceLessons

SHOWN = 10
"""Lines of a list; ``--all`` shows every one."""


def command(
    row: TrainingRowOption = "fine_tuning",
    preferences: Annotated[
        bool, typer.Option("--preferences", help="What is learnt by preferring (DPO) instead.")
    ] = False,
    examples: Annotated[int, typer.Option(min=0, help="How many lessons to show whole.")] = 2,
    everything: Annotated[
        bool, typer.Option("--all", help=f"Name all that is left out, not {SHOWN}.")
    ] = False,
    model: ModelOption = None,
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show what a fine-tuning would learn from, and what is left out and why. Trains nothing."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.training.row_lessons import row_lessons, row_preferences

    opened = open_workspace(workspace, sets)
    if preferences:
        preferred = row_preferences(opened, row, model, fewest=0)
        print_json(preferred.to_json()) if json else _show_preferences(preferred, everything)
        return
    found = row_lessons(opened, row, model, fewest=0)
    if json:
        print_json(found.to_json())
        return
    _show(found, everything)
    _examples(found, examples)
    say(f"Next: tailor run {row}, or tailor export openai-jsonl")


def _show(found: "Lessons", everything: bool) -> None:
    from rich.table import Table

    from tailor.cli.common import stdout
    from tailor.scoring import format

    out, report = stdout(), found.report
    origins = ", ".join(f"{n} of {name}.jsonl" for name, n in report.found.items() if n)
    out.print(
        f"{report.train} lessons to learn from and {report.validation} kept back, of "
        f"{report.questions} questions ({origins or 'none'}); {report.refusals} of them refuse."
    )
    languages = ", ".join(f"{lang} {n}" for lang, n in report.languages.items())
    out.print(f"By the language of the question: {languages or '–'}.")
    table = Table("shape", "lessons")
    for shape, n in report.shapes.items():
        table.add_row(shape, format.count(n))
    out.print(table)
    table = Table("tokens, about", "all", "in the middle", "longest")
    for name, own in (
        ("prompts", report.prompts),
        ("replies, which are learnt", report.completions),
    ):
        table.add_row(name, *map(format.count, (own.total, own.median, own.longest)))
    out.print(table)
    _left_out(report.left_out, everything)


def _show_preferences(found: "PreferenceLessons", everything: bool) -> None:
    from tailor.cli.common import stdout

    stdout().print(
        f"{len(found.train)} preferences to learn from and {len(found.validation)} kept back, of "
        f"{found.found} in preferences.jsonl."
    )
    _left_out(found.left_out, everything)


def _left_out(left_out: "tuple[LeftOut, ...]", everything: bool) -> None:
    from collections import Counter

    from tailor.cli.common import say, stdout
    from tailor.text import visible

    out = stdout()
    counts = Counter(one.reason.replace("_", " ") for one in left_out)
    told = ", ".join(f"{n} {reason}" for reason, n in counts.most_common())
    out.print(f"Left out: {told or 'nothing'}.")
    for one in left_out if everything else left_out[:SHOWN]:
        out.print(f"  {visible(one.id)} {visible(one.message())}", markup=False, soft_wrap=True)
    if not everything and len(left_out) > SHOWN:
        say(f"{len(left_out) - SHOWN} more: --all")


def _examples(found: "Lessons", most: int) -> None:
    from tailor.cli.common import stdout
    from tailor.text import visible

    out = stdout()
    for pair in found.examples(most):
        out.print(f"\n── {visible(pair.source)}, {pair.shape}", markup=False)
        for role, content in pair.prompt:
            out.print(f"{role}: {visible(content)}", markup=False, soft_wrap=True)
        out.print(f"→ {visible(pair.completion)}", markup=False, soft_wrap=True)
