"""Drawing again from groups of questions: bootstrap intervals and the sign-flip test.

A group is what is drawn as a whole: the questions about one document, or a single question. Many
columns (metrics, rows, differences) share the same draws, so that each costs a matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import lru_cache
from statistics import NormalDist
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

RESAMPLES = 4000
FLIPS = 10_000
_EXACT = 12  # groups up to which every sign pattern is tried
_BLOCK = 2_000_000  # numbers drawn at a time, which bounds the memory
_SHARED = 3000  # groups up to which the draws are kept for the next call: 100 MB
_NORMAL = NormalDist()
_Z = _NORMAL.inv_cdf(0.975)


def by_group(values: NDArray[np.float64], groups: NDArray[np.int64]) -> NDArray[np.float64]:
    """The sum of each column over the rows of each group; (groups, columns).

    Args:
        values: (questions, columns).
        groups: of each question, numbers from 0 without a gap.
    """
    import numpy as np

    if len(groups) == groups.max() + 1:
        return values[np.argsort(groups)]
    order = np.argsort(groups, kind="stable")
    starts = np.searchsorted(groups[order], np.arange(groups.max() + 1))
    summed: NDArray[np.float64] = np.add.reduceat(values[order], starts, axis=0)
    return summed


def student(degrees: int) -> float:
    """The 97.5 % point of Student's t, to three decimals from 5 degrees of freedom on.

    Abramowitz & Stegun 1964, 26.7.5.
    """
    z, v = _Z, degrees
    return (
        z
        + (z**3 + z) / (4 * v)
        + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * v**2)
        + (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / (384 * v**3)
        + (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / (92160 * v**4)
    )


def bca(totals: NDArray[np.float64], counts: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """The 95 % interval of each column's mean, (2, columns): groups are drawn, not values.

    The bias-corrected and accelerated bootstrap (Efron 1987) of a mean over groups, with the
    jackknife in closed form, at levels widened for few groups (Hesterberg 2015, section 5.3).

    Args:
        totals: sums of the values by group and column; no column's values may all be equal.
        counts: how many values each group has in each column; at least two groups have some.
        seed: of the draws, which all columns share.
    """
    import numpy as np

    n, total = counts.sum(axis=0), totals.sum(axis=0)
    # Rounded, so that means equal but for the order of their sums count as equal.
    mean = np.round(total / n, 12)
    means = np.sort(np.round(_means(totals, counts, seed), 12), axis=1)
    below = (means < mean[:, None]).sum(axis=1) + (means <= mean[:, None]).sum(axis=1)
    below = np.clip(below / (2 * RESAMPLES), 1 / RESAMPLES, 1 - 1 / RESAMPLES)
    influence = total / n - (total - totals) / (n - counts)
    acceleration = (influence**3).sum(axis=0) / (6 * (influence**2).sum(axis=0) ** 1.5)
    drawn = (counts > 0).sum(axis=0)
    found = np.empty((2, len(mean)))
    for column in range(len(mean)):
        bias, some = _NORMAL.inv_cdf(float(below[column])), int(drawn[column])
        wide = math.sqrt(some / (some - 1)) * student(some - 1)
        levels = _levels(bias, float(acceleration[column]), wide)
        found[:, column] = np.interp(levels, np.linspace(0, 1, RESAMPLES), means[column])
    found[0], found[1] = np.minimum(found[0], mean), np.maximum(found[1], mean)
    return found


def bca_ends(
    point: float, drawn: NDArray[np.float64], acceleration: float, groups: int
) -> tuple[float, float]:
    """The 95 % interval of any measure from its sorted draws, widened for few groups."""
    import numpy as np

    below = float((drawn < point).mean() + (drawn <= point).mean()) / 2
    bias = _NORMAL.inv_cdf(min(1 - 1 / RESAMPLES, max(1 / RESAMPLES, below)))
    wide = math.sqrt(groups / (groups - 1)) * student(groups - 1)
    levels = _levels(bias, acceleration, wide)
    low, high = np.interp(levels, np.linspace(0, 1, len(drawn)), drawn).tolist()
    return low, high


def _levels(bias: float, acceleration: float, wide: float) -> list[float]:
    ends = [bias - wide, bias + wide]
    shrink = [1 - acceleration * z for z in ends]
    if min(shrink) > 0:
        ends = [bias + z / by for z, by in zip(ends, shrink, strict=True)]
    return [_NORMAL.cdf(z) for z in ends]


def _means(
    totals: NDArray[np.float64], counts: NDArray[np.float64], seed: int
) -> NDArray[np.float64]:
    """Each column's mean in each resample, (columns, resamples)."""
    import numpy as np

    patterns, of = np.unique(counts, axis=1, return_inverse=True)
    sums: list[NDArray[np.float64]] = []
    sizes: list[NDArray[np.float64]] = []
    for drawn in draws(len(totals), seed):
        sums.append(totals.T @ drawn.T)
        sizes.append(patterns.T @ drawn.T)
    size = np.concatenate(sizes, axis=1)[of.ravel()]
    mean = (totals.sum(axis=0) / counts.sum(axis=0))[:, None]
    none = size == 0  # no group with a value was drawn
    return np.where(none, mean, np.concatenate(sums, axis=1) / np.where(none, 1, size))


