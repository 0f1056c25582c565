"""Small workspaces of numbers and of labels, with the rows of two people."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailor.assistant import Answer
from tailor.benchmarking import human
from tailor.workspace import Workspace

LABELS = ("billing", "delivery", "login")


def made(root: Path, task: str, answers: list[Any], toml: str = "") -> Workspace:
    """Twelve items to learn from, and twenty to test."""
    (root / "knowledge").mkdir(parents=True)
    lines = [
        {
            "id": f"i{at}", "question": f"thing number {at} of a long list", "answer": answer,
            "split": "train" if at < 12 else "test", "lang": "en", "tags": [f"tag {at % 2}"],
        }
        for at, answer in enumerate(answers)
    ]  # fmt: skip
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")
    (root / "tailor.toml").write_text(f'task = "{task}"\n{toml}', "utf-8")
    return Workspace(root)


def people(workspace: Workspace, said: Mapping[str, Mapping[str, str]]) -> None:
    """Rows of people by name: what each says of each item."""
    by_id = {q.id: q for q in workspace.benchmark.questions}
    for name, answers in said.items():
        given: list[tuple[Any, Answer]] = [
            (by_id[id], human.answered(text, 3.0, workspace.format)) for id, text in answers.items()
        ]
        human.take(workspace, name, given)


@pytest.fixture(scope="module")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Numbers from 10 to 1,000; Ann is off by 10 %, Bình by half and twice says nothing."""
    root = tmp_path_factory.mktemp("numbers") / "it"
    values = [10.0 * 1.16**at for at in range(32)]
    workspace = made(root, "number", [round(v, 2) for v in values], '[items]\ncurrency = "USD"\n')
    test = workspace.benchmark.split("test")
    truth = {q.id: float(q.answers[0]) for q in test}
    half = {id: f"${v / 2:,.2f}" for id, v in truth.items()} | {test[0].id: "-", test[1].id: "-"}
    people(workspace, {"Ann": {id: f"{v * 1.1:,.2f} USD" for id, v in truth.items()}, "Bình": half})
    return workspace


@pytest.fixture(scope="module")
def labels(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Three labels; Ann takes every login for a delivery, and cannot tell of one item."""
    root = tmp_path_factory.mktemp("labels") / "it"
    workspace = made(root, "label", [LABELS[at % 3] for at in range(32)])
    test = workspace.benchmark.split("test")
    said = {q.id: q.answers[0].replace("login", "delivery") for q in test} | {test[0].id: "-"}
    people(workspace, {"Ann": said, "Bình": {q.id: q.answers[0].upper() for q in test}})
    return workspace
