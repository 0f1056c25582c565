"""What was last found out about models, kept for the interface: ``.tailor/reports/models.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tailor.selection.facts import Facts
from tailor.selection.measured import Against

FILE = "models.json"


@dataclass(frozen=True)
class Kept:
    """Facts of models, and what was measured; empty where nothing was."""

    models: tuple[Facts, ...] = ()
    measured: tuple[Against, ...] = ()


def keep(state: Path, models: Sequence[Facts], measured: Sequence[Against]) -> None:
    """Keep them in place of what was kept before; facts alone leave measurements as they are.

    Raises:
        TailorError: the file cannot be written.
    """
    from tailor.run import write_json

    before = () if measured else kept(state).measured
    value = {
        "models": [one.to_json() for one in models],
        "measured": [one.to_json() for one in (*measured, *before)],
    }
    write_json(state / "reports" / FILE, value)


def kept(state: Path) -> Kept:
    """What is kept; nothing where there is no file, or one of another version."""
    try:
        value = json.loads((state / "reports" / FILE).read_text("utf-8"))
        return Kept(
            tuple(Facts.from_json(one) for one in value["models"]),
            tuple(Against.from_json(one) for one in value["measured"]),
        )
    except (OSError, ValueError, TypeError, KeyError):
        return Kept()
