"""The answer that a person wants, in the form that answers of the benchmark have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailor.scoring.target import Target


def wanted(text: str, target: Target) -> str | None:
    """The text; of a number its digits, of a label its name. None: it holds neither, or nothing."""
    from tailor.prediction.parsing import number
    from tailor.text import fold

    text = text.strip()
    if target.by is not None:
        found = number(text, target.by.currency, target.by.unit)
        return None if found is None else f"{found:.12g}"
    if target.task == "label":
        return next((name for name in target.labels if fold(name) == fold(text)), None)
    return text or None
