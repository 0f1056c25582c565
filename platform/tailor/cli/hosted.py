"""Trainings at a service, as ``tailor training`` lists and cancels them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from tailor.cli.options import JsonOption, ModelOption, WorkspaceOption

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.training.hosted.record import HostedJob
    from tailor.workspace import Workspace


def jobs(workspace: Workspace) -> tuple[HostedJob, ...]:
    """All of them, the newest first; their services are asked about those that go on."""
    from tailor.cli.common import say
    from tailor.errors import TailorError
    from tailor.training.hosted.record import hosted_jobs
    from tailor.training.hosted.training import refreshed

    found = []
    for job in hosted_jobs(workspace.state):
        try:
            found.append(refreshed(workspace, job))
        except TailorError as error:
            say(f"{job.id}, as of {job.looked or job.started}: {error}")
            found.append(job)
    return tuple(found)


def table(found: tuple[HostedJob, ...]) -> Table:
    """One line for each."""
    from rich.table import Table
    from rich.text import Text

    from tailor.scoring import format

    shown = Table("hosted", "at", "status", "step", "loss", "validation loss", "cost", "model")
    for job in found:
        last = job.points[-1] if job.points else None
        shown.add_row(
            job.id,
            job.host,
            Text(f"{job.status} {job.error}".strip()),
            f"{last.step if last else 0} of {job.steps}" if job.steps else format.UNKNOWN,
            format.number(job.last("loss")),
            format.number(job.last("validation_loss")),
            format.usd(job.cost_usd),
            Text(job.model),
        )
    return shown


def cancelled(workspace: Workspace, id: str, json: bool = False) -> bool:
    """Cancel the hosted job of this id, or the only one that goes on; False: there is none."""
    from tailor.cli.common import print_json, say
    from tailor.training.hosted.record import hosted_jobs
    from tailor.training.hosted.training import cancel

    known = hosted_jobs(workspace.state)
    wanted = [job for job in known if (id in (job.id, job.job) if id else not job.ended)]
    if not wanted:
        return False
    job = cancel(workspace, id)
    if json:
        print_json({"schema_version": 1, "hosted": job.to_json()})
    else:
        say(f"{job.id} at {job.host}: {job.status}.")
    return True


def service(
    model: ModelOption = None, workspace: WorkspaceOption = Path(), json: JsonOption = False
) -> None:
    """Ask OpenAI, or the server at base_url, whether it would train the model; makes no job."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.errors import NotApplicable
    from tailor.training.hosted.training import probe, shut_down

    opened = open_workspace(workspace)
    named = model or opened.config.model
    refusal = ends = ""
    try:
        ends = probe(opened, named)
    except NotApplicable as error:
        if not json:
            raise
        refusal = str(error)
    if json:
        told = {"model": named, "takes_jobs": not refusal, "reason": refusal, "ends": ends}
        print_json({"schema_version": 1, **told})
        raise typer.Exit(1 if refusal else 0)
    if ends:
        say(shut_down(named, ends))
    say(
        f"It takes jobs for {named}. Next: tailor run fine_tuning --set fine_tuning.where=openai "
        f"--dry-run"
    )
