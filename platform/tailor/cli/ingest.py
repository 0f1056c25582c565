"""``tailor ingest``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.common import JsonOption, SetOption, WorkspaceOption


def command(
    paths: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[PATH]...", help="Only these files or folders of knowledge/."),
    ] = None,
    workspace: WorkspaceOption = Path(),
    sets: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Read, split, embed and index the documents in knowledge/; only what changed costs anything."""  # noqa: E501
    from tailor.cli.common import here, name_stale, one_bar, open_workspace, print_json, say
    from tailor.models.provider import receiver

    opened = open_workspace(workspace, sets)
    if to := receiver(opened.config.embedder, opened.config):
        say(f"Sent to {to}, which embeds them: all new passages of the documents.")
    with one_bar() as told:
        report = opened.ingest(paths or None, told)
    if json:
        print_json(report.to_json())
        return
    for file in report.files:
        if file.status in ("refused", "empty", "duplicate"):
            say(f"{file.status}: {file.path}: {file.reason}")
    name_stale(opened)
    totals = ", ".join(f"{count} {status}" for status, count in report.totals.items() if count)
    at = here(workspace)
    say(f"{totals}. Next: tailor search{at} QUESTION, or tailor run all{at}")
