import pytest

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.scoring.score import score
from tailor.scoring.target import PRIMARY

PLAIN = ("exact_match", "f1", "contains", "rouge1", "rouge2", "rougeL", "bleu", "chrf")
TEXT = (*PLAIN, *(f"{name}_folded" for name in PLAIN))
RETRIEVAL = ("recall@5", "mrr", "precision@5", "ndcg@5", "map")
LEAVE = Question("leave", "How many days?", ("12 days",))
NOWHERE = Question("nowhere", "Who is the dog?", ())
SPAN = [("a.md", 0, 10)]
FOUND = (Passage("a.md", 0, 10, "x" * 10),)


def test_the_keys():
    assert list(score(LEAVE, Answer("ok", "12 days"))) == [
        *TEXT, *RETRIEVAL, "citations_resolved", "supported",
    ]  # fmt: skip
    assert PRIMARY["answer"] in TEXT


@pytest.mark.parametrize(
    ("question", "outcome", "text", "expected"),
    [
        (LEAVE, "ok", "12 days", 1),
        (LEAVE, "refused", "12 days", 0),
        (LEAVE, "unparseable", "12 days", 0),
        (LEAVE, "error", "12 days", None),
        (NOWHERE, "refused", "Not in the documents.", 1),
        (NOWHERE, "ok", "Rex", 0),
        (NOWHERE, "ok", "", 0),
        (NOWHERE, "unparseable", "", 0),
        (NOWHERE, "error", "", None),
    ],
)
def test_how_each_outcome_counts(question, outcome, text, expected):
    scores = score(question, Answer(outcome, text))
    assert [scores[name] for name in TEXT] == [expected] * len(TEXT)


def test_accents_count_in_the_plain_score_only():
    scores = score(Question("q", "?", ("nghỉ phép",)), Answer("ok", "nghi phep"))
    assert scores["exact_match"] == scores["f1"] == scores["rougeL"] == scores["bleu"] == 0
    assert {scores[f"{name}_folded"] for name in PLAIN} == {1}


def test_pairs_of_words_do_not_apply_to_an_answer_of_one_word():
    for answer in (Answer("ok", "yes"), Answer("ok", "it is yes"), Answer("refused")):
        assert score(Question("q", "?", ("yes",)), answer)["rouge2"] is None


def test_retrieval():
    assert score(LEAVE, Answer("ok", "?", FOUND), SPAN)["recall@5"] == 1
    assert score(LEAVE, Answer("refused", "", FOUND), SPAN)["mrr"] == 1
    assert score(LEAVE, Answer("error", "", FOUND), SPAN)["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?", FOUND))["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?"), SPAN)["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?"), SPAN, retrieves=True)["recall@5"] == 0
    assert score(LEAVE, Answer("ok", "?"), retrieves=True)["recall@5"] is None
    nothing = score(LEAVE, Answer("ok", "?"), SPAN, retrieves=True)
    assert [nothing[name] for name in RETRIEVAL] == [0] * 5


def test_grounding():
    passage = Passage("a.md", 0, 40, "New employees get 12 days of paid leave.")
    scores = score(LEAVE, Answer("ok", "12 days [1]", (passage,)))
    assert (scores["citations_resolved"], scores["supported"]) == (1, 1)
    hidden = score(LEAVE, Answer("ok", "12 days [1]", (passage,), dropped=1))
    assert (hidden["citations_resolved"], hidden["supported"]) == (0, None)
    for outcome in ("refused", "unparseable", "error"):
        assert score(LEAVE, Answer(outcome, "12 days [1]", (passage,)))["supported"] is None


def test_format():
    strict = Question("q", "?", ("12 days",), format=r"\d+ days")
    assert "format_ok" not in score(LEAVE, Answer("ok", "12 days"))
    assert score(strict, Answer("ok", " 12 days "))["format_ok"] == 1
    assert score(strict, Answer("ok", "12 days or so"))["format_ok"] == 0
    assert score(strict, Answer("unparseable", "12 days"))["format_ok"] == 0
    assert score(strict, Answer("refused"))["format_ok"] is None
    assert score(strict, Answer("error"))["format_ok"] is None
    assert score(LEAVE, Answer("ok", "12 days"), pattern=r"\d+")["format_ok"] == 0
    assert score(strict, Answer("ok", "12 days"), pattern=r"\d+")["format_ok"] == 1
    with pytest.raises(TailorError, match="regular expression"):
        score(LEAVE, Answer("ok", "12 days"), pattern="(")
