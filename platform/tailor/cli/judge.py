"""``tailor judge``: a chat model reads the answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.cli.common import (
    JsonOption,
    MaxCostOption,
    ModelOption,
    OnOption,
    SetOption,
    WorkspaceOption,
)
from tailor.cli.run import ERRORS

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.run import Run
    from tailor.scoring.judge_bias import Bias
    from tailor.scoring.judge_labels import Agreement
    from tailor.scoring.judging import Session
    from tailor.scoring.sending import Sending


def command(
    rows: Annotated[
        list[str] | None,
        typer.Argument(metavar="ROW", help="Rows, or ROW@MODEL; without any, all of them."),
    ] = None,
    split: Annotated[Literal["dev", "test"], typer.Option(help="Which questions.")] = "test",
    model: ModelOption = None,
    repeats: Annotated[int, typer.Option(min=1, help="Votes on each answer.")] = 1,
    bias: Annotated[
        int, typer.Option(min=0, help="Try so many answers for position and length bias.")
    ] = 0,
    labels: Annotated[
        Path | None, typer.Option(help="A filled-in sheet, to compare people and judge.")
    ] = None,
    sheet: Annotated[
        Path | None, typer.Option(help="Write answers for people to judge, and stop.")
    ] = None,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what would be sent and what it would cost, and stop."),
    ] = False,
    max_cost: MaxCostOption = None,
    on: OnOption = "",
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Let a chat model judge the answers. Correctness, completeness, relevance, faithfulness.

    Its scores appear in `tailor compare --details` beside the other metrics. Every verdict is kept
    and paid for once; an answer without one is unscored.
    """
    from tailor.cli.common import here, open_workspace, paused, print_json, row_bars, say
    from tailor.errors import BudgetReached
    from tailor.prices import spending
    from tailor.scoring import judge_bias, judge_labels, judging
    from tailor.scoring.sending import sending

    opened = open_workspace(workspace, sets)
    runs = _chosen(opened.runs(), rows, here(workspace))
    if sheet:
        written = judge_labels.sheet(runs, split, sheet)
        say(
            f"{written} answers in {sheet}. Write 0, 1 or 2 on each scale, or leave it empty; "
            f"then: tailor judge --labels FILE{here(workspace)}"
        )
        return
    given = judge_labels.read(labels) if labels else {}
    plan = sending(opened, runs, split, repeats, model)
    if dry_run and json:
        print_json({"schema_version": 1, **plan.to_json()})
        return
    _announce(plan, 2 * min(bias, plan.answers))
    if dry_run:
        return
    paying = spending(plan.model, opened.config, max_cost)
    try:
        with opened.place.on(on, say), row_bars() as bars:

            def told(what: str, done: int, total: int) -> None:
                bars("answers", what, done, total)

            session = judging.judge(opened, runs, split, repeats, model, told, paying)
            chat = judging.judge_chat(opened, plan.model, paying)
            biases = judge_bias.biases(chat, runs, split, bias, told=told) if bias else []
    except KeyboardInterrupt:
        say("Stopped: every verdict is kept; run the same command again to go on.")
        raise typer.Exit(130) from None
    except BudgetReached as error:
        missing = sending(opened, runs, split, repeats, model).calls
        raise paused(error.with_left(f"{missing} verdicts are left.")) from None
    agreement = judge_labels.agreement(given, session.votes)
    if json:
        extra: dict[str, Any] = {
            "bias": [one.to_json() for one in biases],
            "agreement": [one.to_json() for one in agreement],
        }
        print_json({**session.to_json(), **extra})
    else:
        _show(session, biases, agreement)
        if labels and not agreement:
            say(f"{labels} has no label for these answers.")
        say(f"Next: tailor compare --details{here(workspace)}")
    if any(row.unscored for row in session.rows):
        raise typer.Exit(ERRORS)


