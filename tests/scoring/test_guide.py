import json
from dataclasses import replace
from typing import get_args

import pytest

from tailor.cost import Spent
from tailor.scoring.attribution import Attribution
from tailor.scoring.break_even import BreakEven, Costs, break_even, capacity, kept_on
from tailor.scoring.comparison import Comparison
from tailor.scoring.guide import guide, guide_json
from tailor.scoring.row import Row
from tailor.scoring.statistics import Interval, Paired
from tailor.scoring.step import Step
from tailor.scoring.techniques import TECHNIQUES, rule, techniques
from tailor.scoring.winner import Winner
from tailor.task import Task

# break-even


def test_the_dearer_start_pays_from_some_number_of_questions_on():
    tuned = Costs(once=120.0, question=0.001)
    retrieval = Costs(question=0.003)
    # 120 / 12 = 10 a month more, 0.002 less a question
    assert break_even(tuned, retrieval) == BreakEven("from", 5000)
    assert break_even(retrieval, tuned) == BreakEven("until", 5000)
    assert break_even(tuned, retrieval, months=1) == BreakEven("from", 60_000)
    q = 5000
    assert tuned.a_month(q, 12) == pytest.approx(retrieval.a_month(q, 12))
    assert tuned.a_month(q + 1, 12) < retrieval.a_month(q + 1, 12)
    assert tuned.a_month(q - 1, 12) > retrieval.a_month(q - 1, 12)


def test_from_the_number_on_it_is_not_the_dearer_one():
    assert break_even(Costs(month=10), Costs(question=3)) == BreakEven("from", 4)
    assert break_even(Costs(month=9), Costs(question=3)) == BreakEven("from", 3)
    assert break_even(Costs(month=1.1), Costs(question=0.1)) == BreakEven("from", 11)


def test_up_to_the_number_it_is_not_the_dearer_one():
    hosted, machine = Costs(question=3), Costs(month=10)
    assert break_even(hosted, machine) == BreakEven("until", 3)
    assert hosted.a_month(3, 12) < machine.a_month(3, 12)
    assert hosted.a_month(4, 12) > machine.a_month(4, 12)


@pytest.mark.parametrize(
    ("one", "other", "outcome"),
    [
        (Costs(question=1), Costs(question=2), "always"),
        (Costs(question=2), Costs(question=1), "never"),
        (Costs(once=1, question=2), Costs(question=1), "never"),
        (Costs(once=1, question=1), Costs(question=1), "never"),
        (Costs(question=1), Costs(once=1, question=1), "always"),
        (Costs(once=1, question=1), Costs(once=1, question=1), "equal"),
        (Costs(), Costs(), "equal"),
        (Costs(once=None), Costs(), "unknown"),
        (Costs(), Costs(question=None), "unknown"),
        (Costs(month=None), Costs(), "unknown"),
    ],
)
def test_where_there_is_no_such_number(one, other, outcome):
    assert break_even(one, other) == BreakEven(outcome)


def test_a_machine_that_is_kept_on():
    machine = kept_on(2.0)
    assert machine == Costs(0.0, 1460.0, 0.0)
    assert break_even(machine, Costs(question=0.01)) == BreakEven("from", 146_000)
    assert break_even(kept_on(None), Costs(question=0.01)) == BreakEven("unknown")
    assert capacity(10) == 262_800
    assert capacity(None) is capacity(0.0) is None


# the rules


def test_every_technique_has_a_rule_in_both_languages():
    from tailor.stage import stage_types

    assert set(techniques("number")) == set(stage_types())
    for task, technique in ((of, t) for of in get_args(Task) for t in techniques(of)):
        english, vietnamese = (rule(technique, lang, task) for lang in ("en", "vi"))
        for name, text in vars(english).items():
            other = getattr(vietnamese, name)
            assert text
            assert other
            assert text != other
            assert name == "name" or text[-1] == other[-1] == "."


# the guide


def spent(per_1000=0.0, training=0.0):
    return Spent(
        answers=100, input_tokens=0, output_tokens=0,
        answers_usd=None if per_1000 is None else per_1000 / 10, answer_hours=0.0, judge_usd=0.0,
        training_hours=0.0, training_usd=training,
    )  # fmt: skip


def row(name, mean, previous=None, verdict="better", **fields):
    step = previous and Step(previous, Paired(0.1, 0.05, 0.15, 0.001, 100), verdict, 0)
    return Row(**{
        "row": name, "stage": name.partition(":")[0], "model": "openai:big", "run": f"run-{name}",
        "split": "test", "n": 100, "scored": 100, "errors": 0, "refused": 0, "unparseable": 0,
        "metrics": {"f1": Interval(mean, mean - 0.1, mean + 0.1, 100)}, "p50": 1.5, "p95": 2.0,
        "input_tokens": 50_000, "output_tokens": 900, "cost_usd": 0.4, "step": step or None,
        "asked": 100, "spent": spent(4.0), **fields,
    })  # fmt: skip


def comparison(*rows, winner=None):
    row_id, model = winner or (None, None)
    return Comparison("d", "answer", "test", 100, rows, Winner(row_id, model, "dev", "", "chosen"))


def of(found, technique):
    return next(part for part in found if part.technique == technique)


