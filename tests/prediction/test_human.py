"""People guess blind: numbers are read as they are written, labels must be some there are."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmarking import human, sitting
from tailor.errors import UsageError
from tailor.run import compare
from tailor.workspace import Workspace


def filled(workspace: Workspace, path: Path, answers: list[str]) -> Path:
    human.export(workspace, path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        head, *lines = list(csv.reader(file))
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(head)
        for line, answer in zip(lines, answers, strict=False):
            table.writerow([*line[:2], answer, ""])
    return path


def test_numbers_are_read_as_people_write_them(numbers: Workspace, tmp_path: Path) -> None:
    assert human.head(numbers)[2] == 'answer (a number, in USD; "-": I cannot say)'
    path = filled(numbers, tmp_path / "blind.csv", ["$1,299.00", "12,50 USD", "no idea", "-"])
    brought = human.import_answers(numbers, path, "Chi")
    assert (brought.taken, len(brought.problems)) == (3, 1)
    assert "holds no number; write one such as 25" in brought.problems[0]
    answers = sorted((a.outcome, a.text) for a in brought.run.answers("test").values())
    assert answers == [("ok", "12.5"), ("ok", "1299"), ("refused", "-")]
    row = compare([brought.run]).rows[0]
    assert (row.scored, row.refused, row.primary is not None) == (3, 1, True)
    error = row.metrics["absolute_error"]
    assert error is not None
    assert error.n == 2  # no number, no error


def test_labels_are_those_there_are(labels: Workspace, tmp_path: Path) -> None:
    assert "one of billing, delivery, login;" in human.head(labels)[2]
    path = filled(labels, tmp_path / "blind.csv", ["Billing", "post", "-"])
    brought = human.import_answers(labels, path, "Chi")
    assert (brought.taken, len(brought.problems)) == (2, 1)
    assert "'post' is no label; there are billing, delivery, login." in brought.problems[0]
    assert "billing" in {a.text for a in brought.run.answers("test").values()}


def test_a_sitting_refuses_what_it_cannot_read(numbers: Workspace, labels: Workspace) -> None:
    question = numbers.benchmark.split("test")[0]
    with pytest.raises(UsageError, match="holds no number"):
        sitting.give(numbers, "Dung", question, "a lot", 1)
    sitting.give(numbers, "Dung", question, "about 1.5k", 1)
    assert sitting.sitting(numbers, "Dung").given[question.id].text == "1500"
    with pytest.raises(UsageError, match="is no label"):
        sitting.give(labels, "Dung", labels.benchmark.split("test")[0], "post", 1)


@pytest.mark.parametrize(
    ("kind", "metric", "mean"), [("numbers", "good", 0.0), ("labels", "accuracy", 13 / 20)]
)
def test_how_alike_people_guess(
    kind: str, metric: str, mean: float, request: pytest.FixtureRequest
) -> None:
    workspace: Workspace = request.getfixturevalue(kind)
    ann, binh = (
        next(run for run in human.people(workspace) if run.model == name)
        for name in ("Ann", "Bình")
    )
    (pair,) = human.agreement([ann, binh])
    assert pair.metric == metric
    value: dict[str, Any] = pair.to_json()
    assert value[metric]["n"] == 20
    assert pair.alike.mean == pytest.approx(mean)
    assert "Ann" in pair.sentence("vi")
