"""``tailor demo``."""

from pathlib import Path

import typer

from tailor.cli.options import JsonOption, SetOption, WorkspaceOption


def command(
    workspace: WorkspaceOption = Path("tailor-demo"),
    sets: SetOption = None,
    json: JsonOption = False,
) -> None:
    """Run the whole ladder on the sample company. Offline, without a key."""
    from tailor.cli.common import name_problems, open_workspace, print_json, say, stdout
    from tailor.cli.hints import here
    from tailor.cli.progress import bar
    from tailor.cli.run import climb, exit_code
    from tailor.initialize import initialize
    from tailor.reporting.report import write
    from tailor.rows import rows_for
    from tailor.run import compare

    if not (workspace / "knowledge").is_dir():
        initialize(workspace, "company")
        say(f"Made the workspace {workspace.resolve()} from the sample company.")
    opened = open_workspace(workspace, sets)
    name_problems(opened.benchmark)
    with bar("ingest") as told:
        ingested = opened.ingest(progress=told)
    kept = sum(file.passages for file in ingested.files)
    questions = len(opened.benchmark.questions)
    say(f"{len(ingested.files)} documents, {kept} passages, {questions} questions.")
    runs = climb(opened, rows_for(opened, ["all"]), None)
    comparison = compare(runs)
    if json:
        print_json(comparison.to_json())
    else:
        stdout().print(comparison.table())
        for sentence in filter(None, (comparison.verdict(), comparison.caution())):
            stdout().print(sentence, soft_wrap=True)
    say(f"The report is in {write(opened, runs=runs)}. Open it in a browser.")
    say(f"The workspace is {opened.root}. Next: tailor ui{here(workspace)}")
    raise typer.Exit(exit_code(runs))
