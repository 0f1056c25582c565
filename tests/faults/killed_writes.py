"""What people write, say and export, killed at its points: the whole of it is there, or nothing."""

from __future__ import annotations

import json
import os
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, ClassVar

from killing import Ended, Scenario

from tailor import fault

FILES = 20
"""In each folder that is made."""
WHOLE = ("config",)
"""What the next one takes the place of."""


class Writing(Scenario):
    """A thing of each kind before each kill, numbered by turns."""

    name = "writing"
    points: ClassVar = (
        *(p for p in fault.WRITING),
        *(p for p in fault.MAKING),
        *(p for p in (*fault.ANSWERING, *fault.INGESTION) if p[:7] in ("measure", "finding")),
    )  # fmt: skip

    def prepare(self) -> None:
        """A workspace with two questions that the model is asked first."""
        self.turn = 0
        self.told: dict[str, set[int]] = defaultdict(set)
        (self.home / "knowledge").mkdir()
        toml = f'model = "openai:double"\nbase_url = "{self.shared.url}"\n[goal]\nscore = 0.001\n'
        (self.home / "tailor.toml").write_text(toml, "utf-8")
        items = [
            {"id": split, "question": f"How many in {split} 1?", "answer": "1", "split": split}
            for split in ("dev", "test")
        ]
        lines = "".join(json.dumps(item) + "\n" for item in items)
        (self.home / "knowledge" / "benchmark.jsonl").write_text(lines, "utf-8")

    def change(self) -> None:
        """The next turn."""
        self.turn += 1

    def act(self) -> None:
        """Write one thing of each kind."""
        from tailor.ladder import climb
        from tailor.run import newest_runs
        from tailor.stages import Prompting
        from tailor.workspace import Workspace

        os.environ["OPENAI_API_KEY"] = "none"
        workspace = Workspace(self.home)
        if not newest_runs(workspace):
            climb(workspace, [Prompting()])
        for write in (_derived, _files, _said, _served, _made):
            write(workspace, self.turn)

    def before(self) -> None:
        """`look` remembers all."""

    def look(self, ended: Ended) -> list[str]:
        """Remember what was acknowledged; `finish` looks for it."""
        for name in set(ended.hits):
            kind, _, moment = name.partition(".")
            if moment == "after":
                self.told[kind].add(self.turn)
        return []

    def finish(self, kills: int) -> dict[str, Any]:
        """What was acknowledged is there once, and nothing is there by half."""
        from tailor.workspace import Workspace

        workspace = Workspace(self.home)
        found = {**_kept(workspace), **_there(workspace)}
        lost = []
        for kind, turns in self.told.items():
            if kind not in found:
                continue
            missing = turns - set(found[kind])
            if kind in WHOLE:
                missing = set() if max(found[kind]) >= max(turns) else {max(turns)}
            lost += [f"{kind} {turn}" for turn in sorted(missing)]
        for kind, numbers in found.items():
            lost += [
                f"{kind} {n} is there twice" for n, times in Counter(numbers).items() if times > 1
            ]
        there = sum(map(len, found.values()))
        return {"found": there, "opened": len(found), "again": 0, "lost": lost}


def _files(workspace: Any, turn: int) -> None:
    from tailor import config_file
    from tailor.benchmarking import file
    from tailor.reporting import report

    config_file.change(workspace.root / "tailor.toml", {"goal": {"score": turn / 1000}})
    item = {
        "id": f"train{turn}",
        "question": f"What is new in {turn}?",
        "answer": "A",
        "split": "train",
    }
    file.edit(workspace.root / "knowledge" / "benchmark.jsonl", added=[item])
    report.write(workspace)


def _said(workspace: Any, turn: int) -> None:
    from tailor.benchmarking import sitting
    from tailor.preferences import Choice, prefer

    choice = Choice("prompting", "openai:double", "text")
    prefer(workspace.root / "knowledge", f"Question {turn}", choice, choice)
    question = workspace.benchmark.split("test")[0]
    sitting.give(workspace, "Ann", question, f"answer {turn}", 1.0)


def _served(workspace: Any, turn: int) -> None:
    import time

    from tailor.serving import kept

    one = kept.Served(
        id=f"chatcmpl-{turn}", at=time.time(), question="How many?", history=(), text="One.",
        outcome="ok", error="", row="prompting", model="openai:double", run="", fingerprint="",
        generation="", passages=(), searched="", seconds=0.1, input_tokens=1, output_tokens=1,
        cost_usd=None,
    )  # fmt: skip
    kept.keep(workspace, [one])
    kept.feedback(workspace, one.id, "up", f"comment {turn}")


def _made(workspace: Any, turn: int) -> None:
    from tailor.whole_folder import written

    def fill(folder: Path) -> None:
        for number in range(FILES):
            (folder / f"{number}").write_text(f"{turn}", "utf-8")

    workspace.artifact("thing", turn, fill)
    written(workspace.root / "exports" / f"{turn}", fill)


def _derived(workspace: Any, turn: int) -> None:
    from tailor.documents.enrichers.enricher import Finding
    from tailor.documents.enrichments import FILE, EnrichmentStore
    from tailor.documents.store import database

    for metric in ("metric", "other"):  # so that the second has one before it
        workspace.answers.keep_measured("assistant", metric, {f"{turn}": ("about", turn)})
    with database(workspace.state / FILE) as connection:
        EnrichmentStore(connection).put("enricher", f"{turn}", [Finding(0, 1, "Ann")])


def _kept(workspace: Any) -> dict[str, list[int]]:
    """The numbers of what is in the databases."""
    from tailor.documents.enrichments import FILE, EnrichmentStore
    from tailor.documents.store import database
    from tailor.serving import kept

    with database(workspace.state / FILE) as connection:
        findings = EnrichmentStore(connection).findings("enricher")
    return {
        "served": [int(one.id.split("-")[1]) for one in kept.served(workspace)],
        "feedback": [int(one.comment.split()[1]) for one in kept.feedbacks(workspace)],
        "measured": [int(ask) for ask in workspace.answers.measured("assistant", "metric")],
        "finding": [int(content) for content in findings],
    }


def _there(workspace: Any) -> dict[str, list[int]]:
    """The numbers of what is in files and folders, each of them whole."""
    from tailor.preferences import preferences

    home = workspace.root
    folders = {
        "artifact": list((workspace.state / "artifacts").glob("thing-*/")),
        "folder": list((home / "exports").glob("[0-9]*/")),
    }
    made = {}
    for kind, found in folders.items():
        texts = [
            {f.read_text("utf-8") for f in folder.iterdir() if f.suffix == ""} for folder in found
        ]
        assert all(len(list(folder.glob("[0-9]*"))) == FILES for folder in found)
        made[kind] = [int(min(text, key=len)) for text in texts]
    page = (workspace.state / "reports" / "report.html").read_text("utf-8")
    assert page.rstrip().endswith("</html>")
    answers = [
        json.loads(line)["answer"].split()[1]
        for file in (workspace.state / "people").glob("*.jsonl")
        for line in file.read_text("utf-8").splitlines() if line.strip()
    ]  # fmt: skip
    train = workspace.benchmark.split("train")
    return {
        **made,
        "config": [round(workspace.config.goal.score * 1000)],
        "benchmark": [int(question.id.removeprefix("train")) for question in train],
        "preference": [int(one.question.split()[1]) for one in preferences(home / "knowledge")],
        "judgement": list(map(int, answers)),
    }