def test_every_technique_is_there_measured_or_not():
    found = guide(comparison(row("prompting", 0.4)))
    assert [part.technique for part in found] == list(TECHNIQUES)
    assert of(found, "few_shot").here("en") == ("Not measured here yet: tailor run few_shot.",)
    assert of(found, "few_shot").here("vi") == ("Ở đây chưa đo: tailor run few_shot.",)
    (said,) = of(found, "prompting").here("en")
    assert said == (
        "prompting: 40.0% (30.0% to 50.0%); $4.00 for 1,000 questions; 1.5 s per answer (median); "
        "500 input tokens per question."
    )
    assert "40,0%" in of(found, "prompting").here("vi")[0]
    assert of(found, "prompting").rule("vi") == rule("prompting", "vi")


def test_the_gain_and_the_price_of_training_are_said():
    rows = row("retrieval", 0.4), row("fine_tuning", 0.5, "retrieval", spent=spent(1.0, 36.0))
    said, cheaper = of(guide(comparison(*rows)), "fine_tuning").here("en")
    assert "; against retrieval: +10.0 (+5.0 to +15.0) better;" in said
    assert said.endswith(" Paid once: $36.00.")
    # 36 / 12 = 3 a month more, 0.003 less a question
    assert cheaper == "fine_tuning costs less than retrieval from 1,000 questions a month on."
    cheaper = of(guide(comparison(*rows), months=1), "fine_tuning").here("vi")[-1]
    assert cheaper == "fine_tuning rẻ hơn retrieval từ 12.000 câu hỏi mỗi tháng trở lên."


def test_a_row_is_held_against_the_step_before_and_the_chosen_one():
    rows = (
        row("prompting", 0.4, spent=spent(1.0)),
        row("few_shot", 0.5, "prompting", spent=spent(2.0)),
        row("retrieval", 0.6, "few_shot", spent=spent(8.0)),
    )
    found = guide(comparison(*rows, winner=("retrieval", "openai:big")))

    def pairs(technique):
        own = of(found, technique).cheaper
        return [(one.other.name, one.found.outcome) for one in own]

    assert pairs("prompting") == [("retrieval", "always")]
    assert pairs("few_shot") == [("prompting", "never"), ("retrieval", "always")]
    assert pairs("retrieval") == [("few_shot", "never")]


def test_a_local_model_against_a_hosted_one_is_a_machine_that_is_kept_on():
    local = row("retrieval", 0.4, model="huggingface:small", p50=2.0, spent=spent(0.1))
    found = guide(comparison(local, row("retrieval", 0.6)), gpu_hour_usd=1.0)
    (own,) = of(found, "retrieval").cheaper
    assert (own.one.row, own.found) == (local, BreakEven("from", 182_500))  # 730 / 0.004
    assert own.sentence("en") == (
        "retrieval (huggingface:small) costs less than retrieval (openai:big) from 182,500 "
        "questions a month on (retrieval (huggingface:small) with a machine kept on all month, "
        "which answers up to 1,314,000 questions one after the other)."
    )
    assert "182.500" in own.sentence("vi")
    (unknown,) = of(guide(comparison(local, row("retrieval", 0.6))), "retrieval").cheaper
    assert unknown.found == BreakEven("unknown")
    assert "gpu_hour_usd" in unknown.sentence("en")


def test_what_costs_nothing_or_has_no_known_price_is_said_so():
    rows = row("prompting", 0.4, spent=spent()), row("few_shot", 0.4, "prompting", spent=spent())
    free = of(guide(comparison(*rows)), "few_shot").here("en")[-1]
    assert free.startswith("Neither few_shot nor prompting costs anything but the time of this")
    for unknown in (spent(None), spent(1.0, None), None):
        last = row("few_shot", 0.4, "prompting", spent=unknown, cost_usd=None)
        rows = row("prompting", 0.4), last
        (own,) = of(guide(comparison(*rows)), "few_shot").cheaper
        assert own.found == BreakEven("unknown")


def test_wrong_answers_point_at_techniques():
    reasons = ["not_used"] * 5 + ["not_retrieved"] * 3 + ["format"] * 2 + ["right"] * 10
    explained = Attribution({f"q{i}": reason for i, reason in enumerate(reasons)})
    found = guide(comparison(row("retrieval", 0.5)), explained)
    assert {part.technique: part.pointing for part in found} == {
        "baseline": 0, "prompting": 2, "few_shot": 2, "retrieval": 0, "fine_tuning": 5,
        "retrieval_tuning": 3,
    }  # fmt: skip
    assert of(found, "fine_tuning").here("en")[-1] == "5 of 10 wrong answers point here."
    reader = replace(explained, stage="baseline")  # no prompt of a model would mend its mistakes
    assert {part.pointing for part in guide(comparison(row("baseline", 0.5)), reader)} == {None}


def test_stale_rows_are_left_out():
    old = row("prompting", 0.4, stale="the documents changed since this run")
    found = guide(comparison(old, row("few_shot", 0.5)))
    assert of(found, "prompting").rows == ()
    assert "Not measured" in of(found, "prompting").here("en")[0]


def test_the_json_has_no_nan_and_no_row_without_figures():
    none = row("prompting", 0.4, spent=None, cost_usd=None, p50=None, p95=None, asked=0)
    rows = none, replace(row("few_shot", 0.5, "prompting"), metrics={"f1": None})
    told = guide_json(comparison(*rows))
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert [part["technique"] for part in told] == list(TECHNIQUES)
    own = told[1]["rows"][0]
    assert (own["row"], own["model"]) == ("prompting", "openai:big")
    assert own["per_1000_usd"] is own["once_usd"] is own["input_tokens_per_question"] is None
    (pair,) = told[2]["break_even"]
    assert pair == {
        "row": "few_shot", "model": "openai:big",
        "against": {"row": "prompting", "model": "openai:big"},
        "outcome": "unknown", "questions": None, "kept_on": None,
    }  # fmt: skip
