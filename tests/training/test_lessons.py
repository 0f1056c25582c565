"""What a fine-tuning learns from: shapes, curation, and what is kept back."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.assistant import REFUSAL
from tailor.benchmark import Benchmark, Evidence, Question
from tailor.errors import NotApplicable
from tailor.models.chat import Chat
from tailor.retrieval.configuration import Configuration
from tailor.retrieval.retriever import Retriever
from tailor.stages import FineTuning, Prompting
from tailor.training.lessons import Lessons, lessons, refuses
from tailor.training.lessons_curation import curated, spoken
from tailor.training.lessons_report import REASONS
from tailor.training.lessons_split import groups, held_out
from tailor.training.pairs import conversational
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

    from tailor.assistant import Assistant


def learnt(
    workspace: Workspace, assistant: Assistant | None = None, fewest: int = 0, **settings: Any
) -> Lessons:
    """The lessons with these settings; nothing is kept back unless asked for."""
    assistant = assistant or workspace.root_assistant()
    assert isinstance(assistant.model, Chat)
    own = FineTuning(**{"validation": 0, **settings})
    return lessons(assistant, assistant.model, workspace, own, fewest)


def write(workspace: Workspace, *rows: dict[str, Any]) -> Workspace:
    """The workspace with these questions to train on."""
    text = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (workspace.knowledge / "training.jsonl").write_text(text, "utf-8")
    return Workspace(workspace.root)


def test_too_few_train_questions(hosted: Workspace) -> None:
    assistant = hosted.root_assistant()
    with pytest.raises(NotApplicable, match=r"at least 8 train questions .* has 4"):
        lessons(assistant, assistant.model, hosted, FineTuning())  # type: ignore[arg-type]


def test_a_benchmark_without_train_questions(hosted: Workspace) -> None:
    path = hosted.knowledge / "benchmark.jsonl"
    kept = [line for line in path.read_text("utf-8").splitlines() if '"train"' not in line]
    path.write_text("\n".join(kept) + "\n", "utf-8")
    assert not Benchmark.load(path).split("train")
    with pytest.raises(NotApplicable, match="has 0"):
        learnt(Workspace(hosted.root), fewest=1)


def test_only_train_questions_are_learnt(hosted: Workspace) -> None:
    found = learnt(hosted)
    assert [lesson.completion for lesson in found.train] == [
        "Ms Alvarez", "every 4 years", "ông Trần Văn Bình", "Not in the documents.",
    ]  # fmt: skip
    assert [lesson.source for lesson in found.train] == ["t1", "t2", "t3", "t4"]
    text = " ".join(content for lesson in found.train for _, content in lesson.prompt)
    for question in hosted.benchmark.split("dev", "test"):
        assert question.question not in text
    assert found.report.found == {"benchmark": 4, "training": 0}
    assert (found.report.refusals, found.report.left_out) == (1, ())


def test_the_evidence_is_always_among_the_passages(hosted: Workspace) -> None:
    hosted.ingest()
    # One passage only, found by words that the Vietnamese question shares with the wrong one.
    retriever = Retriever(index=hosted.index(), configuration=Configuration(k=1, weight=1.0))
    assistant = replace(hosted.root_assistant(), retriever=retriever)
    found = learnt(hosted, assistant, shapes=("as_asked", "house_format"))
    asked = {q.id: q for q in hosted.benchmark.split("train")}
    assert len(found.train) == 4  # without instructions both shapes are the same
    for lesson in found.train:
        for evidence in asked[lesson.source].evidence:
            assert evidence.quote in lesson.prompt[-1][1]


def test_lessons_are_in_the_form_that_replies_are_asked_for(hosted: Workspace) -> None:
    for stage, wanted in (
        (Prompting(reasoning=True), "Answer: Ms Alvarez"),
        (Prompting(structured=True), '{"answer": "Ms Alvarez", "quote": "Ms Alvarez"}'),
    ):
        assistant = stage.apply(hosted.root_assistant(), hosted)
        assert learnt(hosted, assistant).train[0].completion == wanted


def test_each_shape_shows_what_it_says(hosted: Workspace) -> None:
    hosted.ingest()
    assistant = Prompting().apply(hosted.root_assistant(), hosted)
    shapes = ("closed_book", "gold", "retrieved", "refusal", "house_format")
    found = learnt(hosted, assistant, shapes=shapes, distractors=2, refusals=1.0)
    by_shape = {s: [p for p in found.train if p.shape == s] for s in shapes}
    assert {s: len(own) for s, own in by_shape.items()} == dict(found.report.shapes)
    assert found.report.shapes == {
        "closed_book": 4, "gold": 3, "retrieved": 3, "refusal": 3, "house_format": 4,
    }  # fmt: skip
    quotes = {q.id: [e.quote for e in q.evidence] for q in hosted.benchmark.split("train")}
    for pair in found.train:
        shown = pair.prompt[-1][1]
        passages = len(re.findall(r"<passage number", shown))
        said = any(quote in shown for quote in quotes[pair.source])
        wanted = {"closed_book": 0, "gold": 1, "retrieved": 3, "refusal": 3, "house_format": 0}
        assert passages == wanted[pair.shape]
        assert said == (pair.shape in ("gold", "retrieved"))
        assert refuses(pair) == (pair.shape == "refusal" or pair.source == "t4")
        assert (pair.prompt[0][0] == "system") == (pair.shape != "house_format")
    vietnamese = next(p for p in by_shape["refusal"] if p.source == "t3")
    assert vietnamese.completion == REFUSAL["vi"]
    rows = conversational(found.train)
    assert rows[0]["completion"] == [{"role": "assistant", "content": "Ms Alvarez"}]
    kinds = {(p.shape, refuses(p)) for p in found.examples(7)}
    assert len(kinds) == 7


def test_questions_without_documents_are_shaped_by_what_they_quote(hosted: Workspace) -> None:
    """As imported with a context; other questions' contexts distract, as nothing is indexed."""
    opened = write(hosted, *(
        {"question": f"What is the colour of door {n}?", "answer": colour,
         "evidence": [{"document": "doors.jsonl", "quote": f"Door {n} was painted {colour}."}]}
        for n, colour in enumerate(("red", "green", "blue"))
    ))  # fmt: skip
    found = learnt(opened, shapes=("retrieved",), distractors=2)
    doors = [p for p in found.train if p.source.startswith("line-")]
    assert len(doors) == 3
    for pair in doors:
        assert f"painted {pair.completion}." in pair.prompt[-1][1]
        assert pair.prompt[-1][1].count("<passage number") == 3
    places = {p.prompt[-1][1].index(f"painted {p.completion}") for p in doors}
    assert len(places) > 1  # the evidence is not always at one place
    unshaped = [one for one in found.report.left_out if one.reason == "unshaped"]
    assert [one.id for one in unshaped] == ["t4"]


