import json
from dataclasses import replace
from itertools import pairwise

import pytest

from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Evidence, Question
from tailor.documents.passages import Passage
from tailor.scoring import attribution
from tailor.scoring.attribution import WHYS, Attribution, attribute, attribute_scored, why
from tailor.scoring.score import score
from tailor.scoring.scored import Graded, Scored
from tailor.scoring.worst import worst, worst_scored

TEXT = "New employees get 12 days of paid annual leave. Requests go to Ms Alvarez by e-mail."
QUOTE = "12 days of paid annual leave"
SPAN = ("leave.md", TEXT.index(QUOTE), TEXT.index(QUOTE) + len(QUOTE))
ASKED = Question("q", "How much leave?", ("12 days", "12"), (Evidence("leave.md", QUOTE),))
UNSAID = Question("u", "What is the dog called?", ())
BARE = Question("b", "Who takes requests?", ("Ms Alvarez",))
OTHER = Passage("other.md", 0, 20, "Something else here.")


def cut(*borders, document="leave.md", text=TEXT):
    """The text in passages that end at these borders."""
    ends = (0, *borders, len(text))
    return tuple(Passage(document, start, end, text[start:end]) for start, end in pairwise(ends))


WHOLE = cut()


def reason(question, answer, spans=(SPAN,), retrieves=None, said=None, pattern=None):
    scores = score(question, answer, spans, pattern)
    return why(question, answer, spans if question.evidence else (), scores, retrieves, said)


def said(text, passages=WHOLE, **fields):
    return Answer("ok", text, passages=passages, **fields)


def refused(passages=WHOLE, **fields):
    return Answer("refused", "Not in the documents.", passages=passages, **fields)


# every link


@pytest.mark.parametrize(
    ("answer", "spans", "retrieves", "expected"),
    [
        (said("12 days"), (SPAN,), True, "right"),
        (said("14 days"), (SPAN,), True, "not_used"),
        (said("14 days", ()), (SPAN,), False, "no_documents"),
        (said("14 days", ()), (SPAN,), True, "not_retrieved"),
        (said("14 days", (OTHER,)), (SPAN,), True, "not_retrieved"),
        (said("14 days", (OTHER, *WHOLE), dropped=1), (SPAN,), True, "dropped"),
        (said("14 days", (*WHOLE, OTHER), dropped=1), (SPAN,), True, "not_used"),
        (said("14 days", (OTHER,)), (), True, "not_in_documents"),
        (said("14 days", ()), (), False, "not_in_documents"),
        (refused(), (SPAN,), True, "refused_wrongly"),
        (refused((OTHER,)), (SPAN,), True, "not_retrieved"),
        (refused(()), (SPAN,), False, "no_documents"),
        (refused(()), (), True, "not_in_documents"),
        (Answer("error", error="timeout: ..."), (SPAN,), True, "error"),
        (Answer("unparseable", "", passages=WHOLE), (SPAN,), True, "format"),
        (Answer("unparseable", "", passages=(OTHER,)), (SPAN,), True, "not_retrieved"),
        (Answer("unparseable", "say 12 days", passages=(OTHER,)), (SPAN,), True, "format"),
    ],
)
def test_the_first_broken_link(answer, spans, retrieves, expected):
    assert reason(ASKED, answer, spans, retrieves) == expected


def test_an_answer_without_passages_is_taken_to_have_no_retriever():
    assert reason(ASKED, said("14 days", ())) == "no_documents"
    assert reason(ASKED, said("14 days", (OTHER,))) == "not_retrieved"


def test_what_the_documents_do_not_say():
    assert reason(UNSAID, refused()) == "right"
    assert reason(UNSAID, refused(())) == "right"
    assert reason(UNSAID, said("Rex")) == "answered_unanswerable"
    assert reason(UNSAID, Answer("unparseable", "?")) == "format"
    assert reason(UNSAID, Answer("error")) == "error"


# right, or right in the wrong form


