"""What running rows would take and cost, told before anything is asked."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailor.estimate import Estimate
    from tailor.rows import Row
    from tailor.workspace import Workspace


def show_estimate(
    workspace: Workspace,
    rows: list[Row],
    model: str | None,
    repeats: int,
    json: bool,
) -> None:
    """Print what the rows would take; nothing is asked, built or changed."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import print_json, say, stderr, stdout
    from tailor.estimate import estimate
    from tailor.scoring.format import count, seconds, usd
    from tailor.training.forecast import Forecast, tell

    with stderr().status("Working out what this would take…"):
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
        say(sentence)
    say(cost_sentence(found))
    if found.calls and found.seconds is not None:
        guess = "" if all(row.measured for row in found.rows) else " (a guess, for two idle cores)"
        few = len(found.rows) > 2 and workspace.config.task == "answer"
        sooner = " Sooner, from two rows alone: tailor run baseline retrieval." if few else ""
        say(f"That takes about {seconds(found.seconds)}{guess}.{sooner}")
    for row in found.rows:
        if row.training:
            tell(Forecast(**row.training), say)
        if row.training_usd != 0:
            unknown = row.training_usd is None
            told = "a price that is not known" if unknown else f"about {usd(row.training_usd)}"
            say(f"{row.row}: {found.to or 'the service'} would train for {told}.")
    if found.to:
        say(f"The texts would be sent to {found.to}.")
    say("Nothing was asked or changed. Next: the same command without --dry-run.")


def cost_sentence(found: Estimate) -> str:
    """What running would cost, and what that is known by."""
    from tailor.cli.common import several
    from tailor.models.provider import is_local
    from tailor.scoring.format import usd

    calls = f"To be made: {several(found.calls, 'model call')}, "
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
