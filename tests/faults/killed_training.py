"""A training killed at its points: the newest whole checkpoint is gone on with, to the same end."""

from __future__ import annotations

import hashlib
import json
import runpy
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from killing import Ended, Scenario

from tailor import fault

TINY = runpy.run_path(str(Path(__file__).parents[1] / "tiny_bloom.py"))
STEPS = 4


class Training(Scenario):
    """Adapters of a tiny base, one seed after another; each is trained through its kills."""

    name = "training"
    points: ClassVar = (
        *fault.TRAINING, *(p for p in fault.MAKING if p.startswith("artifact"))
    )  # fmt: skip

    def prepare(self) -> None:
        """An empty workspace; the tiny base is in ``shared``."""
        self.seed = 1
        (self.home / "knowledge").mkdir()

    def change(self) -> None:
        """Begin another training where the last one has come to its end."""
        self.seed = len(self._made) + 1

    def act(self) -> None:
        """Train, in this process instead of one of its own."""
        self._trained(self.home, self.seed)

    def _trained(self, home: Path, seed: int) -> Path:
        from tailor.training import local, worker
        from tailor.training.job import Job, finished
        from tailor.training.pairs import Pair, conversational
        from tailor.training.settings import Settings
        from tailor.workspace import Workspace

        def run(job: Job, told: object = None) -> Path:
            if not finished(job):
                worker.train(job)
            return job.adapter

        local.run = run
        lessons = TINY["LESSONS"][:4]
        rows = conversational([Pair((("user", q),), a) for q, a in lessons])
        settings = replace(
            Settings(), epochs=STEPS, batch=4, learning_rate=1e-2, rank=2, dropout=0.1, seed=seed,
            target_modules=("all-linear",),
        )  # fmt: skip
        return local.adapter(Workspace(home), str(self.shared.base), local.Rows(rows, []), settings)

    def before(self) -> None:
        """The newest checkpoints, and the adapters that are there."""
        self.steps = self._steps()
        self.adapters = self._adapters()

    def _steps(self) -> dict[str, int]:
        """The newest whole checkpoint of each training that is not over."""
        from tailor.training import checkpoints

        folders = self._state.glob("training/*/checkpoints")
        found = {home.parent.name: checkpoints.newest(home) for home in folders}
        return {name: checkpoints.step(at) or 0 for name, at in found.items() if at}

    def _adapters(self) -> dict[str, str]:
        found = [*self._state.glob("adapters/*/*/adapter.json"), *self._made]
        files = (file.with_name("adapter_model.safetensors") for file in found)
        return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}

    @property
    def _state(self) -> Path:
        return self.home / ".tailor"

    @property
    def _made(self) -> list[Path]:
        """Of each adapter that is finished."""
        return list(self._state.glob("artifacts/adapter-*/adapter.json"))

    def look(self, ended: Ended) -> list[str]:
        """As many steps are kept as were acknowledged, and no adapter is gone."""
        lost = []
        kept, now = ended.hits.count("checkpoint.after"), self._steps()
        more = max((step - self.steps.get(name, 0) for name, step in now.items()), default=0)
        if "artifact.after" not in ended.hits and more < kept:
            lost.append(f"after {self.steps} {kept} checkpoints were kept, now there are {now}")
        if not self._adapters().items() >= self.adapters.items():
            lost.append("an adapter that was there before")
        return lost

    def finish(self, kills: int) -> dict[str, Any]:
        """The adapter is that of a training which nothing has interrupted."""
        from tailor.training.adapters import adapters
        from tailor.training.progress import trainings
        from tailor.workspace import Workspace

        workspace = Workspace(self.home)
        for seed in range(1, self.seed):  # the same command again: what a kill has left goes
            self._trained(self.home, seed)
        own = self._trained(self.home, self.seed)
        (self.home / "clean").mkdir()
        clean = self._trained(self.home / "clean", self.seed)
        lost = []
        both = [(at / "adapter_model.safetensors").read_bytes() for at in (own, clean)]
        if both[0] != both[1]:
            lost.append("the adapter is not that of a clean training")
        records = trainings(workspace.state)
        for each in records:
            steps = [point.step for point in each.points if point.loss is not None]
            if each.status != "complete" or steps != list(range(1, STEPS + 1)):
                lost.append(f"the record of {each.id}: {each.status}, steps {steps}")
        left = [path.name for path in (workspace.state / "training").iterdir() if path.is_dir()]
        if left:
            lost.append(f"folders of trainings that are over: {left}")
        known = adapters(workspace)
        if not len(known) == len(records) == len({json.dumps(a.settings["seed"]) for a in known}):
            lost.append(f"{len(known)} adapters are known, of {len(records)} trainings")
        return {"found": len(known), "opened": len(records), "again": 0, "lost": lost}
