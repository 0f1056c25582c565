from dataclasses import replace

import pytest

from tailor.assistant import Answer
from tailor.scoring.comparison import compare


def test_the_winner_is_chosen_on_dev_not_on_test(ladder):
    test = ladder(4, 8, 36, 10)
    dev = ladder(4, 8, 10, 36, split="dev")
    assert compare(test, dev).winner.row == "retrieval"


def test_without_dev_answers_nothing_is_chosen(run, ladder):
    for dev in ([], [run("prompting", 0, "dev", answers={})]):
        comparison = compare(ladder(4, 8, 10, 36), dev)
        assert comparison.to_json()["winner"]["row"] is None
        assert "no dev answers" in comparison.winner.reason
        assert "dev" in comparison.verdict("en")
        assert "dev" in comparison.verdict("vi")


def test_a_benchmark_without_dev_questions_is_told_so(run):
    none = replace(run("prompting", 8, "dev"), questions=(), answers={})
    comparison = compare([run("prompting", 8)], [none])
    assert comparison.winner.status == "no dev questions"
    assert "tailor benchmark split" in comparison.verdict("en")
    assert "tailor benchmark split" in comparison.verdict("vi")


@pytest.mark.parametrize(
    ("dear", "cheap"),
    [
        (Answer("ok", "yes", cost_usd=0.02), Answer("ok", "yes", cost_usd=0.01, seconds=9)),
        (Answer("ok", "yes", cost_usd=None), Answer("ok", "yes", cost_usd=0.01, seconds=9)),
        (Answer("ok", "yes", seconds=2), Answer("ok", "yes", seconds=1)),
    ],
)
def test_in_a_tie_the_cheapest_then_the_fastest_wins(run, dear, cheap):
    for order in ((dear, cheap), (cheap, dear)):
        # From 150 questions on, equal scores are a tie.
        dev = [run(f"row{i}", 30, "dev", n=150, answer=a) for i, a in enumerate(order)]
        test = [run(f"row{i}", 30) for i in range(2)]
        assert compare(test, dev).winner.row == f"row{order.index(cheap)}"


def test_the_cheapest_row_does_not_win_when_it_is_worse(run):
    dev = [run("cheap", 10, "dev"), run("dear", 36, "dev", answer=Answer("ok", "yes", cost_usd=1))]
    assert compare([run("cheap", 36), run("dear", 36)], dev).winner.row == "dear"


def test_a_stale_or_half_asked_row_is_not_chosen(ladder):
    test = ladder(4, 8, 10, 36)
    dev = ladder(4, 8, 30, 36, split="dev")
    dev[3] = replace(dev[3], stale="the documents changed since this run")
    assert compare(test, dev).winner.row == "few_shot"
    assert "retrieval" in compare(test, dev).winner.reason
    some = dict(list(dev[3].answers.items())[:35])
    dev[3] = replace(dev[3], stale="", answers=some)
    assert compare(test, dev).winner.row == "few_shot"
    every = ladder(4, 8, 10, 36, split="dev", stale="the benchmark changed since this run")
    assert compare(test, every).winner.row is None
    assert "run the stages again" in compare(test, every).verdict()


def test_undecided_is_said_plainly_with_how_many_questions_more(ladder):
    test = ladder(4, 8)
    dev = ladder(4, 6, split="dev", n=10)
    comparison = compare(test, dev)
    assert comparison.winner.status == "undecided"
    assert comparison.winner.row == "prompting"
    assert comparison.winner.more > 0
    assert comparison.verdict("en").startswith("Undecided: prompting leads on dev")
    assert f"about {comparison.winner.more:,} more dev questions" in comparison.verdict("en")
    assert comparison.verdict("vi").startswith("Chưa thể kết luận: prompting")
    assert "undecided" in comparison.to_json()["winner"]["reason"]


def test_the_same_row_with_two_models_stays_two_rows(run):
    test = [run("prompting", 8, model="a"), run("prompting", 36, model="b")]
    dev = [run("prompting", 8, "dev", model="a"), run("prompting", 36, "dev", model="b")]
    comparison = compare(test, dev)
    assert [row.primary.mean for row in comparison.rows] == [0.2, 0.9]
    assert (comparison.winner.row, comparison.winner.model) == ("prompting", "b")
    assert "prompting (b)" in comparison.verdict()
    assert "better than prompting (a)" in comparison.verdict()
