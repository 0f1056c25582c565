"""How an answer came about: from the stored calls, letter by letter, the same everywhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tailor.errors import TailorError, UsageError
from tailor.explain import Message, exchanges
from tailor.ladder import climb
from tailor.rows import rows_for
from tailor.testing import server_error
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Configure = Callable[..., Workspace]


@pytest.fixture
def climbed(configure: Configure) -> Workspace:
    """Prompting, and retrieval upon it, have run; the model has a price."""
    workspace = configure(ladder=["baseline", "prompting", "retrieval"])
    file = workspace.root / "tailor.toml"
    price = '[prices."openai:double"]\ninput = 1.0\noutput = 2.0\n'
    file.write_text(file.read_text("utf-8") + price, "utf-8")
    workspace = Workspace(workspace.root)
    workspace.ingest()
    climb(workspace, rows_for(workspace, ["all"]))
    return workspace


def test_a_row_says_prompt_passages_reply_answer_time_and_cost(
    climbed: Workspace, model: Model
) -> None:
    asked = model.server.count
    run = next(run for run in climbed.runs() if run.row == "retrieval")
    found = run.explain("s3")
    assert model.server.count == asked
    (one,) = found.exchanges
    sent = next(
        request.messages
        for request in model.server.requests
        if request.question.endswith("Nhân viên mới được nghỉ phép mấy ngày?")
        and "[1]" in request.question
    )
    roles = {"system": "system", "user": "human", "assistant": "ai"}
    assert one.messages == tuple(Message(roles[m["role"]], str(m["content"])) for m in sent)
    assert one.stored
    assert one.raw is not None
    assert one.raw["data"]["content"] == one.reply == "12 ngày"
    assert one.seconds > 0
    answer = found.answer
    assert (answer.outcome, answer.text) == ("ok", "12 ngày")
    assert any("12 ngày" in passage.text for passage in answer.passages)
    tokens = one.input_tokens, one.output_tokens
    assert (answer.input_tokens, answer.output_tokens) == tokens
    assert answer.cost_usd == pytest.approx((tokens[0] + 2 * tokens[1]) / 1e6)
    assert found.scores["f1"] == 1
    assert found.builds_on == "prompting"
    names = {one.name for one in found.changed}
    assert {one.of for one in found.changed} == {"retrieval"}
    assert {"k", "weight"} <= names
    assert json.loads(json.dumps(found.to_json()))["exchanges"][0]["stored"] is True
    assert run.explain("Nhân viên mới được nghỉ phép mấy ngày?") == found


def test_every_call_behind_an_answer_is_shown_in_order(climbed: Workspace) -> None:
    run = next(run for run in climbed.runs() if run.row == "retrieval")
    both = run.answers()["s1"].call, run.answers()["s2"].call
    answer = replace(run.answers()["s2"], calls=both)
    first, second = exchanges(climbed, answer)
    assert (first.reply, second.reply) == ("30 days", "by bank transfer")


def test_a_row_without_a_model_says_what_its_reader_was_given(climbed: Workspace) -> None:
    run = next(run for run in climbed.runs() if run.row == "baseline")
    (one,) = run.explain("s1").exchanges
    assert not one.stored
    assert "within 30 days" in one.messages[-1].text


def test_an_error_is_explained_by_its_prompt(configure: Configure, model: Model) -> None:
    workspace = configure(retries=0)
    model.fault = lambda request: server_error()
    (run,) = climb(workspace, rows_for(workspace, ["prompting"]))
    found = run.explain("s1")
    assert found.answer.error.startswith("server: ")
    assert found.scores.get("f1") is None
    assert [one.stored for one in found.exchanges] == [False]


def test_what_is_not_there_is_a_sentence(climbed: Workspace) -> None:
    run = climbed.runs()[1]
    with pytest.raises(UsageError, match="no question 'x9'; `tailor compare --answers"):
        run.explain("x9")
    with pytest.raises(TailorError, match="has no answer to t1: only dev and test questions"):
        run.explain("t1")


def test_the_command_says_the_same(climbed: Workspace, tailor: Command) -> None:
    root = climbed.root
    run = next(run for run in climbed.runs() if run.row == "retrieval")
    found = run.explain("s1")
    assert tailor("explain", "retrieval", "s1", "--json", "-w", root).json == json.loads(
        json.dumps(found.to_json())
    )
    told = tailor("explain", "retrieval", "s1", "-w", root).out
    for text in (
        "retrieval builds on prompting, and changes:\n  retrieval.k: 4\n",
        found.exchanges[0].messages[-1].text,
        "Answer (ok, f1 100.0%): 30 days",
        "Expected: 30 days",
    ):
        assert text in told
    assert tailor("explain", "retrieval", "s1", "--repeat", "2", "-w", root).code == 1
    only = tailor("explain", "retrieval@openai:double", "-w", root, "--json").json
    assert (only["builds_on"], only["on"]) == ("prompting", "previous")
    assert tailor("explain", "few_shot", "-w", root).sentence == (
        "There is no run of row 'few_shot'; there are baseline, prompting, retrieval."
    )


def test_a_question_of_ones_own_is_explained_too(climbed: Workspace, tailor: Command) -> None:
    asked = ("ask", "How are refunds paid?", "-s", "retrieval", "-w", climbed.root)
    assert "exchanges" not in tailor(*asked, "--json").json
    (one,) = tailor(*asked, "--explain", "--json").json["exchanges"]
    assert one["reply"] == "by bank transfer"
    told = tailor(*asked, "--explain").out
    assert one["messages"][-1]["text"] in told
    assert "--- reply\nby bank transfer" in told


def test_a_tuned_row_says_what_was_tried(configure: Configure, tailor: Command) -> None:
    hosted = configure(ladder=["prompting", "retrieval", "retrieval_tuning"])
    hosted.ingest()
    tuning = hosted.stage(
        "retrieval_tuning", {"sizes": (40,), "weights": (0.0, 1.0), "ks": (1, 2), "rerank": False}
    )
    (run,) = hosted.climb([tuning])
    out = tailor("explain", "retrieval_tuning", "-w", hosted.root).out
    found = run.tuning()
    assert found is not None
    assert found.sentence("en") in out
    assert "plain retrieval" in out
    assert all(f"  {name}: " in out for name in found.search["matters"])
    told = tailor("explain", "retrieval_tuning", "-w", hosted.root, "--json").json
    assert told["tuning"]["search"]["count"] == found.search["count"]
