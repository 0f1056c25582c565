"""``tailor adapters``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.training.adapters import Adapter
    from tailor.training.before_after import BeforeAfter


def command(
    name: Annotated[
        str, typer.Argument(help="Tell everything about this one.", show_default=False)
    ] = "",
    measure: Annotated[
        bool, typer.Option("--measure", help="Measure before and after, on dev questions.")
    ] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """List the adapters that were trained here or imported, or tell about one."""
    from tailor.cli.common import open_workspace, print_json, say
    from tailor.cli.progress import bar
    from tailor.training import adapters as registry
    from tailor.training import before_after

    opened = open_workspace(workspace)
    if name or measure:
        one = registry.adapter(opened, name)
        if measure:
            with bar(one.name) as opened.progress:
                before_after.again(opened, one)
        shown: tuple[Adapter, ...] = (one,)
    else:
        shown = registry.adapters(opened)
    if json:
        print_json({"schema_version": 1, "adapters": [to_json(each) for each in shown]})
    elif name or measure:
        _show(shown[0])
        measured = before_after.read(shown[0])
        words = "export merged {}" if measured else "adapters {} --measure"
        say(f"Next: tailor {words.format(shown[0].name)}")
    elif shown:
        _list(shown)
        say(f"Next: tailor export merged {shown[0].name}")
    else:
        say("No adapter was trained here yet. Next: tailor run fine_tuning")


def to_json(adapter: "Adapter") -> dict[str, object]:
    """An adapter with what was measured of it; null where nothing was."""
    from tailor.training import before_after, gate

    measured, gated = before_after.read(adapter), gate.read(adapter)
    return {
        **adapter.to_json(),
        "before_after": measured and measured.to_json(),
        "gate": gated and gated.to_json(),
    }


def _list(shown: "tuple[Adapter, ...]") -> None:
    from rich.table import Column, Table
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.scoring import format
    from tailor.training import before_after, gate

    table = Table(Column("adapter", no_wrap=True), "made", "base", "lessons", "perplexity",
                  "merged on dev", "licence")  # fmt: skip
    for each in shown:
        measured, gated = before_after.read(each), gate.read(each)
        merged = gated and gated.of("merged")
        table.add_row(
            Text(each.name),
            each.created[:16].replace("T", " "),
            Text(Path(each.base).name),
            format.count(each.lessons),
            _perplexity(measured) if measured else format.UNKNOWN,
            format.percent(merged.score.mean if merged and merged.score else None),
            Text(each.licence),
        )
    stdout().print(table)


def _show(adapter: "Adapter") -> None:
    from rich.text import Text

    from tailor.cli.common import stdout
    from tailor.cli.export_adapter import show_gate
    from tailor.training import before_after, gate

    out = stdout()
    settings = ", ".join(f"{key} {value}" for key, value in adapter.settings.items())
    for line in (
        f"{adapter.name}, made {adapter.created}",
        f"base: {adapter.base} ({adapter.base_digest}), licence: {adapter.licence}",
        f"lessons: {adapter.lessons} ({adapter.data_digest}), method: {adapter.method}",
        f"settings: {settings}",
        f"folder: {adapter.folder}",
    ):
        out.print(Text(line), soft_wrap=True)
    measured, gated = before_after.read(adapter), gate.read(adapter)
    if measured:
        show_before_after(measured)
    if gated:
        show_gate(gated)


def show_before_after(measured: "BeforeAfter") -> None:
    """Print the perplexities, and the answers side by side."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import stdout

    stdout().print(f"Perplexity of the reference answers: {_perplexity(measured)}")
    table = Table("dev question", "reference", "before", "after")
    for one in measured.samples:
        texts = (one.question, one.reference, one.before, one.after)
        table.add_row(*(Text(text) for text in texts))
    stdout().print(table)


def _perplexity(measured: "BeforeAfter") -> str:
    from tailor.scoring import format

    sides = (measured.before, measured.after)
    return " → ".join(format.number(side.mean if side else None) for side in sides)
