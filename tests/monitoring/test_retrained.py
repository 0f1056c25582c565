"""A repeated ladder proposes a row; what is served stays until a person switches."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tailor.errors import TailorError
from tailor.monitoring.retrained import proposal, retrain, switch
from tailor.serving import pinned
from tailor.serving.engine import Engine
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Model

    from tailor.testing import Messages

MANY = 60


@pytest.fixture
def grown(configure: Callable[..., Workspace], model: Model) -> Workspace:
    """A benchmark of many questions, which the model answers rightly only when shown examples."""
    workspace = configure(concurrency=8)

    def only_with_examples(messages: Messages) -> str:
        return "42 boxes" if len(messages) > 2 else "no idea at all"

    model.gate.reply = only_with_examples
    lines = [
        {
            "id": f"box-{n}",
            "question": f"How many boxes stand in hall {n}?",
            "answer": "42 boxes",
            "split": ("train", "dev", "test")[n % 3],
        }
        for n in range(MANY)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (workspace.knowledge / "benchmark.jsonl").write_text(text, "utf-8")
    return Workspace(workspace.root)


def test_the_better_row_is_proposed_and_served_only_after_the_switch(grown: Workspace) -> None:
    grown.climb([grown.stage("prompting")])
    engine = Engine(grown.root)
    try:
        assert engine.card.row == "prompting"
        found = retrain(Workspace(grown.root))
        assert (found.served[0], found.best[0], found.reason) == ("prompting", "few_shot", "better")
        assert found.step is not None
        assert found.step["n"] == MANY // 3
        assert found.step["ci95"][0] > 0
        assert proposal(grown) == found
        engine.look()
        assert engine.card.row == "prompting"
        switch(grown)
        assert engine.look()
        assert engine.card.row == "few_shot"
    finally:
        engine.close()
    again = retrain(Workspace(grown.root))
    assert (again.reason, again.switch) == ("same", False)
    assert pinned.pinned(grown.state) == ("few_shot", "openai:double")


def test_where_nothing_was_run_there_is_nothing_to_compare_with(grown: Workspace) -> None:
    with pytest.raises(TailorError, match="Nothing is served and nothing was run"):
        retrain(grown)
    assert pinned.pinned(grown.state) is None
