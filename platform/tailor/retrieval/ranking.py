"""From the scores of candidates to a ranking."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.retrieval.configuration import Configuration, Fusion

    Numbers = NDArray[np.int64]
    Floats = NDArray[np.float64]

RANK_CONSTANT = 60
"""Of reciprocal rank fusion (Cormack et al. 2009)."""
_BLOCK = 256
"""Scores of which the best is looked for at once."""


@dataclass(frozen=True)
class Candidates:
    """Passages that either search found, and what each says of all of them; one row a passage.

    Rows may be one question's, (n,), or those of many, (questions, n), where the arrays are padded
    with ``number`` -1.
    """

    numbers: Numbers
    """Of the passages, ascending."""
    lexical: Floats
    """BM25, 0 where no word is shared."""
    cosines: Floats
    """-1 where a text has no vector."""
    lexical_ranks: Mapping[int, int] = field(default_factory=dict)
    """Of one question's candidates that the words found, by number, from 1."""
    dense_ranks: Mapping[int, int] = field(default_factory=dict)
    """Of those that the vectors found."""

    def ranked(self, configuration: Configuration) -> Floats:
        """The fused score of each candidate, the higher the better; padding gets -1."""
        return next(self.rankings(configuration.fusion, [configuration.weight]))

    def rankings(self, fusion: Fusion, weights: Sequence[float]) -> Iterator[Floats]:
        """As :meth:`ranked`, for each of these shares of the word search."""
        import numpy as np

        padding = self.numbers < 0
        by_words, by_meaning = _sides(self.lexical, self.cosines, fusion)
        for weight in weights:
            scores = np.round(weight * by_words + (1 - weight) * by_meaning, 9)
            scores[padding] = -1.0
            yield scores


def fused(lexical: Floats, cosines: Floats, weight: float, fusion: Fusion = "scores") -> Floats:
    """The weighted mean of both sides along the last axis; ``weight`` is the share of BM25."""
    by_words, by_meaning = _sides(lexical, cosines, fusion)
    return weight * by_words + (1 - weight) * by_meaning


def _sides(lexical: Floats, cosines: Floats, fusion: Fusion) -> tuple[Floats, Floats]:
    """What words and meaning each give to the fused score.

    By scores each side is relative to its best candidate, the least possible score counting as 0,
    that is 0 for BM25 and -1 for the cosine (Bruch et al. 2023). By ranks each side gives
    1 / (60 + rank), and nothing where it did not find the passage (Cormack et al. 2009).
    """
    import numpy as np

    if fusion == "ranks":
        by_words = np.where(lexical > 0, 1 / (RANK_CONSTANT + ranks(lexical)), 0.0)
        by_meaning = np.where(cosines > -1, 1 / (RANK_CONSTANT + ranks(cosines)), 0.0)
        return by_words, by_meaning
    by_words = lexical / _positive(lexical.max(axis=-1, keepdims=True, initial=0.0))
    by_meaning = (cosines + 1) / _positive(cosines.max(axis=-1, keepdims=True, initial=-1.0) + 1)
    return by_words, by_meaning


def _positive(best: Floats) -> Floats:
    import numpy as np

    return np.where(best > 0, best, 1.0)


def ranks(scores: Floats) -> Floats:
    """Ranks from 1 along the last axis, the highest score first; ties in order of place."""
    import numpy as np

    order = np.argsort(-scores, axis=-1, kind="stable")
    out = np.empty(scores.shape, dtype=np.float64)
    places = np.broadcast_to(np.arange(1.0, scores.shape[-1] + 1), scores.shape)
    np.put_along_axis(out, order, places, axis=-1)
    return out


def top(scores: NDArray[np.floating[Any]], n: int) -> Numbers:
    """The places of the n best of those above 0, the best first; ties in order of place."""
    import numpy as np

    least = _least(scores, n)
    found = np.flatnonzero(scores >= least if least > 0 else scores > 0)
    if n < len(found):
        found = found[scores[found] >= np.partition(scores[found], -n)[-n]]
    best: Numbers = found[np.argsort(-scores[found], kind="stable")][:n]
    return best


def _least(scores: NDArray[np.floating[Any]], n: int) -> float:
    """What the n best reach at least, soon found: so much the best of n blocks of scores reach."""
    import numpy as np

    blocks = len(scores) // _BLOCK
    if blocks < n:
        return 0.0
    best = scores[: blocks * _BLOCK].reshape(blocks, _BLOCK).max(axis=1)
    return float(np.partition(best, -n)[-n])
