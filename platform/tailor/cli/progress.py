"""Progress bars on standard error."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tailor.cli.common import say, stderr

if TYPE_CHECKING:
    from tailor.running import Progress
    from tailor.workspace import Workspace


@contextmanager
def row_bars() -> Iterator[Progress]:
    """A progress bar for each row of the ladder; lines instead where there is no terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    console = stderr()
    with Progress(
        TextColumn("{task.fields[row]:<18}"),
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
        console=console,
        disable=not console.is_terminal,
    ) as bars:
        tasks: dict[tuple[str, str], Any] = {}
        last: dict[str, str] = {}

        def told(row: str, step: str, done: int, total: int, note: str = "") -> None:
            if step == "left out":
                console.print(f"{row}: left out. {note}", markup=False, soft_wrap=True)
            elif step == "note":
                console.print(f"{row}: {note}", markup=False, soft_wrap=True)
            elif console.is_terminal:
                if (former := last.get(row)) and former != step:
                    bars.remove_task(tasks.pop((row, former)))
                last[row] = step
                if (row, step) not in tasks:
                    tasks[row, step] = bars.add_task(step, total=total or None, row=row, note=note)
                bars.update(tasks[row, step], completed=done, total=total or None, note=note)
            elif step != "prepare" and done == total:
                console.print(f"{row}: {step} {done}/{total} {note}".rstrip(), markup=False)

        yield told


@contextmanager
def bar(of: str) -> Iterator[Callable[[str, int, int], None]]:
    """The progress bar of one piece of work, told ``(what, done, total)``."""
    with row_bars() as bars:
        yield lambda what, done, total: bars(of, what, done, total)


def fetch(model: str, workspace: Workspace) -> None:
    """Download a model of the hub that is not here, under a bar; others are left alone.

    Raises:
        TailorError: it cannot be had.
    """
    from tailor.models.hub import commit, hub_id
    from tailor.models.loading import fetched

    provider, _, path = model.partition(":")
    if provider != "huggingface" or (named := hub_id(path)) is None:
        return
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

    console = stderr()
    columns = (TextColumn("{task.description}"), BarColumn(bar_width=30), DownloadColumn())
    with Progress(*columns, TimeRemainingColumn(), console=console) as bars:
        task = bars.add_task(f"Downloading {named.repository}", total=None, visible=False)
        fetched(
            path,
            workspace.config.trusted_code,
            lambda done, total: bars.update(task, completed=done, total=total, visible=True),
        )
    say(f"Of the hub: {named.repository} at {commit(path)[:12]}.")
