import json

import pytest

from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Evidence, Question
from tailor.scoring.scored import Graded, Scored
from tailor.scoring.slices import BYS, SMALL, slices, slices_json
from tailor.scoring.statistics import interval, paired

FACT = Fact.of(Answer("ok", "x"))


def question(at, tags=("all",), lang="en", answer=("yes",), document=None):
    evidence = (Evidence(document or f"d{at}.md", "x"),) if answer else ()
    return Question(f"q{at}", f"Question {at}?", answer, evidence, lang, tuple(tags))


def row(name, questions, values, previous=None, **fields):
    """A row with these primary scores; None where there was an error."""
    graded = {q.id: Graded(FACT, {"f1": v}) for q, v in zip(questions, values, strict=False)}
    return Scored(
        row=name, stage=name, model=fields.pop("model", "m"), run=name, split="test",
        previous=previous, questions=tuple(questions), answers=graded, **fields,
    )  # fmt: skip


def by_name(found):
    return {part.name: part for part in found}


def test_a_question_is_in_the_slice_of_each_of_its_tags():
    asked = [question(0, ("hr", "table")), question(1, ("hr", "hr")), question(2, ())]
    found = slices([row("a", asked, [1.0, 0.0, 1.0])])
    assert [(part.name, part.n) for part in found] == [("hr", 2), ("table", 1)]
    assert [part.cells[0].score.mean for part in found] == [0.5, 1.0]


def test_by_language_answerability_and_folder():
    asked = [
        question(0, lang="vi", document="hr/vi/leave.md"),
        question(1, document="hr/leave.md"),
        question(2, document="readme.md"),
        question(3, answer=()),
    ]
    runs = [row("a", asked, [1.0, 0.0, 0.5, 1.0])]
    assert {p.name: p.cells[0].score.mean for p in slices(runs, "lang")} == {"en": 0.5, "vi": 1.0}
    assert {p.name: p.n for p in slices(runs, "answerable")} == {"yes": 3, "no": 1}
    assert {p.name: p.cells[0].score.mean for p in slices(runs, "folder")} == {"hr": 0.5, ".": 0.5}
    said = {p.label("en"): p.label("vi") for by in ("lang", "answerable") for p in slices(runs, by)}
    assert said == {
        "English": "tiếng Anh", "Vietnamese": "tiếng Việt",
        "the documents say": "tài liệu có nói", "the documents do not say": "tài liệu không nói",
    }  # fmt: skip


def test_the_numbers_are_those_of_the_statistics():
    asked = [question(i, ("x",) if i < 30 else ("y",)) for i in range(60)]
    former = [i % 5 / 4 for i in range(60)]
    latter = [min(1.0, v + 0.25) for v in former]
    found = by_name(slices([row("a", asked, former), row("b", asked, latter, "a")]))
    cell = found["y"].cells[1]
    assert cell.score == interval(latter[30:])
    raw = paired(former[30:], latter[30:])
    assert (cell.step.paired.delta, cell.step.paired.low, cell.step.paired.high) == (
        raw.delta, raw.low, raw.high,
    )  # fmt: skip
    assert cell.step.paired.p == pytest.approx(2 * raw.p)  # two differences in the table
    assert (cell.step.row, cell.step.verdict) == ("a", "better")
    assert found["x"].cells[0].step is None  # it was built on nothing


def test_one_good_slice_among_many_is_not_called_better():
    """Its p is 0.01 alone, and nothing much among ten slices."""
    asked = [question(i, (f"t{i // 20}",)) for i in range(200)]
    former = [0.35 + i % 3 / 10 for i in range(200)]
    latter = [v + (i - 6) / 40 if i < 20 else v for i, v in enumerate(former)]
    alone = paired(former[:20], latter[:20])
    assert 0.005 < alone.p < 0.05
    assert alone.low > 0
    few = slices([row("a", asked[:20], former), row("b", asked[:20], latter, "a")])
    assert few[0].cells[1].step.verdict == "better"
    found = by_name(slices([row("a", asked, former), row("b", asked, latter, "a")]))
    assert len(found) == 10
    assert "better" not in {part.cells[1].step.verdict for part in found.values()}


def test_a_large_difference_stays_one():
    asked = [question(i, (f"t{i // 40}",)) for i in range(120)]
    found = slices([row("a", asked, [0.0] * 120), row("b", asked, [1.0] * 110 + [0.0] * 10, "a")])
    assert [part.cells[1].step.verdict for part in found] == ["better"] * 3


def test_questions_about_one_document_count_together():
    values = [float(i // 4 % 3 == 0) / 2 for i in range(60)]
    alone = [question(i) for i in range(60)]
    shared = [question(i, document=f"d{i // 4}.md") for i in range(60)]
    apart, together = (slices([row("a", asked, values)])[0].cells[0] for asked in (alone, shared))
    assert apart.score.mean == together.score.mean
    assert together.score.high - together.score.low > 1.5 * (apart.score.high - apart.score.low)


def test_unscored_questions_are_left_out_and_counted():
    asked = [question(i) for i in range(10)]
    values = [None, *[1.0] * 7]  # one error, two not asked yet
    cell = slices([row("a", asked, values)])[0].cells[0]
    assert (cell.score.n, cell.score.mean) == (7, 1.0)
    none = slices([row("a", asked, [None])])[0]
    assert (none.n, none.cells[0].score) == (10, None)
    assert none.cells[0].to_json() == {
        "row": "a", "model": "m", "mean": None, "ci95": None, "n": 0, "vs": None,
    }  # fmt: skip


def test_small_slices_are_marked():
    asked = [question(i, ("big",) if i < SMALL else ("little",)) for i in range(2 * SMALL - 1)]
    found = by_name(slices([row("a", asked, [1.0] * len(asked))]))
    assert (found["big"].small, found["little"].small) == (False, True)


def test_what_a_row_is_compared_with():
    asked = [question(i) for i in range(8)]
    one, two = row("a", asked, [0.0] * 8, fingerprint="fa"), row("b", asked, [1.0] * 8, "a")
    other_model = row("b", asked, [1.0] * 8, "a", model="n")
    other_base = row("b", asked, [1.0] * 8, "a", base="another")
    third = row("c", asked, [1.0] * 8, "b")

    def compared(runs, base=None):
        return [cell.step and cell.step.row for cell in slices(runs, base=base)[0].cells]

    assert compared([one, two, third]) == [None, "a", "b"]
    assert compared([one, other_model]) == [None, None]
    assert compared([one, other_base]) == [None, None]
    assert compared([one, two, third], base=("a", "m")) == [None, "a", "a"]


def test_stale_rows_are_left_out():
    asked = [question(i) for i in range(8)]
    old = row("a", asked, [0.0] * 8, stale="the documents changed since this run")
    found = slices([old, row("b", asked, [1.0] * 8, "a")])
    assert [(cell.row, cell.step) for cell in found[0].cells] == [("b", None)]
    assert slices([old]) == ()
    assert slices([]) == ()


def test_the_json_has_every_kind_and_no_nan():
    asked = [question(i, ("x",), document=f"hr/d{i}.md") for i in range(8)]
    runs = [row("a", asked, [0.0] * 8), row("b", asked, [None, *[1.0] * 7], "a")]
    told = slices_json(runs)
    assert list(told) == list(BYS)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert told == slices_json(runs)  # seeded
    part = told["tag"][0]
    assert (part["slice"], part["n"], part["small"]) == ("x", 8, True)
    assert list(part["rows"][1]) == ["row", "model", "mean", "ci95", "n", "vs"]
    assert (part["rows"][1]["n"], part["rows"][1]["vs"]["row"]) == (7, "a")