@pytest.mark.parametrize(
    ("accepted", "text", "expected"),
    [
        ("12 days", "12 days", "right"),
        ("12 days", "12 days a year", "right"),
        ("12 days", "You get 12 days of leave when you start with us in the first year", "format"),
        ("12 days", "11 days", "not_used"),
        ("Ms Alvarez", "Alvarez", "right"),
        ("6 months", "months", "not_used"),  # the number is missing
        ("Trần Văn Bình", "Trần Văn An", "not_used"),
        ("no", "No, that is not allowed at all", "format"),
        ("no", "There is no limit whatever", "not_used"),
        ("không", "Không được", "right"),
        ("nghỉ phép 12 ngày", "nghi phep 12 ngay", "not_used"),  # the accents count
        ("1.940 EUR", "1,940 EUR", "right"),
        ("bank transfer in 5 days", "bank transfer within 5 days", "right"),
    ],
)
def test_right_wordy_and_wrong(accepted, text, expected):
    asked = replace(ASKED, answers=(accepted,))
    assert reason(asked, said(text), retrieves=True) == expected


def test_a_right_answer_that_misses_the_pattern_is_a_matter_of_form():
    assert reason(ASKED, said("12 days."), pattern=r"\d+ days") == "format"
    assert reason(ASKED, said("12 days"), pattern=r"\d+ days") == "right"
    assert reason(ASKED, said("14 days"), pattern=r"\d+ hours") == "not_used"
    own = replace(ASKED, format=r"\d+")
    assert (reason(own, said("12 days")), reason(own, said("12"))) == ("format", "right")


# evidence is a span


@pytest.mark.parametrize("borders", [(), (20,), (12, 24, 36), tuple(range(5, 80, 5))])
def test_it_does_not_depend_on_how_the_documents_are_cut(borders):
    passages = cut(*borders)
    assert reason(ASKED, said("14 days", passages)) == "not_used"
    assert reason(ASKED, said("14 days", (*passages, OTHER), dropped=1)) == "not_used"
    assert reason(ASKED, said("14 days", (OTHER, *passages), dropped=len(passages))) == "dropped"
    there = [p for p in passages if p.start < SPAN[2] and SPAN[1] < p.end]
    others = tuple(p for p in passages if p not in there)
    assert reason(ASKED, said("14 days", (*others, OTHER))) == "not_retrieved"


def test_all_of_the_evidence_is_needed_unless_the_answer_itself_is_there():
    end = TEXT.index("Ms Alvarez by e-mail")
    second = ("leave.md", end, len(TEXT))
    both = replace(ASKED, evidence=(*ASKED.evidence, Evidence("leave.md", TEXT[end:])))
    first_half, second_half = cut(49)
    assert reason(both, said("14 days"), (SPAN, second)) == "not_used"
    assert reason(both, said("14 days", (second_half,)), (SPAN, second)) == "not_retrieved"
    assert reason(both, said("14 days", (first_half,)), (SPAN, second)) == "not_used"
    computed = replace(both, answers=("15 days",))
    assert reason(computed, said("14 days", (first_half,)), (SPAN, second)) == "not_retrieved"


def test_the_same_fact_elsewhere_is_not_the_evidence():
    elsewhere = Passage("old.md", 0, 18, "It was 12 days then")
    assert reason(ASKED, said("14 days", (elsewhere,))) == "not_retrieved"


def test_evidence_of_which_a_part_is_missing():
    both = replace(ASKED, answers=("15 days",), evidence=(*ASKED.evidence, Evidence("x.md", "3")))
    assert reason(both, said("14 days")) == "not_in_documents"
    there = replace(both, answers=("12 days",))
    assert reason(there, said("14 days")) == "not_used"


def test_documents_are_compared_in_one_unicode_form():
    place = ("nghỉ.md", SPAN[1], SPAN[2])
    decomposed = cut(document="nghi\u0309.md")
    assert reason(ASKED, said("14 days", decomposed), (place,)) == "not_used"


# questions without evidence


