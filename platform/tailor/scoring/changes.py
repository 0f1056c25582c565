"""How the answers of one row differ from those of another, question by question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, get_args

if TYPE_CHECKING:
    from tailor.scoring.comparison import SideBySide

Change = Literal["better", "worse", "same", "unscored"]
MARKS: Mapping[Change, str] = {"better": "▲", "worse": "▼", "same": "=", "unscored": "–"}


def change(item: SideBySide) -> Change:
    """How the candidate's score compares with the base's; ``unscored`` unless both are scored."""
    if item.delta is None:
        return "unscored"
    return "same" if item.delta == 0 else "better" if item.delta > 0 else "worse"


def counted(items: Iterable[SideBySide]) -> dict[Change, int]:
    """How many questions ended how."""
    counts = Counter(map(change, items))
    return {name: counts[name] for name in get_args(Change)}
