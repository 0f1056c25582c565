"""``tailor run``."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.common import JsonOption, ModelOption, SetOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.ladder import Row
    from tailor.run import Run
    from tailor.workspace import Workspace

GATE_MISSED = 3
ERRORS = 4


def command(
    stages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[STAGE]...", help="Stage names, or all; without any, the stages are listed."
        ),
    ] = None,
    model: ModelOption = None,
    sets: SetOption = None,
    carry: Annotated[
        str, typer.Option(help="Build each row on the one before (previous) or the best by dev.")
    ] = "previous",
    min_score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit with 3 when the last row scores less (0 to 1)."),
    ] = None,
    require_gain: Annotated[
        bool, typer.Option(help="Exit with 3 unless the last row beats the one before.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Run stages on the benchmark; asks only what has no stored answer."""
    from tailor.cli.common import here, name_problems, open_workspace, print_json, say, stdout
    from tailor.errors import UsageError
    from tailor.ladder import rows_for
    from tailor.run import compare

    if carry not in ("previous", "best"):
        raise UsageError(f"--carry is {carry!r}; it must be previous or best.")
    opened = open_workspace(workspace, sets)
    if not stages:
        list_stages(opened)
        return
    name_problems(opened.benchmark)
    runs = climb(opened, rows_for(opened, stages), model, carry)
    comparison = compare(runs)
    if json:
        print_json(comparison.to_json())
    else:
        stdout().print(comparison.table())
        say(comparison.verdict())
        say(f"Answers are kept in {opened.state}. Next: tailor compare{here(workspace)}")
    raise typer.Exit(exit_code(runs, min_score, require_gain))


def list_stages(workspace: "Workspace") -> None:
    """Print every stage with its settings, their values here and what they mean."""
    from dataclasses import fields

    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.stage import stage_types

    table = Table("stage", "setting", "value", "meaning")
    for name in stage_types(workspace.own_stages):
        stage = workspace.stage(name)
        about = (type(stage).__doc__ or "").strip().splitlines()[0]
        table.add_row(name, "", "", Text(about), style="bold")
        for field in fields(stage):
            value = str(getattr(stage, field.name))
            shown = value if len(value) <= 40 else value[:39] + "…"
            table.add_row("", field.name, Text(shown), Text(field.metadata.get("meaning", "")))
    stdout().print(table)


def climb(
    workspace: "Workspace", rows: "list[Row]", model: str | None, carry: str = "previous"
) -> "list[Run]":
    """Run the rows under progress bars; Ctrl+C says how to go on."""
    from tailor.cli.common import row_bars, say
    from tailor.ladder import climb as climb_ladder
    from tailor.models.provider import receiver

    model = model or workspace.config.model
    _ = workspace.chat(model)  # a name no provider has is refused before anything is said of it
    if to := receiver(model, workspace.config):
        say(
            f"Sent to {to}: the instructions, the benchmark's questions, the examples (train "
            "questions with answers) and the passages found for each question."
        )
    try:
        with row_bars() as bars:
            return climb_ladder(workspace, rows, model, carry, bars)
    except KeyboardInterrupt:
        calls, answers = workspace.answers.count()
        say(
            f"Paused: {answers} answers ({calls} model calls) are kept. Run the same command "
            "again to go on; only what is missing will be asked."
        )
        raise typer.Exit(130) from None


def exit_code(runs: "list[Run]", min_score: float | None = None, require_gain: bool = False) -> int:
    """4 where questions ended in errors, 3 where a gate was missed, else 0; says why."""
    from tailor.cli.common import say
    from tailor.run import all_runs, compare
    from tailor.scoring.comparison import difference

    failed = [a for run in runs for a in run.answers().values() if a.outcome == "error"]
    if failed:
        kinds = Counter(answer.error.partition(":")[0] for answer in failed)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        say(
            f"{len(failed)} questions ended in an error ({told}) and are not scored; the same "
            "command asks them again."
        )
        return ERRORS
    last = runs[-1]
    score = compare([last]).rows[0].primary
    if min_score is not None and (score is None or score.mean < min_score):
        told = "has no score" if score is None else f"scores {score.mean:.3f}"
        say(f"Gate missed: {last.row} {told}, below --min-score {min_score}.")
        return GATE_MISSED
    if require_gain:
        before = [r for r in all_runs(last.workspace) if r.fingerprint == last.base]
        if not before:
            say(f"Gate missed: the row that {last.row} builds on has not been run; run it first.")
            return GATE_MISSED
        step = difference(before[-1].scored("test"), last.scored("test"))
        if step is None or step.verdict != "better":
            say(f"Gate missed: {last.row} is not better than {before[-1].row}.")
            return GATE_MISSED
    return 0
