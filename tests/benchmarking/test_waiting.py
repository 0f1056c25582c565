"""Drafts that are approved stand in the benchmark, or it is said why they do not."""

import json

import pytest

from tailor.benchmark import Question
from tailor.errors import TailorError
from tailor.workspace import Workspace

DRAFT = Question("q1", "Who is the keeper?", ("Ms Alvarez",))


def test_a_draft_with_the_id_of_another_question_is_not_lost(workspace: Workspace) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text('{"id": "q1", "question": "How old is the firm?", "answer": "80 years"}\n')
    workspace.add_drafts([DRAFT])
    with pytest.raises(TailorError, match=r"benchmark\.jsonl:1 is another question .* id q1"):
        workspace.approve(["q1"])
    assert workspace.drafts() == (DRAFT,)
    assert len(path.read_text("utf-8").splitlines()) == 1


def test_an_approval_that_was_interrupted_goes_on(workspace: Workspace) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text(json.dumps({"id": "q1", "question": DRAFT.question, "answer": "Ms Alvarez"}))
    workspace.add_drafts([DRAFT])
    workspace.approve(["q1"])
    assert workspace.drafts() == ()
    assert len(path.read_text("utf-8").splitlines()) == 1
