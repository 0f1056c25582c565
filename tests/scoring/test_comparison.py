import json
from dataclasses import replace

import pytest

from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Evidence, Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.scoring import wording
from tailor.scoring.comparison import compare, difference

RIGHT = Answer("ok", "yes", seconds=0.1, input_tokens=10)
N = 40


# the contract of `tailor compare --json`


def test_the_json_contract_key_by_key(ladder):
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
        "stale", "repeats", "flicker", "outcomes", "refusals", "cost_per_1000_usd", "spent",
        "builds_on", "origin",
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
    assert list(step) == ["row", "delta", "ci95", "p", "verdict", "n", "more"]
    assert (step["row"], step["verdict"]) == ("few_shot", "better")
    assert step["delta"] == pytest.approx(0.65)
    assert step["ci95"][0] < 0.65 < step["ci95"][1]
    assert found["stages"][0]["vs_previous"] is found["stages"][1]["vs_previous"] is None
    assert found["winner"] == {
        "row": "retrieval", "chosen_on": "dev", "reason": "the best on dev",
    }  # fmt: skip


def test_the_json_holds_no_nan_and_is_deterministic(run, ladder, with_answers):
    failed = with_answers(run("prompting", 0, n=2), q0=Answer("error"), q1=Answer("error"))
    for rows in ([failed], ladder(4, 8, 10, 36), [run("prompting", 0, answers={})]):
        text = json.dumps(compare(rows).to_json(), allow_nan=False)
        assert text == json.dumps(compare(rows).to_json(), allow_nan=False)
    none = compare([failed]).to_json()["stages"][0]
    assert none["metrics"]["f1"] == {"mean": None, "ci95": None, "n": 0}
    assert none["latency_s"] == {"p50": None, "p95": None}


def test_the_digest_is_the_benchmarks_where_it_is_given(questions, ladder):
    rows = ladder(4, 8)
    benchmark = Benchmark((*questions("test"), *questions("dev")))
    assert compare(rows, benchmark=benchmark).to_json()["benchmark"]["digest"] == benchmark.digest
    assert compare(rows).digest == Benchmark(questions("test")).digest


def test_nothing_to_compare():
    with pytest.raises(TailorError, match="tailor run all"):
        compare([])


# what is counted


def test_errors_are_counted_and_never_score_0(run, with_answers):
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


def test_a_step_is_over_the_questions_both_rows_have_scored(run, with_answers):
    base, candidate = run("prompting", 20), run("few_shot", 20, previous="prompting")
    # where the candidate failed the base was right, and the reverse
    candidate = with_answers(candidate, **{f"q{i}": Answer("error") for i in range(10)})
    base = with_answers(base, **{f"q{i}": Answer("error") for i in range(30, 40)})
    step = compare([base, candidate]).rows[1].step
    assert (step.paired.n, step.paired.delta, step.verdict) == (20, 0, "undecided")


def test_a_question_not_asked_yet_is_no_answer(run):
    row = run("prompting", 5)
    row = replace(row, answers=dict(list(row.answers.items())[:5]))
    entry = compare([row]).to_json()["stages"][0]
    assert (entry["n"], entry["scored"], entry["metrics"]["f1"]["mean"]) == (N, 5, 1)


def test_finding_nothing_counts_where_the_row_retrieves(run, with_answers):
    found = Answer("ok", "yes", (Passage("a.md", 0, 9, "x" * 9),))
    spans = {f"test-{i}": (("a.md", 0, 9),) for i in range(4)}
    row = with_answers(run("retrieval", N), spans, q0=found, q1=found, q2=found)
    metrics = compare([row]).rows[0].metrics
    assert (metrics["recall@5"].mean, metrics["recall@5"].n) == (0.75, 4)


def test_each_outcome_has_its_own_denominator(run, with_answers):
    row = with_answers(
        run("prompting", N), q0=Answer("error"), q1=Answer("refused"), q2=Answer("unparseable", "?")
    )
    row = replace(row, answers=dict(list(row.answers.items())[:-5]))
    entry = compare([row]).to_json()["stages"][0]
    counts = {name: (one["count"], one["of"]) for name, one in entry["outcomes"].items()}
    assert counts == {
        "scored": (34, 40), "asked": (35, 40), "error": (1, 35), "ok": (32, 34),
        "refused": (1, 34), "unparseable": (1, 34),
    }  # fmt: skip
    assert entry["outcomes"]["unparseable"]["share"] == 1 / 34


def test_refusing_what_the_documents_do_not_say_is_right(questions, scored):
    """Both kinds of refusal are told, each of the questions it can be of."""
    asked = (*questions("test", 30), *(Question(f"x{i}", f"{i}?", ()) for i in range(10)))
    no, wrong, failed = Answer("refused", "No."), Answer("ok", "12"), Answer("error")
    answers = {q.id: RIGHT if i < 24 else no for i, q in enumerate(asked)}
    answers |= {"x0": wrong, "x1": wrong, "x2": failed, "test-0": failed}
    row = scored(
        answers, asked, row="prompting", stage="prompting", model="m", run="r", split="test",
        previous=None,
    )  # fmt: skip
    told = compare([row]).to_json()["stages"][0]["refusals"]
    assert (told["unanswerable"]["mean"], told["unanswerable"]["n"]) == (pytest.approx(7 / 9), 9)
    assert told["unanswerable"]["ci95"] == pytest.approx([0.4526, 0.9368], abs=1e-3)  # Wilson
    assert (told["answerable"]["mean"], told["answerable"]["n"]) == (pytest.approx(6 / 29), 29)
    said = wording.outcomes(compare([row]).rows[0], "en")
    assert "38 of 40 questions scored; 2 of 40 answers are errors; 13 of 38 are refusals" in said
    assert "refuses 77.8% (45.3% to 93.7%) of the 9 questions that the documents do not" in said
    assert "từ chối nhầm 20,7%" in wording.outcomes(compare([row]).rows[0], "vi")


