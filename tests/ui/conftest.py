"""A small company in two languages, with a model that answers from what it is shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tailor.testing import Fault, Messages, OpenAIServer, slow
from tailor.workspace import Workspace

TRAP = "<b>bold</b> *star* $5 :red[x] # head"

FACTS = {
    "leave": ("How many days of paid leave are there?", "14 days", "hr/leave.md"),
    "notice": ("How long is the notice period?", "six weeks", "hr/leave.md"),
    "fridge": ("How cold is the sample fridge?", "4 degrees", "lab/fridge.md"),
    "alarm": ("When does the fridge alarm ring?", "above 8 degrees", "lab/fridge.md"),
    "kho": ("Kho lạnh chứa bao nhiêu pallet?", "24 pallet", "kho/quy-trinh.md"),
    "xe": ("Xe nâng chạy tối đa bao nhiêu?", "8 km/h", "kho/quy-trinh.md"),
}
DOCUMENTS = {
    "hr/leave.md": "# Leave\n\nPaid leave is 14 days a year.\n\nThe notice period is six weeks.\n",
    "lab/fridge.md": "# Fridge\n\nThe sample fridge is kept at 4 degrees.\n\n"
    "The fridge alarm rings above 8 degrees.\n",
    "kho/quy-trinh.md": "# Kho\n\nKho lạnh chứa 24 pallet.\n\nXe nâng chạy tối đa 8 km/h.\n",
}
REPEATS = 6


def fill(root: Path, url: str) -> Workspace:
    """A workspace with three documents and 36 questions, its model served at ``url``."""
    for name, text in DOCUMENTS.items():
        path = root / "knowledge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    lines = []
    for repeat in range(REPEATS):
        for id, (question, answer, document) in FACTS.items():
            lines.append(
                {
                    "id": f"{id}-{repeat}",
                    "question": f"{question} ({repeat})",
                    "answer": answer,
                    "evidence": [{"document": document, "quote": answer}],
                    "split": ("train", "dev", "test")[min(repeat, 2)],
                }
            )
    benchmark = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(benchmark, "utf-8")
    (root / "tailor.toml").write_text(
        f'model = "openai:double"\nbase_url = "{url}"\nconcurrency = 2\n'
        'ladder = ["prompting", "retrieval"]\n',
        "utf-8",
    )
    return Workspace(root)


def reader(messages: Messages) -> str:
    """The right answer where a passage holds it, and two of the six facts by heart."""
    text = str(messages[-1]["content"])
    for id, (question, answer, _) in FACTS.items():
        if question in text.splitlines()[-1]:
            passages = text.split(question)[0]
            return answer if answer in passages or id in ("leave", "xe") else TRAP
    return TRAP


class Delay:
    """How late the model answers; changed while it runs."""

    seconds = 0.0

    def __call__(self, request: object) -> Fault:
        return slow(self.seconds)


_delay = Delay()


@pytest.fixture(scope="session")
def double() -> Iterator[OpenAIServer]:
    """The model's server."""
    with OpenAIServer(reader, _delay) as server:
        yield server


@pytest.fixture
def slowly() -> Iterator[Callable[[float], None]]:
    """Makes the model take that many seconds for an answer from now on."""

    def set_seconds(seconds: float) -> None:
        _delay.seconds = seconds

    yield set_seconds
    _delay.seconds = 0.0


@pytest.fixture
def company(tmp_path: Path, double: OpenAIServer) -> Workspace:
    """A workspace whose documents are read and whose stages have not run."""
    workspace = fill(tmp_path / "hồ sơ", double.url)
    workspace.ingest()
    return workspace


@pytest.fixture(scope="session")
def with_runs(tmp_path_factory: pytest.TempPathFactory, double: OpenAIServer) -> Workspace:
    """A workspace in which both stages have run."""
    from tailor.ladder import climb, rows_for

    workspace = fill(tmp_path_factory.mktemp("workspaces") / "with-runs", double.url)
    workspace.ingest()
    climb(workspace, rows_for(workspace, ["all"]))
    return workspace


@pytest.fixture(scope="session")
def trap() -> str:
    """What the model says when it does not know; must be shown letter by letter."""
    return TRAP
