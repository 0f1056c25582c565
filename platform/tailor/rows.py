"""The rows of a ladder: stages with their settings under an id, and what each one builds on."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from tailor.errors import NotApplicable, UsageError
from tailor.stage import Stage, broken_plugins, stage_types

if TYPE_CHECKING:
    from tailor.workspace import Workspace

CARRIES = ("previous", "best")
"""What a row builds on where it names no row: the one before, or the best so far by dev."""
T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One entry of the ladder: a stage with its settings under an id."""

    id: str
    """The stage's name; with a label behind a colon where it comes again: ``retrieval:wide``."""
    stage: Stage
    scored: bool = True
    """False: only applied, for the rows that build on it."""
    on: str = "previous"
    """What it builds on: ``previous``, ``best``, or the id of a row before it."""


def rows(stages: Iterable[Stage], carry: str = "previous") -> list[Row]:
    """Stages as rows; a stage that comes again gets ``:2``, ``:3``, … after its name."""
    seen: dict[str, int] = {}
    out: list[Row] = []
    for stage in stages:
        name = stage.name()
        seen[name] = seen.get(name, 0) + 1
        id = name if seen[name] == 1 else f"{name}:{seen[name]}"
        out.append(Row(id, stage, on=carry))
    return out


def rows_for(
    workspace: Workspace, names: Sequence[str], carry: str = "previous", in_order: bool = False
) -> list[Row]:
    """The rows to apply so that those named can be scored; ``all`` is tailor.toml's ladder.

    They come in the order of the ladder, and one that is not in it after it. The rows that they
    build on are applied without being scored. With ``in_order`` those named are the whole ladder,
    in the order given. ``carry`` is what rows build on that ``[builds_on]`` does not name.

    Raises:
        UsageError: there is no such stage or row, or a row builds on one that does not come
            before it, or that nothing builds on.
    """
    ladder = list(workspace.config.ladder)
    wanted = ladder if list(names) == ["all"] else list(dict.fromkeys(names))
    order = list(dict.fromkeys([*wanted] if in_order else [*ladder, *wanted]))
    found: dict[str, Row] = {}
    for id in order:
        stage = workspace.stage(_known(workspace, id))
        found[id] = Row(id, stage, id in wanted, workspace.config.builds_on.get(id, carry))
    needed = set(wanted)
    for id in reversed(order):
        if id in needed:
            needed.update(_below(found, id))
    return [row for id, row in found.items() if id in needed]


def stage_of(workspace: Workspace, id: str, settings: Mapping[str, Any] | None = None) -> Stage:
    """The stage of a row with its settings; see `tailor.workspace.Workspace.stage`."""
    types = stage_types(workspace.own_stages)
    file, config = workspace.root / "tailor.toml", workspace.config
    named = [(f"{file}: [stages.{other}]: there", other) for other in config.stages]
    named += [(f"{file} or --set: ladder: there", other) for other in config.ladder]
    named += [(f"{file}: [builds_on]: there", other) for other in config.builds_on]
    for there, wanted in [*named, ("There", id)]:
        kind = wanted.partition(":")[0]
        if kind in types:
            continue
        if reason := broken_plugins().get(kind):
            raise UsageError(f"{there} is no stage {kind!r}: {reason}")
        near = difflib.get_close_matches(kind, types, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(types)}."
        raise UsageError(f"{there} is no stage {kind!r}; {hint}")
    kind, _, label = id.partition(":")
    told = types[kind].settings_of(label)
    own = config.stages.get(kind, {}), told, config.stages.get(id, {}), settings or {}
    return types[kind].with_settings({k: v for values in own for k, v in values.items()})


def check(rows: Sequence[Row]) -> None:
    """Refuse rows that cannot be a ladder.

    Raises:
        UsageError: two have the same id, or one builds on a row that does not come before it, or
            that nothing builds on.
    """
    found = {row.id: row for row in rows}
    if len(found) < len(rows):
        again = next(row.id for at, row in enumerate(rows) if row.id in {r.id for r in rows[:at]})
        raise UsageError(f"Two rows are called {again}: give one of them another id.")
    for id in found:
        _below(found, id)


def path(rows: Sequence[Row], id: str) -> tuple[Row, ...]:
    """A row with all that it builds on, the first one first; ``best`` is taken as ``previous``."""
    found = {row.id: row for row in rows}
    below = _below(found, id)[-1:]
    return (*(path(rows, below[0]) if below else ()), found[id])


def _below(rows: Mapping[str, Row], id: str) -> list[str]:
    """The rows of which one is what a row builds on; the last one is the nearest."""
    row, order = rows[id], list(rows)
    if row.stage.starts_from == "root":
        return []
    before = [b for b in order[: order.index(id)] if rows[b].stage.starts_from != "root"]
    if row.on == "best":
        return before
    if row.on == "previous":
        return before[-1:]
    if row.on in before:
        return [row.on]
    if row.on in rows and rows[row.on].stage.starts_from == "root":
        raise UsageError(f"{id} builds on {row.on}, a reference row that nothing can build on.")
    raise UsageError(
        f"{id} builds on {row.on}, which does not come before it: put it there, or change "
        f"[builds_on] of {id} in tailor.toml."
    )


def _known(workspace: Workspace, id: str) -> str:
    """The id, if it is a stage, a row of tailor.toml, or a stage with a number."""
    config = workspace.config
    told = [*config.ladder, *config.stages, *config.builds_on]
    name, colon, label = id.partition(":")
    if not colon or label.isdecimal() or id in told:
        return id
    if (kind := stage_types(workspace.own_stages).get(name)) and kind.settings_of(label):
        return id
    near = difflib.get_close_matches(id, told, 1)
    hint = f"did you mean {near[0]!r}?" if near else f'put it into ladder, or into [stages."{id}"].'
    raise UsageError(f"There is no row {id!r} in tailor.toml; {hint}")


class Bases(Generic[T]):
    """What has been made of the rows so far, and what the next one builds on."""

    def __init__(self, root: T, dev: Callable[[T], float | None]) -> None:
        self.root = root
        self.dev = dev
        """The mean score on dev; None where it is not known."""
        self.reached: dict[str, T] = {}
        """By row, in order; reference rows are not among them."""

    def add(self, row: Row, value: T) -> None:
        """A row was applied."""
        if row.stage.starts_from != "root":
            self.reached[row.id] = value

    def of(self, row: Row) -> tuple[str | None, T]:
        """The row to build on, and what was made of it; None and the root where there is none.

        Of rows that are equally good by dev the first one counts; where no score is known it is
        the row before.

        Raises:
            NotApplicable: the row that it names was left out.
        """
        if row.stage.starts_from == "root":
            return None, self.root
        if row.on not in (*CARRIES, *self.reached):
            raise NotApplicable(f"{row.id} builds on {row.on}, which was left out.")
        if not self.reached:
            return None, self.root
        id = row.on if row.on in self.reached else next(reversed(self.reached))
        if row.on == "best":
            known = {one: score for one, score in self.scores().items() if score is not None}
            id = max(known, key=known.__getitem__) if known else id
        return id, self.reached[id]

    def scores(self) -> dict[str, float | None]:
        """The mean on dev by row."""
        return {id: self.dev(value) for id, value in self.reached.items()}
