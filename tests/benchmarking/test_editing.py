"""A benchmark edited as a table: wrong rows are refused by name, right ones saved whole."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tailor.benchmarking import editing
from tailor.benchmarking.editing import Changes
from tailor.errors import TailorError
from tailor.workspace import Workspace

LINES = [
    {
        "id": "leave",
        "question": "How many days of paid leave are there?",
        "answer": ["14 days", 14],
        "evidence": [
            {"document": "leave.md", "quote": "Paid leave is 14 days a year."},
            {"document": "leave.md", "quote": "It lapses in March."},
        ],
        "tags": ["hr"], "split": "test", "format": ".*",
    },
    {"id": "notice", "question": "How long is the notice period?", "answer": "six weeks",
     "evidence": [{"document": "leave.md", "quote": "The notice period is six weeks."}],
     "split": "train"},
    {"question": "Who is the chief pilot?", "answer": None, "split": "dev"},
]  # fmt: skip


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    (knowledge / "leave.md").write_text(
        "Paid leave is 14 days a year.\n\nIt lapses in March.\n\nThe notice period is six weeks.\n",
        "utf-8",
    )
    text = "".join(json.dumps(line) + "\n" for line in LINES)
    draft = {"question": "Is it a draft?", "answer": "yes", "status": "draft"}
    (knowledge / "benchmark.jsonl").write_text(f"{text}not json\n{json.dumps(draft)}\n", "utf-8")
    workspace = Workspace(tmp_path)
    workspace.ingest()
    return workspace


def look(workspace: Workspace, changes: Changes) -> editing.Checked:
    lines = editing.editable(workspace.knowledge / "benchmark.jsonl")
    return editing.checked(workspace, lines, changes)


def stored(workspace: Workspace) -> list[str]:
    return (workspace.knowledge / "benchmark.jsonl").read_text("utf-8").splitlines()


def test_drafts_and_broken_lines_are_not_shown(workspace: Workspace) -> None:
    rows = [editing.row(x) for x in editing.editable(workspace.knowledge / "benchmark.jsonl")]
    assert [row.answer for row in rows] == ["14 days | 14", "six weeks", ""]
    assert [row.not_said for row in rows] == [False, False, True]
    assert (rows[0].document, rows[0].quote) == ("leave.md", "Paid leave is 14 days a year.")
    assert (rows[2].id, rows[2].lang, rows[2].split) == ("", "", "dev")


def test_saving_keeps_what_the_table_does_not_show(workspace: Workspace) -> None:
    before = stored(workspace)
    found = look(workspace, Changes({0: {"tags": "hr | pay"}, 2: {"lang": "en"}}, [], [1]))
    assert not found.errors
    assert found.count == 3
    editing.save(workspace, found)
    after = stored(workspace)
    assert json.loads(after[0]) == {**LINES[0], "tags": ["hr", "pay"]}
    assert json.loads(after[1]) == {**LINES[2], "lang": "en"}
    assert after[2:] == before[3:]
    assert [q.id for q in workspace.benchmark.questions] == ["leave", "line-2"]


def test_a_new_row_gets_an_id_of_its_own_and_goes_to_the_end(workspace: Workspace) -> None:
    new = {"question": "When does paid leave lapse?", "answer": "in March", "not_said": None,
           "document": "leave.md", "quote": "It lapses in March.", "split": "test"}  # fmt: skip
    found = look(workspace, Changes({}, [new, {"not_said": False}, {"question": " "}], []))
    assert (found.count, found.errors) == (1, ())
    editing.save(workspace, found)
    last = json.loads(stored(workspace)[-1])
    assert last.pop("id").startswith("q-")
    assert last == {
        "question": "When does paid leave lapse?",
        "answer": "in March",
        "evidence": [{"document": "leave.md", "quote": "It lapses in March."}],
        "split": "test",
    }


@pytest.mark.parametrize(
    ("changes", "kind", "line"),
    [
        (Changes({0: {"answer": None}}, [], []), "no_answer", 1),
        (Changes({0: {"question": " "}}, [], []), "no_question", 1),
        (Changes({1: {"document": "gone.md"}}, [], []), "no_document", 2),
        (Changes({1: {"quote": "The notice period is two years."}}, [], []), "no_quote", 2),
        (Changes({0: {"not_said": True}}, [], []), "answer_null", 1),
        (Changes({2: {"question": LINES[1]["question"]}}, [], []), "same_question", 3),
        (
            Changes({}, [{"question": "HOW long is the notice period", "answer": "6"}], []),
            "same_question",
            6,
        ),
        (
            Changes(
                {},
                [{"question": "How long the notice period is?", "answer": "a year",
                  "split": "test"}],
                [],
            ),
            "leak",
            2,
        ),
        (Changes({2: {"id": "leave"}}, [], []), "same_id", 3),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_and_nothing_is_saved(
    workspace: Workspace, changes: Changes, kind: str, line: int
) -> None:
    before = stored(workspace)
    found = look(workspace, changes)
    assert (kind, line) in {(error.kind, error.line) for error in found.errors}
    with pytest.raises(ValueError, match="errors"):
        editing.save(workspace, found)
    assert stored(workspace) == before


def test_an_answer_that_is_not_in_its_source_is_a_warning(workspace: Workspace) -> None:
    found = look(workspace, Changes({1: {"answer": "eleven years"}}, [], []))
    assert [finding.kind for finding in found.findings] == ["unsupported"]
    assert not found.errors


def test_what_was_wrong_before_does_not_block_other_rows(workspace: Workspace) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    wrong = {"id": "x", "question": "What is wrong?", "answer": "this", "split": "dev",
             "evidence": [{"document": "nowhere.md", "quote": "this"}]}  # fmt: skip
    path.write_text(json.dumps(wrong) + "\n" + path.read_text("utf-8"), "utf-8")
    found = look(workspace, Changes({1: {"tags": "new"}}, [], []))
    assert not found.errors


def test_a_file_that_changed_meanwhile_is_not_overwritten(workspace: Workspace) -> None:
    found = look(workspace, Changes({0: {"tags": "pay"}}, [], []))
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text(path.read_text("utf-8").replace("14 days", "15 days"), "utf-8")
    before = stored(workspace)
    with pytest.raises(TailorError, match="changed meanwhile"):
        editing.save(workspace, found)
    assert stored(workspace) == before


@pytest.mark.parametrize(
    ("task", "typed", "kept"),
    [("number", "1,299.50 USD", 1299.5), ("number", "23", 23), ("label", "a | b", "a | b")],
)
def test_an_item_keeps_a_number_or_a_label(
    tmp_path: Path, task: str, typed: str, kept: float | str
) -> None:
    knowledge = tmp_path / "knowledge"
    knowledge.mkdir()
    unit = '\n[items]\ncurrency = "USD"' if task == "number" else ""
    (tmp_path / "tailor.toml").write_text(f'task = "{task}"{unit}\n', "utf-8")
    item = {"id": "a", "question": "An oak table.", "answer": 5 if unit else "x", "split": "test"}
    (knowledge / "benchmark.jsonl").write_text(json.dumps(item) + "\n", "utf-8")
    workspace = Workspace(tmp_path)
    found = look(workspace, Changes({0: {"answer": typed}}, [], []))
    assert not found.errors
    editing.save(workspace, found)
    assert json.loads(stored(workspace)[0])["answer"] == kept
    wrong = look(workspace, Changes({0: {"answer": "dear" if unit else ""}}, [], []))
    assert [error.kind for error in wrong.errors] == ["no_number" if unit else "no_value"]
