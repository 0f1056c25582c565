"""What the verbs share: options, output streams, progress bars."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tailor.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from tailor.benchmark import Benchmark
    from tailor.ladder import Progress
    from tailor.workspace import Workspace

WorkspaceOption = Annotated[
    Path, typer.Option("--workspace", "-w", help="The workspace's folder.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model", "-m", help="shipped, huggingface:PATH or provider:name.", show_default=False
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set", help="key=value of tailor.toml, or stage.setting=value.", show_default=False
    ),
]


def open_workspace(folder: Path, sets: list[str] | None = None) -> Workspace:
    """The workspace with ``--set`` applied: ``key=value``, or ``stage.setting=value``."""
    from tailor.workspace import Workspace

    top: dict[str, Any] = {}
    stages: dict[str, dict[str, Any]] = {}
    for item in sets or ():
        name, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"--set {item}: write key=value or stage.setting=value.")
        stage, dot, setting = name.partition(".")
        if dot:
            stages.setdefault(stage, {})[setting] = value
        else:
            top[name] = value
    workspace = Workspace(folder, top)
    if stages:
        merged = {name: dict(own) for name, own in workspace.config.stages.items()}
        for name, own in stages.items():
            merged.setdefault(name, {}).update(own)
        for name, own in merged.items():
            workspace.stage(name, own)
        workspace.config = workspace.config.with_values({"stages": merged}, "--set")
    return workspace


def stdout() -> Console:
    """For results; wide enough for the tables where the output is not a terminal."""
    from rich.console import Console

    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=140)


def stderr() -> Console:
    """For progress and remarks."""
    from rich.console import Console

    return Console(stderr=True, highlight=False)


def say(message: str) -> None:
    """A remark on standard error."""
    stderr().print(message, soft_wrap=True, markup=False)


def print_json(value: object) -> None:
    """A result as JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


def here(folder: Path) -> str:
    """The option that names this workspace in a command, quoted for a shell; empty for ``.``."""
    return "" if folder == Path() else f" -w {shlex.quote(str(folder))}"


def name_problems(benchmark: Benchmark) -> None:
    """Say which benchmark lines were left out."""
    for problem in benchmark.problems:
        say(f"left out: {problem}")


@contextmanager
def row_bars() -> Iterator[Progress]:
    """A progress bar for each row of the ladder; lines instead where there is no terminal."""
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    console = stderr()
    with Progress(
        TextColumn("{task.fields[row]:<18}"),
        TextColumn("{task.description:<8}"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
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
def one_bar() -> Iterator[Any]:
    """A progress bar for one kind of work, told ``(what, done, total)``."""
    with row_bars() as bars:
        yield lambda what, done, total: bars("ingest", what, done, total)