BAD: tuple[tuple[dict[str, Any], str], ...] = (
    ({"id": "code", "question": "Which code opens the gate?", "answer": "12",
      "format": r"[A-Z]\d+"}, "format"),
    ({"id": "leak", "question": "What is the guest network called at all?",
      "answer": "Blue Heron"}, "leak"),
    ({"id": "blank", "question": "What is on the roof?", "answer": "—"}, "empty"),
    ({"id": "lang", "question": "Ai được mượn xe của công ty?", "lang": "vi",
      "answer": "only the staff of the sales team may use it"}, "wrong_language"),
    ({"id": "again", "question": "who takes requests for leave ?", "answer": "Ms Alvarez"},
     "duplicate"),
    ({"id": "near", "question": "Who then takes requests for leave?", "answer": "Ms Alvarez"},
     "near"),
    ({"id": "wrong", "question": "How often are laptops replaced?", "answer": "every 3 years"},
     "contradiction"),
)  # fmt: skip


def test_curation_names_what_is_left_out(hosted: Workspace) -> None:
    good = {"id": "good", "question": "Who waters the plants?", "answer": "the night guard"}
    typed = {"id": "typed", "question": "ai la thu kho o hai phong?",
             "answer": "ông Trần Văn Bình"}  # fmt: skip
    found = curated(write(hosted, good, typed, *(row for row, _ in BAD)), "a test")
    assert {one.id: one.reason for one in found.left_out} == {r["id"]: why for r, why in BAD}
    # The benchmark's own question stays where an import contradicts it; typing is no repetition.
    assert [q.id for q in found.questions] == ["t1", "t2", "t3", "t4", "good", "typed"]
    assert {one.origin for one in found.left_out} == {"training"}
    for one in found.left_out:
        for lang in ("en", "vi"):
            assert not re.search(r"[{}]", one.message(lang))
    told = {one.id: one.message() for one in found.left_out}
    vietnamese = next(one for one in found.left_out if one.id == "lang").message("vi")
    assert vietnamese == "lẽ ra phải bằng tiếng Việt, nhưng đáp án lại bằng tiếng Anh."
    assert told["wrong"] == (
        'asks what t2 asks, but one says "every 3 years" and the other "every 4 years"; see which '
        "is right, and delete the wrong one."
    )
    assert "test question s5" in told["leak"]


def test_of_two_equals_that_contradict_neither_is_learnt(hosted: Workspace) -> None:
    rows = (
        {"id": "a", "question": "What is the wifi password of the lobby?", "answer": "green tea"},
        {"id": "b", "question": "What is the wifi password of the lobby?", "answer": "black tea"},
        {"id": "c", "question": "What is the wifi password of the Lyon office?", "answer": "cake"},
    )
    found = curated(write(hosted, *rows), "a test")
    assert {one.id: one.reason for one in found.left_out} == {
        "a": "contradiction", "b": "contradiction",
    }  # fmt: skip
    assert found.questions[-1].id == "c"


def test_reading_lessons_on_different_evidence_contradict_nothing(hosted: Workspace) -> None:
    rows = [
        {"id": id, "question": "What does the table show?", "answer": answer,
         "evidence": [{"document": "reports.jsonl", "quote": f"Table {id}: {answer}, in euros"}]}
        for id, answer in (("a", "salaries"), ("b", "taxes"))
    ]  # fmt: skip
    opened = write(hosted, *rows)
    assert learnt(opened).report.reasons == {"contradiction": 2}
    assert learnt(opened, shapes=("gold",)).report.reasons == {"unshaped": 1}  # t4 has no answer


