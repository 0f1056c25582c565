"""``tailor export answers``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import JsonOption, WorkspaceOption


def answers(
    output: Annotated[Path, typer.Option("--output", "-o", help="The file to write.")] = Path(
        "answers.jsonl"
    ),
    rows: Annotated[
        list[str] | None,
        typer.Option(
            "--row",
            metavar="ROW",
            help="Row to export, or ROW@MODEL; several times for several.",
            show_default="all that can be compared",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            help="What the rows are marked with elsewhere.", show_default="this machine's name"
        ),
    ] = "",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write rows with their answers, to be compared with those of another machine.

    Questions, answers and the passages found are in the file; prompts, replies and keys are not.
    """
    from tailor.cli.common import open_workspace, print_json, say, several, stderr

    done = open_workspace(workspace).export_answers(output, rows or (), name)
    if json:
        print_json({"schema_version": 1, **done.to_json()})
    for reason in done.left_out:
        say(f"left out: {reason}")
    say(f"{several(done.answers, 'answer')} of {', '.join(done.rows)} in {done.path}.")
    # Not by `say`, which would name the workspace of this machine.
    line = f"Next, on the other machine: tailor import answers {done.path.name}"
    stderr().print(line, soft_wrap=True, markup=False)
