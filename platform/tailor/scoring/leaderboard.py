"""Models beside each other over the same rows: one table of scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.table import Table

    from tailor.scoring.comparison import Comparison
    from tailor.scoring.row import Row
    from tailor.scoring.statistics import Interval

ROW = {"en": "Row", "vi": "Dòng"}


@dataclass(frozen=True)
class Leaderboard:
    """Scores by row and model."""

    rows: tuple[str, ...]
    """In the order of the ladder."""
    models: tuple[str, ...]
    """In the order they first appear."""
    cells: Mapping[tuple[str, str], Row]
    """By row and model; missing where that was not run. Stale rows are left out."""

    def score(self, row: str, model: str) -> Interval | None:
        """The score of a model in a row; None where it is not known."""
        cell = self.cells.get((row, model))
        return cell.primary if cell else None

    def best(self, row: str) -> str | None:
        """The model with the highest mean in a row; None where several have it, or only one ran.

        It is no claim that the others are worse.
        """
        known = {m: s.mean for m in self.models if (s := self.score(row, m)) is not None}
        first = [m for m, mean in known.items() if mean == max(known.values())]
        return first[0] if len(first) == 1 < len(known) else None

    def table(self, lang: str = "en") -> Table:
        """A line for each row and a column for each model, for a terminal; ★ marks the highest."""
        from rich.table import Table
        from rich.text import Text

        table = Table(ROW[lang], *self.models)
        for row in self.rows:
            table.add_row(
                *map(Text, (row, *(self.told(row, model, lang) for model in self.models)))
            )
        return table

    def told(self, row: str, model: str, lang: str) -> str:
        """A cell with its interval, and ★ where it is the highest of its row."""
        from tailor.scoring import format, wording

        cell = self.cells.get((row, model))
        if cell is None:
            return format.UNKNOWN
        star = " ★" if self.best(row) == model else ""
        return f"{wording.score(cell, lang)}{star}"

    def to_json(self) -> dict[str, Any]:
        """``leaderboard`` in ``tailor compare --json``."""
        return {
            "models": list(self.models),
            "rows": [
                {
                    "row": row,
                    "best": self.best(row),
                    "scores": {
                        model: asdict(score)
                        for model in self.models
                        if (score := self.score(row, model)) is not None
                    },
                }
                for row in self.rows
            ],
        }


def leaderboard(comparison: Comparison) -> Leaderboard | None:
    """Of rows that two models at least were run in; None where there is only one model.

    Reference rows and answers of people have no model of their own to compare.
    """
    fresh = [row for row in comparison.rows if not row.stale]
    cells = {(row.row, row.model): row for row in fresh}
    shared = [row for row in dict.fromkeys(name for name, _ in cells) if _models(cells, row) > 1]
    models = dict.fromkeys(model for row, model in cells if row in shared)
    kept = {key: row for key, row in cells.items() if key[0] in shared}
    return Leaderboard(tuple(shared), tuple(models), kept) if len(models) > 1 else None


def _models(cells: Mapping[tuple[str, str], Row], row: str) -> int:
    return sum(name == row for name, _ in cells)
