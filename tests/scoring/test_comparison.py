import io
import json
import math

import pytest
from rich.console import Console

from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.scoring.comparison import Scored, compare, difference, pair

RIGHT, WRONG = Answer("ok", "yes", seconds=0.1, input_tokens=10), Answer("ok", "no", seconds=0.1)
N = 40


def questions(split, n=N):
    return tuple(
        Question(f"{split}-{i}", f"Question {i}?", ("yes",), split=split) for i in range(n)
    )


def run(row, right, split="test", previous=None, n=N, answer=RIGHT, **fields):
    """A row that answers its first ``right`` questions rightly and the others wrongly."""
    asked = questions(split, n)
    wrong = Answer("ok", "no", seconds=answer.seconds, cost_usd=answer.cost_usd)
    return Scored(
        **{
            "row": row,
            "stage": row.partition(":")[0],
            "model": "shipped",
            "run": f"run-{row}",
            "split": split,
            "previous": previous,
            "questions": asked,
            "answers": {q.id: answer if i < right else wrong for i, q in enumerate(asked)},
            "spans": {},
            **fields,
        }
    )


def ladder(*rights, split="test", **fields):
    names = ("baseline", "prompting", "few_shot", "retrieval")
    previous = (None, None, "prompting", "few_shot")
    return [
        run(name, right, split, before, **fields)
        for name, before, right in zip(names, previous, rights, strict=False)
    ]


def with_answers(scored, **answers):
    asked = {f"{scored.split}-{key[1:]}": answer for key, answer in answers.items()}
    return Scored(**{**scored.__dict__, "answers": {**scored.answers, **asked}})


def text_of(comparison, lang="en"):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(comparison.table(lang))
    return console.export_text()


# the contract of `tailor compare --json`


def test_the_json_contract_key_by_key():
    test, dev = ladder(4, 8, 10, 36), ladder(4, 8, 10, 36, split="dev")
    found = compare(test, dev).to_json()
    assert list(found) == ["schema_version", "benchmark", "stages", "winner"]
    assert found["schema_version"] == 1
    assert list(found["benchmark"]) == ["digest", "task", "split", "n"]
    assert (found["benchmark"]["task"], found["benchmark"]["split"]) == ("answer", "test")
    assert found["benchmark"]["n"] == N
    assert [stage["row"] for stage in found["stages"]] == [s.row for s in test]
    last = found["stages"][-1]
    assert list(last) == [
        "row", "stage", "model", "run", "split", "n", "scored", "errors", "refused",
        "unparseable", "primary", "metrics", "latency_s", "tokens", "cost_usd", "vs_previous",
    ]  # fmt: skip
    assert (last["stage"], last["model"], last["run"]) == ("retrieval", "shipped", "run-retrieval")
    assert (last["n"], last["scored"], last["errors"]) == (N, N, 0)
    assert last["primary"] == "f1"
    assert list(last["metrics"]["f1"]) == ["mean", "ci95", "n"]
    assert last["metrics"]["f1"]["mean"] == 0.9
    assert last["metrics"]["f1"]["ci95"] == pytest.approx([0.7695, 0.9604], abs=1e-3)  # Wilson
    assert last["metrics"]["recall@5"] == {"mean": None, "ci95": None, "n": 0}
    assert last["latency_s"] == {"p50": 0.1, "p95": 0.1}
    assert last["tokens"] == {"input": 360, "output": 0}
    assert last["cost_usd"] == 0
    step = last["vs_previous"]
    assert list(step) == ["row", "delta", "ci95", "p", "verdict"]
    assert (step["row"], step["verdict"]) == ("few_shot", "better")
    assert step["delta"] == pytest.approx(0.65)
    assert step["ci95"][0] < 0.65 < step["ci95"][1]
    assert found["stages"][0]["vs_previous"] is found["stages"][1]["vs_previous"] is None
    assert found["winner"] == {
        "row": "retrieval", "chosen_on": "dev", "reason": "the best on dev",
    }  # fmt: skip


def test_the_json_holds_no_nan_and_is_deterministic():
    failed = with_answers(run("prompting", 0, n=2), q0=Answer("error"), q1=Answer("error"))
    for rows in ([failed], ladder(4, 8, 10, 36), [run("prompting", 0, answers={})]):
        text = json.dumps(compare(rows).to_json(), allow_nan=False)
        assert text == json.dumps(compare(rows).to_json(), allow_nan=False)
    none = compare([failed]).to_json()["stages"][0]
    assert none["metrics"]["f1"] == {"mean": None, "ci95": None, "n": 0}
    assert none["latency_s"] == {"p50": None, "p95": None}


def test_the_digest_is_the_benchmarks_where_it_is_given():
    rows = ladder(4, 8)
    benchmark = Benchmark((*questions("test"), *questions("dev")))
    assert compare(rows, benchmark=benchmark).to_json()["benchmark"]["digest"] == benchmark.digest
    assert compare(rows).digest == Benchmark(questions("test")).digest


