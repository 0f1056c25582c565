"""How sure a score and a difference between two rows are.

Scores lie between 0 and 1. All intervals are 95 %; all randomness is seeded. Questions about the
same document are drawn together: see :mod:`tailor.scoring.groups`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Literal

from tailor.scoring import resampling

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["better", "worse", "tie", "undecided"]

MARGIN = 0.02
"""Differences within it make no difference to anybody: 2 points."""

FEWEST = 6
"""On fewer questions nothing can be told: the sign-flip test cannot reach p < 0.05."""

LEVEL = 0.05
"""A p value below it counts."""

_RARE = 10
"""Where fewer groups differ from the usual value, drawing them again tells too little."""

_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(1 - LEVEL / 2)
_POWER = 0.8


@dataclass(frozen=True)
class Interval:
    """A mean with its 95 % confidence interval."""

    mean: float
    low: float
    high: float
    n: int


@dataclass(frozen=True)
class Paired:
    """Candidate minus base on the same questions: mean, 95 % interval and two-sided p value."""

    delta: float
    low: float
    high: float
    p: float
    n: int
    spread: bool = True
    """Whether the differences differ; where they do not, see :func:`paired`."""
    effect: float = 1.0
    """The design effect: ``n`` questions tell as much as n / effect that share no document."""


def interval(
    values: Sequence[float], groups: Sequence[int] | None = None, seed: int = 0
) -> Interval | None:
    """The mean of scores with its 95 % interval; None without scores. See :func:`intervals`.

    Raises:
        ValueError: a score is not a number between 0 and 1.
    """
    import numpy as np

    if any(not 0 <= value <= 1 for value in values):
        raise ValueError("a score must be a number between 0 and 1; leave out what is unscored")
    columns = np.asarray(values, dtype=float)[:, None]
    return intervals(columns, groups, seed)[0]


def intervals(
    values: NDArray[np.float64],
    groups: Sequence[int] | None = None,
    seed: int = 0,
    free: Collection[int] = (),
) -> list[Interval | None]:
    """The mean of each column of scores with its 95 % interval; None without scores.

    BCa bootstrap over groups (:func:`tailor.scoring.resampling.bca`), the same draws for all
    columns. Wilson's score interval where that cannot work: scores that are all 0 or 1, all equal,
    or of fewer than ``FEWEST`` groups. Its binomial variance is the largest that scores between
    0 and 1 can have; its n is what these questions are worth with their design effect (Kish 1965;
    Franco et al. 2019). Where fewer than ten groups differ from the usual score, the interval
    holds at least what it would be with one more score of 0 and of 1.

    Args:
        values: (questions, columns) between 0 and 1; NaN where a question is unscored.
        groups: of each question, any numbers; by default each one is its own.
        seed: of the draws.
        free: columns that are not between 0 and 1, such as errors: their interval is the bootstrap
            of their mean alone, and Student's of their groups where those are too few.

    Raises:
        ValueError: a score is not between 0 and 1.
    """
    import numpy as np

    bounded = np.array([at not in free for at in range(values.shape[1])], dtype=bool)
    if ((values < 0) | (values > 1))[:, bounded].any():
        raise ValueError("a score must be a number between 0 and 1; leave out what is unscored")
    found: list[Interval | None] = [None] * values.shape[1]
    some = np.flatnonzero((~np.isnan(values)).any(axis=0))
    if not len(some):
        return found
    data = _Columns.of(values[:, some], groups)
    shares = ((data.values == 0) | (data.values == 1) | ~data.scored).all(axis=0)
    drawn = ~(shares & bounded[some]) & data.spread & (data.groups >= FEWEST)
    ends = data.bootstrap(drawn, seed)
    effects, varied = data.effects(), data.varied()
    for at, column in enumerate(some):
        n, mean = int(data.n[at]), float(data.mean[at])
        if not bounded[column]:
            low, high = ends[:, at].tolist() if drawn[at] else _student(data, at)
        elif not drawn[at]:
            low, high = _wilson(mean, n / (float(effects[at]) * _few(data, at)))
        else:
            low, high = (float(end) for end in ends[:, at])
            if varied[at] < _RARE:
                sums = float(data.values[:, at].sum()), float((data.values[:, at] ** 2).sum())
                floor = _with_two(*sums, 1, 1, n, float(effects[at]), int(data.groups[at]))
                low, high = max(0.0, min(low, floor[0])), min(1.0, max(high, floor[1]))
        found[column] = Interval(mean, low, high, n)
    return found


def paired(
    base: Sequence[float],
    candidate: Sequence[float],
    groups: Sequence[int] | None = None,
    seed: int = 0,
    bounded: bool = True,
) -> Paired | None:
    """Candidate minus base, question by question; None without questions.

    See :func:`differences`; scores that are not ``bounded`` may lie outside 0 to 1.

    Raises:
        ValueError: the lengths differ, or a score is not a number between 0 and 1.
    """
    import numpy as np

    if len(base) != len(candidate):
        raise ValueError(f"{len(base)} and {len(candidate)} scores are not of the same questions")
    if bounded and any(not 0 <= v <= 1 for v in (*base, *candidate)):
        raise ValueError("a score must be a number between 0 and 1; leave out what is unscored")
    one, other = (np.asarray(scores, dtype=float)[:, None] for scores in (base, candidate))
    return differences(one, other, groups, seed, () if bounded else (0,))[0]


def differences(
    base: NDArray[np.float64],
    candidate: NDArray[np.float64],
    groups: Sequence[int] | None = None,
    seed: int = 0,
    free: Collection[int] = (),
) -> list[Paired | None]:
    """Candidate minus base for each pair of columns, on the questions that both have scored.

    The interval is a bootstrap over groups, as in :func:`intervals`; the p value a permutation
    test that flips the signs of whole groups. Where fewer than ten groups differ from the usual
    difference, the interval holds at least what it would be with one more difference of +1 and
    one of -1 (Bonett & Price 2012). Where all differences are equal there is nothing to draw
    from, and others, of -1 or of 1, may still be as frequent as 3/n (rule of three: Hanley &
    Lippman-Hand 1983): it reaches that share of the way to -1 and to 1. ``n`` there is what the
    questions are worth with the design effect, for which that of the rows' own scores stands in
    where it is larger. So identical scores give delta 0 ± 3/n and p 1, and are a tie within 2
    points from 150 questions on that share no document.

    Args:
        base: (questions, pairs), NaN where unscored.
        candidate: (questions, pairs), NaN where unscored.
        groups: of each question, any numbers; by default each one is its own.
        seed: of the draws.
        free: columns whose scores are not between 0 and 1; in place of 1 counts what is usual for
            the base.
    """
    import numpy as np

    gain = candidate - base
    found: list[Paired | None] = [None] * gain.shape[1]
    some = np.flatnonzero((~np.isnan(gain)).any(axis=0))
    if not len(some):
        return found
    data = _Columns.of(gain[:, some], groups)
    drawn = data.spread & (data.groups >= 2)
    ends, varied = data.bootstrap(drawn, seed), data.varied()
    both = np.where(data.scored, np.array([base[:, some], candidate[:, some]]), np.nan)
    own = np.maximum(*(_Columns.of(rows, groups).effects() for rows in both))
    effects = np.maximum(data.effects(), np.where(varied < _RARE, own, 1))
    ps = resampling.sign_flip(data.totals, seed)
    for at, column in enumerate(some):
        n, delta, effect = int(data.n[at]), float(data.mean[at]), float(effects[at])
        unit = _usual(base[:, column]) if column in free else 1.0
        if not drawn[at]:
            share, middle = 3 * effect / n, 0.0 if column in free else delta
            low = delta - share * (unit + middle)
            high = delta + share * (unit - middle)
        else:
            low, high = (float(end) for end in ends[:, at])
            if varied[at] < _RARE:
                sums = float(data.values[:, at].sum()), float((data.values[:, at] ** 2).sum())
                floor = _with_two(*sums, 0, 2 * unit**2, n, effect, int(data.groups[at]))
                low, high = min(low, floor[0]), max(high, floor[1])
        if column not in free:
            low, high = max(-1.0, low), min(1.0, high)
        found[column] = Paired(delta, low, high, ps[at], n, bool(data.spread[at]), effect)
    return found


def verdict(difference: Paired, margin: float = MARGIN) -> Verdict:
    """What a difference says about the candidate.

    ``better`` or ``worse`` when its interval excludes 0 and p < 0.05, else ``tie`` when the
    interval lies within the margin, else ``undecided``, as always on fewer than ``FEWEST``
    questions. Where p is adjusted for several differences, so is the verdict.
    """
    if difference.n < FEWEST:
        return "undecided"
    if difference.p < LEVEL and not difference.low <= 0 <= difference.high:
        return "better" if difference.low > 0 else "worse"
    return "tie" if max(-difference.low, difference.high) <= margin else "undecided"


def questions_needed(difference: Paired, margin: float = MARGIN, family: int = 1) -> int | None:
    """How many more questions would tell, if the difference stays what it is; 0 when it is told.

    Enough for an interval that excludes 0, or for one within the margin, whichever comes first,
    with a chance of about 80 %, when as many of them share a document as now; None when no number
    would be enough (no difference and no margin). ``family`` is how many differences share the
    p values' adjustment.
    """
    if verdict(difference, margin) != "undecided":
        return 0
    n, size = difference.n, abs(difference.delta)
    if not difference.spread:
        # Of `differences`: as far from 0, or from the margin, as others may still move it.
        shares = size / (1 + size), (margin - size) / (1 - min(size, margin))
        wanted = [3 * difference.effect / share for share in shares if share > 0]
    else:
        # The half-width is 1.96 standard errors and shrinks with the root of n.
        error = (difference.high - difference.low) / 2 / _Z
        beyond = _NORMAL.inv_cdf(1 - LEVEL / (2 * family))
        least = [size / (beyond + _NORMAL.inv_cdf(_POWER)), _tied(size, margin)]
        wanted = [n * (error / each) ** 2 for each in least if each > 0]
    return max(1, FEWEST - n, math.ceil(min(wanted)) - n) if wanted else None


def _tied(size: float, margin: float) -> float:
    """The standard error with which an interval lies within the margin with 80 % power.

    It must not reach beyond the margin on either side (Chow, Shao & Wang 2008, section 3.1), so
    that for no difference 1.96 + 1.28 standard errors fit into it rather than 1.96 + 0.84. 0
    where the difference itself lies beyond.
    """
    low, high = 0.0, max(0.0, margin - size) / _Z
    for _ in range(40):
        error = (low + high) / 2
        if error == 0:
            break
        sides = (_NORMAL.cdf((margin + sign * size) / error - _Z) for sign in (1, -1))
        low, high = (error, high) if sum(sides) - 1 >= _POWER else (low, error)
    return low


def holm(differences: Sequence[Paired | None]) -> list[Paired | None]:
    """The same differences with p values adjusted for being several (Holm 1979)."""
    order = sorted((d.p, i) for i, d in enumerate(differences) if d is not None)
    adjusted: dict[int, float] = {}
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[i] = highest
    return [None if d is None else replace(d, p=adjusted[i]) for i, d in enumerate(differences)]


@dataclass(frozen=True)
class _Columns:
    """Columns of values by question, and their sums by group."""

    values: NDArray[np.float64]
    """(questions, columns); 0 where unscored."""
    scored: NDArray[np.bool_]
    group: NDArray[np.int64]
    """Of each question."""
    totals: NDArray[np.float64]
    """(groups, columns)."""
    counts: NDArray[np.float64]
    """(groups, columns): how many are scored."""

    @classmethod
    def of(cls, values: NDArray[np.float64], groups: Sequence[int] | None) -> _Columns:
        import numpy as np

        scored = ~np.isnan(values)
        group = np.arange(len(values))
        if groups is not None:
            group = np.unique(np.asarray(groups), return_inverse=True)[1]
        filled = np.where(scored, values, 0.0)
        totals = resampling.by_group(filled, group)
        return cls(filled, scored, group, totals, resampling.by_group(scored.astype(float), group))

    @cached_property
    def n(self) -> NDArray[np.float64]:
        n: NDArray[np.float64] = self.counts.sum(axis=0)
        return n

    @cached_property
    def mean(self) -> NDArray[np.float64]:
        import numpy as np

        # Exact sums, so that a mean does not depend on what else is computed beside it.
        sums: NDArray[np.float64] = np.array([math.fsum(row) for row in self.values.T.tolist()])
        return sums / self.n

    @cached_property
    def groups(self) -> NDArray[np.int64]:
        """How many groups have a value, by column."""
        groups: NDArray[np.int64] = (self.counts > 0).sum(axis=0)
        return groups

    @cached_property
    def spread(self) -> NDArray[np.bool_]:
        """Whether a column differs between groups by more than rounding."""
        import numpy as np

        return np.asarray((abs(self.totals - self.counts * self.mean) > 1e-9).any(axis=0))

    def bootstrap(self, columns: NDArray[np.bool_], seed: int) -> NDArray[np.float64]:
        """The interval of these columns' means, (2, columns); 0 for the others."""
        import numpy as np

        found = np.zeros((2, len(columns)))
        if columns.any():
            found[:, columns] = resampling.bca(
                self.totals[:, columns], self.counts[:, columns], seed
            )
        return found

    def effects(self) -> NDArray[np.float64]:
        """The design effect of each column, at least 1 (Kish 1965): how much the groups widen.

        Where values that differ are all of one group, they tell no more than one.
        """
        import numpy as np

        n, groups, mean = self.n, self.groups, self.mean
        if len(self.counts) == len(self.values):
            return np.ones(len(n))
        alone = np.where(self.scored, (self.values - mean) ** 2, 0).sum(axis=0)
        grouped = ((self.totals - self.counts * mean) ** 2).sum(axis=0)
        differ = alone > 1e-12
        grouped, alone = grouped * groups * (n - 1), alone * n * (groups - 1)
        usable = differ & (groups > 1)
        found = np.where(usable, np.maximum(1, grouped / np.where(usable, alone, 1)), 1)
        return np.where((groups == 1) & differ, n, found)

    def varied(self) -> NDArray[np.int64]:
        """In how many groups a column has other values than its most frequent one."""
        import numpy as np

        found = np.zeros(self.values.shape[1], dtype=int)
        for column, (values, scored) in enumerate(zip(self.values.T, self.scored.T, strict=True)):
            known = np.round(values[scored], 9)
            kinds, times = np.unique(known, return_counts=True)
            other = known != kinds[times.argmax()]
            found[column] = len(np.unique(self.group[scored][other]))
        return found


