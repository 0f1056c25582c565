"""``tailor export openai-jsonl | preferences-jsonl | check``: files to train on elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tailor.cli.options import (
    JsonOption,
    ModelOption,
    SetOption,
    StrictOption,
    TrainingRowOption,
    WorkspaceOption,
)

if TYPE_CHECKING:
    from tailor.training.jsonl import Kind
    from tailor.training.jsonl_problems import Problem
    from tailor.training.pairs import Pair, PreferencePair
    from tailor.workspace import Workspace

FolderOption = Annotated[
    Path,
    typer.Option("--output", "-o", help="Folder that gets train.jsonl and validation.jsonl."),
]
MostOption = Annotated[
    int, typer.Option("--max-tokens", min=0, help="That a lesson may have, about; 0: any number.")
]
SHOWN = 20
"""Problems that are listed of a file; ``--json`` lists all."""


def openai_jsonl(
    output: FolderOption = Path("lessons"),
    row: TrainingRowOption = "fine_tuning",
    most: MostOption = 0,
    model: ModelOption = None,
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write the lessons of a fine-tuning as OpenAI's chat JSONL, and check it. Sends nothing."""
    from tailor.cli.common import open_workspace
    from tailor.training.row_lessons import row_lessons

    opened = open_workspace(workspace, sets)
    found = row_lessons(opened, row, model, fewest=0)
    _write(opened, output, "chat", found.train, found.validation, most, json)


def preferences_jsonl(
    output: FolderOption = Path("preferences"),
    row: TrainingRowOption = "fine_tuning",
    most: MostOption = 0,
    model: ModelOption = None,
    sets: SetOption = None,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Write people's preferences as OpenAI's JSONL for DPO, and check it. Sends nothing."""
    from tailor.cli.common import open_workspace
    from tailor.training.row_lessons import row_preferences

    opened = open_workspace(workspace, sets)
    found = row_preferences(opened, row, model, fewest=0)
    _write(opened, output, "preference", found.train, found.validation, most, json)


def check(
    files: Annotated[list[Path], typer.Argument(help="JSONL files, of whatever origin.")],
    preferences: Annotated[
        bool, typer.Option("--preferences", help="They hold preferences (for DPO), not lessons.")
    ] = False,
    most: MostOption = 0,
    strict: StrictOption = False,
    workspace: WorkspaceOption = Path(),
    json: JsonOption = False,
) -> None:
    """Name everything that is wrong with files to train on, by line. Exits with 1 on errors.

    Where the workspace has a benchmark, its dev and test questions must not be in them.
    """
    from tailor.cli.common import open_workspace, print_json, say, several

    opened = open_workspace(workspace)
    kind: Kind = "preference" if preferences else "chat"
    found = {path: _problems(opened, path, kind, most) for path in files}
    every = [problem for own in found.values() for problem in own]
    errors = sum(problem.level == "error" for problem in every)
    if json:
        told = [
            {"path": str(p), "problems": [x.to_json() for x in own]} for p, own in found.items()
        ]
        print_json({"schema_version": 1, "files": told, "errors": errors,
                    "warnings": len(every) - errors})  # fmt: skip
    else:
        for path, own in found.items():
            _show(path, own)
        read = several(len(files), "file")
        say(f"{read}; errors: {errors}, warnings: {len(every) - errors}.")
    raise typer.Exit(1 if errors or (strict and every) else 0)


def _write(
    workspace: "Workspace",
    folder: Path,
    kind: "Kind",
    train: "Sequence[Pair | PreferencePair]",
    validation: "Sequence[Pair | PreferencePair]",
    most: int,
    json: bool,
) -> None:
    from tailor.cli.common import print_json, say, stdout
    from tailor.errors import NotApplicable
    from tailor.training.jsonl import write

    if not train:
        asked, option = ("lessons", "") if kind == "chat" else ("preferences", " --preferences")
        raise NotApplicable(f"There are no {asked} to write: `tailor lessons{option}` says why.")
    sides = {"train": train, "validation": validation}
    paths = {name: folder / f"{name}.jsonl" for name in sides}
    problems: list[tuple[Path, Problem]] = []
    for name, pairs in sides.items():
        write(paths[name], pairs)
        found = _problems(workspace, paths[name], kind, most, name == "validation")
        problems += [(paths[name], problem) for problem in found]
    errors = sum(problem.level == "error" for _, problem in problems)
    if json:
        print_json({
            "schema_version": 1,
            "files": [{"path": str(paths[name]), "lessons": len(sides[name])} for name in sides],
            "errors": errors,
            "warnings": len(problems) - errors,
            "problems": [{"path": str(path), **p.to_json()} for path, p in problems],
        })  # fmt: skip
    else:
        for name, pairs in sides.items():
            stdout().print(f"{len(pairs)} in {paths[name]}", markup=False, soft_wrap=True)
        for name in sides:
            _show(paths[name], [problem for path, problem in problems if path == paths[name]])
        say(f"Checked; errors: {errors}, warnings: {len(problems) - errors}.")
    raise typer.Exit(1 if errors else 0)


def _problems(
    workspace: "Workspace", path: Path, kind: "Kind", most: int, validation: bool = False
) -> "tuple[Problem, ...]":
    from tailor.training.jsonl import FEWEST, check

    fewest = 0 if validation else FEWEST
    benchmark = workspace.knowledge / "benchmark.jsonl"
    if not benchmark.exists() or not benchmark.read_bytes().strip():
        return check(path, kind, None, most, None, fewest)
    guard = workspace.guard("dev", "test")
    known = (*workspace.benchmark.split("train"), *workspace.training)
    return check(path, kind, None, most, guard, fewest, known)


def _show(path: Path, problems: "Sequence[Problem]") -> None:
    from tailor.cli.common import say, stdout
    from tailor.text import visible

    for problem in problems[:SHOWN]:
        stdout().print(visible(problem.told(path)), markup=False, soft_wrap=True)
    if len(problems) > SHOWN:
        say(f"{len(problems) - SHOWN} more in {path}: --json lists all.")
