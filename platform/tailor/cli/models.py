"""``tailor models``."""

import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, LangOption, WorkspaceOption
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.selection.facts import Facts
    from tailor.selection.measured import Against
    from tailor.workspace import Workspace


def command(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL]...",
            help="shipped, huggingface:PATH-or-ID or provider:name; else that of tailor.toml.",
        ),
    ] = None,
    measure: Annotated[
        bool, typer.Option("--measure", help="Load each, and ask it dev questions.")
    ] = False,
    quantizations: Annotated[
        bool,
        typer.Option("--quantizations", help="Measure the first one at full, 8 and 4 bits."),
    ] = False,
    questions: Annotated[int, typer.Option(min=1, help="Dev questions that are asked.")] = 40,
    stage: Annotated[str, typer.Option("--stage", help="Row whose prompts they answer.")] = (
        "retrieval"
    ),
    tokens: Annotated[
        str | None, typer.Option("--tokens", metavar="TEXT", help="Show this text in tokens.")
    ] = None,
    lang: LangOption = "en",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare models: size, context, memory, price, and tokens on your own text."""
    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.selection import wording
    from tailor.selection.facts import facts
    from tailor.selection.inspected import inspect
    from tailor.selection.kept import keep

    opened = open_workspace(workspace)
    names = list(dict.fromkeys(models or [opened.config.model, "shipped"]))
    if tokens is not None:
        found = inspect(tokens, names)
        if json:
            print_json(
                {"schema_version": 1, "text": tokens, "models": [i.to_json() for i in found]}
            )
        else:
            for line in wording.inspected(found, lang):
                stdout().print(Text(line), soft_wrap=True)
        return
    known = facts(opened, names)
    measured = _measured(opened, names, measure, quantizations, stage, questions)
    keep(opened.state, known, measured)
    if json:
        about = {"models": [one.to_json() for one in known]}
        print_json({"schema_version": 1, **about, "measured": [one.to_json() for one in measured]})
    else:
        _show(known, measured, lang)
    if not measured:
        again = f"tailor models {shlex.join(names)} --measure"
        say(f"Nothing was loaded or asked. Next: {again}")


def _measured(
    workspace: "Workspace", names: list[str], all: bool, quantizations: bool, row: str, n: int
) -> "tuple[Against, ...]":
    from tailor.cli.common import say
    from tailor.cli.progress import fetch
    from tailor.models.provider import receiver
    from tailor.selection.measured import measure

    asked = [(name, "none") for name in names] if all else []
    if quantizations:
        asked = [(names[0], bits) for bits in ("none", "8bit", "4bit")] + asked[1:]
    for name in dict.fromkeys(name for name, _ in asked):
        if to := receiver(name, workspace.config):
            say(f"Sent to {to}: {n} dev questions with the passages found for them.")
        with suppress(TailorError):  # said beside what the others are
            fetch(name, workspace)
    return measure(workspace, asked, row, n) if asked else ()


def _show(known: "tuple[Facts, ...]", measured: "tuple[Against, ...]", lang: str) -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.selection import wording

    for heads, lines in wording.tables(known, measured, lang):
        table = Table()
        for head in heads:  # names end with what tells them apart
            table.add_column(head, overflow="fold")
        for line in lines:
            table.add_row(*map(Text, line))
        stdout().print(table)
    for sentence in wording.problems(known, measured):
        stdout().print(Text(sentence))
