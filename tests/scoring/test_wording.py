import math
import re
from dataclasses import replace

import pytest

from tailor.assistant import Answer
from tailor.scoring import format, wording
from tailor.scoring.comparison import compare, difference, pair

N = 40


def test_the_sentence(ladder):
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


def test_one_row_alone_is_not_recommended(run):
    old = run("retrieval", 30, stale="the benchmark changed since this run")
    both = [run("prompting", 8), old]
    comparison = compare(both, [replace(row, split="dev") for row in both])
    for lang, word in (("en", "Use"), ("vi", "Nên dùng")):
        assert not comparison.verdict(lang).startswith(word)
        assert format.percent(0.2, lang) in comparison.verdict(lang)


def test_two_models_of_a_row_are_told_apart(run):
    both = [run("prompting", 8), run("prompting", 9, model="other", run="run-other")]
    both += [run("few_shot", 9, previous="prompting", stale="the documents changed")]
    told = wording.remarks(compare(both), "en")
    assert [line.partition(":")[0] for line in told[1:3]] == [
        "prompting (shipped)",
        "prompting (other)",
    ]


def test_the_sentence_says_when_a_stage_did_not_help(ladder):
    comparison = compare(ladder(30, 30, 10, n=150), ladder(36, 10, 10, split="dev"))
    assert comparison.winner.row == "baseline"
    assert "as good as prompting (0.0 points" in comparison.verdict("en")
    assert "ngang với prompting" in comparison.verdict("vi")
    comparison = compare(ladder(10, 30), ladder(36, 10, split="dev"))
    assert "worse than prompting" in comparison.verdict("en")
    comparison = compare(ladder(30, 29), ladder(36, 10, split="dev"))
    assert "undecided" in comparison.verdict("en")
    assert "more questions would tell" in comparison.verdict("en")


@pytest.mark.parametrize(
    ("right", "n", "english", "vietnamese"),
    [
        (36, 40, "few_shot paid: +70.0 points over prompting (", "few_shot có hiệu quả: +70,0"),
        (1, 40, "few_shot did not pay: it is worse than prompting (-17.5", "hiệu quả: kém prom"),
        (8, 300, "few_shot did not pay: it is only as good as prompting (0.0", "chỉ ngang với"),
        (9, 40, "Whether few_shot paid is undecided: +2.5 points", "Chưa rõ few_shot có hiệu quả"),
    ],
)
def test_whether_a_stage_paid_is_said_plainly(run, right, n, english, vietnamese):
    row = compare([run("prompting", 8, n=n), run("few_shot", right, n=n, previous="prompting")])
    first, second = row.rows
    assert wording.pays(first, "en") == "", "nothing stands before it"
    assert wording.pays(second, "en").startswith(english)
    assert vietnamese in wording.pays(second, "vi")
    assert ("more questions would tell" in wording.pays(second, "en")) == (right == 9)
    assert wording.pays(second, "en") in wording.remarks(row, "en")


def test_columns_are_there_where_there_is_something_to_tell(run, with_answers, text_of):
    plain = text_of(compare([run("prompting", 8)]))
    for word in ("Cost", "Per 1,000", "Unparseable", "Flicker", "Errors"):
        assert word not in plain
    dear = Answer("ok", "yes", cost_usd=0.002)
    row = with_answers(run("prompting", N, answer=dear), q0=Answer("unparseable", "?"))
    told = text_of(compare([row]))
    assert "$1.95" in told
    assert "$0.08" in told
    assert "Unparseable" in told
    assert "Mỗi 1.000 câu hỏi" in text_of(compare([row]), "vi")


def test_the_table(run, ladder, with_answers, text_of):
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


def test_row_names_are_no_markup(run, text_of):
    assert "x[bold]" in text_of(compare([run("x[bold]", 4)]))


def test_the_data_frame(ladder):
    frame = compare(ladder(4, 8, 10, 36), ladder(4, 8, 10, 36, split="dev")).to_pandas()
    assert list(frame.index) == ["baseline", "prompting", "few_shot", "retrieval"]
    assert frame.loc["retrieval", "f1"] == 0.9
    assert frame.loc["retrieval", "f1_low"] < 0.9 < frame.loc["retrieval", "f1_high"]
    assert frame.loc["retrieval", "vs_row"] == "few_shot"
    assert frame.loc["retrieval", "delta"] == pytest.approx(0.65)
    assert math.isnan(frame.loc["baseline", "delta"])


def test_side_by_side(run, with_answers):
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


def test_the_sentence_names_three_rivals_and_counts_the_others(run):
    def told(rows, lang):
        names = [f"row_{number}" for number in range(rows)]
        both = [run(name, 20 + at % 2, run=f"run-{name}") for at, name in enumerate(names)]
        return compare(both, [replace(row, split="dev") for row in both]).verdict(lang)

    assert len(re.findall(r"row_\d", told(5, "en").partition("told from")[2])) == 4
    assert re.search(r"told from row_\d, row_\d, row_\d and 6 more", told(10, "en"))
    assert re.search(r"với row_\d, row_\d, row_\d và 6 dòng khác", told(10, "vi"))
