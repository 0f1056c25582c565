"""What a fine-tuning learns from."""

from dataclasses import replace

import pytest

from tailor.benchmark import Benchmark
from tailor.errors import NotApplicable
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.retriever import Retriever
from tailor.stages import Prompting
from tailor.training import pairs as module
from tailor.training.pairs import pairs
from tailor.workspace import Workspace


def test_too_few_train_questions(hosted: Workspace) -> None:
    assistant = hosted.root_assistant()
    with pytest.raises(NotApplicable, match="at least 8 train questions"):
        pairs(assistant, assistant.model, hosted)


def test_only_train_questions_are_learnt(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST", 4)
    assistant = hosted.root_assistant()
    lessons = pairs(assistant, assistant.model, hosted)
    assert [lesson.completion for lesson in lessons] == [
        "Ms Alvarez", "every 4 years", "ông Trần Văn Bình", "Not in the documents.",
    ]  # fmt: skip
    text = " ".join(content for lesson in lessons for _, content in lesson.prompt)
    for question in hosted.benchmark.split("dev", "test"):
        assert question.question not in text


def test_the_evidence_is_always_among_the_passages(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST", 4)
    hosted.ingest()
    # One passage only, found by words that the Vietnamese question shares with the wrong one.
    retriever = Retriever(index=hosted.index(), configuration=Configuration(k=1, weight=1.0))
    assistant = replace(hosted.root_assistant(), retriever=retriever)
    asked = {q.id: q for q in hosted.benchmark.split("train")}
    lessons = pairs(assistant, assistant.model, hosted)
    for lesson, question in zip(lessons, asked.values(), strict=True):
        for evidence in question.evidence:
            assert evidence.quote in lesson.prompt[-1][1]


def test_a_benchmark_without_train_questions(hosted: Workspace) -> None:
    path = hosted.knowledge / "benchmark.jsonl"
    kept = [line for line in path.read_text("utf-8").splitlines() if '"train"' not in line]
    path.write_text("\n".join(kept) + "\n", "utf-8")
    assert not Benchmark.load(path).split("train")
    assistant = Workspace(hosted.root).root_assistant()
    with pytest.raises(NotApplicable, match="has 0"):
        pairs(assistant, assistant.model, Workspace(hosted.root))


def test_lessons_are_in_the_form_that_replies_are_asked_for(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "FEWEST", 4)
    for stage, wanted in (
        (Prompting(reasoning=True), "Answer: Ms Alvarez"),
        (Prompting(structured=True), '{"answer": "Ms Alvarez", "quote": "Ms Alvarez"}'),
    ):
        assistant = stage.apply(hosted.root_assistant(), hosted)
        assert pairs(assistant, assistant.model, hosted)[0].completion == wanted
