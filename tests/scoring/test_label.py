"""Scores of labels: accuracy with abstention, macro-F1, and who is taken for whom."""

import pytest

from tailor.answer_format import AnswerFormat
from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Question
from tailor.config import Items
from tailor.scoring import label, misses
from tailor.scoring.comparison import compare
from tailor.scoring.scored import Graded, Scored
from tailor.scoring.target import Target
from tailor.scoring.wording import sentence

TRUE = ["billing", "billing", "login", "login", "login", "refund", "refund", "billing"]
QUESTIONS = tuple(Question(f"q{at}", f"item {at}", (name,)) for at, name in enumerate(TRUE))
BENCHMARK = Benchmark(QUESTIONS, "label")
TARGET = Target.of(BENCHMARK, Items())


def row(name, given, previous=None):
    graded = {}
    for q, text in zip(QUESTIONS, given, strict=True):
        answer = Answer("ok" if text else "refused", text)
        graded[q.id] = Graded(Fact.of(answer), label.scores(q, answer, TARGET.labels))
    return Scored(
        name, "prompting", "m", name, "test", previous, QUESTIONS, graded,
        fingerprint=name, base=previous, target=TARGET,
    )  # fmt: skip


GIVEN = ["billing", "login", "login", "login", "", "refund", "billing", "Billing"]


def test_labels_that_only_accents_tell_apart():
    """Milk, repair, and a dog: typed without accents, the first two cannot be told apart."""
    names = ("Sữa", "Sửa", "Chó")
    asked = AnswerFormat("label", labels=names)
    told = {
        "Sữa": "Sữa", "sửa.": "Sửa", "Nhãn: Sữa": "Sữa", "cho": "Chó", "Chỏ": "Chó",
        "sua": None, "Sữa hay Sửa": None, "Sữa hay Chó": None,
    }  # fmt: skip
    assert {text: asked.parse(text) for text in told} == told
    for at, name in enumerate(names):
        question = Question("q", "?", (name,))
        for text, right in ((name, 1), (name.lower(), 1), ("sua", 0)):
            given = label.scores(question, Answer("ok", text), names)
            assert given["accuracy"] == right
            assert given[label.GIVEN] == (at if right else -1)


def test_labels_are_all_that_items_have():
    assert TARGET.labels == ("billing", "login", "refund")


def test_abstaining_counts_as_wrong_and_is_told():
    (found,) = compare([row("one", GIVEN)], benchmark=BENCHMARK).rows
    assert found.metrics["accuracy"].mean == 5 / 8
    assert found.metrics["coverage"].mean == 7 / 8
    assert found.metrics["accuracy_when_answered"].mean == 5 / 7
    assert found.metrics["accuracy_when_answered"].n == 7
    assert found.to_json()["primary"] == "accuracy"


def test_macro_f1_is_the_mean_over_labels():
    (found,) = compare([row("one", GIVEN)], benchmark=BENCHMARK).rows
    # billing 2 of 3 and 3 given, login 2 of 3 and 3 given, refund 1 of 2 and 1 given
    wanted = (2 / 3 + 2 / 3 + 2 / 3) / 3
    macro = found.metrics["macro_f1"]
    assert macro.mean == pytest.approx(wanted)
    assert macro.low < macro.mean < macro.high
    by = {one.label: one for one in label.by_label(row("one", GIVEN), TARGET.labels)}
    assert (by["refund"].n, by["refund"].precision, by["refund"].recall) == (2, 1, 0.5)
    assert sum(one.f1 for one in by.values()) / 3 == pytest.approx(macro.mean)


def test_the_confusion_matrix_has_a_column_for_no_label():
    found = label.confusion(row("one", GIVEN), TARGET.labels)
    assert found.counts == ((2, 1, 0, 0), (0, 2, 0, 1), (1, 0, 1, 0))


def test_rows_are_compared_by_accuracy_and_the_rest():
    runs = [row("base", ["billing"] * 8), row("all", TRUE, "base")]
    found = compare(runs, runs, benchmark=BENCHMARK)
    assert found.rows[1].step.paired.delta == 5 / 8
    assert found.rows[1].gains["macro_f1"].delta > 0.5
    assert "rightly" in sentence(found, "en")
    assert "gán đúng nhãn" in sentence(found, "vi")
    heads = [str(column.header) for column in found.table("en").columns]
    assert heads[1] == "Accuracy (95 %)"
    assert "Macro-F1 (95 %)" in heads


@pytest.mark.parametrize(
    ("text", "outcome", "kind"),
    [
        ("billing", "ok", "right"),
        ("login", "ok", "wrong_label"),
        ("nonsense", "unparseable", "unread"),
        ("unsure", "refused", "abstained"),
        ("", "error", "error"),
    ],
)
def test_how_a_label_misses(text, outcome, kind):
    scores = label.scores(QUESTIONS[0], Answer(outcome, text), TARGET.labels)
    assert misses.miss("label", outcome, scores) == kind
