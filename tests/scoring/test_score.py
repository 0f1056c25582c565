import pytest

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.scoring.score import PRIMARY, score

TEXT = ("exact_match", "f1", "contains", "exact_match_folded", "f1_folded")
LEAVE = Question("leave", "How many days?", ("12 days",))
NOWHERE = Question("nowhere", "Who is the dog?", ())
SPAN = [("a.md", 0, 10)]
FOUND = (Passage("a.md", 0, 10, "x" * 10),)


def test_the_keys():
    assert list(score(LEAVE, Answer("ok", "12 days"))) == [*TEXT, "recall@5", "mrr"]
    assert PRIMARY in TEXT


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
    assert scores["exact_match"] == scores["f1"] == 0
    assert scores["exact_match_folded"] == scores["f1_folded"] == 1


def test_retrieval():
    assert score(LEAVE, Answer("ok", "?", FOUND), SPAN)["recall@5"] == 1
    assert score(LEAVE, Answer("refused", "", FOUND), SPAN)["mrr"] == 1
    assert score(LEAVE, Answer("error", "", FOUND), SPAN)["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?", FOUND))["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?"), SPAN)["recall@5"] is None
    assert score(LEAVE, Answer("ok", "?"), SPAN, retrieves=True)["recall@5"] == 0
    assert score(LEAVE, Answer("ok", "?"), retrieves=True)["recall@5"] is None


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