def _usual(values: NDArray[np.float64]) -> float:
    """The mean size of scores; 1 where all are 0."""
    import numpy as np

    return float(np.nanmean(abs(values))) or 1.0


def _few(data: _Columns, column: int) -> float:
    """How much wider few groups make an interval: Student's t for the normal, squared."""
    groups = int(data.groups[column])
    if data.counts[:, column].max() <= 1 or not data.spread[column]:
        return 1.0
    return (resampling.student(max(FEWEST, groups) - 1) / _Z) ** 2


def _student(data: _Columns, column: int) -> tuple[float, float]:
    """Student's interval of a mean over groups; just the mean where they do not differ."""
    groups, mean = int(data.groups[column]), float(data.mean[column])
    if groups < 2 or not data.spread[column]:
        return mean, mean
    off = data.totals[:, column] - data.counts[:, column] * mean
    spread = math.sqrt(float((off**2).sum()) * groups / (groups - 1)) / float(data.n[column])
    half = resampling.student(groups - 1) * spread
    return mean - half, mean + half


def _wilson(mean: float, n: float) -> tuple[float, float]:
    """Wilson 1927."""
    z2 = _Z**2
    centre = (mean + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (mean * (1 - mean) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))


def _with_two(
    total: float,
    squares: float,
    more: float,
    more_squares: float,
    n: int,
    effect: float,
    groups: int,
) -> tuple[float, float]:
    """Student's interval of a mean with two more values, of which the sums are given."""
    worth = n / effect + 2
    mean = (total / effect + more) / worth
    variance = (squares / effect + more_squares) / worth - mean**2
    half = resampling.student(max(FEWEST, groups) - 1) * math.sqrt(max(0.0, variance) / worth)
    return mean - half, mean + half
