"""``tailor run``."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import (
    JsonOption,
    MaxCostOption,
    ModelsOption,
    OnOption,
    SetOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from tailor.rows import Row
    from tailor.run import Run
    from tailor.workspace import Workspace


def command(
    stages: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ROW", help="Stages or rows, or all; without any, the stages are listed."
        ),
    ] = None,
    model: ModelsOption = None,
    sets: SetOption = None,
    carry: Annotated[
        str,
        typer.Option(
            help="What a row builds on unless [builds_on] says: previous, or best by dev."
        ),
    ] = "previous",
    in_order: Annotated[
        bool,
        typer.Option("--in-order", help="These rows alone, in this order, are the whole ladder."),
    ] = False,
    repeats: Annotated[
        int, typer.Option(min=1, help="Ask each question so often, to see how steady answers are.")
    ] = 1,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what it would take and cost, and stop.")
    ] = False,
    max_cost: MaxCostOption = None,
    min_score: Annotated[
        float | None,
        typer.Option(min=0, max=1, help="Exit with 3 when the last row scores less (0 to 1)."),
    ] = None,
    require_gain: Annotated[
        bool, typer.Option(help="Exit with 3 unless the last row beats the one it builds on.")
    ] = False,
    on: OnOption = "",
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Run stages on the benchmark. Only what has no stored answer is asked."""
    from tailor.cli.common import name_broken_plugins, name_problems, open_workspace, say
    from tailor.cli.estimate import show_estimate
    from tailor.errors import UsageError
    from tailor.rows import CARRIES, rows_for

    if carry not in CARRIES:
        raise UsageError(f"--carry is {carry!r}; it must be previous or best.")
    opened = open_workspace(workspace, sets)
    name_broken_plugins()
    if not stages:
        list_stages(opened, json)
        return
    name_problems(opened.benchmark)
    rows = rows_for(opened, stages, carry, in_order)
    models = list(dict.fromkeys(model or [opened.config.model]))
    if len(models) > 1 and (dry_run or max_cost is not None or opened.config.max_cost is not None):
        raise UsageError("--dry-run and a max_cost are of one model: name the models in turn.")
    if dry_run:
        show_estimate(opened, rows, models[0], repeats, json)
        return
    with opened.place.on(on, say):
        runs = climb(opened, rows, models[0], repeats, max_cost)
        # Reference rows ask no language model, so that one climb has them all.
        asking = [replace(r, scored=r.scored and r.stage.starts_from != "root") for r in rows]
        for name in models[1:] if any(row.scored for row in asking) else ():
            runs += climb(opened, asking, name, repeats)
    _show(runs, json)
    if not json:
        say(f"Answers are kept in {opened.state}. Next: tailor compare, or tailor report")
    raise typer.Exit(exit_code(runs, min_score, require_gain))


def _show(runs: "list[Run]", json: bool) -> None:
    from tailor.cli.common import print_json, say, stdout
    from tailor.run import compare
    from tailor.scoring.leaderboard import leaderboard

    comparison = compare(runs)
    board = leaderboard(comparison)
    if json:
        more = {"leaderboard": board.to_json()} if board else {}
        print_json({**comparison.to_json(), **more})
        return
    stdout().print(comparison.table())
    if board:
        stdout().print(board.table())
    for told in filter(None, (comparison.verdict(), comparison.caution())):
        say(told)


def list_stages(workspace: "Workspace", json: bool = False) -> None:
    """Print every stage and every row with its settings, their values here and what they mean."""
    from dataclasses import fields

    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import print_json, stdout
    from tailor.stage import stage_types

    table = Table("stage", "setting", "value", "meaning")
    listed = []
    config = workspace.config
    again = [row for row in (*config.ladder, *config.stages) if ":" in row]
    for name in dict.fromkeys((*stage_types(workspace.own_stages), *again)):
        stage = workspace.stage(name)
        about = (type(stage).__doc__ or "").strip().splitlines()[0]
        table.add_row(name, "", "", Text(about), style="bold")
        settings = []
        for field in fields(stage):
            value, meaning = getattr(stage, field.name), field.metadata.get("meaning", "")
            shown = str(value) if len(str(value)) <= 40 else str(value)[:39] + "…"
            table.add_row("", field.name, Text(shown), Text(meaning))
            settings.append({"name": field.name, "value": value, "meaning": meaning})
        listed.append({"row": name, "meaning": about, "settings": settings})
    if json:
        print_json({"schema_version": 1, "stages": listed})
    else:
        stdout().print(table)


def climb(
    workspace: "Workspace",
    rows: "list[Row]",
    model: str | None,
    repeats: int = 1,
    max_cost: float | None = None,
) -> "list[Run]":
    """Run the rows under progress bars; Ctrl+C says how to go on."""
    from tailor.cli.common import interrupted, paused, say, several
    from tailor.cli.estimate import cost_sentence
    from tailor.cli.progress import fetch, row_bars
    from tailor.errors import BudgetReached
    from tailor.estimate import estimate
    from tailor.ladder import climb as climb_ladder
    from tailor.models.provider import embedder_receiver, receiver
    from tailor.prices import spending
    from tailor.task import noun

    model, asked = model or workspace.config.model, noun(workspace.config.task)
    _ = workspace.chat(model)  # a name no provider has is refused before anything is said of it
    if any(row.scored and row.stage.starts_from != "root" for row in rows):
        fetch(model, workspace)
    spending(model, workspace.config, max_cost)  # so is a limit without a price
    if to := receiver(model, workspace.config):
        say(
            f"Sent to {to}: the instructions, the benchmark's {asked}s, the examples (train "
            f"{asked}s with answers) and the passages found for each {asked}."
        )
        say(cost_sentence(estimate(workspace, rows, model, repeats)))
    if to := embedder_receiver(workspace.config):
        say(f"Sent to {to}, which embeds them: the questions, in rows that search the documents.")
    try:
        with row_bars() as bars:
            return climb_ladder(
                workspace, rows, model, progress=bars, repeats=repeats, max_cost=max_cost
            )
    except BudgetReached as error:
        raise paused(error) from None
    except KeyboardInterrupt:
        calls, answers = workspace.answers.count()
        raise interrupted(
            f"Paused: {several(answers, 'answer')} ({several(calls, 'model call')}) kept. Run the "
            "same command again to go on; only what is missing will be asked."
        ) from None


def exit_code(runs: "list[Run]", min_score: float | None = None, require_gain: bool = False) -> int:
    """4 where questions ended in errors, 3 where a gate was missed, else 0; says why."""
    from tailor.cli.common import ERRORS, GATE_MISSED, say, several
    from tailor.run import all_runs, compare
    from tailor.scoring.comparison import difference

    failed = [
        answer
        for run in runs
        for repeat in range(run.repeats)
        if any(fact.outcome == "error" for fact in run.facts(repeat=repeat).values())
        for answer in run.answers(repeat=repeat).values()
        if answer.outcome == "error"
    ]
    if failed:
        kinds = Counter(answer.error.partition(":")[0] for answer in failed)
        told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
        say(
            f"{several(len(failed), 'answer')} ended in an error ({told}), without a score; the "
            "same command asks again."
        )
        return ERRORS
    last = runs[-1]
    if min_score is not None:
        score = compare([last]).rows[0].primary
        if score is None or score.mean < min_score:
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
