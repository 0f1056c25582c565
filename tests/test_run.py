"""What a stored run tells: its counts, whether it still holds, and which records cannot be read."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.answers import Fact
from tailor.assistant import Answer
from tailor.benchmark import Benchmark
from tailor.documents import generation
from tailor.documents.index import Index
from tailor.documents.passages import Splitter
from tailor.ladder import climb
from tailor.run import Run, State, Step, all_runs, compare, newest_runs, unreadable_runs
from tailor.scoring.score import METRIC_VERSION
from tailor.stages import FewShot, Prompting, Retrieval
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

RIGHT = Answer("ok", "30 days", input_tokens=7, seconds=0.5)


def record(workspace: Workspace, **fields: Any) -> Run:
    run = Run(
        id="prompting-1",
        row="prompting",
        model="shipped",
        previous=None,
        base=None,
        lineage=(Step("prompting", "prompting", {}),),
        fingerprint="f",
        benchmark=workspace.benchmark.digest,
        generation=None,
        position=0,
        sequence=1,
        started="2026-01-01T00:00:00+00:00",
        versions={},
        workspace=workspace,
    )
    run = replace(run, **fields)
    run.save(State("complete", 10, 10, 0, 0))
    return run


def answer(run: Run, id: str, given: Answer, repeat: int = 0) -> None:
    key = run.workspace.benchmark.keys[id]
    run.workspace.answers.keep_answer(run.fingerprint, key, given, repeat)


def test_facts_and_answers_are_of_the_splits_that_are_asked(workspace: Workspace) -> None:
    run = record(workspace)
    for id in ("t1", "d1", "s1"):
        answer(run, id, RIGHT)
    answer(run, "s2", Answer("error", error="timeout: 60 s"), repeat=1)
    assert run.facts("test") == {"s1": Fact.of(RIGHT)}
    assert set(run.facts()) == set(run.answers()) == {"d1", "s1"}
    assert run.facts("train") == {"t1": Fact.of(RIGHT)}
    assert run.facts(repeat=1) == {"s2": Fact.of(Answer("error"))}
    assert run.answers("test", repeat=1)["s2"].error == "timeout: 60 s"


def test_a_run_is_scored_over_its_repeats(workspace: Workspace) -> None:
    run = record(workspace, repeats=3)
    answer(run, "s1", RIGHT)
    answer(run, "s1", Answer("ok", "nobody knows"), repeat=1)
    scored = run.scored("test")
    assert [set(times) for times in scored.times] == [{"s1"}, {"s1"}, set()]
    assert scored.values("exact_match") == {"s1": 0.5}
    assert scored.read()["s1"].text == "30 days"
    assert run.scored_each("test", "dev")[0].answers == scored.answers
    assert run.scored("dev").answers == {}


def test_a_record_of_an_older_version_was_asked_once(workspace: Workspace) -> None:
    run = record(workspace)
    path = workspace.state / "runs" / run.id / "record.json"
    older = json.loads(path.read_text("utf-8"))
    del older["repeats"], older["chosen_by"]
    path.write_text(json.dumps(older), "utf-8")
    (found,) = all_runs(workspace)
    assert (found.repeats, found.chosen_by, found.stale()) == (1, None, "")


def test_a_record_that_cannot_be_read_is_named(workspace: Workspace, tailor: Command) -> None:
    run = record(workspace)
    answer(run, "s1", RIGHT)
    broken = workspace.state / "runs" / "few_shot-2"
    broken.mkdir()
    assert unreadable_runs(workspace) == ()
    for text in ("", "{", "[]", '{"id": "few_shot-2"}'):
        (broken / "record.json").write_text(text)
        assert unreadable_runs(workspace) == ("few_shot-2",)
        assert [one.id for one in all_runs(workspace)] == ["prompting-1"]
    newer = {"hue": "blue", **json.loads((run._folder / "record.json").read_text("utf-8"))}
    (broken / "record.json").write_text(json.dumps(newer))
    assert unreadable_runs(workspace) == ("few_shot-2",)
    shown = tailor("compare", "-w", workspace.root)
    assert shown.code == 0
    assert "left out: few_shot-2: record.json" in shown.err


def test_the_newest_run_of_a_row_counts_and_a_complete_one_before_it(workspace: Workspace) -> None:
    record(workspace)
    newer = record(workspace, id="prompting-2", sequence=2)
    newer.save(State("cancelled", 1, 10, 0, 0))
    assert [run.id for run in newest_runs(workspace)] == ["prompting-1"]
    newer.save(State("complete", 10, 10, 0, 0))
    assert [run.id for run in newest_runs(workspace)] == ["prompting-2"]
    assert [run.id for run in all_runs(workspace)] == ["prompting-1", "prompting-2"]


# staleness


def test_another_metric_that_chose_a_setting_makes_a_run_stale(workspace: Workspace) -> None:
    assert record(workspace).changed() is None
    assert record(workspace, chosen_by=METRIC_VERSION).changed() is None
    run = record(workspace, chosen_by=METRIC_VERSION - 1)
    assert run.changed() == "metrics"
    assert "the metrics changed" in run.stale()
    assert replace(run, imported=True).changed() is None
    assert replace(run, benchmark="other").changed() == "benchmark"


def test_other_documents_make_only_a_run_that_retrieves_stale(
    hosted: Workspace, tailor: Command
) -> None:
    hosted.ingest()
    climb(hosted, [Prompting(), Retrieval()])
    assert [run.changed() for run in newest_runs(hosted)] == [None, None]
    (hosted.knowledge / "it" / "laptops.txt").write_text("Laptops are replaced every 5 years.\n")
    hosted.ingest()
    runs = newest_runs(hosted)
    assert [run.changed() for run in runs] == [None, "documents"]
    rows = compare(runs).rows
    assert [bool(row.stale) for row in rows] == [False, True]
    assert rows[1].step is None
    assert compare(runs).winner.row == "prompting"
    shown = tailor("compare", "-w", hosted.root)
    assert "retrieval: the documents or the embedder changed since this run" in shown.err


def test_staleness_opens_no_index(hosted: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    hosted.ingest()
    climb(hosted, [Retrieval()])
    monkeypatch.setattr(Index, "open", _not_opened)
    monkeypatch.setattr(Index, "__init__", _not_opened)
    (run,) = newest_runs(Workspace(hosted.root))
    assert run.changed() is None


def _not_opened(*given: object) -> None:
    raise AssertionError("the index was opened")


def test_a_workspace_knows_its_generation_without_opening_it(workspace: Workspace) -> None:
    assert workspace.generation is None
    workspace.ingest()
    assert workspace.generation == workspace.index().generation
    other = Splitter(90, 0)
    named = generation.current_name(workspace.state, workspace.config.embedder, other)
    assert named == workspace.index(other).generation != workspace.generation
    assert generation.current_name(workspace.state, "another", other) is None


# where the evidence stands


def test_evidence_is_looked_up_once_for_each_state_of_the_documents(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert set(workspace.spans.values()) == {()}
    assert not (workspace.state / "documents.db").exists()
    workspace.ingest()
    found = dict(workspace.spans)
    assert found["s1"] == (("sales/refunds.md", 38, 52),)
    monkeypatch.setattr("tailor.documents.corpus.documents", _not_opened)
    assert dict(Workspace(workspace.root).spans) == found
    monkeypatch.undo()
    for torn in ("", "{", "[]", '{"about": 1}', _moved(workspace.state / "evidence.json")):
        (workspace.state / "evidence.json").write_text(torn, "utf-8")
        assert dict(Workspace(workspace.root).spans) == found
    path = workspace.knowledge / "sales" / "refunds.md"
    path.write_text(f"# News\n\n{path.read_text('utf-8')}", "utf-8")
    workspace.ingest()
    assert Workspace(workspace.root).spans["s1"] == (("sales/refunds.md", 46, 60),)


def _moved(path: Path) -> str:
    return path.read_text("utf-8").replace("38", "39")


def test_the_keys_are_those_under_which_answers_are_stored(hosted: Workspace) -> None:
    (run,) = climb(hosted, [FewShot()])
    keys = hosted.benchmark.keys
    assert set(hosted.answers.answers(run.fingerprint)) == {
        keys[q.id] for q in hosted.benchmark.split("dev", "test")
    }
    assert Benchmark(hosted.benchmark.questions).digest == hosted.benchmark.digest
