"""How sure a score and a difference between two rows are.

Scores lie between 0 and 1. All intervals are 95 %; all randomness is seeded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Verdict = Literal["better", "worse", "tie", "undecided"]

MARGIN = 0.02
"""Differences within it make no difference to anybody: 2 points."""

FEWEST = 6
"""On fewer questions nothing can be told: the sign-flip test cannot reach p < 0.05."""

_LEVEL = 0.95
_RESAMPLES = 4000
_FLIPS = 10_000
_BLOCK = 2_000_000  # numbers drawn at a time, which bounds the memory
_SHARED = 3000  # values up to which the draws are kept for the next metric: 100 MB


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
    """Whether the differences differ; where they do not, the interval is delta ± 3/n."""


def interval(values: Sequence[float], seed: int = 0) -> Interval | None:
    """The mean of scores with its 95 % interval; None without scores.

    BCa bootstrap (Efron 1987) at levels widened for small samples (Hesterberg 2015, section 5.3).
    Wilson's score interval where that cannot work: scores that are all 0 or 1, all equal, or fewer
    than ``FEWEST``. Its binomial variance is the largest that scores between 0 and 1 can have.

    Raises:
        ValueError: a score is not a number between 0 and 1.
    """
    import numpy as np

    if any(not 0 <= v <= 1 for v in values):
        raise ValueError("a score must be a number between 0 and 1; leave out what is unscored")
    x = np.asarray(values, dtype=float)
    n = len(x)
    if n == 0:
        return None
    mean = float(x.mean())
    if n < FEWEST or np.ptp(x) == 0 or np.isin(x, (0, 1)).all():
        return Interval(mean, *_wilson(mean, n), n)
    return Interval(mean, *_bootstrap(x, seed), n)


def paired(base: Sequence[float], candidate: Sequence[float], seed: int = 0) -> Paired | None:
    """Candidate minus base, question by question; None without questions.

    The interval is a bootstrap over questions, as in :func:`interval`; the p value a sign-flip
    permutation test (Fisher 1935), exact where few questions differ. Where all differences are
    equal there is nothing to draw from: the interval is the difference ± 3/n, within -1 and 1, as
    other differences may still be as frequent as that (rule of three: Hanley & Lippman-Hand 1983).
    Identical scores so give delta 0 and p 1, and are a tie within 2 points from 150 questions on.

    Raises:
        ValueError: the lengths differ, or a score is not a number between 0 and 1.
    """
    import numpy as np

    if len(base) != len(candidate):
        raise ValueError(f"{len(base)} and {len(candidate)} scores are not of the same questions")
    if any(not 0 <= v <= 1 for v in (*base, *candidate)):
        raise ValueError("a score must be a number between 0 and 1; leave out what is unscored")
    d = np.asarray(candidate, dtype=float) - np.asarray(base, dtype=float)
    n = len(d)
    if n == 0:
        return None
    delta = float(d.mean())
    spread = bool(np.ptp(d) > 1e-9)  # sums equal but for rounding count as equal
    if spread:
        low, high = _bootstrap(d, seed)
    else:
        low, high = max(-1.0, delta - 3 / n), min(1.0, delta + 3 / n)
    return Paired(delta, low, high, _sign_flip(d, seed), n, spread)


def verdict(difference: Paired, margin: float = MARGIN) -> Verdict:
    """What a difference says about the candidate.

    ``better`` or ``worse`` when its interval excludes 0, else ``tie`` when it lies within the
    margin, else ``undecided``, as always on fewer than ``FEWEST`` questions.
    """
    if difference.n < FEWEST:
        return "undecided"
    if difference.low > 0:
        return "better"
    if difference.high < 0:
        return "worse"
    return "tie" if max(-difference.low, difference.high) <= margin else "undecided"


def questions_needed(difference: Paired, margin: float = MARGIN) -> int | None:
    """How many more questions would tell, if the difference stays what it is; 0 when it is told.

    Enough for an interval that excludes 0, or for one within the margin, whichever comes first,
    with a chance of about 80 %; None when no number would be enough (no difference and no margin).
    """
    if verdict(difference, margin) != "undecided":
        return 0
    half = (difference.high - difference.low) / 2
    distance = max(abs(difference.delta), margin - abs(difference.delta))
    if distance <= 0:
        return None
    if not difference.spread:
        return max(1, FEWEST - difference.n, math.ceil(3 / distance) - difference.n)
    # The half-width is 1.96 standard errors and shrinks with the root of n; 80 % power asks for
    # 1.96 + 0.84 of them.
    wanted = difference.n * ((1.96 + 0.84) / 1.96 * half / distance) ** 2
    return max(1, FEWEST - difference.n, math.ceil(wanted) - difference.n)


def holm(differences: Sequence[Paired | None]) -> list[Paired | None]:
    """The same differences with p values adjusted for being several (Holm 1979)."""
    order = sorted((d.p, i) for i, d in enumerate(differences) if d is not None)
    adjusted: dict[int, float] = {}
    highest = 0.0
    for rank, (p, i) in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - rank) * p))
        adjusted[i] = highest
    return [None if d is None else replace(d, p=adjusted[i]) for i, d in enumerate(differences)]


def _wilson(mean: float, n: int) -> tuple[float, float]:
    """Wilson 1927."""
    from scipy.special import ndtri

    z2 = float(ndtri((1 + _LEVEL) / 2)) ** 2
    centre = (mean + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (mean * (1 - mean) / n + z2 / (4 * n * n))) / (1 + z2 / n)
    return max(0.0, min(mean, centre - half)), min(1.0, max(mean, centre + half))


def _bootstrap(x: NDArray[np.float64], seed: int) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval of the mean of unequal values."""
    import numpy as np
    from scipy.special import ndtr, ndtri, stdtrit

    n = len(x)
    mean = x.mean()
    # Rounded, so that means equal but for the order of their sums count as equal.
    if n <= _SHARED:
        mean, means = round(mean, 12), np.round(_drawn(n, seed) @ x / n, 12)
    else:
        means = np.concatenate([x[rows].mean(axis=1) for rows in _resamples(n, seed)])
    centred = x - mean
    acceleration = (centred**3).sum() / (6 * (centred**2).sum() ** 1.5)
    below = ((means < mean).sum() + (means <= mean).sum()) / (2 * len(means))
    bias = ndtri(np.clip(below, 1 / len(means), 1 - 1 / len(means)))
    wide = math.sqrt(n / (n - 1)) * float(stdtrit(n - 1, (1 + _LEVEL) / 2))
    z = bias + np.array([-wide, wide])
    shrink = 1 - acceleration * z
    levels = ndtr(bias + z / shrink) if (shrink > 0).all() else ndtr(z)
    low, high = np.quantile(means, levels)
    return float(min(low, mean)), float(max(high, mean))