def test_without_evidence_the_words_of_the_answer_are_looked_for():
    def somewhere(question):
        return True

    assert reason(BARE, said("Mr Smith"), retrieves=True) == "not_used"
    assert reason(BARE, refused(), retrieves=True) == "refused_wrongly"
    assert reason(BARE, said("Mr Smith", (OTHER,)), retrieves=True) == "unknown"
    assert reason(BARE, said("Mr Smith", (OTHER,)), retrieves=True, said=somewhere) == (
        "not_retrieved"
    )
    assert reason(BARE, said("Mr Smith", (OTHER, *WHOLE), dropped=1)) == "dropped"
    assert reason(BARE, said("Mr Smith", ()), retrieves=False) == "no_documents"


def test_a_number_or_a_short_word_found_somewhere_proves_nothing():
    for answer in ("12", "by", "Ms"):
        bare = replace(BARE, answers=(answer,))
        assert reason(bare, said("Mr Smith"), retrieves=True) == "unknown"
    assert reason(replace(BARE, answers=("Alvarez",)), said("Smith"), retrieves=True) == "not_used"


# a whole row


def row(answers, questions=(ASKED, UNSAID, BARE), spans=None, **fields):
    spans = {"q": (SPAN,)} if spans is None else spans
    graded = {
        id: Graded(
            Fact.of(a), score(next(q for q in questions if q.id == id), a, spans.get(id, ()))
        )
        for id, a in answers.items()
    }
    scored = Scored(
        row="retrieval", stage="retrieval", model="m", run="r", split="test", previous=None,
        questions=tuple(questions), answers=graded, read=lambda: answers, **fields,
    )  # fmt: skip
    return scored, spans


def test_a_row_with_a_retriever_that_found_nothing():
    found = attribute_scored(*row({"q": refused(()), "b": said("Smith")}))
    assert found.by_question == {"q": "not_retrieved", "b": "not_used"}
    assert attribute_scored(*row({"q": refused(())})).by_question == {"q": "no_documents"}


def test_the_documents_are_read_only_for_questions_without_evidence():
    def never():
        raise AssertionError

    attribute_scored(*row({"q": said("14 days"), "u": said("Rex"), "b": said("Ms Alvarez")}), never)
    read = []

    def texts():
        read.append(1)
        return ["Ask Ms\nÁlvarez."]  # other white space and accents

    more = replace(BARE, id="c", answers=("quite another",))
    answers = {"q": said("14 days"), "b": said("x", (OTHER,)), "c": said("x", (OTHER,))}
    found = attribute_scored(*row(answers, (ASKED, BARE, more)), texts)
    assert found.by_question == {"q": "not_used", "b": "not_retrieved", "c": "unknown"}
    assert read == [1]


def test_questions_not_asked_yet_stale_rows_and_imported_answers():
    assert attribute_scored(*row({"u": refused()})).by_question == {"u": "right"}
    stale = attribute_scored(*row({"u": refused()}, stale="the documents changed since this run"))
    assert (stale.n, stale.main, stale.share("right")) == (0, None, None)
    people = {"q": said("14 days", ()), "u": said("Rex", ()), "b": said("Ms Alvarez", ())}
    assert attribute_scored(*row(people, imported=True)).by_question == {
        "q": "unknown", "u": "answered_unanswerable", "b": "right",
    }  # fmt: skip


def test_counts_name_every_reason_and_add_up():
    answers = {"q": said("14 days"), "u": said("Rex"), "b": Answer("error")}
    found = attribute_scored(*row(answers))
    assert list(found.counts) == list(WHYS)
    assert sum(found.counts.values()) == found.n == 3
    assert (found.wrong, found.main, found.share("error")) == (2, "not_used", 1 / 3)
    told = found.to_json()
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told["counts"]["not_used"] == {"n": 1, "share": 1 / 3}
    assert (told["n"], told["wrong"], told["main"], told["next"]) == (
        3, 2, "not_used", ["fine_tuning"],
    )  # fmt: skip
    assert Attribution({"q": "right", "b": "error"}).main is None


# the words


