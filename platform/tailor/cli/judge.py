"""``tailor judge``: a chat model reads the answers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.cli.options import (
    JsonOption,
    MaxCostOption,
    ModelOption,
    OnOption,
    SetOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.benchmark import Split
    from tailor.run import Run
    from tailor.scoring.judge_bias import Bias
    from tailor.scoring.judge_labels import Agreement
    from tailor.scoring.judging import Session
    from tailor.scoring.sending import Sending
    from tailor.workspace import Workspace


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
    from tailor.cli.common import ERRORS, open_workspace, print_json, say, several
    from tailor.scoring import judge_labels
    from tailor.scoring.sending import sending

    opened = open_workspace(workspace, sets)
    runs = _chosen(opened.runs(), rows)
    if sheet:
        written = several(judge_labels.sheet(runs, split, sheet), "answer")
        say(
            f"{written} in {sheet}. Write 0, 1 or 2 on each scale, or leave it empty; "
            "then: tailor judge --labels FILE"
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
    with opened.place.on(on, say):
        session, biases = _judged(opened, runs, split, repeats, plan.model, bias, max_cost)
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
        say("Next: tailor compare --details")
    if any(row.unscored for row in session.rows):
        raise typer.Exit(ERRORS)


def _judged(
    workspace: "Workspace",
    runs: "list[Run]",
    split: "Split",
    repeats: int,
    model: str,
    bias: int,
    max_cost: float | None,
) -> "tuple[Session, list[Bias]]":
    """The verdicts under a progress bar; Ctrl+C and a limit that is reached say how to go on."""
    from tailor.cli.common import interrupted, paused, several
    from tailor.cli.progress import bar
    from tailor.errors import BudgetReached
    from tailor.prices import spending
    from tailor.scoring import judge_bias, judging
    from tailor.scoring.sending import sending

    paying = spending(model, workspace.config, max_cost)
    try:
        with bar("answers") as told:
            session = judging.judge(workspace, runs, split, repeats, model, told, paying)
            chat = judging.judge_chat(workspace, model, paying)
            return session, (judge_bias.biases(chat, runs, split, bias, told=told) if bias else [])
    except KeyboardInterrupt:
        raise interrupted(
            "Stopped: every verdict is kept; run the same command again to go on."
        ) from None
    except BudgetReached as error:
        missing = several(sending(workspace, runs, split, repeats, model).calls, "verdict")
        raise paused(error.with_left(f"{missing} left.")) from None


def _chosen(runs: "list[Run]", rows: list[str] | None) -> "list[Run]":
    from tailor.cli.common import say
    from tailor.errors import TailorError, UsageError

    if not runs:
        raise TailorError("There is no run to judge yet: tailor run all")
    for row in rows or ():
        if not any(row in (run.row, f"{run.row}@{run.model}") for run in runs):
            there = ", ".join(run.row for run in runs)
            raise UsageError(f"There is no run of row {row!r}; there are {there}.")
    found = []
    for run in runs:
        if rows and not {run.row, f"{run.row}@{run.model}"} & set(rows):
            continue
        if reason := run.stale():
            say(f"{run.row}: left out, as {reason}; run it again: tailor run {run.row}")
        else:
            found.append(run)
    if not found:
        raise TailorError("There is no row to judge: tailor run all")
    return found


def _announce(plan: "Sending", tried: int) -> None:
    """What is sent where, before anything is."""
    from tailor.cli.common import say, several
    from tailor.cli.estimate import priced
    from tailor.scoring.format import count

    where = f"Sent to {plan.to}" if plan.to else f"Judged on this machine by {plan.model}"
    bias = f", and up to {count(tried)} calls to try it for bias" if tried else ""
    say(
        f"{where}: {several(plan.answers, 'answer')}, each with its question, the accepted answers "
        f"and the passages it was given, in {several(plan.calls, 'call')} of "
        f"{count(plan.characters)} characters in all "
        f"({several(plan.stored, 'verdict')} there already){bias}."
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
    from tailor.cli.common import several, stdout
    from tailor.scoring.format import UNKNOWN, count, percent, points, usd
    from tailor.scoring.scored import key, labels

    out = stdout()
    names = labels([row.run for row in session.rows])
    out.print(_table(session))
    for row in session.rows:
        name = names[key(row.run)]
        for failure, times in row.failures.items():
            out.print(f"{name}: {several(times, 'vote')} failed: {failure}", markup=False)
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
