"""What a step that asks a model took while passages were found."""

from __future__ import annotations

from dataclasses import dataclass, field

from tailor.spending import Use


@dataclass(frozen=True)
class Took:
    """Tokens, cost and keys of its calls, from the store or new."""

    used: Use = field(default_factory=Use)
    calls: tuple[str, ...] = ()
    seconds: float = 0.0
    """When the calls were new."""
    clock: float = 0.0
    """What the clock said now."""
    fell_back: str = ""
    """The step, where its reply could not be used and nothing was changed."""
