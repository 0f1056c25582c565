"""In which settings two runs differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.run import Run, Step


@dataclass(frozen=True)
class Difference:
    """A value that is not the same in both; None where a run has no such thing."""

    of: str
    """The row of the step it belongs to; ``run`` for what belongs to the run as a whole."""
    name: str
    """The setting; ``stage`` where only one of them has this step at all."""
    base: Any
    candidate: Any


def differences(base: Run, candidate: Run) -> tuple[Difference, ...]:
    """Model, documents, versions, steps and their settings, as far as they are not the same.

    Steps are held against the step of the same row. A stage that stands in both under other row
    ids, or comes again in the candidate, is held against its step in the base.
    """
    return tuple(d for d in _all(base, candidate) if d.base != d.candidate)


def step_differences(base: Sequence[Step], candidate: Sequence[Step]) -> tuple[Difference, ...]:
    """The steps and their settings, as far as they are not the same."""
    return tuple(d for d in _steps(base, candidate) if d.base != d.candidate)


def _all(base: Run, candidate: Run) -> Iterator[Difference]:
    yield Difference("run", "model", base.model, candidate.model)
    yield from _steps(base.lineage, candidate.lineage)
    if base.generation and candidate.generation:
        yield Difference("run", "generation", base.generation, candidate.generation)
    yield Difference("run", "benchmark", base.benchmark, candidate.benchmark)
    yield from _values("run", base.versions, candidate.versions)


def _steps(base: Sequence[Step], candidate: Sequence[Step]) -> Iterator[Difference]:
    left, right = ({step.row: step for step in steps} for steps in (base, candidate))
    renamed = _renamed(left, right)
    last = {step.stage: step for step in base}
    for row in dict.fromkeys([*left, *right]):
        if row in renamed.values():
            continue
        other = right.get(row)
        one = left.get(renamed.get(row, row))
        if one is None or other is None:
            yield Difference(row, "stage", one and one.stage, other and other.stage)
        if one is None and other is not None:
            one = last.get(other.stage)  # the stage comes again
        settings = ({} if step is None else step.settings for step in (one, other))
        yield from _values(row, *settings)


def _renamed(left: Mapping[str, Step], right: Mapping[str, Step]) -> dict[str, str]:
    """Rows of which only one of both has each, with a stage in common: the right one's first."""
    found: dict[str, str] = {}
    for row, step in right.items():
        if row not in left:
            free = (
                other
                for other, own in left.items()
                if own.stage == step.stage and other not in right and other not in found.values()
            )
            if (other := next(free, None)) is not None:
                found[row] = other
    return found


def _values(of: str, base: Mapping[str, Any], candidate: Mapping[str, Any]) -> Iterator[Difference]:
    for name in dict.fromkeys([*base, *candidate]):
        yield Difference(of, name, base.get(name), candidate.get(name))
