"""Benchmarks with doubles, and scores that are not there: said, counted, never taken for 0."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tailor.assistant import Answer
from tailor.run import compare, newest_runs
from tailor.scoring.winner import COVERAGE
from tailor.testing import Request, server_error
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Configure = Callable[..., Workspace]


def test_doubles_are_refused_with_both_their_lines(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    path = hosted.knowledge / "benchmark.jsonl"
    doubles = (
        {"id": "s1", "question": "Something else entirely?", "answer": "x", "split": "test"},
        {"id": "n1", "question": "HOW are refunds paid?", "answer": "x", "split": "test"},
    )
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(json.dumps(line) + "\n" for line in doubles))
    checked = tailor("benchmark", "check", "-w", hosted.root)
    assert checked.code == 1
    for line, first in ((15, 9), (16, 10)):
        (said,) = [one for one in checked.out.splitlines() if f"jsonl:{line}: error" in one]
        assert f"line {first}" in said
    ended = tailor("run", "prompting", "-w", hosted.root, "--json")
    assert f"{path}:15: the same id as line 9; change or delete one" in ended.err
    assert f"{path}:16: the same question as line 10; change or delete one" in ended.err
    assert ended.json["stages"][0]["n"] == 6
    assert len(set(model.questions())) == model.server.count == 10


def test_a_stage_whose_every_question_failed_has_no_score_and_wins_nothing(
    configure: Configure, model: Model, tailor: Command
) -> None:
    workspace = configure(retries=0)
    model.fault = lambda request: server_error()
    ended = tailor("run", "prompting", "-w", workspace.root, "--json")
    assert ended.code == 4
    assert "NaN" not in ended.out
    row = ended.json["stages"][0]
    assert (row["n"], row["scored"], row["errors"]) == (6, 0, 6)
    assert row["metrics"]["f1"] == {"mean": None, "ci95": None, "n": 0}
    shown = tailor("compare", "-w", workspace.root)
    assert shown.code == 0
    assert "nan" not in shown.out.casefold()
    assert tailor("compare", "-w", workspace.root, "--json").json["winner"]["row"] is None


@pytest.mark.parametrize(("failing", "wins"), [(0, True), (1, False)])
def test_below_the_floor_of_scored_questions_nobody_wins(
    configure: Configure, model: Model, failing: int, wins: bool
) -> None:
    """Of four dev questions one failed: 75 in 100 are scored."""
    workspace = configure(retries=0)
    dev = [q.question for q in workspace.benchmark.split("dev")][:failing]
    assert (len(workspace.benchmark.split("dev")) - 1) / 4 < COVERAGE < 1

    def fault(request: Request) -> object:
        return server_error() if any(request.question.endswith(q) for q in dev) else None

    model.fault = fault  # type: ignore[assignment]
    (run,) = workspace.climb([workspace.stage("prompting")])
    winner = compare([run]).winner
    assert (winner.row == "prompting") is wins
    scores = run.scored("dev").values("f1").values()
    assert sum(score is None for score in scores) == failing


@pytest.mark.parametrize("said", ["NaN", "nan $", "inf", "-Infinity", "1e999", ""])
def test_what_is_no_number_is_unparseable_and_no_score_is_nan(said: str) -> None:
    from tailor.answer_format import AnswerFormat
    from tailor.prediction.parsing import number

    assert number(said) is None
    assert not AnswerFormat("number").parse(said)


def test_a_score_that_is_no_number_is_never_kept(hosted: Workspace, model: Model) -> None:
    (run,) = hosted.climb([hosted.stage("prompting")])
    with pytest.raises(ValueError, match="not JSON compliant"):
        hosted.answers.keep_scores(run.fingerprint, {"q": ("about", {"f1": float("nan")})})
    with pytest.raises(ValueError, match="not JSON compliant"):
        hosted.answers.keep_measured(run.fingerprint, "judge", {"q": ("about", float("nan"))})
    with pytest.raises(ValueError, match="not JSON compliant"):
        hosted.answers.keep_answer(run.fingerprint, "q", Answer("ok", "x", cost_usd=float("nan")))
    assert newest_runs(hosted)[0].scored("test").values("f1")
