"""Several models climb one ladder by one command, and stand in one table."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tailor.run import compare
from tailor.scoring.leaderboard import leaderboard
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model


@pytest.fixture
def two(configure: Callable[..., Workspace], tailor: Command) -> Workspace:
    workspace = configure(ladder=["baseline", "prompting", "few_shot"])
    workspace.ingest()
    return workspace


def test_one_command_climbs_for_each_model_and_the_reference_once(
    two: Workspace, tailor: Command, model: Model
) -> None:
    done = tailor("run", "all", "-m", "openai:a", "-m", "openai:b", "--json", "-w", two.root)
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert [(row["row"], row["model"]) for row in told["stages"]] == [
        ("baseline", "openai:a"),
        ("prompting", "openai:a"),
        ("few_shot", "openai:a"),
        ("prompting", "openai:b"),
        ("few_shot", "openai:b"),
    ]
    board = told["leaderboard"]
    assert board["models"] == ["openai:a", "openai:b"]
    assert [row["row"] for row in board["rows"]] == ["prompting", "few_shot"]
    assert board["rows"][0]["scores"]["openai:b"]["mean"] == 1.0
    found = leaderboard(compare(Workspace(two.root).runs()))
    assert found is not None
    assert found.best("prompting") is None  # two are equal
    assert "★" not in found.told("prompting", "openai:a", "en")
    assert found.told("prompting", "openai:c", "vi") == "–"
    again = tailor("run", "all", "-m", "openai:a", "-m", "openai:b", "-w", two.root)
    assert again.code == 0
    assert "openai:b" in again.out
    asked = len(model.server.requests)
    assert asked == 2 * 2 * 10  # two models, two rows, 4 dev and 6 test questions, each once


def test_a_limit_is_of_one_model(two: Workspace, tailor: Command) -> None:
    models = ("-m", "openai:a", "-m", "openai:b")
    done = tailor("run", "all", *models, "--max-cost", 1, "-w", two.root)
    assert done.code == 2
    assert "name the models in turn" in done.err


def test_one_model_has_no_board(two: Workspace) -> None:
    two.climb([two.stage("prompting")], "openai:a")
    assert leaderboard(compare(two.runs())) is None
