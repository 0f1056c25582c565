"""What the verbs share: options, output streams, progress bars."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from tailor.errors import BudgetReached, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from tailor.benchmark import Benchmark
    from tailor.running import Progress
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
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="MODEL",
        help="shipped, huggingface:PATH or provider:name; several climb the same ladder in turn.",
        show_default=False,
    ),
]
MaxCostOption = Annotated[
    float | None,
    typer.Option(
        "--max-cost",
        min=0,
        help="US dollars that new model calls may cost; pauses before it would pass them.",
        show_default=False,
    ),
]
OnOption = Annotated[
    str,
    typer.Option(
        "--on",
        metavar="CLUSTER",
        help="Do the work on Ray: ray (this machine's cores), HOST:PORT or ray://HOST:PORT.",
        show_default=False,
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="key=value of tailor.toml, or stage.setting=value; builds_on.row=base.",
        show_default=False,
    ),
]

Lang = Literal["en", "vi"]
LangOption = Annotated[Lang, typer.Option(help="Language of what is told.")]
SplitOption = Annotated[
    Literal["dev", "test"], typer.Option(help="Whose questions and scores are told.")
]


def open_workspace(folder: Path, sets: list[str] | None = None) -> Workspace:
    """The workspace with ``--set`` applied: ``key=value``, or ``stage.setting=value``.

    A row may stand for the stage; ``builds_on.ROW=BASE`` says what a row builds on.
    """
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
    if bases := stages.pop("builds_on", None):
        merged_bases = {**workspace.config.builds_on, **bases}
        workspace.config = workspace.config.with_values({"builds_on": merged_bases}, "--set")
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
    from tailor.cli.terminal import Terminal

    console = Terminal()
    return console if console.is_terminal else Terminal(width=140)


def stderr() -> Console:
    """For progress and remarks."""
    from tailor.cli.terminal import Terminal

    return Terminal(stderr=True)


def say(message: str) -> None:
    """A remark on standard error."""
    stderr().print(message, soft_wrap=True, markup=False)


def paused(error: BudgetReached) -> typer.Exit:
    """Say that the limit was reached and how to go on; what ends the command."""
    say(f"{error} For instance: {_with_limit(max(2 * error.limit, error.spent + 10 * error.most))}")
    return typer.Exit(error.exit_code)


def _with_limit(usd: float) -> str:
    """This very command, with another ``--max-cost``."""
    words: list[str] = []
    given = iter(sys.argv[1:])
    for word in given:
        if word == "--max-cost":
            next(given, None)
        elif not word.startswith("--max-cost="):
            words.append(word)
    return shlex.join(["tailor", *words, "--max-cost", f"{float(f'{usd:.2g}'):.10g}"])


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


def name_unreadable(workspace: Workspace) -> None:
    """Say which runs are left out because their record cannot be read."""
    from tailor.run import unreadable_runs

    if names := unreadable_runs(workspace):
        say(
            f"left out: {', '.join(names)}: record.json in .tailor/runs cannot be read, or is of a "
            "newer version of Tailor; run the row again (its answers are kept), or delete the "
            "folder."
        )


def name_broken_plugins() -> None:
    """Say which stages of installed packages cannot be used."""
    from tailor.stage import broken_plugins

    for reason in broken_plugins().values():
        say(f"left out: {reason}")


def use_one_core() -> None:
    """Let NumPy, which is not loaded yet, use one core.

    The products of a comparison are so small that more cores take longer, and wait busily.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


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
def one_bar() -> Iterator[Any]:
    """A progress bar for one kind of work, told ``(what, done, total)``."""
    with row_bars() as bars:
        yield lambda what, done, total: bars("ingest", what, done, total)


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
