"""Served questions become drafts, training questions and preferences, each once."""

from __future__ import annotations

import json
import time

import pytest

from tailor.documents.passages import Passage
from tailor.errors import TailorError, UsageError
from tailor.monitoring.learned import learn
from tailor.monitoring.retrained import Proposal, proposal, switch
from tailor.preferences import preferences
from tailor.run import write_json
from tailor.serving import kept, pinned
from tailor.serving.kept import Served
from tailor.workspace import Workspace

SERVER = "chatcmpl-90f597625b2100d3c06298a2"
"""How the ids of all that one server answers begin."""
ALL = LIKED, WRONG, NONE = (f"{SERVER}00000000", f"{SERVER}00000001", f"{SERVER}00000001-1")


@pytest.fixture
def watched(workspace: Workspace) -> Workspace:
    """Three served questions: one liked, one corrected, one refused."""
    passage = Passage("hr/leave.md", 0, 30, "New employees get 12 days of leave.\nMore later.")
    ones = [
        Served(
            id=id, at=time.time(), question=f"How many days, {id}?", history=(),
            text=text, outcome=outcome, error="", row="retrieval", model="shipped", run="",
            fingerprint="f", generation="", passages=(passage,), searched="", seconds=0.5,
            input_tokens=10, output_tokens=2, cost_usd=0.0,
        )
        for id, text, outcome in (
            (LIKED, "12 days", "ok"), (WRONG, "9 days", "ok"), (NONE, "Not said.", "refused")
        )
    ]  # fmt: skip
    kept.keep(workspace, ones)
    kept.feedback(workspace, LIKED, "up")
    kept.feedback(workspace, WRONG, "down", correction="12 days")
    return workspace


def test_drafts_wait_with_the_answer_that_is_wanted_and_are_made_once(watched: Workspace) -> None:
    liked, wrong, none = learn(watched, ALL, "benchmark")
    drafts = {draft.id: draft for draft in watched.drafts()}
    assert drafts[liked].answers == ("12 days",)
    assert drafts[wrong].answers == ("12 days",)
    assert drafts[none].answers == ()
    quote = drafts[wrong].evidence[0]
    assert (quote.document, quote.quote) == ("hr/leave.md", "New employees get 12 days of leave.")
    before = watched.benchmark.digest
    assert learn(watched, ALL, "benchmark") == ()
    watched.approve([wrong])
    assert watched.benchmark.digest != before
    assert learn(watched, ALL, "benchmark") == ()


def test_questions_to_train_on_never_reach_the_benchmark(watched: Workspace) -> None:
    before = watched.benchmark.digest
    (made,) = learn(watched, [LIKED], "training")
    watched.approve([made])
    assert watched.benchmark.digest == before
    assert [q.id for q in watched.training] == [made]


def test_a_correction_is_preferred_to_what_was_served(watched: Workspace) -> None:
    assert learn(watched, ALL, "preference") == (WRONG,)
    assert learn(watched, ALL, "preference") == ()
    (made,) = preferences(watched.knowledge)
    assert (made.chosen.text, made.rejected.text) == ("12 days", "9 days")
    assert made.rejected.row == "retrieval"
    with pytest.raises(UsageError, match="None of these answers was corrected"):
        learn(watched, [LIKED], "preference")


def test_what_is_not_there_is_named(watched: Workspace) -> None:
    with pytest.raises(UsageError, match="no served question chatcmpl-x"):
        learn(watched, ["chatcmpl-x"], "benchmark")
    with pytest.raises(UsageError, match="is no purpose"):
        learn(watched, ALL, "fame")  # type: ignore[arg-type]


def test_a_switch_is_made_only_where_one_was_proposed(watched: Workspace) -> None:
    with pytest.raises(TailorError, match="No switch is proposed"):
        switch(watched)
    step = {"delta": 0.2, "ci95": [0.1, 0.3], "n": 80, "p": 0.01, "verdict": "better"}
    kept_row = Proposal("now", ("prompting", "m"), ("retrieval", "m"), "not_better", step)
    path = watched.state / "reports" / "proposal.json"
    write_json(path, kept_row.to_json())
    with pytest.raises(TailorError, match="No switch is proposed"):
        switch(watched)
    write_json(path, Proposal("now", kept_row.served, kept_row.best, "better", step).to_json())
    assert proposal(watched) == Proposal("now", kept_row.served, kept_row.best, "better", step)
    assert pinned.pinned(watched.state) is None
    switch(watched)
    assert pinned.pinned(watched.state) == ("retrieval", "m")
    pinned.unpin(watched.state)
    assert pinned.pinned(watched.state) is None


def test_a_number_is_learned_as_a_number_and_never_without_one(
    watched: Workspace,
) -> None:
    rows = [
        {"id": str(n), "question": f"Lamp {n}", "answer": n, "split": ("train", "test")[n % 2]}
        for n in range(4)
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (watched.knowledge / "benchmark.jsonl").write_text(text, "utf-8")
    (watched.root / "tailor.toml").write_text('task = "number"\n', "utf-8")
    prices = Workspace(watched.root)
    kept.feedback(prices, NONE, "down", correction="about $1,250.50")
    (made,) = learn(prices, [NONE], "benchmark")
    assert {draft.id: draft for draft in prices.drafts()}[made].answers == ("1250.5",)
    kept.feedback(prices, WRONG, "down", correction="it is no lamp")
    with pytest.raises(UsageError, match=r"number of .* is not known"):
        learn(prices, [WRONG], "training")
