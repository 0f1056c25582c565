"""``tailor fine-tune``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import ForceOption, JsonOption, SetOption

if TYPE_CHECKING:
    from tailor.training.fine_tune import FineTuned


def command(
    questions: Annotated[
        Path, typer.Argument(help="JSON lines with question and answer, or a CSV file.")
    ],
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", help="shipped, or huggingface:PATH of the base.",
            show_default="the workspace's",
        ),
    ] = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Folder of the merged model.", show_default="by the workspace"
        ),
    ] = None,
    ask: Annotated[
        list[str] | None,
        typer.Option(help="A question to ask before and after; may be said again."),
    ] = None,
    sets: SetOption = None,
    force: ForceOption = False,
    workspace: Annotated[
        Path, typer.Option("--workspace", "-w", help="The workspace's folder; made if need be.")
    ] = Path("tailor-fine-tune"),
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Train, merge and ask in one go, from questions and answers to a model of your own."""
    from tailor.cli.common import GATE_MISSED, open_workspace, print_json, say
    from tailor.cli.hints import here
    from tailor.cli.progress import bar
    from tailor.training.fine_tune import fine_tune, keep_settings, prepare

    prepare(workspace, questions, model, say)
    opened = open_workspace(workspace, sets)
    keep_settings(opened)
    target = output or Path(f"{workspace.resolve().name}-merged")
    with bar("fine_tuning") as told:
        done = fine_tune(opened, target, ask or (), model=model, force=force, progress=told)
    if json:
        print_json(done.to_json())
    else:
        _tell(done)
    if done.exported.folder is None:
        raise typer.Exit(GATE_MISSED)
    option = f" --model {model}" if model not in ("", opened.config.model) else ""
    say(
        f"Next: `tailor run fine_tuning{option}{here(workspace)}` scores it on test; "
        f"{target}/README.md says how to load it."
    )


def _tell(done: "FineTuned") -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.adapters import show_before_after
    from tailor.cli.common import say, stdout
    from tailor.cli.export_adapter import tell

    say(f"Adapter {done.adapter.name}, of {done.adapter.lessons} lessons.")
    show_before_after(done.measured)
    tell(done.exported)
    if done.asked:
        table = Table("question", "base", "merged")
        for one in done.asked:
            table.add_row(*(Text(text) for text in (one.question, one.before, one.after)))
        stdout().print(table)
