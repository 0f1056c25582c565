"""``tailor clean``."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import JsonOption, WorkspaceOption

if TYPE_CHECKING:
    from tailor.cleaning import Cleaning


def command(
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Delete without asking.")] = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Show what .tailor keeps without need, and delete it.

    That is old indexes, unused artifacts and logs; it asks first.
    """
    from tailor.cli.common import open_workspace, print_json, say, several

    opened = open_workspace(workspace)
    found = opened.clean(drop=yes and json)
    if json:
        print_json(found.to_json())
        return
    show(found)
    for sentence in found.kept:
        say(sentence)
    if not found.items:
        say("There is nothing to delete.")
    elif yes or (sys.stdin.isatty() and typer.confirm("Delete this?", err=True)):
        dropped = opened.clean(drop=True)
        say(f"Deleted: {several(len(dropped.items), 'item')}, {size(dropped.bytes)}.")
    else:
        say("Nothing was deleted. Next: the same command with --yes")


def show(found: "Cleaning") -> None:
    """Print what would go and what it takes."""
    from rich.table import Table
    from rich.text import Text

    from tailor.cli.common import several, stdout

    if not found.items:
        return
    table = Table("what", "in .tailor", "size")
    for item in found.items:
        table.add_row(item.kind, Text(item.path), size(item.bytes))
    table.add_row("all", several(len(found.items), "item"), size(found.bytes), style="bold")
    stdout().print(table)


def size(count: int) -> str:
    """Bytes as people read them."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} GB"
