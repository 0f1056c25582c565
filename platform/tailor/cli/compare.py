"""``tailor compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.common import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.run import Run


def command(
    base: Annotated[str | None, typer.Argument(help="Row to compare with.")] = None,
    candidate: Annotated[str | None, typer.Argument(help="Row that should be better.")] = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare all rows of the ladder, or two of them question by question."""
    from tailor.cli.common import name_problems, open_workspace, print_json, say, stdout
    from tailor.errors import TailorError, UsageError
    from tailor.run import compare

    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    runs = opened.runs()
    if not runs:
        raise TailorError(f"There is no run to compare yet: tailor run all -w {workspace}")
    if base and not candidate:
        raise UsageError("Name two rows, BASE and CANDIDATE, or none.")
    if base and candidate:
        runs = [_of_row(runs, base), _of_row(runs, candidate)]
    comparison = compare(runs)
    for run in runs:
        if reason := run.stale():
            say(f"{run.row}: {reason}; run it again: tailor run {run.stage} -w {workspace}")
    if json:
        print_json(comparison.to_json())
        return
    stdout().print(comparison.table())
    say(comparison.verdict())
    if base and candidate:
        _side_by_side(runs[0], runs[1])


def _of_row(runs: "list[Run]", row: str) -> "Run":
    from tailor.errors import UsageError

    for run in runs:
        if run.row == row:
            return run
    raise UsageError(f"There is no run of row {row!r}; there are {', '.join(r.row for r in runs)}.")


def _side_by_side(base: "Run", candidate: "Run") -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.scoring.comparison import pair
    from tailor.scoring.format import points

    table = Table("question", "expected", base.row, candidate.row, "difference", show_lines=True)
    for item in pair(base.scored("test"), candidate.scored("test")):
        if item.delta:
            table.add_row(
                *(
                    Text(cell)
                    for cell in (
                        item.question.question,
                        item.question.answers[0] if item.question.answers else "—",
                        item.base.text if item.base else "—",
                        item.candidate.text if item.candidate else "—",
                        points(item.delta, "en"),
                    )
                )
            )
    stdout().print(table)
