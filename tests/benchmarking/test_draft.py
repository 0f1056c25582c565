"""Drafts: what a model proposes is tried, and what comes through waits for approval."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmarking import prompts
from tailor.benchmarking.check import check
from tailor.benchmarking.drafting import KINDS, LEAKS, REPEATS, Drafted, draft
from tailor.benchmarking.extractive_draft import _question
from tailor.benchmarking.stated import Fact
from tailor.benchmarking.structure import facts
from tailor.benchmarking.wording import stands_alone, written_in
from tailor.documents.corpus import documents
from tailor.documents.document import Document, Place
from tailor.documents.evidence import locate
from tailor.errors import TailorError, UsageError
from tailor.initialize import initialize
from tailor.testing import Fault, Messages, Request, unauthorized
from tailor.text import language, nfc
from tailor.workspace import Workspace


class Script:
    """A model that replies by what it is asked for: to write, to read or to guess."""

    def __init__(self) -> None:
        self.write: Callable[[str], str] = lambda text: proposal(text)
        self.read: Callable[[str], Mapping[str, Any]] = lambda text: {
            "answer": right(text), "clear": True,
        }  # fmt: skip
        self.guess: Callable[[str], Mapping[str, Any]] = lambda text: {"answer": None}
        self.asked: list[str] = []

    def __call__(self, messages: Messages) -> str:
        system, human = (str(m["content"]) for m in messages)
        self.asked.append(human)
        if system in prompts.WRITE.values():
            return self.write(human)
        if system in prompts.READ.values():
            return json.dumps(self.read(human), ensure_ascii=False)
        assert system in prompts.GUESS.values()
        return json.dumps(self.guess(human), ensure_ascii=False)


FACTS = {  # a text of the passage: question, answer, quote
    "Sick leave needs": (
        "From which day of illness on does Marlen ask for a doctor's note?", "3 days",
        "a doctor's note after 3 days",
    ),
    "guest network": (
        "How long are notebooks used before staff get new ones?", "4 years",
        "Laptops are replaced every 4 years.",
    ),
    "Customers may": (
        "How soon does a customer have the money for returned goods?", "5 working days",
        "within 5 working days",
    ),
    "Thủ kho": (
        "Ai quản lý hàng trong kho đông lạnh ở Hải Phòng?", "Trần Văn Bình",
        "Thủ kho là ông Trần Văn Bình",
    ),
    "Nghỉ cưới": (
        "Người kết hôn được công ty trả lương bao nhiêu ngày nghỉ?", "3 ngày",
        "Nghỉ cưới được hưởng 3 ngày lương",
    ),
}  # fmt: skip


def proposal(text: str, **changed: object) -> str:
    question, answer, quote = next(fact for key, fact in FACTS.items() if key in text)
    value = {
        "question": question,
        "answer": answer,
        "quotes": [{"passage": 1, "quote": quote}],
        **changed,
    }
    return json.dumps(value, ensure_ascii=False)


def right(text: str) -> str | None:
    return next((answer for q, answer, _ in FACTS.values() if text.endswith(q)), None)


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small company's index is kept, since it is the same for every test."""
    return tmp_path_factory.mktemp("index") / "kept"


@pytest.fixture
def acme(configure: Callable[..., Workspace], model: Any, script: Script, index: Path) -> Workspace:
    """The small company with a benchmark of one question, and a model that can be told."""
    model.gate.reply = script
    workspace = configure()
    (workspace.knowledge / "benchmark.jsonl").write_text(
        '{"id": "s1", "question": "What is the guest network called?", "answer": "Blue Heron", '
        '"split": "test", "evidence": [{"document": "it/laptops.txt", "quote": "Blue Heron"}]}\n',
        "utf-8",
    )
    if index.exists():
        shutil.copytree(index, workspace.state)
    else:
        workspace.ingest()
        shutil.copytree(workspace.state, index)
    return workspace


def reasons(drafted: Drafted) -> set[str]:
    return {reason for reason, questions in drafted.dropped.items() if questions}


