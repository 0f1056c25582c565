"""Scores of numbers: by item, of a row as a whole, and against another row."""

from dataclasses import replace

import numpy as np
import pytest

from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Question
from tailor.config import Items
from tailor.errors import TailorError
from tailor.scoring import format, measures, misses, number, told
from tailor.scoring.comparison import compare, difference
from tailor.scoring.scored import Graded, Scored
from tailor.scoring.target import Target
from tailor.scoring.wording import sentence

TRAIN = [10, 20, 30, 40, 50, 60, 200]
TRUTHS = [15.0, 25, 38, 45, 58, 90, 120, 240, 30, 35, 55, 65]


def question(id, value, split="test"):
    return Question(id, f"item {id}", (f"{value:g}",), split=split)


QUESTIONS = tuple(question(f"q{at}", value) for at, value in enumerate(TRUTHS))
BENCHMARK = Benchmark(
    (*(question(f"t{at}", value, "train") for at, value in enumerate(TRAIN)), *QUESTIONS),
    "number",
)
ITEMS = Items(currency="USD")
TARGET = Target.of(BENCHMARK, ITEMS)
BY = TARGET.by


def answered(text, outcome="ok"):
    return Answer(outcome, text)


def row(name, texts, previous=None):
    graded = {}
    for q, text in zip(QUESTIONS, texts, strict=True):
        answer = answered(text or "", "ok" if text else "unparseable")
        graded[q.id] = Graded(Fact.of(answer), number.scores(q, answer, BY))
    return Scored(
        name, "prompting", "m", name, "test", previous, QUESTIONS, graded,
        fingerprint=name, base=previous, target=TARGET,
    )  # fmt: skip


def test_the_best_constant_is_the_median_of_the_train_items():
    assert BY.constant == 40
    assert BY.errors["test"] == pytest.approx(np.mean([abs(40 - t) for t in TRUTHS]))
    with pytest.raises(TailorError, match="no train item"):
        Target.of(Benchmark(QUESTIONS, "number"), ITEMS)


@pytest.mark.parametrize(
    ("guess", "truth", "grade"),
    [
        (100, 139, "good"),  # off by less than 40
        (100, 140, "fair"),
        (1000, 1240, "good"),  # by less than a fifth
        (1000, 1250, "fair"),  # by a fifth
        (100, 179, "fair"),
        (100, 180, "poor"),
        (1000, 1660, "fair"),
        (1000, 1700, "poor"),
        (30, 0, "good"),
        (90, 0, "poor"),
    ],
)
def test_green_orange_and_red_are_as_published(guess, truth, grade):
    assert BY.grade(guess, truth) == grade


def test_an_item_is_scored_against_the_constant():
    found = number.scores(QUESTIONS[7], answered("$180.00"), BY)  # 240
    assert found["absolute_error"] == 60
    assert found["percent_error"] == 0.25
    assert (found["good"], found["fair"]) == (0, 1)
    assert found["skill"] == pytest.approx(1 - 60 / BY.errors["test"])
    assert found["squared_log_error"] == pytest.approx((np.log(241) - np.log(181)) ** 2)
    assert found[number.GUESS] == 180


@pytest.mark.parametrize("outcome", ["unparseable", "refused"])
def test_no_number_counts_as_the_constant_in_skill_and_nowhere_as_zero(outcome):
    found = number.scores(QUESTIONS[7], answered("I cannot say", outcome), BY)
    constant = number.scores(QUESTIONS[7], answered("40"), BY)
    assert found["skill"] == constant["skill"]
    assert found["absolute_error"] is found["percent_error"] is found[number.GUESS] is None
    assert found["good"] == found["fair"] == 0


def test_an_error_has_no_score():
    assert set(number.scores(QUESTIONS[0], answered("", "error"), BY).values()) == {None}


def test_measures_of_the_row_are_those_of_the_textbook():
    guesses = [12, 30, 40, 40, 70, 70, 150, 180, None, 40, 50, 90]
    run = row("one", [f"{g}" if g else None for g in guesses])
    found = compare([run], benchmark=BENCHMARK).rows[0].metrics
    known = [(t, g) for t, g in zip(TRUTHS, guesses, strict=True) if g]
    truth, guess = np.array(known, dtype=float).T
    error = abs(truth - guess)
    wanted = {
        "absolute_error": error.mean(),
        "median_error": np.median(error),
        "rmse": np.sqrt((error**2).mean()),
        "rmsle": np.sqrt(((np.log1p(truth) - np.log1p(guess)) ** 2).mean()),
        "percent_error": (error / truth).mean(),
        "r2": 1 - (error**2).sum() / ((truth - truth.mean()) ** 2).sum(),
    }
    for name, value in wanted.items():
        assert found[name].mean == pytest.approx(value), name
        assert found[name].n == 11  # the one without a number has no error
        assert found[name].low <= found[name].mean <= found[name].high
        assert found[name].low < found[name].high
    every = [40.0 if g is None else g for g in guesses]
    saved = 1 - sum(abs(np.array(every) - TRUTHS)) / sum(abs(40 - np.array(TRUTHS)))
    assert found["skill"].mean == pytest.approx(saved)
    assert found["skill"].n == 12
    assert not any(name.startswith("_") for name in found)


