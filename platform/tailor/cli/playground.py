"""``tailor playground``, which the interface starts."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import WorkspaceOption
from tailor.playground import IDLE


def command(
    workspace: WorkspaceOption = Path(),
    idle: Annotated[
        float, typer.Option(min=0, help="Seconds without a question after which it ends.")
    ] = IDLE,
) -> None:
    """Answer the questions of the interface's page Playground; the page starts it."""
    from tailor.playground import serve

    serve(workspace, idle)
