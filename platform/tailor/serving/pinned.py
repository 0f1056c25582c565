"""The row that goes on being served until a person agrees to another one."""

from __future__ import annotations

import json
from pathlib import Path

FILE = "pinned.json"


def pin(state: Path, row: str, model: str) -> None:
    """Have servers of the best row answer by this one, whatever is measured since.

    Raises:
        TailorError: the file cannot be written.
    """
    from tailor.run import write_json

    write_json(state / FILE, {"row": row, "model": model})


def pinned(state: Path) -> tuple[str, str] | None:
    """The row and its model; None where the best one is served as soon as it is known."""
    try:
        value = json.loads((state / FILE).read_text("utf-8"))
        return str(value["row"]), str(value["model"])
    except (OSError, ValueError, TypeError, KeyError):
        return None


def unpin(state: Path) -> None:
    """Let the best row be served again."""
    (state / FILE).unlink(missing_ok=True)
