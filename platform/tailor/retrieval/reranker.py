"""The learned reranker: a linear model of features, trained on questions whose evidence is known.

Small enough to be trained in seconds on some tens of questions: logistic regression on the
differences between a passage that holds the evidence and one that does not (pairwise learning to
rank, Joachims 2002), over features of the match between question and passage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from tailor.retrieval.features import FEATURES
from tailor.retrieval.ranking import ranks

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LEAST = 12
"""Fewer questions than this teach nothing that holds on others."""

_PENALTIES = (0.001, 0.01, 0.1, 1.0)
"""Of which cross-validation over the questions chooses: the inverse strength of the L2 penalty."""
_PAIRS = 100
"""Pairs taken of one question at most, so that no question outweighs the others."""


@dataclass(frozen=True)
class Reranker:
    """What was learned: each feature's mean, its spread, and its weight per spread."""

    means: tuple[float, ...]
    spreads: tuple[float, ...]
    weights: tuple[float, ...]
    questions: int
    """How many questions it was trained on."""

    def scores(self, rows: Floats) -> Floats:
        """The score of each row of features, the higher the better."""
        import numpy as np

        scores: Floats = (
            (rows - np.array(self.means)) / np.array(self.spreads) @ np.array(self.weights)
        )
        return np.round(scores, 9)

    def to_json(self) -> dict[str, Any]:
        """All numbers, and the names of the features."""
        return {**asdict(self), "features": list(FEATURES)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Reranker:
        """What :meth:`to_json` wrote."""
        return cls(
            tuple(value["means"]), tuple(value["spreads"]), tuple(value["weights"]),
            value["questions"],
        )  # fmt: skip


def learn(examples: Sequence[tuple[Floats, Flags]], seed: int = 0) -> Reranker | None:
    """Train on the features of each question's candidates and on which of them hold evidence.

    None where fewer than ``LEAST`` questions have both a candidate that does and one that does not.
    """
    import numpy as np

    useful = [(rows, right) for rows, right in examples if right.any() and not right.all()]
    if len(useful) < LEAST:
        return None
    every = np.concatenate([rows for rows, _ in useful])
    means, spreads = every.mean(axis=0), every.std(axis=0)
    spreads[spreads < 1e-9] = 1.0
    scaled = [((rows - means) / spreads, right) for rows, right in useful]
    folds = np.random.default_rng(seed).permutation(len(scaled)) % 5
    pairs = [_differences(rows, right) for rows, right in scaled]
    quality = {penalty: _validated(scaled, pairs, folds, penalty) for penalty in _PENALTIES}
    chosen = max(quality, key=lambda penalty: (round(quality[penalty], 6), -penalty))
    weights = _fitted(np.concatenate(pairs), chosen)
    return Reranker(
        tuple(means.tolist()), tuple(spreads.tolist()), tuple(weights.tolist()), len(useful)
    )


def _fitted(pairs: Floats, penalty: float) -> Floats:
    """The weights by which the right row of each pair is above the wrong one.

    Those of scikit-learn's logistic regression on the pairs and their negatives without intercept,
    by the same solver and the same rule to stop; to import it costs more than all fits together.
    """
    import numpy as np
    from scipy.optimize import minimize

    strength = 1 / (2 * len(pairs) * penalty)

    def loss(weights: Floats) -> tuple[float, Floats]:
        margins = pairs @ weights
        wrong = (1 - np.tanh(margins / 2)) / 2  # the probability of the wrong order
        slope = strength * weights - wrong @ pairs / len(pairs)
        return np.logaddexp(0, -margins).mean() + strength * (weights @ weights) / 2, slope

    stop = {"maxiter": 300, "maxls": 50, "gtol": 1e-4, "ftol": 64 * np.finfo(np.float64).eps}
    start = np.zeros(pairs.shape[1])
    found: Floats = minimize(loss, start, method="L-BFGS-B", jac=True, options=stop).x
    return found


def _differences(rows: Floats, right: Flags) -> Floats:
    """Right rows less wrong ones, (pairs, features)."""
    import numpy as np

    pairs: Floats = (rows[right][:, None] - rows[~right][None]).reshape(-1, rows.shape[1])
    step = max(1, -(-len(pairs) // _PAIRS))
    return np.ascontiguousarray(pairs[::step])


def _validated(
    examples: Sequence[tuple[Floats, Flags]],
    pairs: Sequence[Floats],
    folds: Whole,
    penalty: float,
) -> float:
    """Mean reciprocal rank on the fold left out."""
    import numpy as np

    found: list[float] = []
    for fold in range(5):
        weights = _fitted(
            np.concatenate([pairs[at] for at in np.flatnonzero(folds != fold).tolist()]), penalty
        )
        held = [examples[at] for at in np.flatnonzero(folds == fold).tolist()]
        found += [float((1 / ranks(rows @ weights)[right]).max()) for rows, right in held]
    return sum(found) / len(found)
