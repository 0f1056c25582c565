"""From rows of a matrix to a value each: linear weights or trees, kept as plain arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.prediction.scale import Scale

    Floats = NDArray[np.float64]
    Whole = NDArray[np.int64]

FOLDS = 5
ROWS = 1000
"""Rows that trees are asked for at once."""


@dataclass(frozen=True)
class Linear:
    """A weighted sum of the columns, and a constant; one for each label where there are labels."""

    weights: Floats
    """(columns,) or (labels, columns)."""
    constant: Floats
    """() or (labels,)."""

    def values(self, rows: Any) -> Floats:
        """(n,) or (n, labels)."""
        import numpy as np

        found: Floats = np.asarray(rows @ self.weights.T) + self.constant
        return found

    def save(self, folder: Path) -> None:
        """Write the arrays."""
        import numpy as np

        np.savez(folder / "linear.npz", weights=self.weights, constant=self.constant)

    @classmethod
    def load(cls, folder: Path) -> Linear:
        """Read what :meth:`save` wrote."""
        import numpy as np

        with np.load(folder / "linear.npz", allow_pickle=False) as stored:
            return cls(stored["weights"], stored["constant"])


@dataclass(frozen=True)
class Trees:
    """Regression trees whose leaves are added up; all nodes of all trees in one list."""

    roots: Whole
    """(trees,): the first node of each."""
    left: Whole
    """Where a row goes whose value in ``column`` is at most ``threshold``; -1: a leaf."""
    right: Whole
    column: Whole
    threshold: Floats
    value: Floats
    """What a leaf adds."""
    gains: Floats
    """(columns,): how much of the squared error the splits by each take away."""
    constant: float = 0.0

    def values(self, rows: Any) -> Floats:
        """(n,)."""
        import numpy as np

        parts = []
        for first in range(0, rows.shape[0], ROWS):
            some = rows[first : first + ROWS]
            # The thresholds are of the single precision that the trees were grown in.
            table = np.asarray(some.todense() if hasattr(some, "todense") else some, np.float32)
            parts.append(self._leaves(table).sum(axis=1) + self.constant)
        return np.concatenate(parts) if parts else np.empty(0)

    def _leaves(self, table: NDArray[np.float32]) -> Floats:
        import numpy as np

        nodes = np.tile(self.roots, (len(table), 1))
        each = np.arange(len(table))[:, None]
        while (inner := self.left[nodes] >= 0).any():
            below = table[each, self.column[nodes]] <= self.threshold[nodes]
            nodes = np.where(inner, np.where(below, self.left[nodes], self.right[nodes]), nodes)
        found: Floats = self.value[nodes]
        return found

    def save(self, folder: Path) -> None:
        """Write the arrays."""
        import numpy as np

        np.savez(folder / "trees.npz", **self.__dict__)

    @classmethod
    def load(cls, folder: Path) -> Trees:
        """Read what :meth:`save` wrote."""
        import numpy as np

        with np.load(folder / "trees.npz", allow_pickle=False) as stored:
            arrays = {name: stored[name] for name in stored.files}
        return cls(**{**arrays, "constant": float(arrays["constant"])})


def ridge(rows: Any, numbers: Sequence[float], scale: Scale, seed: int) -> Linear:
    """Linear regression whose weights are held down (ridge), as much as cross-validation says."""
    from sklearn.linear_model import Ridge

    choices = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
    return _best(choices, Ridge, rows, numbers, scale, seed)


def support_vectors(rows: Any, numbers: Sequence[float], scale: Scale, seed: int) -> Linear:
    """A linear support vector regression; its C is chosen by cross-validation."""
    from sklearn.svm import LinearSVR

    def made(own: float) -> Any:
        # The dual does not converge on the plain scale within reason; squares in the primal do.
        return LinearSVR(C=own, max_iter=2000, tol=1e-3, random_state=seed)

    return _best((0.01, 0.1, 1.0), made, rows, numbers, scale, seed)


def forest(rows: Any, numbers: Sequence[float], scale: Scale, seed: int) -> Trees:
    """A random forest of 100 trees (Breiman 2001)."""
    from sklearn.ensemble import RandomForestRegressor

    model = RandomForestRegressor(
        100, max_features=1 / 3, min_samples_leaf=2, random_state=seed, n_jobs=2
    )
    model.fit(rows, scale.fitted(numbers))
    return _trees([tree.tree_ for tree in model.estimators_], 1 / 100, 0.0)


def boosting(rows: Any, numbers: Sequence[float], scale: Scale, seed: int) -> Trees:
    """Gradient boosting of 300 trees on random parts of items and columns (Friedman 2002)."""
    from sklearn.ensemble import GradientBoostingRegressor

    rate = 0.1
    model = GradientBoostingRegressor(
        n_estimators=300, learning_rate=rate, max_depth=4, max_features="sqrt", subsample=0.7,
        min_samples_leaf=3, random_state=seed,
    )  # fmt: skip
    values = scale.fitted(numbers)
    model.fit(rows, values)
    return _trees([tree.tree_ for tree in model.estimators_[:, 0]], rate, float(values.mean()))


def logistic(rows: Any, labels: Sequence[int], count: int, seed: int) -> Linear:
    """Logistic regression for labels numbered from 0; C is chosen by cross-validation.

    A label without train items, of ``count``, is never given.
    """
    import numpy as np
    from sklearn.linear_model import LogisticRegression

    wanted = np.asarray(labels)

    def right(own: float) -> float:
        hits = 0.0
        for known, left_out in folds(len(wanted), seed):
            if len(set(wanted[known])) < 2:
                continue
            model = LogisticRegression(C=own, max_iter=1000).fit(rows[known], wanted[known])
            hits += float((model.predict(rows[left_out]) == wanted[left_out]).sum())
        return hits

    best = max((0.3, 3.0, 30.0), key=right)
    model = LogisticRegression(C=best, max_iter=1000).fit(rows, wanted)
    weights, constant = np.zeros((count, rows.shape[1])), np.full(count, -1e9)
    if len(model.classes_) == 2:  # one row of weights, for the second of the two
        weights[model.classes_[1]], constant[model.classes_[0]] = model.coef_[0], 0.0
        constant[model.classes_[1]] = model.intercept_[0]
    else:
        weights[model.classes_], constant[model.classes_] = model.coef_, model.intercept_
    return Linear(weights, constant)


def folds(n: int, seed: int) -> Iterator[tuple[Whole, Whole]]:
    """What is fitted on and what is left out, five times; fewer where there are fewer items."""
    from sklearn.model_selection import KFold

    if n > 1:
        yield from KFold(min(FOLDS, n), shuffle=True, random_state=seed).split(range(n))


def _best(
    choices: Sequence[float],
    made: Callable[[float], Any],
    rows: Any,
    numbers: Sequence[float],
    scale: Scale,
    seed: int,
) -> Linear:
    """The linear model with the choice that has the least absolute error on what is left out."""
    import numpy as np

    truth, values = np.asarray(numbers), scale.fitted(numbers)

    def error(own: float) -> float:
        return sum(
            float(np.abs(scale.numbers(_fit(made(own), rows, values, known).values(rows[left_out]))
                         - truth[left_out]).sum())
            for known, left_out in folds(len(truth), seed)
        )  # fmt: skip

    return _fit(made(min(choices, key=error)), rows, values, np.arange(len(truth)))


def _fit(model: Any, rows: Any, values: Floats, known: Whole) -> Linear:
    import warnings

    import numpy as np
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is judged by its error
        model.fit(rows[known], values[known])
    constant = np.asarray(model.intercept_, dtype=np.float64).reshape(())
    return Linear(np.asarray(model.coef_, dtype=np.float64).ravel(), constant)


def _trees(grown: Sequence[Any], share: float, constant: float) -> Trees:
    """Trees as scikit-learn has them, each leaf counting by its share."""
    import numpy as np

    sizes = [tree.node_count for tree in grown]
    roots = np.cumsum([0, *sizes[:-1]]).astype(np.int64)

    def moved(name: str) -> Whole:
        parts = [getattr(tree, name).astype(np.int64) for tree in grown]
        return np.concatenate(
            [np.where(part >= 0, part + root, -1) for part, root in zip(parts, roots, strict=True)]
        )

    return Trees(
        roots,
        moved("children_left"),
        moved("children_right"),
        np.concatenate([np.maximum(tree.feature, 0).astype(np.int64) for tree in grown]),
        np.concatenate([tree.threshold for tree in grown]),
        np.concatenate([tree.value[:, 0, 0] for tree in grown]) * share,
        sum(tree.compute_feature_importances(normalize=False) for tree in grown),
        constant,
    )