@lru_cache(maxsize=2)
def _drawn(n: int, seed: int) -> NDArray[np.float64]:
    """How often each of ``n`` values is drawn in each resample: the same for every metric."""
    import numpy as np

    return np.concatenate(
        [
            np.bincount((rows + n * np.arange(len(rows))[:, None]).ravel(), minlength=rows.size)
            .reshape(rows.shape)
            .astype(float)
            for rows in _resamples(n, seed)
        ]
    )


def _resamples(n: int, seed: int) -> Iterator[NDArray[np.int64]]:
    import numpy as np

    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // n)
    for done in range(0, _RESAMPLES, rows):
        yield rng.integers(n, size=(min(rows, _RESAMPLES - done), n))


def _sign_flip(d: NDArray[np.float64], seed: int) -> float:
    """Two-sided p value of a mean of 0, flipping the signs of the differences."""
    import numpy as np

    d = d[d != 0]
    n = len(d)
    if n == 0:
        return 1.0
    # A tolerance, so that sums equal but for rounding count as equal.
    observed = abs(d.sum()) - 1e-9
    if n <= 12:
        signs = 1 - 2 * ((np.arange(2**n)[:, None] >> np.arange(n)) & 1)
        return float((abs(signs @ d) >= observed).mean())
    rng = np.random.default_rng(seed)
    rows = max(1, _BLOCK // n)
    hits = 0
    for done in range(0, _FLIPS, rows):
        signs = 1 - 2 * rng.integers(2, size=(min(rows, _FLIPS - done), n), dtype=np.int8)
        hits += int((abs(signs @ d) >= observed).sum())
    return (hits + 1) / (_FLIPS + 1)
