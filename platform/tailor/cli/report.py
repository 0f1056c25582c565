"""``tailor report``."""

from pathlib import Path
from typing import Annotated

import typer

from tailor.cli.options import JsonOption, LangOption, SplitOption, WorkspaceOption


def command(
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write.",
                     show_default=".tailor/reports/report.html"),
    ] = None,
    lang: LangOption = "en",
    split: SplitOption = "test",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:  # fmt: skip
    """Write what was measured into one HTML file that opens offline."""
    from tailor.cli.common import (
        name_problems,
        name_unreadable,
        open_workspace,
        print_json,
        say,
        stdout,
        use_one_core,
    )
    from tailor.reporting.report import write

    use_one_core()
    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    name_unreadable(opened)
    path = write(opened, output, lang=lang, split=split).resolve()
    if json:
        print_json({"schema_version": 1, "report": str(path)})
    else:
        stdout().print(str(path), soft_wrap=True, markup=False)
        say(f"The report is in {path}. Open it in a browser. Next: tailor compare")
