"""``tailor training``."""

from pathlib import Path

from tailor.cli.common import JsonOption, WorkspaceOption


def command(workspace: WorkspaceOption = Path(), json: JsonOption = False) -> None:
    """List trainings of models with their losses, past and going on."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import open_workspace, print_json, say, stdout
    from tailor.scoring import format
    from tailor.training.progress import trainings

    found = trainings(open_workspace(workspace).state)
    if json:
        print_json({"schema_version": 1, "trainings": [each.to_json() for each in found]})
        return
    table = Table("started", "status", "steps", "loss", "validation loss", "tokens/s", "time left")
    for each in found:
        loss, validation = each.last("loss"), each.last("validation_loss")
        table.add_row(
            each.started,
            Text(f"{each.status} {each.message}".strip()),
            f"{each.last('step') or 0} of {each.steps}",
            format.UNKNOWN if loss is None else f"{loss:.3f}",
            format.UNKNOWN if validation is None else f"{validation:.3f}",
            format.count(round(each.last("tokens_per_second") or 0)),
            format.seconds(each.seconds_left),
        )
    if found:
        stdout().print(table)
    else:
        say("Nothing was trained here yet. Next: tailor run fine_tuning")
