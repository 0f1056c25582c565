"""Runs a state machine over histories, until all that makes it worth running was reached."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test


def explored(machine: Any, examples: int, reached: Collection[str]) -> None:
    """So many histories, the same each time; ``TAILOR_STATES=500``: that many new ones, shrunk.

    Which histories these are depends also on the modules that are loaded: where they did not reach
    everything in ``reached``, others are tried.
    """
    often = int(os.environ.get("TAILOR_STATES", "0"))
    machine.seen = Counter()
    for attempt in range(3):
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=often or examples,
                stateful_step_count=25,
                derandomize=not often and not attempt,
                deadline=None,
                database=None,
                phases=list(Phase) if often else [Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
        if machine.seen.keys() >= set(reached):
            return
    raise AssertionError(f"never reached: {sorted(set(reached) - machine.seen.keys())}")