def test_nothing_to_compare():
    with pytest.raises(TailorError, match="tailor run all"):
        compare([])


# what is counted


def test_errors_are_counted_and_never_score_0():
    row = with_answers(
        run("prompting", N), q0=Answer("error", seconds=9.0), q1=Answer("refused"),
        q2=Answer("unparseable", "?"),
    )  # fmt: skip
    entry = compare([row]).to_json()["stages"][0]
    assert (entry["errors"], entry["refused"], entry["unparseable"]) == (1, 1, 1)
    assert (entry["n"], entry["scored"]) == (N, N - 1)
    assert entry["metrics"]["f1"]["n"] == N - 1
    assert entry["metrics"]["f1"]["mean"] == pytest.approx((N - 3) / (N - 1))
    assert entry["latency_s"]["p95"] < 1, "an error's wait is no latency"


def test_a_step_is_over_the_questions_both_rows_have_scored():
    base, candidate = run("prompting", 20), run("few_shot", 20, previous="prompting")
    # where the candidate failed the base was right, and the reverse
    candidate = with_answers(candidate, **{f"q{i}": Answer("error") for i in range(10)})
    base = with_answers(base, **{f"q{i}": Answer("error") for i in range(30, 40)})
    step = compare([base, candidate]).rows[1].step
    assert (step.paired.n, step.paired.delta, step.verdict) == (20, 0, "undecided")


def test_a_question_not_asked_yet_is_no_answer():
    row = run("prompting", 5)
    row = Scored(**{**row.__dict__, "answers": dict(list(row.answers.items())[:5])})
    entry = compare([row]).to_json()["stages"][0]
    assert (entry["n"], entry["scored"], entry["metrics"]["f1"]["mean"]) == (N, 5, 1)


def test_finding_nothing_counts_where_the_row_retrieves():
    found = Answer("ok", "yes", (Passage("a.md", 0, 9, "x" * 9),))
    row = run("retrieval", N, spans={f"test-{i}": (("a.md", 0, 9),) for i in range(4)})
    row = with_answers(row, q0=found, q1=found, q2=found)
    metrics = compare([row]).rows[0].metrics
    assert (metrics["recall@5"].mean, metrics["recall@5"].n) == (0.75, 4)


def test_an_unknown_price_is_unknown():
    row = with_answers(run("prompting", 5), q0=Answer("ok", "yes", cost_usd=None))
    assert compare([row]).to_json()["stages"][0]["cost_usd"] is None


def test_p_values_are_adjusted_over_the_ladder():
    comparison = compare(ladder(4, 8, 16, 30))
    _, prompting, few_shot, retrieval = ladder(4, 8, 16, 30)
    pairs = ((prompting, few_shot), (few_shot, retrieval))
    alone = [difference(base, candidate).paired.p for base, candidate in pairs]
    adjusted = [row.step.paired.p for row in comparison.rows if row.step]
    assert sorted(adjusted)[0] == pytest.approx(2 * min(alone))
    assert max(adjusted) == pytest.approx(max(*alone, 2 * min(alone)))


# the winner


def test_the_winner_is_chosen_on_dev_not_on_test():
    test = ladder(4, 8, 36, 10)
    dev = ladder(4, 8, 10, 36, split="dev")
    assert compare(test, dev).winner.row == "retrieval"


def test_without_dev_answers_nothing_is_chosen():
    for dev in ([], [run("prompting", 0, "dev", answers={})]):
        comparison = compare(ladder(4, 8, 10, 36), dev)
        assert comparison.to_json()["winner"]["row"] is None
        assert "no dev answers" in comparison.winner.reason
        assert "dev" in comparison.verdict("en")
        assert "dev" in comparison.verdict("vi")


@pytest.mark.parametrize(
    ("dear", "cheap"),
    [
        (Answer("ok", "yes", cost_usd=0.02), Answer("ok", "yes", cost_usd=0.01, seconds=9)),
        (Answer("ok", "yes", cost_usd=None), Answer("ok", "yes", cost_usd=0.01, seconds=9)),
        (Answer("ok", "yes", seconds=2), Answer("ok", "yes", seconds=1)),
    ],
)
def test_in_a_tie_the_cheapest_then_the_fastest_wins(dear, cheap):
    for order in ((dear, cheap), (cheap, dear)):
        # From 150 questions on, equal scores are a tie.
        dev = [run(f"row{i}", 30, "dev", n=150, answer=a) for i, a in enumerate(order)]
        test = [run(f"row{i}", 30) for i in range(2)]
        assert compare(test, dev).winner.row == f"row{order.index(cheap)}"


def test_the_cheapest_row_does_not_win_when_it_is_worse():
    dev = [run("cheap", 10, "dev"), run("dear", 36, "dev", answer=Answer("ok", "yes", cost_usd=1))]
    assert compare([run("cheap", 36), run("dear", 36)], dev).winner.row == "dear"


