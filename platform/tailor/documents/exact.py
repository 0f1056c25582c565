"""Every vector of an index compared: what a filtered search needs, as a graph would miss some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Exact:
    """All unit vectors, (vectors, dimension), and the row of each passage's own."""

    vectors: Vectors
    rows: NDArray[np.int64]
    """By passage number; -1 where there is none."""

    @classmethod
    def of(cls, keys: Sequence[str], vectors: Mapping[str, Vectors]) -> Exact:
        """From the key of each passage and the vectors by key."""
        import numpy as np

        at = {key: row for row, key in enumerate(vectors)}
        rows = np.array([at.get(key, -1) for key in keys], dtype=np.int64)
        return cls(np.array(list(vectors.values()), dtype=np.float32), rows)

    def nearest(
        self, vector: Vectors, n: int, further: Sequence[int], within: NDArray[np.bool_]
    ) -> tuple[list[tuple[int, float]], dict[int, float]]:
        """The n nearest of the passages that ``within`` marks, with their cosines; and the cosines
        of these and of the ``further`` ones."""
        import numpy as np

        numbers = np.flatnonzero(within & (self.rows >= 0))
        if not len(numbers):
            return [], {}
        cosines = (self.vectors @ vector)[self.rows[numbers]]
        order = np.lexsort((numbers, -np.round(cosines, 6)))[:n]
        ranking = [(int(numbers[at]), float(cosines[at])) for at in order]
        every = dict(zip(numbers.tolist(), cosines.tolist(), strict=True))
        known = {number: every[number] for number in further if number in every}
        return ranking, known | dict(ranking)
