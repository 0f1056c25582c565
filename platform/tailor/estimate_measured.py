"""What the stored answers of a model tell of what its next ones will take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, TypeVar

from tailor.cost import made
from tailor.models.usage import prompt_tokens, text_tokens, usage
from tailor.run import Run, all_runs

if TYPE_CHECKING:
    from tailor.answers import Fact
    from tailor.benchmark import Question
    from tailor.training.forecast import Forecast
    from tailor.workspace import Workspace

CALLS = 40
"""Stored calls by which the count of tokens is set right, and the length of replies known."""
REPLY = 2
"""A reply of a model never measured is taken to be so many times as long as the right answer."""
T = TypeVar("T")


def spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly spread."""
    step = max(1.0, len(items) / most)
    return [items[int(at * step)] for at in range(min(most, len(items)))]


@dataclass(frozen=True)
class Measured:
    """The stored answers of a model."""

    workspace: Workspace
    model: str

    @cached_property
    def runs(self) -> list[Run]:
        """Of this model, the newest first."""
        runs = [run for run in all_runs(self.workspace) if run.model == self.model]
        return [run for run in reversed(runs) if not run.imported]

    def facts(self, row: str | None = None) -> list[Fact]:
        """The answers of a row's newest run that has any, or of all rows."""
        found: list[Fact] = []
        for run in self.runs:
            if row in (None, run.row) and not (row and found):
                found += [fact for fact in run.facts().values() if fact.outcome != "error"]
        return found

    @cached_property
    def calls(self) -> list[Fact]:
        """The answers for which this model was asked, all rows."""
        return [fact for fact in self.facts() if fact.call]

    @cached_property
    def ratio(self) -> float:
        """Tokens the provider reports for each that is counted here; 1 where none is reported."""
        from langchain_core.messages import messages_from_dict

        reported = counted = 0
        for fact in spread(self.calls, CALLS):
            if call := self.workspace.answers.call(fact.call):
                messages = messages_from_dict(call.request["messages"])
                used = usage(messages, messages_from_dict([call.reply])[0])
                if not used.counted:
                    reported += used.input_tokens
                    counted += prompt_tokens(messages, self.model)
        return reported / counted if reported and counted else 1.0

    def reply_tokens(self, row: str, questions: Sequence[Question]) -> float:
        """The mean length of a reply: of the row, else of the model, else by the right answers."""
        facts = [fact for fact in self.facts(row) if fact.call] or self.calls
        if facts:
            return fmean(fact.output_tokens for fact in facts)
        right = [text_tokens(q.answers[0], self.model) for q in questions if q.answers]
        return REPLY * fmean(right or [8.0])

    def seconds(
        self, row: str, prepared: bool, calls: int, workers: int, training: Forecast | None = None
    ) -> float | None:
        """Wall time of the calls, and of preparing the row; None where it was never measured."""
        preparing = 0.0 if prepared else self._preparing(row)
        if preparing is None and training is not None:
            preparing = training.seconds
        if not calls or preparing is None:
            return preparing
        facts = self.facts(row) or self.calls
        if not facts:
            return None
        return preparing + fmean(fact.seconds for fact in facts) * calls / workers

    def _preparing(self, row: str) -> float | None:
        """What was made for the row before took so long; None where nothing was."""
        last = next((run for run in self.runs if run.row == row), None)
        before = next((run for run in self.runs if last and run.row == last.previous), None)
        own = set(last.artifacts or () if last else ()) - set(
            before.artifacts or () if before else ()
        )
        folders = [self.workspace.state / "artifacts" / name for name in own]
        took = [one.seconds for folder in folders if (one := made(folder))]
        return sum(took) if took else None

    def of_hours(self, seconds: float | None) -> float | None:
        """What the time costs where the model runs on this machine and its hours have a price."""
        from tailor.models.provider import is_local

        price = self.workspace.config.gpu_hour_usd
        if price is None or not is_local(self.model):
            return 0.0
        return None if seconds is None else seconds / 3600 * price
