"""Measures of a row as a whole, such as RMSE or macro-F1: intervals and paired tests.

They are functions of sums over the questions, or a median, and no means of a score; so groups of
questions are drawn again, and the measure is taken of each draw. All measures share the draws.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.scoring import resampling
from tailor.scoring.statistics import Interval, Paired

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Flags = NDArray[np.bool_]

_MEDIANS = 1000
"""Draws and permutations that a median is taken of."""
_ROWS = 1000
"""Draws that are worked on at a time."""


@dataclass(frozen=True)
class Measure:
    """A measure of a row, by question."""

    name: str
    columns: Floats
    """(questions, k); a question with NaN is left out."""
    value: Callable[[Floats], Floats] | None
    """From sums (..., k + 1), the last one how many questions, to the measure (...); None: the
    median of the one column."""

    @property
    def known(self) -> Flags:
        """The questions that have it."""
        import numpy as np

        known: Flags = np.asarray((~np.isnan(self.columns)).all(axis=1))
        return known


def intervals(
    measures: Sequence[Measure], groups: Sequence[int], seed: int = 0
) -> dict[str, Interval | None]:
    """Each measure with its 95 % interval, by name; None where no question has it.

    BCa bootstrap over groups (Efron 1987); for a median without the acceleration.
    """
    found: dict[str, Interval | None] = dict.fromkeys(one.name for one in measures)
    parts = [_Part(one, keep) for one in measures if (keep := one.known).any()]
    if not parts:
        return found
    table = _Table.of(parts, groups)
    drawn = table.drawn(seed)
    for part, own in zip(parts, drawn, strict=True):
        point = table.point(part)
        if math.isfinite(point):
            low, high = _ends(point, own, table.without_each(part), table.some(part))
            found[part.name] = Interval(point, low, high, int(part.keep.sum()))
    return found


def differences(
    base: Sequence[Measure], candidate: Sequence[Measure], groups: Sequence[int], seed: int = 0
) -> dict[str, Paired]:
    """The candidate's measures minus the base's, by name, on the questions both have them for.

    The interval is a BCa bootstrap over groups, which are drawn for both alike; ``p`` is that of a
    permutation test (Fisher 1935) that swaps the two rows on whole groups.
    """
    import numpy as np

    shared = [(a, b, a.known & b.known) for a, b in zip(base, candidate, strict=True)]
    shared = [one for one in shared if one[2].any()]
    if not shared:
        return {}
    ones = [_Part(one, keep) for one, _, keep in shared]
    others = [_Part(other, keep) for _, other, keep in shared]
    left, right = _Table.of(ones, groups), _Table.of(others, groups)
    drawn = zip(left.drawn(seed), right.drawn(seed), strict=True)
    ps = _swapped(left, right, seed)
    found: dict[str, Paired] = {}
    for one, other, (a, b), p in zip(left.parts, right.parts, drawn, ps, strict=True):
        delta = right.point(other) - left.point(one)
        if math.isfinite(delta):
            without = right.without_each(other) - left.without_each(one)
            with np.errstate(invalid="ignore"):  # a draw may have no value on either side
                gained = b - a
            low, high = _ends(delta, gained, without, left.some(one))
            n, same = int(one.keep.sum()), one.same(other)
            found[one.name] = Paired(delta, low, high, 1.0 if same else p, n, spread=not same)
    return found


class _Part:
    """A measure on some of the questions, and where its sums stand in a table."""

    def __init__(self, measure: Measure, keep: Flags) -> None:
        import numpy as np

        self.name = measure.name
        self.value = measure.value
        self.keep = keep
        self.columns = np.where(keep[:, None], measure.columns, 0.0)
        self.at = slice(0)

    def of(self, sums: Floats) -> Floats:
        """The measure of sums of the whole table, (..., columns) -> (...)."""
        import numpy as np

        assert self.value
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.value(sums[..., self.at]), dtype=float)

    def same(self, other: _Part) -> bool:
        """Whether it is the same on every question."""
        return bool((self.columns == other.columns).all())


@dataclass(frozen=True)
class _Table:
    parts: Sequence[_Part]
    group: NDArray[np.int64]
    """Of each question, from 0 without a gap."""
    totals: Floats
    """(groups, columns): for each part its sums, and how many questions there are."""

    @classmethod
    def of(cls, parts: Sequence[_Part], groups: Sequence[int]) -> _Table:
        import numpy as np

        columns: list[Floats] = []
        width = 0
        for part in parts:
            own = np.concatenate([part.columns, part.keep[:, None].astype(float)], axis=1)
            part.at = slice(width, width + own.shape[1])
            width += own.shape[1]
            columns.append(own)
        group = np.unique(np.asarray(groups), return_inverse=True)[1]
        return cls(parts, group, resampling.by_group(np.concatenate(columns, axis=1), group))

    def some(self, part: _Part) -> int:
        """How many groups have a question of this part."""
        return int((self.totals[:, part.at.stop - 1] > 0).sum())

    def point(self, part: _Part) -> float:
        """The measure of all questions; NaN where it has no value."""
        import numpy as np

        if part.value is None:
            return float(np.median(part.columns[part.keep, 0]))
        return float(part.of(self.totals.sum(axis=0)))

    def drawn(self, seed: int) -> list[Floats]:
        """Each part's measure in each draw."""
        import numpy as np

        sums: list[Floats] = []
        medians: list[list[Floats]] = [[] for _ in self.parts]
        done = 0
        for whole in resampling.draws(len(self.totals), seed):
            for times in _blocks(whole):
                sums.append(times @ self.totals)
                for part, found in zip(self.parts, medians, strict=True):
                    if part.value is None and done < _MEDIANS:
                        found.append(self._medians(part, times))
                done += len(times)
        every = np.concatenate(sums)
        return [
            np.concatenate(found) if part.value is None else part.of(every)
            for part, found in zip(self.parts, medians, strict=True)
        ]

    def without_each(self, part: _Part) -> Floats:
        """The measure without each of its groups in turn; nothing for a median."""
        import numpy as np

        if part.value is None:
            return np.zeros(0)
        own = self.totals[:, part.at.stop - 1] > 0
        return part.of(self.totals.sum(axis=0) - self.totals[own])

    def _medians(self, part: _Part, times: Floats) -> Floats:
        """The median when each group is taken so many times; (draws, groups) -> (draws,)."""
        import numpy as np

        values, group = part.columns[part.keep, 0], self.group[part.keep]
        order = np.argsort(values, kind="stable")
        counts = np.cumsum(times[:, group[order]], axis=1, dtype=np.float32)
        half = counts[:, -1:] / 2
        ends = [(counts < half).sum(axis=1), (counts <= half).sum(axis=1)]
        low, high = (values[order][at.clip(max=len(order) - 1)] for at in ends)
        return np.where(half[:, 0] > 0, (low + high) / 2, np.nan)