def _chosen(runs: "list[Run]", rows: list[str] | None, here: str) -> "list[Run]":
    from tailor.cli.common import say
    from tailor.errors import TailorError, UsageError

    if not runs:
        raise TailorError(f"There is no run to judge yet: tailor run all{here}")
    for row in rows or ():
        if not any(row in (run.row, f"{run.row}@{run.model}") for run in runs):
            there = ", ".join(run.row for run in runs)
            raise UsageError(f"There is no run of row {row!r}; there are {there}.")
    found = []
    for run in runs:
        if rows and not {run.row, f"{run.row}@{run.model}"} & set(rows):
            continue
        if reason := run.stale():
            say(f"{run.row}: left out, as {reason}; run it again: tailor run {run.row}{here}")
        else:
            found.append(run)
    if not found:
        raise TailorError(f"There is no row to judge: tailor run all{here}")
    return found


def _announce(plan: "Sending", tried: int) -> None:
    """What is sent where, before anything is."""
    from tailor.cli.common import say
    from tailor.cli.run import priced
    from tailor.scoring.format import count

    where = f"Sent to {plan.to}" if plan.to else f"Judged on this machine by {plan.model}"
    bias = f", and up to {count(tried)} calls to try it for bias" if tried else ""
    say(
        f"{where}: {count(plan.answers)} answers, each with its question, the accepted answers and "
        f"the passages it was given, in {count(plan.calls)} calls of {count(plan.characters)} "
        f"characters in all ({count(plan.stored)} verdicts are there already){bias}."
    )
    if plan.calls or tried:
        say(
            f"That is about {count(plan.input_tokens + plan.output_tokens)} tokens, "
            + priced(plan.model, plan.cost_usd)
        )
    if plan.same_model:
        say(
            f"The judge is the model that answered {', '.join(plan.same_model)}: models favour "
            "their own answers, so take another one to be sure."
        )


def _table(session: "Session") -> "Table":
    """The mean of each scale by row, and how many answers have no verdict."""
    from rich.table import Table
    from rich.text import Text

    from tailor.scoring.format import UNKNOWN, count, percent
    from tailor.scoring.judge_prompts import SCALES
    from tailor.scoring.scored import key, labels

    names = labels([row.run for row in session.rows])
    table = Table("Row", *(scale.capitalize() for scale in SCALES), "Judged", "Unscored")
    for row in session.rows:
        means = (row.means[f"judge_{scale}"] for scale in SCALES)
        cells = [
            f"{percent(i.mean)} ({percent(i.low)} to {percent(i.high)})" if i else UNKNOWN
            for i in means
        ]
        table.add_row(
            *map(Text, (names[key(row.run)], *cells, count(row.asked), count(row.unscored)))
        )
    return table


def _show(session: "Session", biases: "list[Bias]", agreement: "list[Agreement]") -> None:
    from tailor.cli.common import stdout
    from tailor.scoring.format import UNKNOWN, count, percent, points, usd
    from tailor.scoring.scored import key, labels

    out = stdout()
    names = labels([row.run for row in session.rows])
    out.print(_table(session))
    for row in session.rows:
        name = names[key(row.run)]
        for failure, times in row.failures.items():
            votes = "1 vote" if times == 1 else f"{count(times)} votes"
            out.print(f"{name}: {votes} failed: {failure}", markup=False)
        if row.steady:
            spread = row.steady["variance_correctness"]
            told = f"; variance of correctness {spread:.3f}" if spread is not None else ""
            changed = percent(row.steady["changed"])
            out.print(f"{name}: votes differ on {changed} of the answers{told}.")
    for bias in biases:
        if d := bias.difference:
            said = "Bias" if bias.found else "No bias seen"
            out.print(
                f"{said} by {bias.kind}: correctness {points(d.delta)} points ({points(d.low)} to "
                f"{points(d.high)}) on {d.n} answers; {percent(bias.changed)} changed."
            )
    for one in agreement:
        kappa = UNKNOWN if one.kappa is None else f"{one.kappa:.2f}"
        weighted = UNKNOWN if one.weighted is None else f"{one.weighted:.2f}"
        out.print(
            f"People and judge on {one.scale}: the same on {percent(one.same)} of {one.n}; "
            f"kappa {kappa}, weighted {weighted}."
        )
    tokens = count(session.input_tokens + session.output_tokens)
    paid = "at a price not known" if session.cost_usd is None else usd(session.cost_usd)
    out.print(f"The verdicts took {tokens} tokens, {paid}.")
