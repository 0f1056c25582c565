"""The scale on which numbers are estimated: their logarithm where all are above 0."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tailor.errors import NotApplicable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Wanted = Literal["auto", "log", "plain"]


@dataclass(frozen=True)
class Scale:
    """From numbers to what is fitted, and back into the range that was seen in training."""

    log: bool
    low: float
    high: float

    @classmethod
    def of(cls, numbers: Sequence[float], wanted: Wanted = "auto") -> Scale:
        """The scale for these train numbers; ``auto`` takes logarithms where all are above 0.

        On logarithms effects multiply, which fits prices, and one expensive item does not outweigh
        all others.

        Raises:
            NotApplicable: logarithms are wanted of numbers that have none.
        """
        low, high = min(numbers), max(numbers)
        if wanted == "log" and low <= 0:
            raise NotApplicable(
                f"baseline.scale: there are no logarithms of numbers such as {low:g}; set it to "
                "plain or auto."
            )
        return cls(wanted == "log" or (wanted == "auto" and low > 0), low, high)

    def fitted(self, numbers: Sequence[float]) -> Floats:
        """The numbers on this scale, (n,)."""
        import numpy as np

        values = np.asarray(numbers, dtype=np.float64)
        return np.log(values) if self.log else values

    def numbers(self, values: Floats) -> Floats:
        """Back from this scale; nothing is below the least or above the greatest train number."""
        import numpy as np

        if self.log:
            values = np.exp(np.clip(values, np.log(self.low), np.log(self.high)))
        found: Floats = np.clip(values, self.low, self.high)
        return found
