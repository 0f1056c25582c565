"""What is chosen by asking the model: within a budget, deterministic, never worse than plain."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tailor.errors import UsageError
from tailor.ladder import climb
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.trials import LEAST, Choices, Trial, chosen, rungs
from tailor.testing import tool_call
from tailor.workspace import Workspace

Configure = Callable[..., Workspace]
QUICK = {"sizes": (40,), "weights": (0.0, 1.0), "rerank": False}


def trial(scores: list[float], complete: bool = True, **settings: Any) -> Trial:
    how = Configuration(**settings)
    return Trial(how, {str(at): value for at, value in enumerate(scores)}, complete)


def test_rungs_grow_to_all_questions() -> None:
    assert rungs(4) == [4]
    assert rungs(LEAST * 3) == [LEAST, LEAST * 3]
    assert rungs(500) == [56, 167, 500]


def test_the_simplest_in_a_tie_is_taken_and_nothing_worse_than_plain() -> None:
    plain = trial([0.5] * 40)
    better = trial([0.8] * 40, k=8)
    as_good = trial([0.8] * 39 + [0.79], k=3)
    costly = trial([0.802] * 40, k=1, rewriting="hyde")
    assert chosen(plain, [better]) is better
    assert chosen(plain, [better, as_good]) is as_good  # fewer passages in a tie
    noisy = trial([0.9, 0.69] * 20, k=3)
    assert chosen(plain, [better, noisy]) is noisy
    assert chosen(plain, [better, costly]) is costly  # better on every question, by little
    assert chosen(plain, [trial([0.4] * 40, k=1)]) is plain
    assert chosen(plain, [trial([1.0] * 10, complete=False, k=1)]) is plain
    tie = trial([0.5, 0.5] * 19 + [0.7, 0.35], weight=0.1)
    assert chosen(plain, [tie]) is plain
    assert chosen(trial([]), [better]).scores == {}


def test_what_is_tried_is_counted() -> None:
    assert Choices((1, 2, 3, 5)).most(80, 8) == 80 * 5
    assert Choices((1, 2), rerankers=("llm",), rewritings=("hyde",)).most(10, 3) == 10 * (1 + 3 * 3)


def run(workspace: Workspace, **settings: Any) -> Any:
    stage = workspace.stage("retrieval_tuning", {**QUICK, **settings})
    (made,) = climb(workspace, [stage])
    return made


def test_a_stage_chooses_with_the_model_and_its_record_is_read(
    configure: Configure, model: Any
) -> None:
    workspace = configure(ladder=["retrieval_tuning"])
    workspace.ingest()
    made = run(workspace, ks=(1, 2), rewritings=("hyde",), rerankers=("llm",), trials=3)
    tuning = made.tuning()
    assert tuning is not None
    assert tuning.asked["plain"]["n"] == 4
    assert 1 <= len(tuning.asked["tried"]) <= 3
    assert tuning.search["count"] > 3
    for code in ("en", "vi"):
        assert str(tuning.search["count"]) in tuning.sentence(code)
    assert tuning.sentence("en") in made.notes
    # The model is right whatever it is shown: fewer passages are simpler, and nothing else.
    assert set(tuning.asked["chosen"]["changes"]) <= {"k"}
    kept = made.assistant().retriever.configuration
    assert (kept.k, kept.rewriting, kept.reranker) == (
        tuning.asked["chosen"]["configuration"]["k"], "none", "",
    )  # fmt: skip
    assert json.loads(json.dumps(tuning.asked, allow_nan=False)) == tuning.asked


def test_a_row_that_was_not_tuned_has_no_tuning(configure: Configure) -> None:
    workspace = configure(ladder=["prompting"])
    workspace.ingest()
    (made,) = climb(workspace, [workspace.stage("prompting")])
    assert made.tuning() is None


def test_calls_are_bounded_and_kept(configure: Configure, model: Any) -> None:
    workspace = configure(ladder=["retrieval_tuning"])
    workspace.ingest()
    stage = workspace.stage("retrieval_tuning", {**QUICK, "ks": (1, 2, 3), "max_calls": 8})
    assert stage.calls(workspace) == 8
    assistant = stage.apply(workspace.root_assistant(), workspace)
    sent = len(model.server.requests)
    assert sent <= 8
    (file,) = (workspace.state / "artifacts").glob("passages-shown-*/trials.json")
    record = json.loads(file.read_text("utf-8"))
    assert record["stopped"]
    assert len(record["tried"]) == 1
    again = stage.apply(workspace.root_assistant(), Workspace(workspace.root))
    assert again.fingerprint == assistant.fingerprint
    assert len(model.server.requests) == sent


def test_calls_that_tools_may_take_are_within_the_bound(configure: Configure, model: Any) -> None:
    workspace = configure(ladder=["retrieval_tuning"])
    workspace.ingest()
    model.server.reply = lambda messages: tool_call("calculate", {"expression": "1 + 1"})
    stage = workspace.stage("retrieval_tuning", {**QUICK, "ks": (1, 2, 3), "max_calls": 32})
    assistant = workspace.stage("prompting", {"tools": True, "rounds": 2}).apply(
        workspace.root_assistant(), workspace
    )
    stage.apply(assistant, workspace)
    assert 16 <= model.server.count <= 32


def test_the_same_seed_tries_the_same(configure: Configure, model: Any) -> None:
    from tailor.retrieval.trials import _Proposals

    values = Choices(
        (1, 2, 3, 5), ("llm",), ("hyde", "multi_query"), ("none", "section"), (0.0, 0.3)
    ).values(Configuration())

    def tried(seed: int) -> list[Configuration]:
        out = []
        for proposal in _Proposals(values, 6, seed).each(Configuration()):
            proposal.goes_on(1, {"a": proposal.configuration.k / 10})
            proposal.complete = True
            out.append(proposal.configuration)
        return out

    assert tried(0) == tried(0)
    assert len(set(tried(0))) == 6
    assert tried(0)[0] == Configuration(k=1)  # at first what the search found


def test_a_seed_that_no_generator_takes_is_one_sentence(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match=r"retrieval_tuning\.seed: 4294967296 is above"):
        workspace.stage("retrieval_tuning", {"seed": 2**32})


def test_few_combinations_are_all_tried(configure: Configure, model: Any) -> None:
    workspace = configure(ladder=["retrieval_tuning"])
    workspace.ingest()
    tuning = run(workspace, ks=(1, 2, 3)).tuning()
    assert [one["configuration"]["k"] for one in tuning.asked["tried"]] == [1, 2, 3]
    assert all(one["complete"] for one in tuning.asked["tried"])
    assert not tuning.asked["stopped"]


@pytest.mark.parametrize("name", ["rewritings", "rerankers"])
def test_a_reader_is_not_asked_to_rewrite(
    workspace: Workspace, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace.ingest()
    notes: list[str] = []
    workspace.note = notes.append
    values = {"rewritings": ("hyde",), "rerankers": ("llm",)}
    stage = workspace.stage("retrieval_tuning", {name: values[name]})
    choices = stage._choices(workspace.root_assistant("shipped"), workspace)  # type: ignore[attr-defined]
    assert choices.rewritings == choices.rerankers == ()
    assert "left out" in notes[0]


def test_every_test_evaluation_is_logged(configure: Configure) -> None:
    workspace = configure(ladder=["prompting"])
    workspace.ingest()
    for _ in range(2):
        (made,) = climb(workspace, [workspace.stage("prompting")])
    log = (workspace.state / "test-evaluations.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["row"] for line in log] == ["prompting", "prompting"]
    assert json.loads(log[-1])["run"] == made.id
    assert json.loads(log[-1])["questions"] == 6