def test_every_reason_has_words_in_both_languages():
    for reason_ in WHYS:
        for lang in ("en", "vi"):
            assert attribution.label(reason_, lang)
            assert attribution.advice(reason_, lang)[-1] == "."
        assert attribution.advice(reason_, "en") != attribution.advice(reason_, "vi")


def test_the_advice_names_stages_that_there_are():
    from tailor.stage import stage_types

    for reason_, stages in attribution.NEXT.items():
        assert set(stages) <= set(stage_types())
        for stage in stages:
            for lang in ("en", "vi"):
                assert stage in attribution.advice(reason_, lang)


def test_the_sentence():
    found = Attribution({f"q{i}": "not_used" if i < 1200 else "right" for i in range(2000)})
    assert attribution.sentence(found, "en").startswith("1,200 of 2,000 answers are wrong.")
    assert attribution.sentence(found, "vi").startswith("1.200 trong 2.000 câu trả lời sai.")
    assert "None of the 1 answers" in attribution.sentence(Attribution({"q": "right"}), "en")
    errors = {"q": "error", "r": "error"}
    assert "All 2 questions ended in errors" in attribution.sentence(Attribution(errors), "en")
    assert "Cả 2 câu hỏi đều bị lỗi" in attribution.sentence(Attribution(errors), "vi")
    one_right = attribution.sentence(Attribution({**errors, "s": "right"}), "en")
    assert "None of the 1 answers" in one_right
    assert "stale" in attribution.sentence(Attribution({}), "en")


# the worst


def test_the_worst_come_first_and_in_file_order():
    questions = [replace(ASKED, id=f"q{i}", answers=("one two three",)) for i in range(5)]
    texts = ("one", "nothing", "one two three", "never")
    answers = {f"q{i}": said(text) for i, text in enumerate(texts)}
    answers["q4"] = Answer("error")
    scored, spans = row(answers, questions, {q.id: (SPAN,) for q in questions})
    found = attribute_scored(scored, spans)
    listed = worst_scored(scored, found)
    assert [item.question.id for item in listed] == ["q1", "q3", "q0", "q4"]
    assert [item.why for item in listed] == ["not_used", "not_used", "not_used", "error"]
    assert listed[-1].score is None
    assert [item.question.id for item in worst_scored(scored, found, 2)] == ["q1", "q3"]
    told = listed[0].to_json()
    assert (told["id"], told["accepted"], told["text"], told["score"], told["why"]) == (
        "q1", ["one two three"], "nothing", 0.0, "not_used",
    )  # fmt: skip


# a real workspace


def test_a_real_workspace(configure, model):
    replies = {
        "goods be returned": "after 9 weeks",
        "refunds paid": "Not in the documents.",
        "Nhân viên mới": "Nhân viên mới được nghỉ 12 ngày, theo như tài liệu đã được gửi cho tôi",
        "guest network": "Blue Heron",
        "parking permit": "20 EUR",
    }

    def reply(messages):
        asked = str(messages[-1]["content"]).rsplit(": ", 1)[-1]
        return next((text for part, text in replies.items() if part in asked), "99")

    from tailor.stages import Prompting, Retrieval

    model.gate.reply = reply
    workspace = configure(embedder="shipped")
    workspace.ingest()
    plain, given = workspace.climb([Prompting(), Retrieval(k=4)])
    assert attribute(plain).by_question == {
        "s1": "no_documents", "s2": "no_documents", "s3": "format", "s4": "no_documents",
        "s5": "right", "s6": "answered_unanswerable",
    }  # fmt: skip
    assert attribute(given).by_question == {
        "s1": "not_used", "s2": "refused_wrongly", "s3": "format", "s4": "not_used",
        "s5": "right", "s6": "answered_unanswerable",
    }  # fmt: skip
    assert [item.question.id for item in worst(given, 3)] == ["s1", "s2", "s4"]
    narrow = workspace.climb([Retrieval(k=1, weight=0.0)])[-1]
    by_dev = attribute(narrow, "dev")
    assert set(by_dev.by_question) == {"d1", "d2", "d3", "d4"}
