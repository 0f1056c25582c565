"""``tailor benchmark curate``: items cleaned and sifted, and what they are like."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.prediction.curation import Curated

EXAMPLES = 3
"""Items named for each reason; ``--json`` names all."""


def curate(
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="Write the kept items as JSONL; else nothing is written."
        ),
    ] = None,
    shortest: Annotated[int, typer.Option(min=1, help="Words of a text, at least.")] = 3,
    longest: Annotated[int, typer.Option(min=1, help="Words of a text, at most.")] = 600,
    least: Annotated[
        float | None, typer.Option(help="The smallest number that is kept.", show_default=False)
    ] = None,
    most: Annotated[
        float | None, typer.Option(help="The largest number that is kept.", show_default=False)
    ] = None,
    outliers: Annotated[
        float,
        typer.Option(min=0, help="Standard deviations (of logarithms) of an outlier; 0: keep all."),
    ] = 4.0,
    alike: Annotated[
        float, typer.Option(min=0.5, max=1, help="Like texts, of which one is kept; 1: keep all.")
    ] = 0.9,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Clean and sift the items of tasks number and label. Shows lengths, numbers and categories.

    Takes markup, web addresses and prices out of the texts, and leaves out what is too short, too
    long, out of bounds or a duplicate.
    """
    from tailor.cli.common import open_workspace, print_json
    from tailor.errors import TailorError, UsageError
    from tailor.prediction.curation import Rules, lines
    from tailor.prediction.curation import curate as curated

    opened = open_workspace(workspace)
    if opened.config.task == "answer":
        raise UsageError(
            'Only items are curated: set task = "number" or "label" in tailor.toml; for documents '
            "there is `tailor ingest --report`."
        )
    found = curated(opened.benchmark, Rules(shortest, longest, least, most, outliers, alike))
    if output is not None:
        if not found.items:
            raise TailorError("No item is kept: loosen the rules, then write again.")
        _write(output, lines(found))
    if json:
        print_json(found.to_json())
    else:
        _show(found, output)


def _write(path: Path, text: str) -> None:
    from tailor.errors import TailorError

    if path.exists():
        raise TailorError(f"{path} is there already; choose another name with -o.")
    with path.open("x", encoding="utf-8") as file:  # not through a link that leads nowhere yet
        file.write(text)


def _show(found: "Curated", output: Path | None) -> None:
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import say, stdout
    from tailor.scoring import format

    out = stdout()
    out.print(f"{format.count(len(found.items))} items kept, {len(found.left)} left out.")
    for reason, count in found.counts.items():
        named = [one for one in found.left if one.reason == reason][:EXAMPLES]
        told = "; ".join(f"{one.id}: {one.told}" for one in named)
        out.print(f"  {reason}: {count} ({told})", markup=False, soft_wrap=True)
    if found.cleaned:
        told = ", ".join(f"{change} of {n}" for change, n in found.cleaned.items())
        out.print(f"Taken out of texts: {told}.", markup=False)
    if found.telling:
        out.print(
            f"{len(found.telling)} texts hold just their number, maybe a size: "
            f"{', '.join(found.telling[:10])}",
            markup=False,
        )
    for title, bins in (("words", found.lengths), (f"{found.task}s", found.numbers)):
        if bins:
            most = max(one.count for one in bins)
            table = Table(f"{title} from", "to", "items", "")
            for one in bins:
                bar = "█" * max(bool(one.count), round(30 * one.count / most))
                table.add_row(f"{one.low:,.0f}", f"{one.high:,.0f}", format.count(one.count), bar)
            out.print(table)
    if found.categories:
        head = "label" if found.task == "label" else "tag"
        table = Table(head, "items", *(("median",) if found.task == "number" else ()))
        for own in found.categories:
            middle = (format.number(own.median),) if own.median is not None else ()
            table.add_row(Text(own.name), format.count(own.count), *middle)
        out.print(table)
    if output is None:
        say("Nothing was written; -o FILE writes the kept items.")
    else:
        say(f'Kept items are in {output}. Next: [items] path = "…" in tailor.toml names them.')
