"""Which row servers of the best row answer by: the one before, until another one has won."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tailor.run import Run
    from tailor.workspace import Workspace

FILE = "following.json"

Named = tuple[str, str]
"""A row and its model."""


def following(workspace: Workspace, former: Named | None, model: str | None = None) -> Named | None:
    """The winner by runs that are complete and of today's workspace; else the row before.

    A changed benchmark or index makes all runs old, and a ladder makes them anew row by row: the
    row before stays until it can be compared itself. None: nothing has answered or won so far.
    Where a model is given, no other one can win.
    """
    from tailor.run import compare

    runs = [r for r in workspace.runs() if not r.imported and model in (None, r.model)]
    fresh = [run for run in runs if run.state().status == "complete" and not run.stale()]
    if former is not None and former in _names(runs) and former not in _names(fresh):
        return former
    winner = compare(fresh).winner if fresh else None
    if winner is None or winner.row is None:
        return former
    return winner.row, winner.model or workspace.config.model


def _names(runs: Sequence[Run]) -> set[Named]:
    return {(run.row, run.model) for run in runs}


def followed(state: Path) -> Named | None:
    """What servers of the best row answered by last; None where there was none."""
    try:
        value = json.loads((state / FILE).read_text("utf-8"))
        return str(value["row"]), str(value["model"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def follow(state: Path, row: str, model: str) -> None:
    """Keep it, so that a server that is started again goes on with it.

    Raises:
        TailorError: the file cannot be written.
    """
    from tailor.run import write_json

    if followed(state) != (row, model):
        write_json(state / FILE, {"row": row, "model": model})
