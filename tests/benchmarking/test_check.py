"""The check names everything that is wrong with a benchmark, in one pass, with its line."""

from __future__ import annotations

import json
import random
import unicodedata
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmarking.check import Report, check
from tailor.benchmarking.finding import KINDS
from tailor.benchmarking.power import power
from tailor.benchmarking.support import support
from tailor.initialize import initialize
from tailor.task import Task, worded
from tailor.workspace import Workspace

LEAVE = {"document": "hr/leave.md", "quote": "12 days of paid annual leave"}
GOOD = {"question": "How much paid leave is there?", "answer": "12 days", "evidence": [LEAVE]}


@pytest.fixture
def acme(workspace: Workspace) -> Workspace:
    """The five documents of the small company, read."""
    workspace.ingest()
    return workspace


def checked(workspace: Workspace, *lines: Any) -> Report:
    texts = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    workspace.forget_benchmark()
    return check(workspace)


def kinds(report: Report, line: int | None) -> set[str]:
    return {finding.kind for finding in report.findings if finding.line == line}


def test_everything_at_once(acme: Workspace) -> None:
    nfd = unicodedata.normalize("NFD", "Thủ kho ở Hải Phòng là ai?")
    report = checked(
        acme,
        {**GOOD, "id": "a", "split": "train"},
        "{broken",
        {**GOOD, "id": "a", "question": "Who takes requests?", "answer": "Ms Alvarez"},
        {**GOOD, "id": "b"},
        {**GOOD, "id": "c", "question": "HOW MUCH paid leave is there?"},
        {"id": "d", "question": "Thủ kho ở Hải Phòng là ai?", "answer": "ông Trần Văn Bình"},
        {"id": "e", "question": nfd, "answer": "ông Trần Văn Bình"},
        {"id": "f", "question": "How long may goods be returned?", "answer": "45 days",
         "evidence": [{"document": "sales/refunds.md", "quote": "within 30 days"}]},
        {"id": "g", "question": "Which network do guests use?", "answer": "Blue Heron",
         "evidence": [{"document": "it/laptop.txt", "quote": "called Blue Heron"}]},
        {"id": "h", "question": "How are refunds paid back?", "answer": "by bank transfer",
         "evidence": [{"document": "sales/refunds.md", "quote": "Refunds get paid in 5 days"}]},
        {"id": "i", "question": "Who is the director?", "answer": "Not in the documents."},
        {"id": "j", "question": "What costs parking?", "answer": None, "evidence": [LEAVE]},
        {"id": "k", "question": "How long do laptops last?", "answer": ["4 years", "5 years"]},
        {"id": "l", "question": "Is the Blue Heron network for guests?", "answer": "Blue Heron"},
        {"id": "m", "question": "What is the year?", "answer": "in 2026", "format": r"\d{4}"},
    )  # fmt: skip
    assert kinds(report, 2) == {"syntax"}
    assert "same_id" in kinds(report, 3)
    assert report.path.name == "benchmark.jsonl"
    told = {(f.line, f.kind, f.values.get("how")) for f in report.findings}
    assert (4, "same_question", "exact") in told
    assert (5, "same_question", "case") in told
    assert (7, "same_question", "unicode") in told
    assert kinds(report, 8) == {"unsupported"}
    assert kinds(report, 9) == {"no_document"}
    assert kinds(report, 10) == {"no_quote"}
    assert "answer_refuses" in kinds(report, 11)
    assert "answer_null" in kinds(report, 12)
    assert "answers_disagree" in kinds(report, 13)
    assert "answer_in_question" in kinds(report, 14)
    assert "answer_format" in kinds(report, 15)
    assert {"no_split", "few_questions"} <= kinds(report, None)
    lines = [finding.line for finding in report.findings if finding.line]
    assert lines == sorted(lines)
    by_line = {f.line: f.message() for f in report.findings if f.kind.startswith("no_")}
    assert "the quote is in it/laptops.txt" in by_line[9]
    assert "Refunds are paid within 5 working days" in by_line[10]


def test_nothing_to_say(acme: Workspace) -> None:
    before = (acme.knowledge / "benchmark.jsonl").read_bytes()
    report = check(acme)
    assert report.questions == 14
    assert not report.errors
    assert (acme.knowledge / "benchmark.jsonl").read_bytes() == before


def test_a_fact_on_both_sides_is_a_leak(acme: Workspace) -> None:
    report = checked(
        acme,
        {**GOOD, "id": "a", "split": "test"},
        {**GOOD, "id": "b", "split": "train", "question": "How much is there paid leave?"},
        {"id": "c", "split": "train", "question": "After how many days is a sick note needed?",
         "answer": "3 days", "evidence": [{"document": "hr/leave.md", "quote": "after 3 days"}]},
    )  # fmt: skip
    leaks = [f for f in report.findings if f.kind in ("leak", "same_fact")]
    assert [(f.line, f.values["other"]) for f in leaks] == [(2, 1)]
    assert leaks[0].level == "error"
    assert "shared_documents" in kinds(report, None)