def test_the_same_answer_in_other_words_is_no_contradiction(hosted: Workspace) -> None:
    rows = (
        {"id": "a", "question": "How do I get a parking permit for the yard?",
         "answer": "Fill in the parking form and hand it to the front desk."},
        {"id": "b", "question": "How do I get a parking permit for the yard ?",
         "answer": "You fill in the parking form, then hand it to the front desk."},
    )  # fmt: skip
    found = curated(write(hosted, *rows), "a test")
    assert [(one.id, one.reason) for one in found.left_out] == [("b", "duplicate")]


def test_lessons_that_are_too_long_are_left_out(hosted: Workspace) -> None:
    opened = write(hosted, {"id": "essay", "question": "Tell the story.", "answer": "word " * 90})
    found = learnt(opened, max_length=80)
    assert [(one.id, one.reason) for one in found.report.left_out] == [("essay", "long")]
    assert found.report.prompts.longest + found.report.completions.longest <= 80


def test_ids_of_two_files_are_kept_apart(hosted: Workspace) -> None:
    found = learnt(write(hosted, {"id": "t1", "question": "Who sings?", "answer": "nobody"}))
    assert [p.source for p in found.train] == ["t1", "t2", "t3", "t4", "training:t1"]


def test_what_is_kept_back_shares_no_fact_with_what_is_learnt() -> None:
    def asked(id: str, question: str, quote: str) -> Question:
        return Question(id, question, ("12",), (Evidence("a.md", quote),))

    questions = [
        asked("1", "How many days of leave do people get?", "12 days of leave"),
        asked("2", "Leave: how long?", "they get 12 days of leave a year"),
        asked("3", "how many days of leave do people get", "of another document"),
        asked("4", "How many doors are there?", "12 doors"),
    ]
    names = groups(questions)
    assert names[0] == names[1] == names[2] != names[3]
    for seed in range(8):
        assert held_out(names, 0.5, seed) <= {names[3]}  # the large group would be too much
    many = [f"group {n // 3}" for n in range(300)]
    kept = held_out(many, 0.1, 0)
    assert sum(name in kept for name in many) == 30
    assert held_out(many, 0.1, 0) == kept != held_out(many, 0.1, 1)


def test_shapes_of_one_question_are_on_one_side(hosted: Workspace) -> None:
    rows = [{"question": f"Which door is {c}?", "answer": c} for c in "abcdefghijkl"]
    assistant = Prompting().apply(hosted.root_assistant(), hosted)
    found = learnt(
        write(hosted, *rows), assistant, shapes=("closed_book", "house_format"), validation=0.3
    )
    kept = {p.source for p in found.validation}
    assert kept
    assert not kept & {p.source for p in found.train}
    assert (
        found.digest
        == learnt(
            Workspace(hosted.root),
            assistant,
            shapes=("closed_book", "house_format"),
            validation=0.3,
        ).digest
    )


@pytest.mark.parametrize(("text", "lang"), [
    ("only the staff of the sales team may use it", "en"),
    ("chỉ nhân viên phòng kinh doanh được dùng", "vi"),
    ("trung tam dich vu can tho bat dau lam viec luc may gio", None),
    ("ông Trần Văn Bình", None),
    ("30 days", None),
])  # fmt: skip
def test_languages_are_told_only_where_they_are_sure(text: str, lang: str | None) -> None:
    assert spoken(text) == lang


def test_every_reason_is_told_in_both_languages() -> None:
    for english, vietnamese in REASONS.values():
        assert english != vietnamese
        assert set(re.findall(r"{(\w+)}", vietnamese)) == set(re.findall(r"{(\w+)}", english))


def test_the_command_shows_what_would_be_learnt(
    hosted: Workspace, tailor: Command, tmp_path: Path
) -> None:
    source = tmp_path / "faq.jsonl"
    source.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row, _ in BAD), "utf-8"
    )
    brought = tailor("benchmark", "import", source, "--training", "-w", hosted.root)
    assert brought.code == 0, brought.err
    assert "7 questions taken from 7 rows" in brought.out
    assert "tailor lessons -w" in brought.err
    told = tailor("lessons", "-w", hosted.root, "--set", "fine_tuning.validation=0")
    assert told.code == 0
    assert "4 lessons to learn from and 0 kept back, of 4 questions" in told.out
    assert "again asks what t1 asks" in told.out
    assert "→ Ms Alvarez" in told.out
    json_ = json.loads(tailor("lessons", "-w", hosted.root, "--json").out)
    assert json_["schema_version"] == 1
    assert json_["reasons"]["contradiction"] == 1
    assert json_["examples"][0]["source"] == "t1"
    refused = tailor("lessons", "-w", hosted.root, "--row", "prompting")
    assert refused.code == 2
    assert "learns from no lessons" in refused.err
