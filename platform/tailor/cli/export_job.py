"""``tailor export job``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import (
    JsonOption,
    ModelOption,
    SetOption,
    TrainingRowOption,
    WorkspaceOption,
)


def job(
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to make.")] = Path(
        "job"
    ),
    row: TrainingRowOption = "fine_tuning",
    include: Annotated[
        bool, typer.Option("--base/--no-base", help="Put a base model that lies here in, too.")
    ] = True,
    zipped: Annotated[
        bool, typer.Option("--zip", help="Also write the folder as one zip file, for Colab.")
    ] = False,
    model: ModelOption = None,
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write a training as one folder for a GPU elsewhere: data, settings, script and notebook."""
    import shutil

    from tailor.cli.common import open_workspace, print_json, say
    from tailor.scoring.format import count, memory
    from tailor.training.job_folder import export

    opened = open_workspace(workspace, sets)
    opened.note = say
    written = export(opened, output, row, model, include)
    archive = zipped and shutil.make_archive(str(output), "zip", output.parent, output.name)
    if json:
        print_json({**written.to_json(), "zip": archive or None})
        return
    say(
        f"{written.folder}: {count(written.lessons)} lessons, {count(written.held_out)} kept back, "
        f"{memory(written.bytes)}. They are your documents and questions: mind where you take them."
    )
    if archive:
        say(f"The same as one file: {archive}")
    say("Next, there: python train.py. Then, here: tailor import adapter RESULT")