def test_drafts_of_a_model_wait_and_then_count(acme: Workspace, script: Script) -> None:
    done = acme.draft(5, kinds=["direct"])
    assert len(done.questions) == 5
    assert {q.lang for q in done.questions} == {"en", "vi"}
    assert {e.document for q in done.questions for e in q.evidence} == set(documents(acme.state))
    assert [q.id for q in acme.drafts()] == [q.id for q in done.questions]
    assert all(q.tags == ("direct", "drafted") for q in acme.drafts())
    assert len(Workspace(acme.root).benchmark.questions) == 1
    one, *others = acme.drafts()
    assert acme.approve([one.id]) == (one,)
    assert [q.id for q in acme.benchmark.questions] == ["s1", one.id]
    assert [q.id for q in acme.drafts()] == [q.id for q in others]
    acme.approve([q.id for q in others])
    assert acme.drafts() == ()
    assert not check(acme).errors


def test_every_call_is_kept_and_paid_once(acme: Workspace, model: Any, script: Script) -> None:
    first = acme.draft(5, kinds=["direct"])
    assert first.calls == model.server.count == 15  # written, read again, guessed
    acme.discard([q.id for q in acme.drafts()])
    again = Workspace(acme.root).draft(5, kinds=["direct"])
    assert again.questions == first.questions
    assert again.calls == 0
    assert model.server.count == 15


def test_drafting_again_finds_nothing_new_in_the_same_passages(acme: Workspace) -> None:
    acme.draft(5, kinds=["direct"])
    again = acme.draft(5, kinds=["direct"])
    assert again.questions == []
    assert reasons(again) == {REPEATS}


def test_vietnamese_documents_are_asked_about_with_vietnamese_prompts(
    acme: Workspace, model: Any
) -> None:
    acme.draft(5, kinds=["direct"])
    systems = {str(r.messages[0]["content"]) for r in model.server.requests}
    assert systems == {*prompts.WRITE.values(), *prompts.READ.values(), *prompts.GUESS.values()}
    for request in model.server.requests:
        vietnamese = str(request.messages[0]["content"]) in (
            prompts.WRITE["vi"], prompts.READ["vi"], prompts.GUESS["vi"],
        )  # fmt: skip
        assert ("Câu hỏi" in request.question or "Hỏi thẳng" in request.question) == vietnamese


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda text: '{"question": "Who', "the reply is not the JSON asked for"),
        (lambda text: "I cannot help with that.", "the reply is not the JSON asked for"),
        (lambda text: proposal(text, question=7), "the reply is not the JSON asked for"),
        (lambda text: proposal(text, answer=None),
         "no question, or no answer of the kind asked for"),
        (lambda text: proposal(text, question="Wie lange gilt der Vertrag für Đà Nẵng, và được "
                               "gia hạn không nhỉ?" if "Sick" in text else "How long is it?"),
         "in another language"),
        (lambda text: proposal(text, quotes=[]), "no quote"),
        (lambda text: proposal(text, quotes=["nothing"]), "a quote is not in the document"),
        (lambda text: proposal(text, quotes=[{"passage": 1, "quote": "Cats sleep all day."}]),
         "a quote is not in the document"),
        (lambda text: proposal(text, answer="99 weeks"), "the answer is not in its quote"),
        (lambda text: proposal(text, question="What does this document say about leave days?"
                               if "Nghỉ" not in text and "Kho" not in text
                               else "Tài liệu này nói gì về số ngày nghỉ?"),
         "not to be understood without the passage"),
    ],
)  # fmt: skip
def test_useless_proposals_are_dropped_with_the_reason(
    acme: Workspace, script: Script, write: Callable[[str], str], reason: str
) -> None:
    script.write = write
    done = acme.draft(5, kinds=["direct"])
    assert done.questions == []
    assert reason in reasons(done)
    assert acme.drafts() == ()


def test_json_in_a_fence_is_json(acme: Workspace, script: Script) -> None:
    script.write = lambda text: f"Here you are:\n```json\n{proposal(text)}\n```\nAnything else?"
    assert len(acme.draft(5, kinds=["direct"]).questions) == 5


def test_quotes_are_kept_as_the_document_has_them(acme: Workspace, script: Script) -> None:
    import unicodedata

    def spaced(text: str) -> str:
        quote = next(fact for key, fact in FACTS.items() if key in text)[2]
        nfd = unicodedata.normalize("NFD", quote).replace(" ", "\n ")
        return proposal(text, quotes=[{"passage": 9, "quote": nfd}])

    script.write = spaced
    texts = documents(acme.state)
    for q in acme.draft(5, kinds=["direct"]).questions:
        for e in q.evidence:
            assert e.quote in texts[e.document]