def test_the_constant_itself_has_no_skill_for_certain():
    (found,) = compare([row("median", ["40"] * 12)], benchmark=BENCHMARK).rows
    skill = found.metrics["skill"]
    assert (skill.mean, skill.low, skill.high) == pytest.approx((0, 0, 0))


def test_bands_part_the_items_and_their_errors():
    (found,) = compare([row("one", [f"{t + 5}" for t in TRUTHS])], benchmark=BENCHMARK).rows
    bands = [name for name in found.metrics if name.startswith("absolute_error ")]
    assert len(bands) == 4
    assert sum(found.metrics[name].n for name in bands) == 12
    assert all(found.metrics[name].mean == pytest.approx(5) for name in bands)
    low = measures.label(bands[0], TARGET, "en")
    assert low == "Mean error, under $20.00"
    assert measures.label(bands[0], TARGET, "vi") == "Sai số trung bình, dưới 20,00 USD"


def test_a_row_is_held_against_another_by_every_metric():
    base = row("constant", ["40"] * 12)
    near = row("near", [f"{1.05 * t:g}" for t in TRUTHS], "constant")
    found = compare([base, near], benchmark=BENCHMARK)
    step, gains = found.rows[1].step, found.rows[1].gains
    assert step.verdict == "better"
    assert gains["absolute_error"].delta < 0
    assert gains["rmse"].p < 0.05
    assert gains["rmse"].low <= gains["rmse"].delta <= gains["rmse"].high < 0
    assert gains["median_error"].delta < 0
    same = difference(base, replace(base, row="again"))
    assert (same.paired.delta, same.paired.p) == (0, 1)
    js = found.to_json()["stages"][1]
    assert js["primary"] == "skill"
    assert js["vs_previous"]["metrics"]["rmse"]["n"] == 12
    line = next(line for line in told.gains(gains, TARGET, "en") if line.startswith("RMSE:"))
    assert line.startswith("RMSE: -$60.74 (-$")


def test_the_verdict_speaks_of_the_constant_in_both_languages():
    runs = [row("constant", ["40"] * 12), row("near", [f"{1.05 * t:g}" for t in TRUTHS])]
    found = compare(runs, runs, benchmark=BENCHMARK)
    assert found.winner.row == "near"
    assert "of the best constant's error" in sentence(found, "en")
    assert "so với hằng số tốt nhất" in sentence(found, "vi")
    assert told.cell(found.rows[1], "absolute_error", "en").endswith(")")
    some = compare([row("some", ["40"] * 5 + [None] * 7)]).rows[0]
    assert told.cell(some, "absolute_error", "en").endswith(", n = 5")
    heads = [str(column.header) for column in found.table("en").columns]
    assert heads[1:4] == ["Skill (95 %)", "Mean error (95 %)", "Median error"]
    assert "Recall@5" not in heads
    assert "Mức giảm sai số (95 %)" in [str(c.header) for c in found.table("vi").columns]


@pytest.mark.parametrize(
    ("text", "outcome", "kind"),
    [
        ("235", "ok", "right"),
        ("190", "ok", "fair"),
        ("20", "ok", "far_off"),
        ("", "unparseable", "unread"),
        ("", "refused", "abstained"),
        ("", "error", "error"),
    ],
)
def test_how_an_estimate_misses(text, outcome, kind):
    scores = number.scores(QUESTIONS[7], answered(text, outcome), BY)
    assert misses.miss("number", outcome, scores) == kind


def test_amounts_are_written_in_their_currency_and_language():
    assert format.amount(1299.5, "USD") == "$1,299.50"
    assert format.amount(1299.5, "USD", lang="vi") == "1.299,50 USD"
    assert format.amount(1299000.4, "VND", lang="vi") == "1.299.000 ₫"
    assert format.amount(1299000.4, "VND") == "1,299,000 VND"
    assert format.amount(7.5, unit="minutes") == "7.50 minutes"
    assert format.amount(None, "USD") == "–"


def test_the_interval_of_an_error_never_reaches_below_0():
    few = [None] * 9 + ["30", "90", "300"]  # errors of 0, 55 and 235
    found = compare([row("few", few)]).rows[0].metrics["absolute_error"]
    assert found.n == 3
    assert found.low == 0 < found.mean < found.high
