"""``tailor compare``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.common import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.workspace import Workspace


def command(
    base: Annotated[str | None, typer.Argument(help="Row to compare with, or ROW@MODEL.")] = None,
    candidate: Annotated[str | None, typer.Argument(help="Row that should be better.")] = None,
    metrics: Annotated[
        str, typer.Option(help="Measure these too, with commas: similarity,perplexity.")
    ] = "",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Compare all rows of the ladder, or two of them question by question."""
    from tailor.cli.common import here, name_problems, open_workspace, print_json, say, stdout
    from tailor.errors import TailorError, UsageError
    from tailor.run import compare

    opened = open_workspace(workspace)
    name_problems(opened.benchmark)
    runs = opened.runs()
    if not runs:
        raise TailorError(f"There is no run to compare yet: tailor run all{here(workspace)}")
    if metrics:
        _measure(runs, metrics)
    if base and not candidate:
        raise UsageError("Name two rows, BASE and CANDIDATE, or none.")
    if base and candidate:
        _one_against_the_other(opened, _of_row(runs, base), _of_row(runs, candidate), json)
        return
    comparison = compare(runs)
    for run in runs:
        if reason := run.stale():
            say(f"{run.row}: {reason}; run it again: tailor run {run.stage}{here(workspace)}")
    if json:
        print_json(comparison.to_json())
        return
    stdout().print(comparison.table())
    say(comparison.verdict())


def _measure(runs: "list[Run]", metrics: str) -> None:
    """Measure what needs a model; it is kept, and shown from then on."""
    from tailor.cli.common import row_bars
    from tailor.scoring.extra import measure

    names = [name.strip() for name in metrics.split(",") if name.strip()]
    with row_bars() as bars:
        measure(runs, names, told=lambda what, done, total: bars("compare", what, done, total))


def _of_row(runs: "list[Run]", row: str) -> "Run":
    from tailor.errors import UsageError

    for run in runs:
        if row in (run.row, f"{run.row}@{run.model}"):
            return run
    raise UsageError(f"There is no run of row {row!r}; there are {', '.join(r.row for r in runs)}.")


def _one_against_the_other(
    workspace: "Workspace", base: "Run", candidate: "Run", json: bool
) -> None:
    from dataclasses import replace

    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import print_json, stdout
    from tailor.scoring import comparison
    from tailor.scoring.format import points

    one = replace(base.scored("test"), previous=None, base=None)
    # Whatever the candidate was built on, here it stands against the base.
    other = replace(candidate.scored("test"), previous=base.row, base=None)
    both = comparison.compare(
        [one, other], [base.scored("dev"), candidate.scored("dev")], benchmark=workspace.benchmark
    )
    questions = comparison.pair(one, other)
    if json:
        print_json({**both.to_json(), "questions": [item.to_json() for item in questions]})
        return
    stdout().print(both.table())
    table = Table("question", "expected", base.row, candidate.row, "difference", show_lines=True)
    for item in questions:
        if item.delta:
            cells = (
                item.question.question,
                item.question.answers[0] if item.question.answers else "—",
                item.base.text if item.base else "—",
                item.candidate.text if item.candidate else "—",
                points(item.delta, "en"),
            )
            table.add_row(*map(Text, cells))
    stdout().print(table)