def test_a_stale_or_half_asked_row_is_not_chosen():
    test = ladder(4, 8, 10, 36)
    dev = ladder(4, 8, 30, 36, split="dev")
    dev[3] = Scored(**{**dev[3].__dict__, "stale": "the documents changed since this run"})
    assert compare(test, dev).winner.row == "few_shot"
    assert "retrieval" in compare(test, dev).winner.reason
    some = dict(list(dev[3].answers.items())[:35])
    dev[3] = Scored(**{**dev[3].__dict__, "stale": "", "answers": some})
    assert compare(test, dev).winner.row == "few_shot"
    every = ladder(4, 8, 10, 36, split="dev", stale="the benchmark changed since this run")
    assert compare(test, every).winner.row is None
    assert "run the stages again" in compare(test, every).verdict()


def test_undecided_is_said_plainly_with_how_many_questions_more():
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


def test_the_same_row_with_two_models_stays_two_rows():
    test = [run("prompting", 8, model="a"), run("prompting", 36, model="b")]
    dev = [run("prompting", 8, "dev", model="a"), run("prompting", 36, "dev", model="b")]
    comparison = compare(test, dev)
    assert [row.primary.mean for row in comparison.rows] == [0.2, 0.9]
    assert (comparison.winner.row, comparison.winner.model) == ("prompting", "b")
    assert "prompting (b)" in comparison.verdict()
    assert "better than prompting (a)" in comparison.verdict()


# for people


def test_the_sentence():
    comparison = compare(ladder(4, 8, 10, 36), ladder(4, 8, 10, 36, split="dev"))
    english, vietnamese = comparison.verdict("en"), comparison.verdict("vi")
    assert english.startswith(
        "Use retrieval: it scores 90.0% (95% interval 76.9% to 96.0%) on 40 test questions"
    )
    assert "better than prompting by +70.0 points (" in english
    assert vietnamese.startswith(
        "Nên dùng retrieval: đạt 90,0% (khoảng tin cậy 95%: 76,9% đến 96,0%)"
    )
    assert "hơn prompting +70,0 điểm phần trăm (" in vietnamese
    for sentence in (english, vietnamese):
        assert sentence.endswith(".")
        assert sentence.count(". ") == 0


def test_the_sentence_says_when_a_stage_did_not_help():
    comparison = compare(ladder(30, 30, 10, n=150), ladder(36, 10, 10, split="dev"))
    assert comparison.winner.row == "baseline"
    assert "as good as prompting (0.0 points" in comparison.verdict("en")
    assert "ngang với prompting" in comparison.verdict("vi")
    comparison = compare(ladder(10, 30), ladder(36, 10, split="dev"))
    assert "worse than prompting" in comparison.verdict("en")
    comparison = compare(ladder(30, 29), ladder(36, 10, split="dev"))
    assert "undecided" in comparison.verdict("en")
    assert "more questions would tell" in comparison.verdict("en")


def test_the_table():
    comparison = compare(ladder(4, 8, 10, 36), ladder(4, 8, 10, 36, split="dev"))
    english, vietnamese = text_of(comparison), text_of(comparison, "vi")
    assert "★ retrieval" in english
    assert "90.0% (76.9% to 96.0%)" in english
    assert "better" in english
    assert "Errors" not in english
    assert "90,0% (76,9% đến 96,0%)" in vietnamese
    assert "tốt hơn" in vietnamese
    failed = with_answers(run("prompting", 8), q0=Answer("error"))
    assert "Errors" in text_of(compare([failed]))


def test_row_names_are_no_markup():
    assert "x[bold]" in text_of(compare([run("x[bold]", 4)]))


def test_the_data_frame():
    frame = compare(ladder(4, 8, 10, 36), ladder(4, 8, 10, 36, split="dev")).to_pandas()
    assert list(frame.index) == ["baseline", "prompting", "few_shot", "retrieval"]
    assert frame.loc["retrieval", "f1"] == 0.9
    assert frame.loc["retrieval", "f1_low"] < 0.9 < frame.loc["retrieval", "f1_high"]
    assert frame.loc["retrieval", "vs_row"] == "few_shot"
    assert frame.loc["retrieval", "delta"] == pytest.approx(0.65)
    assert math.isnan(frame.loc["baseline", "delta"])


def test_side_by_side():
    base, candidate = run("prompting", 10), run("retrieval", 30)
    candidate = with_answers(candidate, q0=Answer("error", error="timeout: 60 s"))
    items = pair(base, candidate)
    assert [item.question.id for item in items] == [q.id for q in base.questions]
    assert (items[0].base_score, items[0].candidate_score, items[0].delta) == (1, None, None)
    assert [items[i].delta for i in (5, 20, 35)] == [0, 1, 0]
    line = items[20].to_json()
    assert list(line) == ["id", "question", "accepted", "base", "candidate", "delta"]
    assert line["accepted"] == ["yes"]
    assert (line["base"]["text"], line["candidate"]["text"]) == ("no", "yes")
    assert items[0].to_json()["candidate"]["error"] == "timeout: 60 s"
    step = difference(base, candidate)
    assert (step.row, step.verdict, step.paired.n) == ("prompting", "better", N - 1)
