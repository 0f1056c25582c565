"""What the commands share: the workspace they open, where they write, how they end."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from tailor.cli.hints import with_limit, with_workspace
from tailor.errors import BudgetReached, UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from tailor.benchmark import Benchmark
    from tailor.workspace import Workspace

GATE_MISSED, ERRORS, INTERRUPTED = 3, 4, 130
"""Exit codes: a gate was missed; questions ended in errors; stopped, to be gone on with."""


def group(about: str) -> typer.Typer:
    """A command that has others below it."""
    return typer.Typer(help=about, no_args_is_help=True, rich_markup_mode=None)


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
    """A remark on standard error; commands in it work as they stand."""
    stderr().print(with_workspace(message), soft_wrap=True, markup=False)


def interrupted(message: str) -> typer.Exit:
    """Say how to go on after Ctrl+C; what ends the command."""
    say(message)
    return typer.Exit(INTERRUPTED)


def paused(error: BudgetReached) -> typer.Exit:
    """Say that the limit was reached and how to go on; what ends the command."""
    say(f"{error} For instance: {with_limit(max(2 * error.limit, error.spent + 10 * error.most))}")
    return typer.Exit(error.exit_code)


def several(n: int, noun: str) -> str:
    """So many things: ``1 draft``, ``1,200 drafts``."""
    from tailor.scoring.format import count

    return f"{count(n)} {noun}{'' if n == 1 else 's'}"


def print_json(value: object) -> None:
    """A result as JSON on standard output."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n")


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