def _blocks(whole: NDArray[np.float64]) -> Iterator[Floats]:
    for at in range(0, len(whole), _ROWS):
        yield whole[at : at + _ROWS]


def _ends(point: float, drawn: Floats, without: Floats, groups: int) -> tuple[float, float]:
    import numpy as np

    drawn = np.where(np.isfinite(drawn), drawn, point)
    if groups < 2 or np.ptp(drawn) == 0:
        return point, point
    influence = without[np.isfinite(without)]
    influence = influence.mean() - influence if len(influence) else influence
    influence = influence / (abs(influence).max(initial=0.0) or 1.0)  # errors may be enormous
    squares = float((influence**2).sum())
    bend = float((influence**3).sum()) / (6 * squares**1.5) if squares > 0 else 0.0
    low, high = resampling.bca_ends(point, np.sort(drawn), bend, groups)
    return min(low, point), max(high, point)


def _swapped(left: _Table, right: _Table, seed: int) -> list[float]:
    """Two-sided p values of no difference, swapping the rows on whole groups."""
    import numpy as np

    pairs = list(zip(left.parts, right.parts, strict=True))
    least = [abs(right.point(b) - left.point(a)) * (1 - 1e-9) for a, b in pairs]
    hits, tried = np.zeros(len(pairs)), np.zeros(len(pairs))
    ends = left.totals.sum(axis=0), right.totals.sum(axis=0)
    for signs in resampling.sign_patterns(len(left.totals), seed):
        for block in _blocks(np.asarray(signs)):
            swap = (1 - block.astype(float)) / 2
            moved = swap @ (right.totals - left.totals)
            for at, (a, b) in enumerate(pairs):
                if a.value is not None:
                    gain = b.of(ends[1] - moved) - a.of(ends[0] + moved)
                elif tried[at] < _MEDIANS:
                    gain = _swapped_medians(a, b, swap[:, left.group[a.keep]] > 0)
                else:
                    continue
                hits[at] += (abs(np.nan_to_num(gain)) >= least[at]).sum()
                tried[at] += len(block)
    return [float(p) for p in (hits + 1) / (tried + 1)]


def _swapped_medians(one: _Part, other: _Part, swapped: Flags) -> Floats:
    """The gain in the median when these questions are swapped, (permutations,)."""
    import numpy as np

    a, b = one.columns[one.keep, 0], other.columns[other.keep, 0]
    found: Floats = np.median(np.where(swapped, a, b), axis=1)
    found -= np.median(np.where(swapped, b, a), axis=1)
    return found
