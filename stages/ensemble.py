"""One number out of the numbers that earlier rows give, weighted as dev says."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from tailor.assistant import Assistant
from tailor.errors import NotApplicable, RowsMissing, UsageError
from tailor.settings import setting
from tailor.stage import Stage
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.run import Run

FEWEST = 20
"""Below this many dev items weights would be chance."""


@dataclass(frozen=True)
class Ensemble(Stage):
    """Stack earlier rows: a weighted sum of their numbers, fitted on the dev items."""

    starts_from: ClassVar[Literal["previous", "root"]] = "root"

    members: tuple[str, ...] = setting(
        (), "rows to add up, or ids of their runs; none: all rows that were run", empty=True
    )

    @property
    def chooses(self) -> bool:
        """Its weights are fitted on dev."""
        return True

    def apply(self, assistant: Assistant, workspace: Workspace) -> Assistant:
        """A model that asks the members and adds up what they say.

        A dev item is answered by weights fitted without its part of dev, so that the score on dev
        is of items that had no part in it.

        Raises:
            NotApplicable: the task has no numbers, dev is too small, or fewer than two rows have
                answered all of it.
            UsageError: a member was never run, or has answers only.
        """
        from tailor.prediction.stacking import ARTIFACT, Stack, Stacking

        if workspace.config.task != "number":
            raise NotApplicable("ensemble adds up numbers: it is for workspaces of task number.")
        dev = workspace.benchmark.split("dev")
        if len(dev) < FEWEST:
            raise NotApplicable(
                f"ensemble is fitted on at least {FEWEST} dev items and there are {len(dev)}: give "
                'more items "split": "dev".'
            )
        runs = self._runs(assistant, workspace, dev)
        key = [[run.id for run in runs], [[q.id, q.question, q.answers] for q in dev]]
        folder = workspace.artifact(ARTIFACT, key, lambda at: _fit(workspace, runs, dev, at))
        texts = {item.question: item.id for item in dev}
        return replace(assistant, model=Stacking(Stack.load(folder), runs, texts))

    def recorded(self, workspace: Workspace) -> Stage:
        """With the runs that were added up: a row may be run again in another way later."""
        from tailor.prediction.stacking import ARTIFACT, members

        made = [name for name in workspace.used_artifacts if name.startswith(f"{ARTIFACT}-")]
        if not made:
            return self
        return replace(self, members=members(workspace.state / "artifacts" / made[-1]))

    def _runs(
        self, assistant: Assistant, workspace: Workspace, dev: tuple["Question", ...]
    ) -> list["Run"]:
        from tailor.run import all_runs

        if self.members:
            known = {run.row: run for run in workspace.runs()}
            known |= {run.id: run for run in all_runs(workspace)}
            if missing := [name for name in self.members if name not in known]:
                raise UsageError(
                    f"ensemble.members: there is no run of {missing[0]!r}; run it first, or name "
                    f"some of {', '.join(run.row for run in workspace.runs())}."
                )
            runs = [known[name] for name in dict.fromkeys(self.members)]
            if no := next((run for run in runs if run.imported or run.stage == self.name()), None):
                raise UsageError(
                    f"ensemble.members: {no.row} cannot be asked about new items; leave it out."
                )
        else:
            name = getattr(assistant.model, "name", "")
            runs = [
                run
                for run in workspace.runs()
                if run.model == name and run.stage != self.name()
                and not run.imported and not run.stale()
            ]  # fmt: skip
        # One that failed on some of dev still counts; one that was never asked does not.
        whole = [run for run in runs if len(run.facts("dev")) == len(dev)]
        if len(whole) < 2:
            raise RowsMissing(
                f"ensemble adds up at least two rows that answered all dev items, and there are "
                f"{len(whole)}: run others first, as `tailor run all` does."
            )
        return whole


def _fit(workspace: Workspace, runs: list["Run"], dev: tuple["Question", ...], to: Path) -> None:
    from statistics import median

    import numpy as np

    from tailor.prediction.items import truth
    from tailor.prediction.scale import Scale
    from tailor.prediction.stacking import stacked

    given = np.full((len(dev), len(runs)), np.nan)
    for at, run in enumerate(runs):
        answers = run.answers("dev")
        for row, item in enumerate(dev):
            if (answer := answers.get(item.id)) is not None and answer.outcome == "ok":
                given[row, at] = float(answer.text)
    train = [truth(item) for item in workspace.benchmark.split("train")]
    numbers = [truth(item) for item in dev]
    stack = stacked(
        [item.question for item in dev], given, numbers, Scale.of(train or numbers),
        median(train or numbers),
    )  # fmt: skip
    stack.save(to, runs)
