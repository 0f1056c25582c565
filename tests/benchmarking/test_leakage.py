"""What gives a held-out question away is kept from whatever learns."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tailor.benchmark import Benchmark, Evidence, Question
from tailor.benchmarking import quoting
from tailor.benchmarking.leakage import Guard, Kind, sift
from tailor.errors import NotApplicable, TailorError
from tailor.initialize import sample_folder
from tailor.stages import FineTuning
from tailor.testing import OpenAIServer
from tailor.text import fold
from tailor.workspace import Workspace

HELD = Question(
    id="held",
    question="Sau bao nhiêu ngày thì khách ở Đà Nẵng được trả lại hàng đã mua?",
    answers=("30 ngày",),
    evidence=(Evidence("ban-hang/doi-tra.md", "Khách được trả lại hàng trong 30 ngày."),),
    lang="vi",
)
LONG = Question(
    id="long",
    question="Within how many working days after the goods have come back to the warehouse in "
    "Rotterdam is the price paid back?",
    answers=("5 working days",),
)


def asked(question: str, *answers: str, evidence: tuple[Evidence, ...] = ()) -> Question:
    return Question("item", question, answers, evidence)


def kind(item: Question, *held: Question) -> Kind | None:
    leaks = Guard(held or (HELD, LONG)).leaks([item])
    return leaks[0].kind if leaks else None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text, "exact"),
        (lambda text: unicodedata.normalize("NFD", text), "unicode"),
        (lambda text: text.upper(), "case"),
        (lambda text: f"  {text.replace(' ', '  ')} !", "spacing"),
        (fold, "accents"),
        (lambda text: " ".join(reversed(text.split())), "order"),
    ],
)
@pytest.mark.parametrize("held", [HELD, LONG], ids=["vi", "en"])
def test_forms_of_the_same_words_leak_whatever_the_answer(
    held: Question, change: Callable[[str], str], expected: Kind
) -> None:
    if held is LONG and expected in ("unicode", "accents"):
        pytest.skip("English has no accents")
    assert kind(asked(change(held.question), "something else")) == expected


def test_thirteen_words_in_a_row_leak_with_the_answer() -> None:
    shared = " ".join(LONG.question.split()[2:16])
    assert kind(asked(f"Please say: {shared} and so on?", "5 working days")) == "overlap"
    assert kind(asked(f"Please say: {shared} and so on?", "never")) is None


def test_the_whole_question_inside_a_longer_text_leaks() -> None:
    assert kind(asked(f"A colleague of mine asks: {LONG.question}", "no idea")) == "overlap"


def test_changed_letters_leak_with_the_same_answer() -> None:
    typed = LONG.question.replace("working", "workin").replace("Rotterdam", "Roterdam")
    assert kind(asked(typed, "5 working days")) == "near"
    assert kind(asked(typed, "9 working days")) is None


def test_the_same_evidence_with_the_same_answer_leaks_in_any_words() -> None:
    translated = "When may goods be brought back?"
    quote = Evidence("ban-hang/doi-tra.md", "trả lại hàng trong 30 ngày")
    assert kind(asked(translated, "30 days", evidence=(quote,))) == "fact"
    assert kind(asked(translated, "40 days", evidence=(quote,))) is None
    other = Evidence("khac.md", "trả lại hàng trong 30 ngày")
    assert kind(asked(translated, "30 days", evidence=(other,))) is None


def test_another_fact_asked_in_the_same_way_is_no_leak() -> None:
    held = replace(HELD, question="What does the FrostBox 40 weigh?", answers=("18 kg",))
    assert kind(asked("What does the FrostBox 120 weigh?", "43 kg"), held) is None
    assert kind(asked("What does the FrostBox 120 weigh?", "18 kg"), held) == "near"


def test_unanswered_questions_are_compared_by_their_words_and_numbers() -> None:
    held = replace(HELD, question="What does the FrostBox 200 weigh in kilograms?", answers=())
    assert kind(asked("What does the FrostBox 200 weigh, in kilograms, please?"), held) is not None
    assert kind(asked("What does the FrostBox 120 weigh in kilograms?"), held) is None


def test_a_label_that_many_questions_have_gives_nothing_away() -> None:
    things = "printer scanner laptop badge phone screen camera keyboard".split()
    places = "Rotterdam Huế Oslo Vienna Cork".split()
    texts = [f"The {thing} in {place} does not work: which team?" for place in places
             for thing in things]  # fmt: skip
    held = [Question(f"h{n}", text, ("hardware",)) for n, text in enumerate(texts[:30])]
    train = [Question(f"t{n}", text, ("hardware",)) for n, text in enumerate(texts[30:])]
    copy = replace(held[0], question=held[0].question.upper())
    assert [leak.item for leak in Guard(held).leaks([*train, copy])] == [copy]


def test_nothing_held_out_nothing_leaks() -> None:
    assert Guard([]).leaks([HELD]) == []
    assert Guard([HELD]).leaks([]) == []


@pytest.fixture(scope="module")
def sample() -> tuple[Question, ...]:
    return Benchmark.load(sample_folder() / "benchmark.jsonl").questions


def test_every_reordered_sample_question_is_caught_and_hardly_any_other(
    sample: tuple[Question, ...],
) -> None:
    test = [q for q in sample if q.split == "test"]
    guard = Guard(test)
    mixed = [replace(q, question=" ".join(reversed(fold(q.question).split()))) for q in test]
    assert len(guard.leaks(mixed)) == len(test)
    others = [q for q in sample if q.split != "test"]
    assert len(guard.leaks(others)) <= len(others) // 100


def test_paraphrases_and_translations_of_the_sample_are_caught(
    sample: tuple[Question, ...],
) -> None:
    known = {q.id: q for q in sample if q.split == "test"}
    planted = [
        json.loads(line)
        for line in (Path(__file__).parent / "planted.jsonl").read_text("utf-8").splitlines()
    ]
    guard = Guard(tuple(known.values()))

    def rate(form: str, with_evidence: bool) -> float:
        items = [replace(known[p["id"]], question=p[form]) for p in planted]
        items = items if with_evidence else [replace(item, evidence=()) for item in items]
        return len(guard.leaks(items)) / len(items)

    assert rate("paraphrase", with_evidence=True) == 1
    assert rate("translation", with_evidence=True) == 1
    assert rate("paraphrase", with_evidence=False) >= 0.9
    assert rate("translation", with_evidence=False) >= 0.4


def leak(workspace: Workspace, split: str = "train") -> Workspace:
    """The workspace with a question of this split that gives away the test question s2."""
    path = workspace.knowledge / "benchmark.jsonl"
    row = {"id": "leaking", "split": split, "answer": "by bank transfer"}
    row["question"] = "Are refunds paid how?"
    row["evidence"] = [{"document": "sales/refunds.md", "quote": "by bank transfer"}]  # type: ignore[assignment]
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
    return Workspace(workspace.root)


def test_few_shot_never_shows_a_leaking_question(workspace: Workspace) -> None:
    leaking = leak(workspace)
    notes: list[str] = []
    leaking.note = notes.append
    stage = leaking.stage("few_shot", {"shots": 4})
    assistant = stage.apply(leaking.root_assistant("shipped"), leaking)
    selector = assistant.examples
    assert not isinstance(selector, tuple)
    examples = selector("How are refunds paid?")
    assert len(examples) == 4
    assert "Are refunds paid how?" not in [example.question for example in examples]
    assert notes == ["left out of few_shot: leaking asks test question s2 in another word order."]


def test_the_note_is_kept_with_the_run(hosted: Workspace) -> None:
    leaking = leak(hosted)
    told: list[tuple[str, str]] = []
    runs = leaking.climb(
        [leaking.stage("few_shot")],
        progress=lambda row, step, done, total, note="": told.append((step, note)),
    )
    assert runs[0].notes == (
        "left out of few_shot: leaking asks test question s2 in another word order.",
    )
    assert ("note", runs[0].notes[0]) in told
    assert Workspace(leaking.root).runs()[0].notes == runs[0].notes


def test_fine_tuning_never_learns_a_leaking_question(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tailor.training import lessons as module

    monkeypatch.setattr(module, "FEWEST", 4)
    leaking = leak(hosted)
    (leaking.knowledge / "training.jsonl").write_text(
        '{"id": "extra", "question": "When does the help desk open?", "answer": "8:00"}\n'
        '{"id": "bad", "question": "What is the guest network called at all?", '
        '"answer": "Blue Heron"}\n',
        "utf-8",
    )
    notes: list[str] = []
    leaking.note = notes.append
    assistant = leaking.root_assistant()
    settings = FineTuning(validation=0)
    found = module.lessons(assistant, assistant.model, leaking, settings)  # type: ignore[arg-type]
    said = [lesson.completion for lesson in found.train]
    assert said[-1] == "8:00"
    assert len(said) == 5
    assert len(notes) == 2
    assert "leaking asks test question s2" in notes[0]
    assert "bad asks test question s5" in notes[1]


def test_tuning_leaves_leaking_dev_questions_out(workspace: Workspace) -> None:
    leaking = leak(workspace, "dev")
    kept = sift(leaking, "retrieval_tuning", leaking.benchmark.split("dev"), "test")
    assert [q.id for q in kept] == ["d1", "d2", "d3", "d4"]


@pytest.mark.parametrize("stage", ["few_shot", "retrieval_tuning"])
def test_without_its_encoder_the_guard_lets_nothing_through(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    from tailor.benchmarking import alike

    def broken() -> None:
        raise TailorError("The encoder cannot be loaded.")

    monkeypatch.setattr(alike, "_encoder", broken)
    with pytest.raises(TailorError, match=f"{stage} stops: the leakage guard") as raised:
        workspace.stage(stage).apply(workspace.root_assistant("shipped"), workspace)
    assert not isinstance(raised.value, NotApplicable)


def test_too_few_left_says_why(workspace: Workspace) -> None:
    leaking = leak(workspace)
    stage = leaking.stage("few_shot", {"shots": 5})
    with pytest.raises(NotApplicable, match="1 give a dev or test question away"):
        stage.apply(leaking.root_assistant("shipped"), leaking)


def test_reserved_files_are_no_documents(workspace: Workspace) -> None:
    (workspace.knowledge / "drafts.jsonl").write_text("not even JSON", "utf-8")
    (workspace.knowledge / "training.jsonl").write_text("not even JSON", "utf-8")
    assert workspace.ingest().totals["files"] == 5


@pytest.mark.parametrize("form", ["jsonl", "part", "renamed"])
def test_a_copy_of_the_benchmark_is_no_knowledge(workspace: Workspace, form: str) -> None:
    questions = workspace.benchmark.questions
    if form in ("jsonl", "renamed"):
        name = "backup/questions.jsonl" if form == "jsonl" else "backup/questions.txt"
        text = (workspace.knowledge / "benchmark.jsonl").read_text("utf-8")
    else:
        name = "table.csv"
        text = "question,answer\n" + "".join(
            f'"{q.question}","{" / ".join(q.answers)}"\n' for q in questions[5:9]
        )
    path = workspace.knowledge / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")
    for _ in range(2):  # it stays refused when nothing changes
        files = {file.path: file for file in workspace.ingest().files}
        assert files[name].status == "refused"
        assert "a copy" in files[name].reason
        assert not any(p.document == name for p in workspace.index().passages())
    (workspace.knowledge / "benchmark.jsonl").write_text(
        '{"question": "Is this another benchmark altogether?", "answer": "yes"}\n', "utf-8"
    )
    files = {file.path: file for file in Workspace(workspace.root).ingest().files}
    assert files[name].status == "indexed"


def test_a_text_with_questions_is_knowledge_and_told(workspace: Workspace) -> None:
    (workspace.knowledge / "faq.md").write_text(
        "# Questions\n\nHow are refunds paid? By bank transfer.\n", "utf-8"
    )
    files = {file.path: file.status for file in workspace.ingest().files}
    assert files["faq.md"] == "indexed"
    (told,) = workspace.quoted_questions
    assert told.startswith("faq.md holds 1 test questions word for word (s2)")


def test_only_new_texts_are_looked_through_for_questions(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[str] = []

    def noted(text: str) -> str:
        looked.append(text)
        return fold(text)

    monkeypatch.setattr(quoting, "fold", noted)
    (workspace.knowledge / "faq.md").write_text("How are refunds paid? By transfer.", "utf-8")
    (told,) = workspace.ingest().quoted
    assert "How are refunds paid? By transfer." in looked
    looked.clear()
    (workspace.knowledge / "new.md").write_text("Here: how are REFUNDS paid?", "utf-8")
    assert workspace.ingest().quoted == (told, told.replace("faq.md", "new.md"))
    assert "Here: how are REFUNDS paid?" in looked
    assert "How are refunds paid? By transfer." not in looked
    (workspace.knowledge / "benchmark.jsonl").write_text(
        '{"question": "Is this another benchmark altogether?", "answer": "yes"}\n', "utf-8"
    )
    assert workspace.ingest().quoted == ()


def test_a_server_never_sees_the_questions_that_are_compared(workspace: Workspace) -> None:
    with OpenAIServer(lambda messages: "x") as server:
        local = Workspace(workspace.root, {"embedder": "openai:any", "base_url": server.url})
        sift(local, "few_shot", local.benchmark.split("train"), "dev", "test")
    assert server.count == 0
