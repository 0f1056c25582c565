"""What model calls cost while a command runs, and the limit they keep to."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tailor.errors import BudgetReached


@dataclass(frozen=True)
class Use:
    """What some model calls took."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = 0.0
    """US dollars; None where the model's price is not known."""

    def __add__(self, other: Use) -> Use:
        known = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Use(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            known,
        )


@dataclass(eq=False)
class Charge:
    """A call that is being made."""

    most: float
    """What it may cost at most, in US dollars."""
    usd: float | None = None
    """What it did cost."""


class Spending:
    """Adds up what calls cost; with a limit, none is begun that could pass it.

    A call counts with the most it can cost until its reply says what it did cost: the counted
    tokens of its prompt and the longest reply. One that does not fit beside those in flight waits
    for them. Replies that are in the store cost nothing again. Safe to use from several threads.
    """

    def __init__(self, limit: float | None = None) -> None:
        self.limit = limit
        """US dollars."""
        self._spent = 0.0
        self._in_flight: list[Charge] = []
        self._uses: list[Use] = []
        self._changed = threading.Condition()

    @property
    def spent(self) -> float:
        """US dollars for new calls so far; those without a known price count nothing."""
        with self._changed:
            return self._spent

    @contextmanager
    def charged(self, most: float | None, halt: threading.Event) -> Iterator[Charge]:
        """Make a call inside the block and set what it cost; left by an error, it cost ``most``.

        Raises:
            BudgetReached: even alone, the call could pass the limit.
            TimeoutError: ``halt`` was set while the call waited for others.
        """
        charge = self._begin(Charge(most or 0.0), halt)
        try:
            yield charge
        finally:
            with self._changed:
                self._in_flight.remove(charge)
                self._spent += charge.most if charge.usd is None else charge.usd
                self._changed.notify_all()

    def _begin(self, charge: Charge, halt: threading.Event) -> Charge:
        with self._changed:
            while self.limit is not None:
                waiting = sum(other.most for other in self._in_flight)
                if self._spent + waiting + charge.most <= self.limit + 1e-12:
                    break
                if not self._in_flight:
                    raise BudgetReached(self._spent, self.limit, charge.most)
                self._changed.wait(0.1)
                if halt.is_set():
                    raise TimeoutError("stopped before the call was made")
            self._in_flight.append(charge)
        return charge

    def used(self, use: Use) -> None:
        """Note a reply that was used, from the store or new."""
        with self._changed:
            self._uses.append(use)

    @property
    def uses(self) -> int:
        """How many replies were used so far."""
        with self._changed:
            return len(self._uses)

    def since(self, uses: int) -> Use:
        """What the replies after the first ``uses`` took."""
        with self._changed:
            return sum(self._uses[uses:], Use())