@pytest.mark.parametrize(
    ("read", "guess", "reason"),
    [
        ({"answer": "never", "clear": True}, {"answer": None},
         "read again, the passage gives another answer"),
        ({"answer": None, "clear": True}, {"answer": None},
         "read again, the passage gives another answer"),
        ({"answer": None, "clear": False}, {"answer": None},
         "not to be understood without the passage"),
        (None, None, "answerable without the passage"),
    ],
)  # fmt: skip
def test_drafts_that_fail_their_trial_are_dropped(
    acme: Workspace, script: Script, read: Any, guess: Any, reason: str
) -> None:
    if read:
        script.read = lambda text: read
        script.guess = lambda text: guess
    else:
        script.guess = lambda text: {"answer": right(text)}
    done = acme.draft(5, kinds=["direct"])
    assert done.questions == []
    assert reasons(done) == {reason}


def test_kinds_are_held_to_what_they_are(acme: Workspace, script: Script) -> None:
    script.write = lambda text: (
        proposal(text, answer="Ms Alvarez") if "Sick leave" in text else proposal(text)
    )
    done = acme.draft(9, kinds=["number", "paraphrase", "several-documents"])
    assert "needs only one document" in reasons(done)
    kinds = {q.tags[0] for q in done.questions}
    assert kinds == {"number", "paraphrase"} or kinds == {"number"}
    for q in done.questions:
        assert q.tags[0] != "number" or any(c.isdigit() for c in q.answers[0])


def test_questions_the_documents_do_not_answer_are_searched_for(
    acme: Workspace, script: Script
) -> None:
    script.write = lambda text: proposal(
        text,
        answer=None,
        quotes=[],
        question="Bãi giữ xe của công ty có bao nhiêu chỗ?"
        if "Nghỉ" in text or "Kho" in text
        else "How much does a parking permit cost?",
    )
    done = acme.draft(4, kinds=["not-in-the-documents"])
    assert {q.question for q in done.questions} == {
        "Bãi giữ xe của công ty có bao nhiêu chỗ?",
        "How much does a parking permit cost?",
    }
    assert all(not q.answerable and not q.evidence for q in done.questions)
    assert reasons(done) == {REPEATS}


def test_a_question_is_no_longer_unanswered_when_another_document_answers_it(
    acme: Workspace, script: Script
) -> None:
    script.write = lambda text: proposal(
        text, answer=None, quotes=[], question="What is the name of the network for visitors?"
    )
    script.read = lambda text: {
        "answer": "Blue Heron" if "guest network" in text else None, "clear": True,
    }  # fmt: skip
    done = acme.draft(4, language="en", kinds=["not-in-the-documents"])
    assert done.questions == []
    assert reasons(done) == {"the documents do say"}


def test_a_draft_that_asks_what_a_test_question_asks_is_dropped(
    acme: Workspace, script: Script
) -> None:
    script.write = lambda text: (
        proposal(text, question="How is the guests' network called?", answer="Blue Heron",
                 quotes=[{"passage": 1, "quote": "The guest network is called Blue Heron"}])
        if "guest network" in text else proposal(text)
    )  # fmt: skip
    script.read = lambda text: {
        "answer": "Blue Heron" if "guests" in text else right(text), "clear": True,
    }  # fmt: skip
    assert reasons(acme.draft(5, kinds=["direct"])) == {REPEATS}
    acme.discard([q.id for q in acme.drafts()])
    trained = acme.draft(5, kinds=["direct"], training=True)
    assert reasons(trained) == {LEAKS}
    assert trained.dropped[LEAKS] == ["How is the guests' network called?"]


def test_training_drafts_stay_out_of_the_benchmark(acme: Workspace) -> None:
    done = acme.draft(5, kinds=["direct"], training=True)
    acme.approve([q.id for q in done.questions])
    assert len(acme.benchmark.questions) == 1
    assert [q.question for q in acme.training] == [q.question for q in done.questions]
    assert all("training" in q.tags for q in acme.training)
    assert set(acme.spans) == {"s1", *(q.id for q in acme.training)}


def test_a_server_without_schemas_is_asked_without(
    acme: Workspace, model: Any, script: Script
) -> None:
    def refuse(request: Request) -> Fault | None:
        return (
            Fault(400, body='{"error": {"message": "response_format?"}}')
            if ("response_format" in request.body)
            else None
        )

    model.fault = refuse
    assert len(acme.draft(2, kinds=["direct"]).questions) == 2


