"""``tailor training``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli import hosted
from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.training.job import Job
    from tailor.workspace import Workspace

app = typer.Typer(invoke_without_command=True, no_args_is_help=False)
IdArgument = Annotated[
    str, typer.Argument(help="Which one; without it the newest that can be.", show_default=False)
]


@app.callback()
def command(
    context: typer.Context, workspace: WorkspaceOption = Path(), json: JsonOption = False
) -> None:
    """List trainings of models with their losses; pause, cancel or go on with one."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.scoring import format
    from tailor.training.progress import trainings

    if context.invoked_subcommand:
        return
    opened = open_workspace(workspace)
    found, elsewhere = trainings(opened.state), hosted.jobs(opened)
    if json:
        told = [each.to_json() for each in found]
        there = [each.to_json() for each in elsewhere]
        print_json({"schema_version": 1, "trainings": told, "hosted": there})
        return
    heads = ("loss", "validation loss", "rate", "tokens/s", "memory", "time left")
    table = Table("training", "status", "steps", *heads)
    for each in found:
        pace = each.last("tokens_per_second")
        table.add_row(
            each.id,
            Text(f"{each.status} {each.message}".strip()),
            f"{each.last('step') or 0} of {each.steps}",
            format.number(each.last("loss")),
            format.number(each.last("validation_loss")),
            format.rate(each.last("learning_rate")),
            format.count(None if pace is None else round(pace)),
            format.memory(each.last("memory_bytes")),
            format.seconds(each.seconds_left),
        )
    if found:
        stdout().print(table)
    if elsewhere:
        stdout().print(hosted.table(elsewhere))
    if not found and not elsewhere:
        say("Nothing was trained here yet. Next: tailor run fine_tuning")


@app.command()
def pause(id: IdArgument = "", workspace: WorkspaceOption = Path()) -> None:
    """Stop a training after its step; it keeps a checkpoint to go on from."""
    from tailor.cli.common import open_workspace, say
    from tailor.training.job import ask

    job = _chosen(open_workspace(workspace), id, "running")
    ask(job, "pause")
    say(f"{job.id} stops after its step. Next: tailor training resume")


@app.command()
def cancel(
    id: IdArgument = "", workspace: WorkspaceOption = Path(), json: JsonOption = False
) -> None:
    """Stop a training for good, here or at a service; nothing of it is kept but its curve."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.training.job import ask
    from tailor.training.progress import trainings

    opened = open_workspace(workspace)
    busy = any(each.status == "running" for each in trainings(opened.state))
    if (id or not busy) and hosted.cancelled(opened, id, json):
        return
    job = _chosen(opened, id, "running", "paused", "failed", "interrupted")
    ask(job, "cancel")
    if json:
        print_json({"schema_version": 1, "cancelled": job.id})
        return
    say(f"{job.id} is cancelled.")


app.command("service")(hosted.service)


@app.command()
def resume(id: IdArgument = "", workspace: WorkspaceOption = Path()) -> None:
    """Go on with a training from its newest whole checkpoint."""
    from tailor.cli.common import interrupted, open_workspace, say
    from tailor.cli.progress import bar
    from tailor.training.job import run
    from tailor.training.progress import RESUMABLE

    job = _chosen(open_workspace(workspace), id, *RESUMABLE)
    try:
        with bar("fine_tuning") as told:
            run(job, told)
    except KeyboardInterrupt:
        raise interrupted("Paused. Next: tailor training resume") from None
    say("The adapter is trained. Next: tailor run fine_tuning")


def _chosen(workspace: "Workspace", id: str, *statuses: str) -> "Job":
    """The training of this name, or the newest one that has one of these statuses.

    Raises:
        UsageError: there is none.
    """
    from tailor.errors import UsageError
    from tailor.training.job import jobs
    from tailor.training.progress import read

    known = jobs(workspace.state)
    for job in known:
        training = read(job.record)
        if id == job.id or (not id and training and training.status in statuses):
            return job
    there = ", ".join(job.id for job in known) or "none that is not over"
    wanted = f"There is no training {id}" if id else f"No training is {' or '.join(statuses)}"
    raise UsageError(f"{wanted}; there is {there}. `tailor training` lists all.")
