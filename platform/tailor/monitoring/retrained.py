"""The ladder repeated on the grown benchmark, and whether to serve another row."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from tailor.errors import TailorError
from tailor.serving import pinned as pins
from tailor.serving.following import followed

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.running import Progress
    from tailor.workspace import Workspace

FILE = "proposal.json"
"""In ``.tailor/reports``."""

Reason = Literal["better", "same", "not_better", "undecided"]
"""``better``: the winner by dev is better on test, by a paired test; ``same``: it is what is
served; ``not_better``: they tie, or the winner is worse; ``undecided``: too few questions."""


@dataclass(frozen=True)
class Proposal:
    """What is served beside the winner of a new climb; nothing is switched by it."""

    at: str
    """ISO 8601, UTC."""
    served: tuple[str, str]
    """Row and model."""
    best: tuple[str, str]
    reason: Reason
    step: dict[str, Any] | None
    """The best row against the served one on test, as ``vs_previous``; None where it is the same
    or nothing is scored in both."""

    @property
    def switch(self) -> bool:
        """Whether it is proposed to serve the best row."""
        return self.reason == "better"

    def to_json(self) -> dict[str, Any]:
        """What ``tailor retrain --json`` prints."""
        return {"schema_version": 1, **asdict(self), "switch": self.switch}


def retrain(
    workspace: Workspace,
    served: tuple[str, str] | None = None,
    progress: Progress | None = None,
    max_cost: float | None = None,
) -> Proposal:
    """Repeat the ladder, and compare its winner with what is served.

    What is served goes on being served: it is pinned until :func:`switch` or
    `tailor.serving.pinned.unpin`.

    Args:
        workspace: with the grown benchmark.
        served: row and model; by default what is pinned, or answered last, or has won so far.
        progress: told how far each row has come.
        max_cost: US dollars that the new model calls may cost.

    Raises:
        TailorError: nothing is served and nothing has won, or a run cannot be made.
    """
    from tailor.rows import rows_for
    from tailor.run import compare, write_json
    from tailor.scoring.comparison import difference

    row, model = served or _served(workspace)
    pins.pin(workspace.state, row, model)
    ladder = list(workspace.config.ladder)
    names = ladder if row in ladder else [*ladder, row]
    workspace.climb(rows_for(workspace, names), model, progress=progress, max_cost=max_cost)
    runs = [run for run in workspace.runs() if not run.stale()]
    winner = compare(runs).winner
    best = _of(runs, winner.row or row, winner.model or model)
    now = _of(runs, row, model)
    step = difference(now.scored("test"), best.scored("test")) if best.id != now.id else None
    proposal = Proposal(
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        served=(row, model),
        best=(best.row, best.model),
        reason=_reason(now, best, step.verdict if step else None),
        step=step.to_json() if step else None,
    )
    write_json(workspace.state / "reports" / FILE, proposal.to_json())
    return proposal


def proposal(workspace: Workspace) -> Proposal | None:
    """The last proposal; None where there is none."""
    try:
        value = json.loads((workspace.state / "reports" / FILE).read_text("utf-8"))
        return Proposal(
            value["at"],
            (value["served"][0], value["served"][1]),
            (value["best"][0], value["best"][1]),
            value["reason"],
            value["step"],
        )
    except (OSError, ValueError, TypeError, KeyError, IndexError):
        return None


def switch(workspace: Workspace) -> Proposal:
    """Serve the row that was proposed: running servers of the best row take it up.

    Raises:
        TailorError: nothing was proposed.
    """
    found = proposal(workspace)
    if found is None or not found.switch:
        raise TailorError("No switch is proposed: run `tailor retrain` first.")
    pins.pin(workspace.state, *found.best)
    return found


def _served(workspace: Workspace) -> tuple[str, str]:
    from tailor.run import compare
    from tailor.serving import kept

    if (held := pins.pinned(workspace.state)) is not None:
        return held
    if last := kept.served(workspace, most=1):
        return last[0].row, last[0].model
    if (former := followed(workspace.state)) is not None:
        return former
    if runs := [run for run in workspace.runs() if not run.imported]:
        winner = compare(runs).winner
        if winner.row is not None:
            return winner.row, winner.model or runs[0].model
    raise TailorError(
        "Nothing is served and nothing was run, so there is nothing to compare with: run "
        "`tailor run all`, then `tailor serve`."
    )


def _of(runs: list[Run], row: str, model: str) -> Run:
    for run in runs:
        if (run.row, run.model) == (row, model):
            return run
    raise TailorError(
        f"Row {row} of {model} was left out of the new climb, so nothing can be compared: see why "
        f"with `tailor run {row}`."
    )


def _reason(now: Run, best: Run, verdict: str | None) -> Reason:
    if best.id == now.id:
        return "same"
    if verdict == "better":
        return "better"
    return "not_better" if verdict in ("worse", "tie") else "undecided"
