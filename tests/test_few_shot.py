"""The few-shot stage: which train questions are shown, in what order, with what beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tailor.assistant import Ask, Assistant
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.errors import NotApplicable, TailorError
from tailor.example import Example
from tailor.prompting import shots
from tailor.prompting.groups import groups
from tailor.stages import FewShot, Prompting, Retrieval
from tailor.testing import server_error
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Model

    from tailor.testing import Messages

PICKS = ("nearest", "semantic", "mmr", "fixed", "diverse", "balanced")


class Silent:
    """A model that must not be asked."""

    fingerprint = "silent"


def plain() -> Assistant:
    return Assistant(model=Silent())  # type: ignore[arg-type]


def shown(assistant: Assistant, question: str) -> tuple[Example, ...]:
    return assistant.prompt(Ask(question)).examples


@pytest.fixture
def ingested(workspace: Workspace) -> Workspace:
    workspace.ingest()
    return workspace


@pytest.mark.parametrize("pick", PICKS)
def test_only_train_questions_are_shown_and_never_the_question_itself(
    workspace: Workspace, pick: Any
) -> None:
    assistant = FewShot(shots=3, pick=pick).apply(plain(), workspace)
    train = {q.question for q in workspace.benchmark.split("train")}
    for question in workspace.benchmark.questions:
        found = shown(assistant, question.question)
        assert len(found) == 3
        assert {example.question for example in found} <= train - {question.question}
    again = FewShot(shots=3, pick=pick).apply(plain(), Workspace(workspace.root))
    assert again.fingerprint == assistant.fingerprint
    assert shown(again, "When?") == shown(assistant, "When?")


def test_every_way_of_picking_is_another_assistant(workspace: Workspace) -> None:
    stages = [FewShot(shots=2, pick=pick) for pick in PICKS]  # type: ignore[arg-type]
    stages += [FewShot(shots=2, order="random"), FewShot(shots=2, budget=9), FewShot(shots=3)]
    made = {stage.apply(plain(), workspace).fingerprint for stage in stages}
    assert len(made) == len(stages)


def test_a_leaking_train_question_is_shown_by_no_way_of_picking(workspace: Workspace) -> None:
    held = workspace.benchmark.split("test")[0]
    leak = replace(held, id="leak", split="train")
    questions = (*workspace.benchmark.questions, leak)
    workspace.__dict__["benchmark"] = replace(workspace.benchmark, questions=questions)
    for pick in PICKS:
        assistant = FewShot(shots=4, pick=pick).apply(plain(), workspace)  # type: ignore[arg-type]
        assert leak.question not in {e.question for e in shown(assistant, held.question)}


def test_the_semantic_pick_knows_other_words_for_the_same(workspace: Workspace) -> None:
    assistant = FewShot(shots=1, pick="semantic").apply(plain(), workspace)
    (example,) = shown(assistant, "Who is in charge of the warehouse in Hải Phòng?")
    assert example.question == "Ai là thủ kho ở Hải Phòng?"


@pytest.mark.parametrize("order", ["closest_last", "closest_first", "random"])
def test_the_order_of_the_examples(workspace: Workspace, order: Any) -> None:
    question = "How often are the laptops of the office replaced?"
    best = FewShot(shots=1).apply(plain(), workspace)
    assistant = FewShot(shots=4, order=order).apply(plain(), workspace)
    found, (closest,) = shown(assistant, question), shown(best, question)
    assert found == shown(assistant, question)
    assert sorted(e.question for e in found) == sorted({e.question for e in found})
    if order != "random":
        assert found[-1 if order == "closest_last" else 0] == closest


def test_the_order_of_another_seed_is_another_one(workspace: Workspace) -> None:
    seeds = [FewShot(shots=4, order="random", seed=n).apply(plain(), workspace) for n in range(6)]
    assert len({shown(one, "When?") for one in seeds}) > 1


def test_fewer_are_shown_where_the_budget_is_reached(workspace: Workspace) -> None:
    from tailor.models.usage import text_tokens

    every = shown(FewShot(shots=4).apply(plain(), workspace), "When?")
    for budget in (1, 20, 40, 10_000):
        found = shown(FewShot(shots=4, budget=budget).apply(plain(), workspace), "When?")
        assert found == every[len(every) - len(found) :]  # the most useful ones stay
        said = ["\n".join([e.question, "", e.answer, e.quote, ""]) for e in found]
        assert sum(map(text_tokens, said)) <= budget
    assert len(found) == 4


# --- rankings ---------------------------------------------------------------------------------


def unit(*rows: Sequence[float]) -> Any:
    values = np.array(rows, dtype=np.float32)
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def test_diverse_examples_are_far_from_one_another() -> None:
    vectors = unit([1, 0], [1, 0.05], [1, 0.1], [0, 1], [-1, 0.1])
    order = shots.diverse(vectors)
    assert sorted(order) == [0, 1, 2, 3, 4]
    assert order[1] == 4  # the one farthest from the middle
    assert set(order[:3]) >= {3, 4}


def test_mmr_passes_over_what_says_the_same() -> None:
    vectors = unit([1, 0.3, 0], [1, 0.31, 0], [0.6, -0.5, 0.2], [-1, 0, 0])
    near = shots.by_meaning(vectors, lambda _: [1.0, 0.25, 0.0], mmr=False)("x")
    apart = shots.by_meaning(vectors, lambda _: [1.0, 0.25, 0.0], mmr=True)("x")
    assert list(near[:2]) == [0, 1]
    assert list(apart[:2]) == [0, 2]
    assert sorted(apart) == [0, 1, 2, 3]


def asked(*answers: str | None) -> list[Question]:
    return [Question(f"q{n}", f"q{n}?", (a,) if a else ()) for n, a in enumerate(answers)]


def test_labels_have_their_turns() -> None:
    labels = ["spam", "spam", "spam", "ham", "spam", "ham"]
    order = shots.balanced(groups(asked(*labels), 4))
    assert [labels[at] for at in order] == ["spam", "ham", "spam", "ham", "spam", "spam"]


def test_numbers_are_balanced_by_their_size() -> None:
    numbers = ["$1", "$2", "$3", "$1,000", "$4", "$2,000", "$5", "$6"]
    found = groups(asked(*numbers), 4)
    assert found == [0, 0, 1, 3, 1, 3, 2, 2]


def test_other_answers_are_balanced_by_whether_there_is_one() -> None:
    found = groups(asked("by bank", "Ms Alvarez", None, "Blue Heron"), 4)
    assert found == [(True, "en"), (True, "en"), (False, "en"), (True, "en")]


# --- passages ---------------------------------------------------------------------------------


@pytest.mark.parametrize("turned", [False, True])
def test_examples_show_passages_whichever_stage_comes_first(
    ingested: Workspace, turned: bool
) -> None:
    stages = [FewShot(shots=2, pick="fixed", passages=1), Retrieval(k=2)]
    assistant = plain()
    for stage in reversed(stages) if turned else stages:
        assistant = stage.apply(assistant, ingested)
    examples = shown(assistant, "When does the help desk close?")
    assert [len(example.passages) for example in examples] == [1, 1]
    for example in examples:
        (evidence,) = next(
            q.evidence for q in ingested.benchmark.questions if q.question == example.question
        )
        assert evidence.quote in example.passages[0].text
    messages = assistant.prompt(Ask("When does the help desk close?")).messages()
    assert examples[0].passages[0].text.split(".")[0] in str(messages[0].text)
    bare = FewShot(shots=2, pick="fixed", passages=1).apply(plain(), ingested)
    assert not any(example.passages for example in shown(bare, "When?"))


def test_an_example_never_answers_from_passages_without_its_evidence() -> None:
    gold = Passage("a.md", 10, 20, "It is 12 days.")
    example = Example("How many?", "12 days", shows=2, gold=gold)
    others = (Passage("b.md", 0, 9, "One."), Passage("c.md", 0, 9, "Two."), gold)
    assert example.with_passages(others).passages == (gold, others[0])
    assert example.with_passages(others[2:]).passages == (gold,)
    silent = Example("What dog?", "Not in the documents.", shows=2)
    assert silent.with_passages(others).passages == others[:2]


# --- bootstrapping ----------------------------------------------------------------------------


def test_examples_are_kept_only_where_the_model_was_right(hosted: Workspace, model: Model) -> None:
    right = model.gate.reply

    def reply(messages: Messages) -> str:
        answer = right(messages)
        return "Answer: 99" if "laptops" in str(messages[-1]) else f"As told.\nAnswer: {answer}"

    model.gate.reply = reply
    base = Prompting(reasoning=True).apply(hosted.root_assistant(), hosted)
    stage = FewShot(shots=3, pick="fixed", bootstrap=True)
    assistant = stage.apply(base, hosted)
    train = {q.question for q in hosted.benchmark.split("train")}
    sent = [request.question.partition(": ")[2] for request in model.server.requests]
    assert set(sent) == train  # neither dev nor test
    assert model.server.count == stage.calls(hosted) == 4
    examples = shown(assistant, "When?")
    assert {e.question for e in examples} == {q for q in train if "laptops" not in q}
    assert {e.reasoning for e in examples} == {"As told."}
    turns = [str(m.text) for m in assistant.prompt(Ask("When?")).messages() if m.type == "ai"]
    assert "As told.\nAnswer: Ms Alvarez" in turns
    assert "As told.\nTrả lời: ông Trần Văn Bình" in turns
    stage.apply(base, hosted)
    assert model.server.count == 4


def test_a_model_that_is_never_right_makes_no_examples(hosted: Workspace, model: Model) -> None:
    model.gate.reply = lambda _: "no idea at all"
    with pytest.raises(NotApplicable, match="answered none of the 4 train questions rightly"):
        FewShot(bootstrap=True).apply(hosted.root_assistant(), hosted)


def test_a_server_that_fails_is_not_taken_for_a_model_that_is_wrong(
    hosted: Workspace, model: Model
) -> None:
    model.fault = lambda _: server_error(501)
    with pytest.raises(TailorError, match="4 of 4 questions failed"):
        FewShot(shots=3, bootstrap=True).apply(hosted.root_assistant(), hosted)
    model.fault = lambda _: None
    assistant = FewShot(shots=3, bootstrap=True).apply(hosted.root_assistant(), hosted)
    assert len(shown(assistant, "When?")) == 3


def test_structured_examples_are_shown_as_json(workspace: Workspace) -> None:
    base = Prompting(structured=True).apply(plain(), workspace)
    assistant = FewShot(shots=1, pick="fixed").apply(base, workspace)
    turns = [str(m.text) for m in assistant.prompt(Ask("When?")).messages() if m.type == "ai"]
    assert turns == ['{"answer": "Ms Alvarez", "quote": "Ms Alvarez"}']
