"""``tailor export langchain``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import JsonOption, ModelOption, WorkspaceOption


def langchain(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="The new folder; its name is the package's.")
    ],
    stage: Annotated[
        str | None, typer.Option("--stage", help="Row to export; the winner by default.")
    ] = None,
    model: ModelOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write the assistant as a small Python package of plain LangChain, without Tailor."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.exporting.langchain import export
    from tailor.ladder import assistant_for

    opened = open_workspace(workspace)
    done = export(opened, assistant_for(opened, stage, model), folder.expanduser().resolve())
    if json:
        print_json({"schema_version": 1, **done.to_json()})
    say(
        f"{done.folder} answers as row {done.row} of {done.model}, without Tailor. Next: "
        f"cd {done.folder.parent} && python -m {done.folder.name}.check"
    )
