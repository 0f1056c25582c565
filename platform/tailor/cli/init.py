"""``tailor init``."""

from pathlib import Path
from typing import Annotated

import typer


def command(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The new workspace's folder.")],
    sample: Annotated[
        bool, typer.Option("--sample", help="Fill it with the sample company.")
    ] = False,
) -> None:
    """Make a new workspace."""
    from tailor.cli.common import here, say
    from tailor.workspace import initialize

    workspace = initialize(folder, "company" if sample else None)
    if sample:
        say(f"{workspace.root} holds the sample company. Next: tailor ingest{here(folder)}")
    else:
        say(
            f"{workspace.root} is ready. Next: put documents into {folder / 'knowledge'}, then "
            f"tailor ingest{here(folder)}"
        )