@pytest.mark.parametrize("n", [0, 1])
def test_no_or_one_question_gives_no_nan(ladder, with_answers, text_of, n):
    test, dev = ladder(0, n, n, 0, n=n), ladder(0, n, 0, n, split="dev", n=n)
    for answer in (RIGHT, Answer("error"), Answer("refused")):
        rows = [with_answers(row, **{f"q{i}": answer for i in range(n)}) for row in test]
        comparison = compare(rows, dev)
        text = json.dumps(comparison.to_json(), allow_nan=False)
        assert "NaN" not in text
        for lang in ("en", "vi"):
            said = [comparison.verdict(lang), text_of(comparison, lang)]
            assert "nan" not in " ".join([*said, *wording.remarks(comparison, lang)]).lower()


def test_of_repeats_the_mean_counts_and_flicker_is_told(run, with_answers, text_of):
    wrong, no, failed = Answer("ok", "no"), Answer("refused"), Answer("error")
    row = with_answers(
        run("prompting", N),
        again=(
            {"test-0": wrong, "test-1": no, "test-2": failed},
            {"test-0": wrong, "test-1": RIGHT, "test-2": failed},
        ),
        q3=failed,
    )
    values = row.values()
    assert [values[f"test-{i}"] for i in range(5)] == pytest.approx([1 / 3, 2 / 3, 1, None, 1])
    entry = compare([row]).to_json()["stages"][0]
    assert (entry["repeats"], entry["n"], entry["scored"]) == (3, N, N - 1)
    assert entry["outcomes"]["asked"] == {"count": 3 * N, "of": 3 * N, "share": 1}
    assert entry["outcomes"]["error"]["count"] == 5
    assert entry["metrics"]["f1"]["mean"] == pytest.approx((N - 2) / (N - 1))
    # test-2 has one answer that is no error, and test-3 none
    assert entry["flicker"] == 2 / (N - 2)
    assert "Flicker" in text_of(compare([row]))
    assert "Flicker" not in text_of(compare([run("prompting", N)]))
    assert "answers 5.3% of the questions differently" in wording.outcomes(
        compare([row]).rows[0], "en"
    )


def test_questions_about_one_document_are_compared_together(questions, run):
    asked = tuple(
        replace(q, evidence=(Evidence(f"{int(q.id[5:]) // 4}.md", "quote"),))
        for q in questions("test", 80)
    )
    rows = [
        run("prompting", 40, n=80, asked=asked),
        run("few_shot", 52, previous="prompting", n=80, asked=asked),
    ]
    alone = compare([run("prompting", 40, n=80), run("few_shot", 52, n=80, previous="prompting")])
    together = compare(rows)
    assert alone.rows[1].step.verdict == "better"
    assert together.rows[1].step.verdict == "undecided", "all 12 are about 3 documents"
    assert together.rows[1].step.paired.p == 2 / 2**3
    assert together.rows[1].step.more > 0
    wide, narrow = (c.rows[0].primary.high - c.rows[0].primary.low for c in (together, alone))
    assert wide > 1.5 * narrow


def test_a_stale_row_is_listed_and_compared_with_nothing(ladder, text_of):
    why = "the documents changed since this run"
    test = [
        replace(row, stale=why if row.row == "prompting" else "") for row in ladder(4, 8, 20, 36)
    ]
    dev = [
        replace(d, stale=t.stale)
        for d, t in zip(ladder(4, 40, 20, 30, split="dev"), test, strict=True)
    ]
    comparison = compare(test, dev)
    assert [row.row for row in comparison.rows] == [row.row for row in test]
    assert [row.step and row.step.row for row in comparison.rows] == [None, None, None, "few_shot"]
    assert comparison.rows[3].step.paired.p == difference(test[2], test[3]).paired.p, "no Holm"
    assert comparison.winner.row == "retrieval"
    assert "prompting" in comparison.winner.reason
    assert comparison.reference.row == "baseline"
    entries = comparison.to_json()["stages"]
    assert [entry["stale"] for entry in entries] == [None, why, None, None]
    assert "prompting (stale)" in text_of(comparison)
    assert "so run it again" in wording.pays(comparison.rows[1], "en")


def test_a_verdict_follows_the_adjusted_p(run):
    """What is told alone may be chance among many."""
    rows = [run("row0", 20), run("row1", 27, previous="row0")]
    rows += [run(f"other{i}", 20 + i % 2, previous="row0") for i in range(8)]
    alone, among = compare(rows[:2]).rows[1].step, compare(rows).rows[1].step
    assert (alone.verdict, among.verdict) == ("better", "undecided")
    assert alone.paired.low == among.paired.low > 0
    assert among.paired.p > 0.05 > alone.paired.p
    assert among.more > 0 == alone.more


def test_an_unknown_price_is_unknown(run, with_answers):
    row = with_answers(run("prompting", 5), q0=Answer("ok", "yes", cost_usd=None))
    assert compare([row]).to_json()["stages"][0]["cost_usd"] is None


def test_p_values_are_adjusted_over_the_ladder(ladder):
    comparison = compare(ladder(4, 8, 16, 30))
    _, prompting, few_shot, retrieval = ladder(4, 8, 16, 30)
    pairs = ((prompting, few_shot), (few_shot, retrieval))
    alone = [difference(base, candidate).paired.p for base, candidate in pairs]
    adjusted = [row.step.paired.p for row in comparison.rows if row.step]
    assert sorted(adjusted)[0] == pytest.approx(2 * min(alone))
    assert max(adjusted) == pytest.approx(max(*alone, 2 * min(alone)))
