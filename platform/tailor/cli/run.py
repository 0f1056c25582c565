"""``tailor run``."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.common import (
    JsonOption,
    MaxCostOption,
    ModelsOption,
    OnOption,
    SetOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from tailor.estimate import Estimate
    from tailor.rows import Row
    from tailor.run import Run
    from tailor.workspace import Workspace

GATE_MISSED = 3
ERRORS = 4


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
    from tailor.cli.common import (
        here,
        name_broken_plugins,
        name_problems,
        open_workspace,
        print_json,
        say,
        stdout,
    )
    from tailor.errors import UsageError
    from tailor.rows import CARRIES, rows_for
    from tailor.run import compare
    from tailor.scoring.leaderboard import leaderboard

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
    comparison = compare(runs)
    board = leaderboard(comparison)
    if json:
        more = {"leaderboard": board.to_json()} if board else {}
        print_json({**comparison.to_json(), **more})
    else:
        stdout().print(comparison.table())
        if board:
            stdout().print(board.table())
        say(comparison.verdict())
        where = here(workspace)
        say(
            f"Answers are kept in {opened.state}. Next: tailor compare{where}, or tailor "
            f"report{where}"
        )
    raise typer.Exit(exit_code(runs, min_score, require_gain))


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
    from tailor.cli.common import fetch, paused, row_bars, say
    from tailor.errors import BudgetReached
    from tailor.estimate import estimate
    from tailor.ladder import climb as climb_ladder
    from tailor.models.provider import embedder_receiver, receiver
    from tailor.prices import spending

    model = model or workspace.config.model
    _ = workspace.chat(model)  # a name no provider has is refused before anything is said of it
    if any(row.scored and row.stage.starts_from != "root" for row in rows):
        fetch(model, workspace)
    spending(model, workspace.config, max_cost)  # so is a limit without a price
    if to := receiver(model, workspace.config):
        say(
            f"Sent to {to}: the instructions, the benchmark's questions, the examples (train "
            "questions with answers) and the passages found for each question."
        )
        say(_sentence(estimate(workspace, rows, model, repeats)))
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
        say(
            f"Paused: {answers} answers ({calls} model calls) are kept. Run the same command "
            "again to go on; only what is missing will be asked."
        )
        raise typer.Exit(130) from None


def show_estimate(
    workspace: "Workspace",
    rows: "list[Row]",
    model: str | None,
    repeats: int,
    json: bool,
) -> None:
    """Print what the rows would take; nothing is asked, built or changed."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import print_json, say, stdout
    from tailor.estimate import estimate
    from tailor.scoring.format import count, seconds, usd
    from tailor.training.forecast import Forecast, tell

    found = estimate(workspace, rows, model, repeats)
    if json:
        print_json(found.to_json())
        return
    heads = ("Answers", "There", "Calls", "Tokens in", "Tokens out", "Cost", "At most", "Time")
    table = Table("Row", *heads, "Known by")
    for row in found.rows:
        numbers = (row.questions, row.answered, row.calls, row.input_tokens, row.output_tokens)
        cells = [*map(count, numbers), usd(row.cost_usd), usd(row.most_usd), seconds(row.seconds)]
        table.add_row(*map(Text, (row.row, *cells, row.basis)))
    stdout().print(table)
    for sentence in found.left_out:
        say(f"left out: {sentence}")
    say(_sentence(found))
    if found.calls and found.seconds is not None:
        guess = "" if all(row.measured for row in found.rows) else " (a guess, for two idle cores)"
        few = len(found.rows) > 2 and workspace.config.task == "answer"
        sooner = " Sooner, from two rows alone: tailor run baseline retrieval." if few else ""
        say(f"That takes about {seconds(found.seconds)}{guess}.{sooner}")
    for row in found.rows:
        if row.training:
            tell(Forecast(**row.training), say)
        if row.training_usd != 0:
            told = (
                "a price that is not known"
                if row.training_usd is None
                else (f"about {usd(row.training_usd)}")
            )
            say(f"{row.row}: {found.to or 'the service'} would train for {told}.")
    if found.to:
        say(f"The texts would be sent to {found.to}.")
    say("Nothing was asked or changed. Next: the same command without --dry-run.")


def _sentence(found: "Estimate") -> str:
    """What running would cost, and what that is known by."""
    from tailor.models.provider import is_local
    from tailor.scoring.format import count, usd

    calls = f"To be made: {count(found.calls)} model calls, "
    if found.price_source is None:
        return calls + priced(found.model, None)
    if found.cost_usd is None:
        if not is_local(found.model):
            return f"{calls}whose cost is not known: a price of training or its model is missing."
        return f"{calls}whose cost is that of their time, which was not measured yet."
    if not found.cost_usd and not found.price_source:
        return f"{calls}which cost nothing by the token."
    source = f" The price is that of {found.price_source}." if found.price_source else ""
    measured = all(row.measured for row in found.rows)
    guess = "" if measured else " No call of this model is stored yet, so that is a guess."
    most = f" ({usd(found.most_usd)} if all replies are as long as they may be)"
    return calls + priced(found.model, found.cost_usd, most) + source + guess


def priced(model: str, cost: float | None, most: str = "") -> str:
    """The end of a sentence that says what calls of a model cost."""
    from tailor.scoring.format import usd

    if cost is None:
        return (
            f'at a price that is not known: [prices."{model}"] in tailor.toml says it, with input '
            "and output in US dollars per million tokens."
        )
    return f"about {usd(cost)}{most}."


def exit_code(runs: "list[Run]", min_score: float | None = None, require_gain: bool = False) -> int:
    """4 where questions ended in errors, 3 where a gate was missed, else 0; says why."""
    from tailor.cli.common import say
    from tailor.run import all_runs, compare
    from tailor.scoring.comparison import difference

    failed = [
        answer
        for run in runs
        for repeat in range(run.repeats)
        for answer in run.answers(repeat=repeat).values()
        if answer.outcome == "error"
    ]
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
