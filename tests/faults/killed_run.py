"""A stage's run killed at its points: what was bought, what was answered, what was recorded."""

from __future__ import annotations

import json
import os
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from killing import Ended, Scenario

from tailor import fault

NEW = 10
"""Questions added before each kill."""


@contextmanager
def server(log: Path) -> Iterator[str]:
    """A counting model in a process of its own; gives its address. Every question goes to log."""
    ends, tells = os.pipe()
    told, stop = os.pipe()
    process = os.fork()
    if not process:
        _serve(log, tells, told, (ends, stop))
    os.close(tells)
    os.close(told)
    try:
        yield os.read(ends, 1000).decode()
    finally:
        os.close(stop)
        os.waitpid(process, 0)
        os.close(ends)


def _serve(log: Path, tells: int, told: int, others: tuple[int, int]) -> None:
    from tailor.testing import Messages, OpenAIServer

    for each in others:
        os.close(each)
    asked = os.open(log, os.O_CREAT | os.O_WRONLY | os.O_APPEND)

    def reply(messages: Messages) -> str:
        question = str(messages[-1]["content"]).split("Question: ")[-1].splitlines()[-1]
        os.write(asked, f"{question}\n".encode())
        return f"{question.split()[-1].strip('?')} herons"

    try:
        with OpenAIServer(reply) as served:
            os.write(tells, served.url.encode())
            os.read(told, 1)  # comes to its end when the other process lets go
    finally:
        os._exit(0)


class Running(Scenario):
    """Questions added to the benchmark before each kill, then prompting asked them."""

    name = "running"
    points: ClassVar = tuple(p for p in fault.ANSWERING if p.split(".")[0] != "measured")
    derived: ClassVar = ("scores.before", "json.before", "json.part")
    """Of JSON files the cache of evidence; ``look`` sees to it that the others were written."""

    @property
    def again(self) -> int:
        """Calls at a time."""
        return self.shared.workers

    def prepare(self) -> None:
        """Write the workspace; ``shared`` has the model."""
        self.asked = 0
        lines = f'model = "openai:double"\nbase_url = "{self.shared.url}"\n'
        lines += f"concurrency = {self.shared.workers}\n"
        (self.home / "knowledge").mkdir()
        (self.home / "tailor.toml").write_text(lines, "utf-8")
        self.change()

    def change(self) -> None:
        """Add questions."""
        with (self.home / "knowledge" / "benchmark.jsonl").open("a", encoding="utf-8") as file:
            for _ in range(NEW):
                self.asked += 1
                text = f"How many herons live in {self.home.name} {self.asked}?"
                item = {
                    "id": f"q{self.asked}", "question": text, "answer": f"{self.asked} herons",
                    "split": ("dev", "test")[self.asked % 2],
                }  # fmt: skip
                file.write(json.dumps(item) + "\n")

    def act(self) -> None:
        """Run prompting."""
        from tailor.ladder import climb
        from tailor.stages import Prompting
        from tailor.workspace import Workspace

        os.environ["OPENAI_API_KEY"] = "none"
        climb(Workspace(self.home), [Prompting()])

    def before(self) -> None:
        """Remember what is stored and how much was asked."""
        self.rows = self._rows()
        self.bought = len(self._questions())

    def look(self, ended: Ended) -> list[str]:
        """All that was acknowledged is stored, and all that was stored is as it was."""
        now = self._rows()
        lost = []
        for table in ("calls", "answers"):
            own = ended.hits.count(f"{table.removesuffix('s')}.after")
            if not now[table].items() >= self.rows[table].items():
                lost.append(f"{table} that were stored before")
            if len(now[table]) < len(self.rows[table]) + own:
                lost.append(f"{own} {table} were acknowledged, and not all are stored")
        unkept = len(self._questions()) - self.bought
        unkept -= len(now["calls"]) - len(self.rows["calls"])
        if unkept > self.shared.workers:
            lost.append(f"{unkept} calls were made and not stored")
        if ended.code == 0:
            from tailor.run import newest_runs
            from tailor.workspace import Workspace

            states = [run.state() for run in newest_runs(Workspace(self.home))]
            if [(s.status, s.done, s.total) for s in states] != [("complete", *[self.asked] * 2)]:
                lost.append(f"it ended well, and its record says {states}")
        return lost

    def _rows(self) -> dict[str, dict[Any, str]]:
        with closing(sqlite3.connect(self.home / ".tailor" / "answers.db")) as db:
            assert db.execute("PRAGMA quick_check").fetchone() == ("ok",)
            calls = dict(db.execute("SELECT key, reply FROM calls"))
            answers = db.execute("SELECT assistant, ask, repeat, answer FROM answers")
            return {"calls": calls, "answers": {tuple(row[:3]): row[3] for row in answers}}

    def _questions(self) -> list[str]:
        """What this workspace asked the model, in order."""
        lines = self.shared.log.read_text("utf-8").splitlines()
        return [line for line in lines if f" {self.home.name} " in line]

    def finish(self, kills: int) -> dict[str, Any]:
        """Every question was answered once and rightly, and the run is complete."""
        from tailor.run import newest_runs, unreadable_runs
        from tailor.workspace import Workspace

        workspace = Workspace(self.home)
        lost = [f"the record of {name}" for name in unreadable_runs(workspace)]
        run = newest_runs(workspace)[0]
        state = run.state()
        if (state.status, state.done, state.errors) != ("complete", self.asked, 0):
            lost.append(f"the run is {state}")
        answers = run.answers()
        wrong = [id for id, one in answers.items() if one.text != f"{id[1:]} herons"]
        if len(answers) != self.asked or wrong:
            lost.append(f"{len(answers)} of {self.asked} answers; wrong: {wrong}")
        scored = [one for split in ("dev", "test") for one in run.scored(split).answers.values()]
        if sum(one.scores["exact_match"] == 1 for one in scored) != self.asked:
            lost.append("scores")
        if workspace.answers.count() != (self.asked, self.asked):
            lost.append(f"{workspace.answers.count()} calls and answers for {self.asked} questions")
        times = Counter(self._questions())
        if len(times) != self.asked:
            lost.append(f"{len(times)} of {self.asked} questions were asked")
        log = (self.home / ".tailor" / "test-evaluations.jsonl").read_text("utf-8")
        if not all(json.loads(line)["run"] for line in log.splitlines()):
            lost.append("the log of test evaluations")
        again = times.total() - len(times)
        return {"found": len(answers), "opened": 1, "again": again, "lost": lost}