def test_evidence_that_a_changed_document_no_longer_holds_is_stale(acme: Workspace) -> None:
    assert not kinds(checked(acme, {**GOOD, "split": "test"}), 1)
    document = acme.knowledge / "hr" / "leave.md"
    document.write_text(document.read_text("utf-8").replace("12 days", "14 days"), "utf-8")
    assert "changed_documents" in kinds(check(acme), None)
    acme.ingest()
    (finding,) = (f for f in check(acme).findings if f.line == 1)
    assert finding.kind == "stale"
    assert "14 days of paid annual leave" in finding.message()


def test_documents_that_were_not_read_yet(workspace: Workspace) -> None:
    assert [f.kind for f in check(workspace).errors] == ["not_ingested"]


EVIDENCE = (
    ("Ms Alvarez", "hr/leave.md", "Requests for leave go to Ms Alvarez", True),
    ("9 hours", "it/laptops.txt", "from 8:00 to 17:00", True),
    ("25", "sales/refunds.md", "within 30 days. Refunds are paid within 5", True),
    ("12 days", "hr/leave.md", "go to Ms Alvarez", True),  # in the text around it
    ("three days", "hr/nghi-phep.md", "3 ngày lương", True),
    ("maybe", "hr/leave.md", "12 days of paid annual leave", True),  # as yes and no
    ("19 days", "hr/leave.md", "12 days of paid annual leave", False),
    ("Mr Nguyễn", "hr/leave.md", "Requests for leave go to Ms Alvarez", False),
    ("by post", "sales/refunds.md", "by bank transfer", False),
)


def test_answers_and_their_evidence(acme: Workspace) -> None:
    lines = [
        {
            "question": f"Question {at}?",
            "answer": answer,
            "evidence": [{"document": name, "quote": quote}],
        }
        for at, (answer, name, quote, _) in enumerate(EVIDENCE)
    ]
    report = checked(acme, *lines)
    found = ["unsupported" not in kinds(report, at) for at in range(1, len(EVIDENCE) + 1)]
    assert found == [wanted for *_, wanted in EVIDENCE]
    assert not report.errors


def test_a_name_in_the_possessive_is_said() -> None:
    assert support(["Alvarez"], "Before Alvarez’s arrival nobody took requests.") == "said"
    assert support(["McDonald's"], "The canteen is run by McDonald's.") == "said"
    assert support(["45 min"], "from 4 h to 4 h 45 min") == "said"
    assert support(["15 min"], "first 4 h 45 min, then 5 h") == "computed"
    assert support(["Alva"], "Before Alvarez's arrival nobody took requests.") == "missing"


def test_yes_no_questions_that_are_mostly_yes(acme: Workspace) -> None:
    lines = [
        {"question": f"Is rule number {at} in force?", "answer": "yes" if at else "no"}
        for at in range(12)
    ]
    (finding,) = (f for f in checked(acme, *lines).findings if f.kind == "yes_no")
    assert finding.values == {"n": 12, "share": "91.7%", "answer": "yes"}


def test_only_questions_that_ask_the_same_contradict_each_other(acme: Workspace) -> None:
    report = checked(
        acme,
        {"question": "What years are shown in the table of sales?", "answer": "2024"},
        {"question": "What are the years shown in the table of sales?", "answer": "2025"},
        {"question": "What was the change in sales of pumps at the Hải Phòng site?", "answer": "7"},
        {"question": "What was the percentage change in sales of pumps at the Hải Phòng site?",
         "answer": "0.2"},
        {"question": "Quy mô trung bình của gia đình ở đây là bao nhiêu?", "answer": "3,62"},
        {"question": "Quy mô trung bình của hộ gia đình ở đây là bao nhiêu?", "answer": "3,07"},
    )  # fmt: skip
    found = [(f.line, f.values["other"]) for f in report.findings if f.kind == "contradiction"]
    assert found == [(2, 1)]


def test_typed_without_accents_is_no_duplicate_unless_word_for_word(acme: Workspace) -> None:
    asked = "Thủ kho ở kho lạnh Hải Phòng hiện nay là ông nào?"
    other = "hien nay thu kho o kho lanh hai phong la ong nao vay"
    lines = [
        {"question": q, "answer": "ông Trần Văn Bình", "split": "test"} for q in (asked, other)
    ]
    assert not kinds(checked(acme, *lines), 2) - {"no_evidence"}
    lines[1]["question"] = "thu kho o kho lanh hai phong hien nay la ong nao"
    assert "same_question" in kinds(checked(acme, *lines), 2)