def test_a_refused_key_ends_it_in_a_sentence(acme: Workspace, model: Any) -> None:
    model.fault = lambda request: unauthorized()
    with pytest.raises(TailorError, match="refuses the calls: auth"):
        acme.draft(2)
    assert acme.drafts() == ()


def test_unknown_kinds_and_missing_documents_are_told(workspace: Workspace) -> None:
    with pytest.raises(UsageError, match="no drafts of kind 'paraphrase' without a model"):
        draft(workspace, model="shipped", kinds=["paraphrase"])
    with pytest.raises(UsageError, match="no drafts of kind 'riddle'; there are direct"):
        draft(workspace, model="openai:any", kinds=["riddle"])
    with pytest.raises(TailorError, match="tailor ingest"):
        draft(workspace, model="shipped")


def test_approving_is_all_or_nothing(acme: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    acme.draft(2, kinds=["direct"])
    before = (acme.knowledge / "benchmark.jsonl").read_bytes()
    with pytest.raises(UsageError, match="There is no draft draft-none"):
        acme.approve([acme.drafts()[0].id, "draft-none"])
    assert (acme.knowledge / "benchmark.jsonl").read_bytes() == before

    def full(source: object, target: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.replace", full)
        with pytest.raises(TailorError, match="stays as it was"):
            acme.approve([q.id for q in acme.drafts()])
    assert (acme.knowledge / "benchmark.jsonl").read_bytes() == before
    assert len(acme.drafts()) == 2


def test_an_interrupted_approval_goes_on(acme: Workspace) -> None:
    acme.draft(2, kinds=["direct"])
    drafts = acme.knowledge / "drafts.jsonl"
    waiting = drafts.read_bytes()
    ids = [q.id for q in acme.drafts()]
    acme.approve(ids)
    drafts.write_bytes(waiting)  # as if it had been killed before the drafts were deleted
    acme.approve(ids)
    assert acme.drafts() == ()
    assert [q.id for q in acme.benchmark.questions] == ["s1", *ids]


def test_a_broken_drafts_file_is_told(acme: Workspace) -> None:
    (acme.knowledge / "drafts.jsonl").write_text('{"question": "What?"\n', "utf-8")
    with pytest.raises(TailorError, match=r"drafts\.jsonl:1: not JSON"):
        acme.drafts()


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The sample company, ingested."""
    workspace = initialize(tmp_path_factory.mktemp("company") / "it", "company")
    workspace.ingest()
    return workspace


@pytest.mark.parametrize("language", ["en", "vi"])
def test_without_a_model_questions_come_from_the_form_of_documents(
    company: Workspace, language: Any
) -> None:
    done = company.draft(40, "shipped", language)
    assert done.drafter == "extractive"
    assert len(done.questions) == 40
    texts = documents(company.state)
    for q in done.questions:
        assert q.lang == language
        assert "extractive" in q.tags
        assert stands_alone(q.question), q.question
        assert q.question.startswith(("According to “", "Theo “"))
        for e in q.evidence:
            assert locate(e.quote, texts[e.document]), e.quote
    assert len({q.evidence[0].document for q in done.questions}) >= 15
    assert {"direct", "table", "number", "comparison"} <= {
        t for q in done.questions for t in q.tags
    }


def test_extractive_drafts_pass_the_check(company: Workspace) -> None:
    if not company.drafts():
        company.draft(40, "shipped")
    ids = {q.id for q in company.approve([q.id for q in company.drafts()])}
    report = check(company)
    assert not report.errors
    assert not [f for f in report.findings if f.id in ids]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How many days of leave do people in Đà Nẵng get?", "en"),
        ("Nhân viên ở Rotterdam được nghỉ bao nhiêu ngày?", "vi"),
        ("nhan vien moi o da nang duoc nghi phep bao nhieu ngay", "vi"),
        ("Who is Nguyễn Minh Ánh?", "en"),
    ],
)
def test_names_do_not_decide_the_language(text: str, expected: str) -> None:
    assert written_in(text) == expected


def test_the_command_drafts_approves_and_discards(
    acme: Workspace, tailor: Callable[..., Any], model: Any
) -> None:
    root = acme.root
    done = tailor("benchmark", "draft", "--n", 3, "--kinds", "direct", "-w", root)
    assert done.code == 0
    assert "3 of 3 drafted" in done.err
    listed = tailor("benchmark", "approve", "--json", "-w", root)
    assert [d["id"] for d in listed.json["drafts"]] == [q.id for q in acme.drafts()]
    shown = tailor("benchmark", "approve", "-w", root)
    assert acme.drafts()[0].evidence[0].quote in shown.out
    assert "3 drafts waiting" in shown.err
    assert tailor("benchmark", "discard", acme.drafts()[0].id, "-w", root).code == 0
    approved = tailor("benchmark", "approve", "--all", "-w", root)
    assert "2 in " in approved.err
    assert len(Workspace(root).benchmark.questions) == 3
    assert tailor("benchmark", "approve", "none", "-w", root).code == 2
    told = tailor("benchmark", "draft", "--n", 2, "--model", "shipped", "--json", "-w", root)
    assert told.json["drafter"] == "extractive"


def test_every_kind_can_be_asked_for_in_both_languages() -> None:
    assert set(prompts.KINDS) == set(KINDS)
    for by_language in (*prompts.KINDS.values(), prompts.WRITE, prompts.READ, prompts.GUESS):
        assert set(by_language) == {"en", "vi"}


def test_signs_without_words_are_no_answer() -> None:
    fact = Fact("definition", "a.md", "A", "", "Loss", "", "5 days", "Loss: 5 days", "en")
    assert _question(fact) is not None
    assert _question(replace(fact, value="$$", quote="Loss: $$")) is None


def _of_prose(path: str, text: str) -> list[str]:
    """Subjects of the facts that a document of prose gives."""
    told = nfc(text)
    document = Document(path, told, (Place("", 0, len(told)),), language(told), "")
    return [fact.subject for fact in facts(document, path)]


@pytest.mark.parametrize(
    "text",
    [
        "Guide\n\nIf an email is an internal update, select Delete.",
        "Guide\n\n```\nhyperparameters={'batch_size': 1024,\nIssuer: AWS cloud\n```\n",
        "Guide\n\n- Call workflow: Link (TBD)\n",
        "Guide\n\n- Which three questions matter most?\n- And which of the answers?\n- Others.\n",
        "Guide\n\nWhy do we do this?\n\nIt saves time.",
        "Sổ tay\n\nĐôi khi việc này là không khả thi vì thiếu thời gian.",
        "Sổ tay\n\nBước tiếp theo là khởi tạo các tham số mô hình.",
        "Sổ tay\n\nHọc máy từng là một lĩnh vực hẹp và ít người quan tâm.",
        "Sổ tay\n\nTa có thể bắt đầu từ đâu?\n\nHãy xem thí nghiệm tưởng tượng sau đây.",
        "Guide\n\nWhat may I ask access to?\nYou can ask access to the\nfollowing groups:\n",
        "Guide\n\nTotals of each quarter are sent by\nmail: the finance team then keeps them.\n",
        "Guide\n\n- Restricted data (ex: private code, passwords)\n",
        "Guide\n\n| term | value |\n|---|---|\n| $P(D=0)$ | 0.99 |\n| $H=0$ | 0.5 |\n",
        "Guide\n\n| Owner: Legal | Revised: July 2022 |\n| Author: Ann | Approved by: a board |\n",
    ],
)
def test_prose_and_code_give_no_questions_that_nobody_would_ask(text: str) -> None:
    assert _of_prose("guide.md", text) == []


def test_prose_gives_definitions_and_answered_questions() -> None:
    told = "Guide\n\n- Q: Can I work from abroad?\n- A: Yes, up to 30 days a year.\n"
    assert _of_prose("guide.md", told) == ["Can I work from abroad?"]
    told = "Sổ tay\n\nTạm ứng là khoản tiền công ty trả trước cho nhân viên."
    assert _of_prose("so-tay.md", told) == ["Tạm ứng"]


def test_what_is_said_bears_no_marks_of_markdown() -> None:
    told = (
        "Guide\n\n| offer | **price** |\n|---|---|\n| [Basic plan](basic.md) | `40 USD` |\n"
        "| Large plan | 90 USD |\n"
    )
    document = Document("a.md", told, (Place("", 0, len(told)),), "en", "")
    found = {(fact.subject, fact.attribute, fact.value) for fact in facts(document, "Guide")}
    assert found == {("Basic plan", "price", "40 USD"), ("Large plan", "price", "90 USD")}
