"""``tailor export answers``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, WorkspaceOption


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
    from tailor.cli.common import open_workspace, print_json, say

    done = open_workspace(workspace).export_answers(output, rows or (), name)
    if json:
        print_json({"schema_version": 1, **done.to_json()})
    for reason in done.left_out:
        say(f"left out: {reason}")
    say(
        f"{done.answers} answers of {', '.join(done.rows)} are in {done.path}. Next, on the other "
        f"machine: tailor import answers {done.path.name}"
    )
