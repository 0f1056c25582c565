"""A folder with everything that the pages name, made once and copied for each page."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tailor.scoring.judge_prompts import SCALES
from tailor.testing import Messages, OpenAIServer
from tailor.workspace import Workspace

LADDER = ["baseline", "prompting", "few_shot", "retrieval", "retrieval_tuning"]


@dataclass(frozen=True)
class Place:
    """The workspaces ``acme``, ``prices`` and ``tickets``, and files to bring in."""

    folder: Path
    url: str
    """Of a model that answers the questions of ``acme``."""


@pytest.fixture(scope="module")
def first_place(
    company: tuple[Callable[[Path], Workspace], Callable[[Messages], str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Place]:
    """Ingested, and climbed; never written to."""
    write, right = company

    def reply(messages: Messages) -> str:
        told = str(messages[0]["content"])
        if scales := [scale for scale in SCALES if f'"{scale}": {{"reason"' in told]:  # the judge
            return json.dumps({scale: {"reason": "As it is.", "score": 2} for scale in scales})
        return right(messages)

    folder = tmp_path_factory.mktemp("place")
    write(folder / "acme")
    with OpenAIServer(reply) as server:
        settings = {
            "model": "openai:double", "base_url": server.url, "retries": 0, "ladder": LADDER,
        }  # fmt: skip
        lines = [f"{key} = {json.dumps(value)}\n" for key, value in settings.items()]
        lines.append("[stages.retrieval_tuning]\nsizes = [150]\nrerank = false\ntrials = 1\n")
        lines.append('[prices."openai:double"]\ninput = 1.0\noutput = 1.0\n')
        (folder / "acme" / "tailor.toml").write_text("".join(lines), "utf-8")
        acme = Workspace(folder / "acme")
        acme.ingest()
        acme.climb([acme.stage(name) for name in LADDER])
        _items(folder / "prices", 'task = "number"\n', lambda at: 10.0 + 3 * at)
        _items(folder / "tickets", 'task = "label"\n', lambda at: "small" if at < 20 else "large")
        _files(folder)
        yield Place(folder, server.url)


@pytest.fixture
def place(first_place: Place, tmp_path: Path) -> Place:
    """A copy, for one page."""
    folder = tmp_path / "place"
    shutil.copytree(first_place.folder, folder)
    return Place(folder, first_place.url)


def _items(root: Path, settings: str, answer: Callable[[int], object]) -> None:
    """Items, and one row."""
    (root / "knowledge").mkdir(parents=True)
    items = [
        {
            "question": f"A kettle of steel, number {at}, holds {at} litres of water and tea",
            "answer": answer(at), "lang": "en", "split": ("train", "train", "dev", "test")[at % 4],
        }
        for at in range(48)
    ]  # fmt: skip
    text = "".join(json.dumps(item) + "\n" for item in items)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")
    ladder = 'ladder = ["baseline"]\n'
    (root / "tailor.toml").write_text(f"{ladder}{settings}", "utf-8")


def _files(folder: Path) -> None:
    """What lines of the pages bring in."""
    from openpyxl import Workbook

    book = Workbook()
    book.active.append(["Frage", "Antwort"])
    book.active.append(["What colour is the door of hall 4?", "green"])
    book.save(folder / "q.xlsx")
    things = "bell boat bread bridge candle drum engine fence gate hammer ladder mirror".split()
    _pairs(folder / "acme" / "knowledge" / "training.jsonl", "Where is the {} kept?", things)
    _pairs(folder / "acme" / "qa.jsonl", "Who looks after the {}?", things)
    (folder / "acme" / "prompts").mkdir()
    (folder / "acme" / "prompts" / "mine.md").write_text("Answer briefly.\n", "utf-8")


def _pairs(path: Path, question: str, things: Sequence[str]) -> None:
    """Questions to learn from."""
    pairs = [{"question": question.format(one), "answer": f"the {one} room"} for one in things]
    path.write_text("".join(json.dumps(pair) + "\n" for pair in pairs), "utf-8")
