"""People answer blind, and theirs is a row like any other."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmarking import human
from tailor.benchmarking.stats import stats
from tailor.errors import NotApplicable, TailorError
from tailor.run import compare
from tailor.workspace import Workspace

RIGHT = {"s1": "30 days", "s2": "by bank transfer", "s3": "12 ngày", "s4": "3 ngày",
         "s5": "Blue Heron", "s6": "-"}  # fmt: skip


def rows(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.reader(file))


def fill(path: Path, answers: Mapping[str, str], seconds: str = "", to: str = "filled") -> Path:
    head, *lines = rows(path)
    target = path.with_name(f"{to}.csv")
    with target.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, delimiter=";")
        table.writerow(head)
        for id, question, _, _ in lines:
            table.writerow([id, question, answers.get(id, ""), seconds if id in answers else ""])
    return target


@pytest.fixture
def blind(workspace: Workspace, tmp_path: Path) -> Path:
    assert human.export(workspace, tmp_path / "blind.csv") == 6
    return tmp_path / "blind.csv"


def test_the_file_gives_nothing_away(workspace: Workspace, blind: Path, tmp_path: Path) -> None:
    head, *lines = rows(blind)
    assert head == list(human.head(workspace))
    assert head[2] == 'answer ("-": the documents do not say)'
    assert sorted(line[0] for line in lines) == ["s1", "s2", "s3", "s4", "s5", "s6"]
    assert [line[0] for line in lines] != ["s1", "s2", "s3", "s4", "s5", "s6"]
    text = blind.read_text("utf-8-sig")
    assert not [x for x in ("Blue Heron", "bank transfer", "refunds.md") if x in text]
    assert human.export(workspace, tmp_path / "dev.csv", "dev", n=2) == 2
    with pytest.raises(TailorError, match="is there already"):
        human.export(workspace, blind)


def test_a_persons_answers_are_a_row(hosted: Workspace, blind: Path) -> None:
    from tailor.ladder import climb
    from tailor.rows import rows_for

    climb(hosted, rows_for(hosted, ["prompting"]))
    brought = human.import_answers(hosted, fill(blind, RIGHT | {"s2": "by post"}, "1:30"), "Ann")
    assert (brought.taken, brought.blank, brought.problems) == (6, 0, ())
    result = compare(hosted.runs())
    row = next(row for row in result.rows if row.row == "human")
    assert (row.n, row.scored, row.refused, row.model) == (6, 6, 1, "Ann")
    assert row.primary is not None
    assert row.primary.mean == pytest.approx((5 + 2 / 5) / 6)
    assert row.primary.low < row.primary.mean < row.primary.high
    assert (row.p50, row.cost_usd) == (90.0, None)
    assert result.winner.row == "prompting"  # people are compared with, never chosen
    with pytest.raises(NotApplicable, match="answers only"):
        brought.run.assistant()
    assert [line["row"] for line in result.to_json()["stages"]] == ["prompting", "human"]


def test_answers_given_later_are_added(workspace: Workspace, blind: Path) -> None:
    half = {id: RIGHT[id] for id in ("s1", "s2", "s3")}
    first = human.import_answers(workspace, fill(blind, half | {"s1": "14 days"}), "Ann")
    assert (first.taken, first.blank) == (3, 3)
    assert compare([first.run]).rows[0].p50 is None
    rest = {id: RIGHT[id] for id in ("s1", "s4", "s5", "s6")}
    second = human.import_answers(workspace, fill(blind, rest), "Ann")
    assert (second.taken, second.before) == (4, 2)
    (run,) = workspace.runs()
    assert run.id == second.run.id
    assert {id: a.text for id, a in run.answers().items()} == RIGHT
    assert compare([run]).rows[0].primary.mean == 1.0  # type: ignore[union-attr]


def test_several_people_and_how_they_agree(workspace: Workspace, blind: Path) -> None:
    human.import_answers(workspace, fill(blind, RIGHT), "Ann")
    brought = human.import_answers(
        workspace, fill(blind, RIGHT | {"s5": "Red Fox", "s6": "5 euros"}), "Bình"
    )
    (pair,) = brought.agreement
    assert (pair.one, pair.other) == ("Bình", "Ann")
    assert (pair.alike.mean, pair.alike.n) == (pytest.approx(4 / 6), 6)
    assert stats(workspace).agreement[0].alike == pair.alike
    assert "agree by F1 66.7%" in pair.sentence()
    rows = compare(workspace.runs())
    assert {row.model for row in rows.rows} == {"Ann", "Bình"}
    assert "human (Ann)" in str(rows.to_pandas().index.tolist()) or len(rows.rows) == 2


def test_answers_stand_when_other_questions_come(workspace: Workspace, blind: Path) -> None:
    human.import_answers(workspace, fill(blind, RIGHT), "Ann")
    path = workspace.knowledge / "benchmark.jsonl"
    path.write_text(
        path.read_text("utf-8") + '{"question": "Who pays?", "answer": "Ann", "split": "test"}\n',
        "utf-8",
    )
    workspace.forget_benchmark()
    (run,) = workspace.runs()
    assert run.stale() == ""
    row = compare([run]).rows[0]
    assert (row.scored, row.n) == (6, 7)


def test_lines_that_cannot_be_used_are_named(workspace: Workspace, blind: Path) -> None:
    filled = fill(blind, RIGHT, "soon")
    text = (
        filled.read_text("utf-8").replace("s1;", "s9;").replace("How are refunds", "Were refunds")
    )
    filled.write_text(text.replace(";soon", "", 3), "utf-8")
    with_problems = human.import_answers(workspace, filled, "Ann")
    told = " ".join(with_problems.problems)
    assert "there is no question 's9' in the benchmark" in told
    assert "the question s2 was changed since it was exported" in told
    assert "the time 'soon' is not a number of seconds" in told
    assert f"{filled}:" in told


def test_files_that_hold_nothing(workspace: Workspace, blind: Path) -> None:
    with pytest.raises(TailorError, match="holds no answer to a question"):
        human.import_answers(workspace, blind, "Ann")
    other = blind.with_name("other.csv")
    other.write_text("name,age\nAnn,7\n", "utf-8")
    with pytest.raises(TailorError, match="the columns id, question and answer"):
        human.import_answers(workspace, other, "Ann")
    with pytest.raises(TailorError, match="Say who answered"):
        human.import_answers(workspace, fill(blind, RIGHT), " ")


def test_the_commands(tailor: Any, workspace: Workspace, tmp_path: Path) -> None:
    target = tmp_path / "out.csv"
    done = tailor("benchmark", "human", "export", "-o", target, "-w", workspace.root)
    assert done.code == 0
    assert "6 questions" in done.err
    filled = fill(target, RIGHT)
    value = tailor("benchmark", "human", "import", filled, "--name", "Ann", "-w", workspace.root,
                   "--json").json  # fmt: skip
    assert (value["taken"], value["name"]) == (6, "Ann")
    table = tailor("compare", "-w", workspace.root)
    assert table.code == 0
    assert "human" in table.out
    assert tailor("ask", "x", "--stage", "human", "-w", workspace.root).code in (1, 2)


def test_an_answer_given_twice_is_named(workspace: Workspace, blind: Path) -> None:
    filled = fill(blind, {"s1": "30 days"})
    line = next(row for row in rows(filled.with_name("blind.csv")) if row[0] == "s1")
    with filled.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=";").writerow([*line[:2], "31 days", ""])
    brought = human.import_answers(workspace, filled, "Ann")
    assert brought.taken == 1
    assert ["answered in an earlier line" in told for told in brought.problems] == [True]
    assert brought.run.answers("test")["s1"].text == "30 days"


def test_a_missing_file_is_not_looked_for_on_the_hub(workspace: Workspace) -> None:
    with pytest.raises(TailorError, match="There is no file answers"):
        human.import_answers(workspace, Path("answers"), "Ann")