def test_drafts_do_not_count(acme: Workspace) -> None:
    draft = {"id": "b", "question": "Who pays?", "answer": "x", "status": "draft"}
    report = checked(acme, {**GOOD, "id": "a", "split": "test"}, draft)
    assert (report.questions, report.drafts) == (1, 1)
    assert [q.id for q in acme.benchmark.questions] == ["a"]
    assert [q.id for q in acme.benchmark.drafts] == ["b"]


def test_what_n_buys() -> None:
    told = power(80).sentence()
    assert "±10 points" in told
    assert "about 620" in told
    assert power(320).half_width == pytest.approx((power(80).half_width or 0) / 2)
    assert power(0).half_width is None


def test_both_languages_say_every_finding_with_the_same_values() -> None:
    from string import Formatter

    def names(text: str) -> set[str]:
        return {name.removesuffix("_vi") for _, name, _, _ in Formatter().parse(text) if name}

    for kind, (_, english, vietnamese) in KINDS.items():
        tasks: tuple[Task, ...] = ("answer", "label")
        for task in tasks:
            told = worded(english, task, "en"), worded(vietnamese, task, "vi")
            assert names(told[0]) == names(told[1]), kind
        assert english != vietnamese


def test_items_are_told_as_items_and_not_held_against_documents(
    workspace: Workspace, tailor: Any
) -> None:
    workspace.ingest()  # items have no evidence in them
    (workspace.root / "tailor.toml").write_text('task = "label"\n', "utf-8")
    opened = Workspace(workspace.root)
    drawn = random.Random(0)
    texts = [" ".join("".join(drawn.choices("abdeiklnorstu", k=6)) for _ in range(6))
             for _ in range(60)]  # fmt: skip
    lines = [{"question": text, "answer": f"label {at % 2}"} for at, text in enumerate(texts)]
    report = checked(opened, *lines)
    assert {f.kind for f in report.findings} == {"no_split"}
    counts = Counter(q.split for q in opened.benchmark.questions)
    assert report.power.n == counts["test"] < counts["train"]
    for lang, word in (("en", "item"), ("vi", "mục")):
        told = [f.message(lang) for f in report.findings] + [report.power.sentence(lang)]
        assert all(word in sentence for sentence in told), told
        assert not [s for s in told if "question" in s or "câu" in s]
    shown = tailor("benchmark", "check", "-w", opened.root)
    assert "60 items; errors: 0, warnings: 1." in shown.out
    assert f"`tailor benchmark split -w {opened.root}` records one" in shown.out


def test_alike_items_of_one_price_are_no_leak(workspace: Workspace) -> None:
    one = "Solar garden light of plastic, 120 lumens. For a long corridor. Brand new, sealed box."
    other = "Solar garden light, maker unknown. Pack of two, 30 lumens, for a long corridor."
    lines = [{"question": one, "answer": 10.99, "split": "train"},
             {"question": other, "answer": 10.99, "split": "test"}]  # fmt: skip
    assert "leak_meaning" in {f.kind for f in checked(workspace, *lines).findings}  # of questions
    (workspace.root / "tailor.toml").write_text('task = "number"\n', "utf-8")
    found = {f.kind for f in checked(Workspace(workspace.root), *lines).findings}
    assert not found & {"leak", "leak_meaning"}


def test_the_sample_has_no_errors(tmp_path: Path) -> None:
    workspace = initialize(tmp_path / "sample", "company")
    workspace.ingest()
    report = workspace.check()
    assert report.questions >= 350
    assert [report.told(f) for f in report.errors] == []


def test_the_command(tailor: Any, acme: Workspace) -> None:
    good = tailor("benchmark", "check", "-w", acme.root)
    assert good.code == 0
    assert "14 questions; errors: 0" in good.out
    path = acme.knowledge / "benchmark.jsonl"
    path.write_text(path.read_text("utf-8") + '{"question": "half a li\n', "utf-8")
    bad = tailor("benchmark", "check", "-w", acme.root)
    assert bad.code == 1
    assert f"{path}:15: error: not JSON" in bad.out
    value: Mapping[str, Any] = tailor("benchmark", "check", "-w", acme.root, "--json").json
    assert value["schema_version"] == 1
    assert [f["line"] for f in value["findings"] if f["level"] == "error"] == [15]
    assert tailor("benchmark", "check", "-w", acme.root, "--strict").code == 1


def test_a_model_that_knows_the_answers_is_found(
    tailor: Any, hosted: Workspace, model: Any
) -> None:
    hosted.ingest()
    asked = tailor("benchmark", "check", "--ask", "-w", hosted.root, "--json").json
    blind = [f["id"] for f in asked["findings"] if f["kind"] == "answered_blind"]
    assert blind == ["t1", "t2", "t3", "d1", "d2", "d3", "s1", "s2", "s3", "s4", "s5"]
    count = len(model.questions())
    tailor("benchmark", "check", "--ask", "-w", hosted.root)
    assert len(model.questions()) == count
