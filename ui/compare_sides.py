"""The two rows that the page Compare holds against each other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from tailor.run import Run
from tailor.scoring import comparison as compared
from tailor.scoring.comparison import Comparison
from tailor.ui import address
from tailor.ui.language import Language


@dataclass(frozen=True)
class Sides:
    """A base and a candidate; the same row twice where there is only one."""

    base: Run
    candidate: Run
    base_name: str
    candidate_name: str

    @property
    def names(self) -> tuple[str, str]:
        """What both are called."""
        return self.base_name, self.candidate_name

    @property
    def one(self) -> bool:
        """Whether both are the same row."""
        return self.base_name == self.candidate_name

    @property
    def stale(self) -> list[str]:
        """The names of those that no longer hold."""
        both = {self.base_name: self.base, self.candidate_name: self.candidate}
        return [name for name, run in both.items() if run.stale()]


def sides(runs: Sequence[Run], result: Comparison, say: Language) -> Sides:
    """The two rows that the URL names; else the winner and the row that it builds on."""
    names = compared.labels(result.rows)
    by_name = {names[run.row, run.model]: run for run in runs}
    labels = list(by_name)
    if len(labels) == 1:
        return Sides(runs[0], runs[0], labels[0], labels[0])
    fresh = [name for name, run in by_name.items() if not run.stale()] or labels
    won = names.get((result.winner.row or "", result.winner.model or ""), fresh[-1])
    model = by_name[won].model
    constant = names.get(("baseline:median", model), fresh[0])  # what numbers are held against
    earlier = names.get((by_name[won].previous or "", model), constant)
    if earlier == won or earlier not in fresh:
        earlier = next(label for label in [*fresh, *labels] if label != won)
    left, right, _ = st.columns([3, 3, 4])
    with left:
        base = address.box("base", say("compare.base"), labels, earlier)
    with right:
        candidate = address.box("candidate", say("compare.candidate"), labels, won)
    return Sides(by_name[base], by_name[candidate], base, candidate)
