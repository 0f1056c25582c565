"""Every vector of an index, one row a passage, in a file that is mapped into memory."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Vectors = NDArray[np.float32]
    Mask = NDArray[np.bool_]

_AT_ONCE = 50_000
"""Rows that are looked at together."""
_HEAD = 128
"""Bytes before the first row."""


@dataclass(frozen=True)
class Exact:
    """All unit vectors, (passages, dimension); a row of zeros where there is none."""

    vectors: Vectors

    @classmethod
    def open(cls, file: Path) -> Exact:
        """Map a finished file.

        Raises:
            OSError, ValueError: it is missing or damaged.
        """
        import numpy as np

        return cls(np.load(file, mmap_mode="r"))

    @cached_property
    def directed(self) -> Mask:
        """Which passages have a vector; reads all of them once."""
        import numpy as np

        starts = range(0, len(self.vectors), _AT_ONCE)
        parts = [self.vectors[at : at + _AT_ONCE].any(axis=1) for at in starts]
        return np.concatenate(parts) if parts else np.zeros(0, dtype=bool)

    def cosines(self, vector: Vectors, numbers: Sequence[int]) -> dict[int, float]:
        """The cosine of each of these passages that has a vector."""
        import numpy as np

        rows = self.vectors[list(numbers)]
        cosines, directed = (rows @ vector).tolist(), np.flatnonzero(rows.any(axis=1)).tolist()
        return {numbers[at]: cosines[at] for at in directed}

    def nearest(
        self, vector: Vectors, n: int, further: Sequence[int], within: Mask | None = None
    ) -> tuple[list[tuple[int, float]], dict[int, float]]:
        """The n nearest of the passages that ``within`` marks, with their cosines; and the cosines
        of these and of those of the ``further`` ones that it marks."""
        import numpy as np

        marked = self.directed if within is None else within & self.directed
        numbers = np.flatnonzero(marked)
        if not len(numbers):
            return [], {}
        few = 4 * len(numbers) < len(marked)
        cosines = self.vectors[numbers] @ vector if few else (self.vectors @ vector)[numbers]
        rounded = np.round(cosines, 6)
        best = np.arange(len(numbers))
        if n < len(numbers):
            best = np.flatnonzero(rounded >= np.partition(rounded, -n)[-n])
        order = best[np.lexsort((numbers[best], -rounded[best]))][:n]
        ranking = [(int(numbers[at]), float(cosines[at])) for at in order]
        asked = np.array([number for number in further if marked[number]], dtype=np.int64)
        places = np.searchsorted(numbers, asked)
        known = dict(zip(asked.tolist(), cosines[places].tolist(), strict=True))
        return ranking, known | dict(ranking)


def rows(file: Path, dimension: int, most: int) -> int:
    """How many whole rows a file holds that is being written; what follows ``most`` is cut off."""
    if not file.exists() or (size := file.stat().st_size) < _HEAD:
        file.unlink(missing_ok=True)
        return 0
    found = min(most, (size - _HEAD) // (4 * dimension))
    os.truncate(file, _HEAD + found * 4 * dimension)
    return found


def append(file: Path, further: Sequence[Vectors], count: int) -> None:
    """Write further rows of the ``count`` that the file is to hold, and have them on the disk."""
    import numpy as np

    vectors = np.array(further, dtype="<f4")
    with file.open("ab") as out:
        if not out.tell():
            shape = count, vectors.shape[1]
            head = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(out, head)
            assert out.tell() == _HEAD
        out.write(vectors.tobytes())
        out.flush()
        os.fsync(out.fileno())
