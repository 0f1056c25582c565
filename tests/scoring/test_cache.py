"""Scores are computed once for each answer, and again only when what they depend on changed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from tailor.assistant import Answer
from tailor.ladder import climb
from tailor.run import Run, compare, newest_runs
from tailor.scoring import cache, score
from tailor.scoring.cache import graded
from tailor.stages import FewShot, Prompting, Retrieval
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Computed = list[str]
"""Ids of the questions whose answers were scored."""


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> Computed:
    """What is scored from now on, in order."""
    ids: Computed = []
    real = score.score

    def counting(question: Any, *others: Any) -> Any:
        ids.append(question.id)
        return real(question, *others)

    monkeypatch.setattr(cache.score, "score", counting)
    return ids


@pytest.fixture
def ran(hosted: Workspace) -> Workspace:
    """The workspace with a row that has no retriever, its answers scored as they came."""
    climb(hosted, [Prompting()])
    return hosted


def again(workspace: Workspace) -> Run:
    """The row as another process finds it."""
    return newest_runs(Workspace(workspace.root))[-1]


def rewrite(workspace: Workspace, id: str, change: Callable[[dict[str, Any]], None]) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    items = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    for item in items:
        if item["id"] == id:
            change(item)
    path.write_text("".join(json.dumps(i, ensure_ascii=False) + "\n" for i in items), "utf-8")


def values(run: Run) -> dict[str, dict[str, float | None]]:
    return {
        id: dict(own.scores)
        for id, own in graded(run, run.workspace.benchmark.split("dev", "test")).items()
    }


def fresh(run: Run) -> dict[str, dict[str, float | None]]:
    """The scores as :func:`score.score` gives them, nothing kept."""
    answers, spans = run.answers(), run.workspace.spans
    retrieves = any(answer.passages for answer in answers.values())
    pattern = run.workspace.config.answer_pattern or None
    return {
        q.id: score.score(q, answers[q.id], spans[q.id], pattern, retrieves)
        for q in run.workspace.benchmark.split("dev", "test")
    }


def test_a_run_scores_its_answers_and_a_comparison_none(
    hosted: Workspace, computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosted.ingest()
    climb(hosted, [Prompting(), FewShot()])
    assert len(computed) == 20
    computed.clear()
    monkeypatch.setattr("tailor.answers.AnswerStore._answer", _no_answer)
    runs = newest_runs(Workspace(hosted.root))
    assert compare(runs).rows[0].metrics["f1"] is not None
    assert compare(runs).to_json() == compare(runs).to_json()
    assert computed == []


def _no_answer(*given: object) -> None:
    raise AssertionError("an answer was read")


def test_kept_scores_are_those_of_the_metrics(hosted: Workspace) -> None:
    hosted.ingest()
    for stage in (Prompting(), Retrieval()):
        climb(hosted, [stage])
        run = again(hosted)
        assert values(run) == fresh(run)
        assert values(run) == fresh(run)


def test_evidence_that_is_found_later_counts(ran: Workspace, computed: Computed) -> None:
    ran.ingest()
    found = values(again(ran))
    assert sorted(computed) == ["d1", "d2", "d3", "s1", "s2", "s3", "s4", "s5"]
    assert found == fresh(again(ran))


@pytest.mark.parametrize(
    "change",
    [
        lambda item: item.update(answer="31 days"),
        lambda item: item.update(answer=None),
        lambda item: item.update(format=r"\d+ days"),
    ],
)
def test_only_what_changed_is_computed_again(
    ran: Workspace, computed: Computed, change: Callable[[dict[str, Any]], None]
) -> None:
    rewrite(ran, "s1", change)
    run = again(ran)
    expected = fresh(run)
    computed.clear()
    assert values(run) == expected
    assert computed == ["s1"]
    assert values(again(ran)) == expected
    assert computed == ["s1"]


def test_what_no_score_depends_on_computes_nothing_again(
    ran: Workspace, computed: Computed
) -> None:
    rewrite(ran, "s1", lambda item: item.update(tags=["hr"], lang="vi"))
    values(again(ran))
    assert computed == []


def test_the_workspaces_pattern_counts_for_all(ran: Workspace, computed: Computed) -> None:
    toml = ran.root / "tailor.toml"
    toml.write_text(toml.read_text("utf-8") + 'answer_pattern = "[0-9]+ days"\n', "utf-8")
    found = values(again(ran))
    assert len(computed) == 10
    assert found["s1"]["format_ok"] == 1


def test_other_metrics_compute_all_again(
    ran: Workspace, computed: Computed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "METRIC_VERSION", score.METRIC_VERSION + 1)
    values(again(ran))
    values(again(ran))
    assert len(computed) == 10


def test_an_answer_that_replaces_an_error_is_scored(
    hosted: Workspace, model: Model, computed: Computed
) -> None:
    from tailor.testing import Fault

    model.fault = lambda request: Fault(500) if "goods be returned" in request.question else None
    (run,) = climb(hosted, [Prompting()])
    assert values(run)["s1"]["f1"] is None
    model.fault = lambda request: None
    computed.clear()
    (run,) = climb(hosted, [Prompting()])
    assert computed == ["s1"]
    assert values(again(hosted))["s1"]["f1"] == 1


def test_damage_to_the_cache_is_no_error(
    ran: Workspace, tailor: Command, computed: Computed
) -> None:
    before = tailor("compare", "--json", "-w", ran.root).json
    damages = ["DELETE FROM scores", "UPDATE scores SET value = 'x'", "DELETE FROM facts"]
    for damage in [*damages, "DROP TABLE scores", "DROP TABLE facts"]:
        with sqlite3.connect(ran.state / "answers.db") as connection:
            connection.execute(damage)
        assert tailor("compare", "--json", "-w", ran.root).json == before
    assert len(computed) == 30


def test_a_store_that_may_not_be_written_is_compared(
    ran: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    with sqlite3.connect(ran.state / "answers.db") as connection:
        connection.execute("DELETE FROM scores")
    run = again(ran)
    run.workspace.answers._db.execute("PRAGMA query_only = 1")
    assert values(run) == fresh(run)


def test_repeats_are_scored_apart(ran: Workspace) -> None:
    run = again(ran)
    key = run.workspace.benchmark.keys["s1"]
    run.workspace.answers.keep_answer(run.fingerprint, key, Answer("ok", "no idea"), repeat=1)
    questions = run.workspace.benchmark.split("test")
    assert graded(run, questions)["s1"].scores["f1"] == 1
    assert [own.scores["f1"] for own in graded(run, questions, repeat=1).values()] == [0]


KILLED = """
import os, signal, sys
from tailor import answers
from tailor.workspace import Workspace

run = Workspace(sys.argv[1]).runs()[-1]
keep = answers._crc

def dying(*given):
    dying.left -= 1
    if dying.left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    return keep(*given)

dying.left = 5
answers._crc = dying
run.scored("test")
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
def test_a_process_killed_while_it_keeps_scores_harms_nothing(ran: Workspace) -> None:
    with sqlite3.connect(ran.state / "answers.db") as connection:
        connection.execute("DELETE FROM scores")
    died = subprocess.run([sys.executable, "-c", KILLED, str(ran.root)], env=os.environ)
    assert died.returncode == -signal.SIGKILL
    run = again(ran)
    assert values(run) == fresh(run)
    with sqlite3.connect(ran.state / "answers.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
