"""The ladder in ``tailor.toml``, changed row by row; the file only ever holds one that can run."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tailor.config_file import change
from tailor.errors import UsageError
from tailor.rows import CARRIES, rows_for

if TYPE_CHECKING:
    from tailor.workspace import Workspace


def add(workspace: Workspace, stage: str) -> str:
    """Put a stage at the end, and return the id of its row.

    Raises:
        UsageError: there is no such stage.
        TailorError: tailor.toml cannot be written.
    """
    ladder = workspace.config.ladder
    id = _free(ladder, stage)
    _write(workspace, [*ladder, id])
    return id


def duplicate(workspace: Workspace, row: str) -> str:
    """Put the row's stage behind it once more, with its settings and its base; returns the id.

    Raises:
        UsageError: the ladder has no such row.
        TailorError: tailor.toml cannot be written.
    """
    config, at = workspace.config, _place(workspace, row)
    id = _free(config.ladder, row.partition(":")[0])
    own = config.stages.get(row) if ":" in row else None
    ladder = [*config.ladder[: at + 1], id, *config.ladder[at + 1 :]]
    _write(workspace, ladder, {id: config.builds_on.get(row)}, {id: own})
    return id


def remove(workspace: Workspace, row: str) -> None:
    """Take a row out, with what tailor.toml says of it alone; its runs are kept.

    Raises:
        UsageError: the ladder has no such row or no other, or a row builds on it by name.
        TailorError: tailor.toml cannot be written.
    """
    config, at = workspace.config, _place(workspace, row)
    ladder = [*config.ladder[:at], *config.ladder[at + 1 :]]
    if not ladder:
        raise UsageError(f"{row} is the only row of the ladder: add another one, then remove it.")
    _write(workspace, ladder, {row: None}, {row: None} if ":" in row else {})


def move(workspace: Workspace, row: str, by: int) -> None:
    """Move a row down by so many places, or up where that is negative.

    Raises:
        UsageError: the ladder has no such row, or a row would come before the one it names.
        TailorError: tailor.toml cannot be written.
    """
    ladder, at = list(workspace.config.ladder), _place(workspace, row)
    ladder.insert(max(0, at + by), ladder.pop(at))
    _write(workspace, ladder)


def build_on(workspace: Workspace, row: str, base: str) -> None:
    """Say what a row builds on: ``previous``, ``best``, or a row before it.

    Raises:
        UsageError: the ladder has no such row, or the base does not come before it.
        TailorError: tailor.toml cannot be written.
    """
    _place(workspace, row)
    _write(workspace, workspace.config.ladder, {row: None if base == "previous" else base})


def bases(workspace: Workspace, row: str) -> tuple[str, ...]:
    """What a row can build on; none where it is a reference row."""
    if workspace.stage(row).starts_from == "root":
        return ()
    before = workspace.config.ladder[: _place(workspace, row)]
    return (*CARRIES, *(id for id in before if workspace.stage(id).starts_from != "root"))


def _place(workspace: Workspace, row: str) -> int:
    ladder = workspace.config.ladder
    if row not in ladder:
        raise UsageError(f"The ladder has no row {row!r}; it has {', '.join(ladder)}.")
    return ladder.index(row)


def _free(ladder: Sequence[str], stage: str) -> str:
    """The stage's name, else with the first number that no row has."""
    number = 2
    while f"{stage}:{number}" in ladder:
        number += 1
    return stage if stage not in ladder else f"{stage}:{number}"


def _write(
    workspace: Workspace,
    ladder: Sequence[str],
    builds_on: Mapping[str, str | None] | None = None,
    stages: Mapping[str, Mapping[str, Any] | None] | None = None,
) -> None:
    """Write the ladder and what changes in the tables; None takes an entry out."""
    own = workspace.config
    after = {
        "ladder": tuple(ladder),
        "builds_on": _merged(own.builds_on, builds_on or {}),
        "stages": _merged(own.stages, stages or {}),
    }
    planned = copy.copy(workspace)
    planned.config = own.with_values(after, "tailor.toml")
    rows_for(planned, ["all"])
    file = workspace.root / "tailor.toml"
    change(file, {"ladder": tuple(ladder), "builds_on": builds_on or {}, "stages": stages or {}})


def _merged(now: Mapping[str, Any], news: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**now, **news}.items() if value is not None}
