"""``tailor benchmark human``: questions out for people to answer, and their answers in."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tailor.cli.common import group
from tailor.cli.options import JsonOption, WorkspaceOption

app = group("Let people answer the questions, as a row to compare with.")


@app.command()
def export(
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV file to write.")],
    split: Annotated[
        Literal["train", "dev", "test"], typer.Option(help="Which questions.")
    ] = "test",
    n: Annotated[int | None, typer.Option("--n", min=1, help="How many; else all.")] = None,
    seed: Annotated[int, typer.Option(help="Another seed gives another order.")] = 0,
    workspace: WorkspaceOption = Path(),
) -> None:
    """Write questions for people to answer. In random order and without answers."""
    from tailor.benchmarking import human
    from tailor.cli.common import name_problems, open_workspace, say, several
    from tailor.task import noun

    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    written = several(human.export(opened, output, split, n, seed), noun(opened.config.task))
    say(
        f"{written} in {output}. Give each person a copy: one answer a line, - where "
        "there is none, empty where not answered; seconds if you like. Then: "
        f'tailor benchmark human import FILE --name "Ann"'
    )


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="The filled-in file, CSV or XLSX.")],
    name: Annotated[str, typer.Option("--name", help="Who answered.")],
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Take a person's answers as a row of `tailor compare`."""
    from tailor.benchmarking import human
    from tailor.cli.common import open_workspace, print_json, say, several, stdout
    from tailor.run import compare

    opened = open_workspace(workspace)
    brought = human.import_answers(opened, file, name)
    if json:
        print_json(
            {
                "schema_version": 1,
                "run": brought.run.id,
                "row": brought.run.row,
                "name": brought.run.model,
                "taken": brought.taken,
                "before": brought.before,
                "blank": brought.blank,
                "problems": list(brought.problems),
                "agreement": [pair.to_json() for pair in brought.agreement],
            }
        )
        return
    for problem in brought.problems:
        say(f"left out: {problem}")
    before = f" and {brought.before} from before" if brought.before else ""
    taken = several(brought.taken, "answer")
    say(f"{taken} of {name} taken{before}; {brought.blank} left open.")
    stdout().print(compare([brought.run]).table())
    for pair in brought.agreement:
        stdout().print(pair.sentence(), markup=False)
    say("Next: tailor compare")
