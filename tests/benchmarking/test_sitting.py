"""A person answers one question at a time: every answer is kept at once, and makes a row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tailor.benchmarking import human, sitting
from tailor.errors import TailorError, UsageError
from tailor.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    lines = [
        {"id": f"q{n}", "question": f"What is number {n}?", "answer": str(n), "split": "test"}
        for n in range(5)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (knowledge / "benchmark.jsonl").write_text(text, "utf-8")
    return Workspace(tmp_path)


def test_answers_are_kept_at_once_and_asked_in_the_same_order(workspace: Workspace) -> None:
    at = sitting.sitting(workspace, "Ánh")
    order = [q.id for q in at.questions]
    assert sorted(order) == ["q0", "q1", "q2", "q3", "q4"]
    first, second = at.open[:2]
    sitting.give(workspace, "Ánh", first, " four ", 2.34)
    sitting.give(workspace, "Ánh", second, "-", 1.0)
    again = sitting.sitting(Workspace(workspace.root), "Ánh ")
    assert [q.id for q in again.questions] == order
    assert [q.id for q in again.open] == order[2:]
    assert (again.given[first.id].text, again.given[first.id].seconds) == ("four", 2.3)
    assert again.given[second.id].outcome == "refused"
    assert again.new == 2
    assert not sitting.sitting(workspace, "Bình").given


def test_a_line_torn_by_a_crash_costs_only_itself(workspace: Workspace) -> None:
    questions = sitting.sitting(workspace, "Ann").questions
    sitting.give(workspace, "Ann", questions[0], "a", 1)
    (file,) = (workspace.state / "people").iterdir()
    with file.open("ab") as part:
        part.write(b'{"name": "Ann", "ask')
    sitting.give(workspace, "Ann", questions[1], "b", 1)
    assert sitting.sitting(workspace, "Ann").given.keys() == {questions[0].id, questions[1].id}


def test_answers_become_a_row_and_further_ones_join_it(workspace: Workspace) -> None:
    questions = sitting.sitting(workspace, "Ann").questions
    sitting.give(workspace, "Ann", questions[0], "one", 1)
    sitting.give(workspace, "Ann", questions[0], "another", 3)
    run = sitting.finish(workspace, "Ann")
    assert run.answers("test")[questions[0].id].text == "another"
    assert sitting.sitting(workspace, "Ann").new == 0
    sitting.give(workspace, "Ann", questions[1], "two", 1)
    assert len(sitting.sitting(workspace, "Ann").given) == 2
    sitting.finish(workspace, "Ann")
    (person,) = human.people(workspace)
    assert (person.model, len(person.answers("test"))) == ("Ann", 2)


def test_what_a_person_can_do_wrong_is_a_sentence(workspace: Workspace) -> None:
    question = workspace.benchmark.questions[0]
    with pytest.raises(UsageError, match="write a name"):
        sitting.sitting(workspace, "  ")
    with pytest.raises(UsageError, match="answer is empty"):
        sitting.give(workspace, "Ann", question, " ", 1)
    with pytest.raises(TailorError, match="no new answers of Ann"):
        sitting.finish(workspace, "Ann")
    with pytest.raises(TailorError, match="no dev questions"):
        sitting.sitting(workspace, "Ann", "dev")