def draws(groups: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each group is drawn in each resample, (resamples, groups), in blocks."""
    if groups <= _SHARED:
        yield _draws(groups, seed)
    else:
        yield from _resamples(groups, seed)


@lru_cache(maxsize=2)
def _draws(groups: int, seed: int) -> NDArray[np.float64]:
    """How often each group is drawn in each resample."""
    import numpy as np

    return np.concatenate(list(_resamples(groups, seed)))


def _resamples(groups: int, seed: int) -> Iterator[NDArray[np.float64]]:
    import numpy as np

    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // groups)
    for done in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - done)
        drawn = rng.integers(groups, size=(rows, groups)) + groups * np.arange(rows)[:, None]
        yield np.bincount(drawn.ravel(), minlength=drawn.size).reshape(drawn.shape).astype(float)


def sign_flip(totals: NDArray[np.float64], seed: int) -> list[float]:
    """Two-sided p value of a mean of 0 for each column of sums by group, (groups, columns).

    A permutation test (Fisher 1935) that flips the sign of whole groups; exact where at most 12
    groups differ from 0.
    """
    import numpy as np

    some = (totals != 0).sum(axis=0)
    found = [1.0] * totals.shape[1]
    for column in np.flatnonzero((some > 0) & (some <= _EXACT)):
        d = totals[totals[:, column] != 0, column]
        signs = 1 - 2 * ((np.arange(2 ** len(d))[:, None] >> np.arange(len(d))) & 1)
        found[column] = float((abs(signs @ d) >= _observed(d)).mean())
    many = np.flatnonzero(some > _EXACT)
    if len(many):
        d = totals[:, many].astype(np.float32)
        hits, least = np.zeros(len(many), dtype=int), _observed(totals[:, many])
        for flipped in sign_patterns(len(totals), seed):
            hits += (abs(flipped @ d) >= least).sum(axis=0)
        for column, count in zip(many, hits, strict=True):
            found[column] = (int(count) + 1) / (FLIPS + 1)
    return found


def _observed(d: NDArray[np.float64]) -> NDArray[np.float64]:
    """The sum to be reached; a little less, as sums equal but for rounding count as equal."""
    import numpy as np

    return np.asarray(abs(d.sum(axis=0)) - 1e-6 * abs(d).sum(axis=0))


def sign_patterns(groups: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Signs, +1 or -1, of each group in each permutation, in blocks."""
    if groups <= _SHARED:
        yield _flips(groups, seed)
    else:
        yield from _flipped(groups, seed)


@lru_cache(maxsize=2)
def _flips(groups: int, seed: int) -> NDArray[np.float32]:
    import numpy as np

    return np.concatenate(list(_flipped(groups, seed)))


def _flipped(groups: int, seed: int) -> Iterator[NDArray[np.float32]]:
    """Signs, +1 or -1, of each group in each permutation."""
    import numpy as np

    rng = np.random.default_rng(seed)
    block = max(1, _BLOCK // groups)
    for done in range(0, FLIPS, block):
        rows = min(block, FLIPS - done)
        raw = np.frombuffer(rng.bytes(rows * groups // 8 + 1), np.uint8)
        bits = np.unpackbits(raw)[: rows * groups].reshape(rows, groups)
        yield 1 - 2 * bits.astype(np.float32)
