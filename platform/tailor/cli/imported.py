"""``tailor import``: what was made elsewhere."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import group
from tailor.cli.options import JsonOption, WorkspaceOption

app = group("Take in what was made elsewhere.")


@app.command()
def adapter(
    folder: Annotated[
        Path, typer.Argument(help="The folder `result` of a job that was exported from here.")
    ],
    name: Annotated[
        str, typer.Option(help="What to call it.", show_default="by base, rank and digest")
    ] = "",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take in the adapter that an exported job has trained; digests and curves are checked."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.scoring.format import number
    from tailor.training.job_result import bring_back

    found = bring_back(open_workspace(workspace), folder, name)
    if json:
        print_json({"schema_version": 1, "adapter": found.to_json()})
        return
    for figure, told in (("loss", "train loss"), ("validation_loss", "validation loss")):
        if losses := [point[figure] for point in found.curve if figure in point]:
            say(f"{told}: {number(losses[0])} → {number(losses[-1])}")
    setting = f"--set fine_tuning.adapter={found.name}"
    say(f"Registered as {found.name}. Next: tailor run fine_tuning {setting}")


@app.command()
def answers(
    file: Annotated[
        Path, typer.Argument(help="What `tailor export answers` wrote on another machine.")
    ],
    name: Annotated[
        str, typer.Option(help="What to mark the rows with.", show_default="as it was exported")
    ] = "",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take in another machine's rows with their answers; digests are checked, nothing is asked."""
    from tailor.cli.common import open_workspace, print_json, say, several

    done = open_workspace(workspace).import_answers(file, name)
    if json:
        print_json({"schema_version": 1, **done.to_json()})
    taken = f"{several(done.answers, 'answer')} ({done.new} new)"
    say(f"{taken} of {', '.join(done.rows)}. Next: tailor compare")
