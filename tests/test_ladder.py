"""The ladder: what is applied, what is asked, what is kept."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.assistant import Answer, Ask, Assistant
from tailor.errors import TailorError, UsageError
from tailor.ladder import assistant_for, climb
from tailor.rows import rows, rows_for
from tailor.run import all_runs, compare, current_run, newest_runs
from tailor.stages import FewShot, Prompting
from tailor.testing import Fault, Messages, not_json, rate_limited, server_error, slow
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model

Configure = Callable[..., Workspace]
DEV = ["d1", "d2", "d3", "d4"]
TEST = ["s1", "s2", "s3", "s4", "s5", "s6"]


def test_before_any_run_the_shipped_models_answer_by_copying(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The small language model is right less often than the extractive reader."""
    workspace.ingest()
    chosen = assistant_for(workspace)
    assert (chosen.row, chosen.model) == ("baseline", "shipped")
    assert chosen.assistant.answer("How many days of paid leave do new employees get?").text
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    other = assistant_for(workspace, model="openai:gpt-5-mini")
    assert other.row == "retrieval"


def test_a_stage_that_comes_again_gets_a_number() -> None:
    ids = [row.id for row in rows([Prompting(), FewShot(), Prompting("Be brief."), Prompting()])]
    assert ids == ["prompting", "few_shot", "prompting:2", "prompting:3"]


def test_predecessors_are_applied_but_not_scored(configure: Configure) -> None:
    workspace = configure(ladder=["baseline", "prompting", "few_shot", "retrieval"])
    assert [(row.id, row.scored) for row in rows_for(workspace, ["few_shot"])] == [
        ("prompting", False),
        ("few_shot", True),
    ]
    assert [row.id for row in rows_for(workspace, ["baseline"])] == ["baseline"]
    assert [(row.id, row.scored) for row in rows_for(workspace, ["all"])] == [
        ("baseline", True),
        ("prompting", True),
        ("few_shot", True),
        ("retrieval", True),
    ]
    with pytest.raises(UsageError, match="did you mean 'few_shot'"):
        rows_for(workspace, ["few_shots"])


def test_a_row_asks_dev_and_test_and_never_train(hosted: Workspace, model: Model) -> None:
    (run,) = climb(hosted, [Prompting()])
    assert sorted(model.questions()) == DEV + TEST
    assert sorted(run.answers("test")) == TEST
    assert sorted(run.answers()) == DEV + TEST
    assert run.state().status == "complete"
    assert (run.state().done, run.state().total, run.state().errors) == (10, 10, 0)


def test_the_instructions_reach_the_model(hosted: Workspace, model: Model) -> None:
    climb(hosted, [Prompting("Chỉ trả lời ngắn gọn.")])
    for request in model.server.requests:
        assert request.messages[0] == {"role": "system", "content": "Chỉ trả lời ngắn gọn."}


def test_a_later_row_builds_on_the_earlier_ones(hosted: Workspace, model: Model) -> None:
    first, second = climb(hosted, [Prompting("Be brief."), FewShot(shots=2)])
    assert (first.previous, second.previous) == (None, "prompting")
    assert [step.stage for step in second.lineage] == ["prompting", "few_shot"]
    last = model.server.requests[-1].messages
    assert [message["role"] for message in last] == [
        "system", "user", "assistant", "user", "assistant", "user",
    ]  # fmt: skip
    assert last[0]["content"] == "Be brief."


def test_nothing_is_asked_twice(hosted: Workspace, model: Model) -> None:
    before = climb(hosted, [Prompting(), FewShot()])
    asked = model.server.count
    after = climb(Workspace(hosted.root), [Prompting(), FewShot()])
    assert model.server.count == asked == 20
    assert [run.answers() for run in after] == [run.answers() for run in before]
    assert [run.id for run in after] == [run.id for run in before]


def test_a_new_question_costs_one_call(hosted: Workspace, model: Model) -> None:
    climb(hosted, [Prompting()])
    path = hosted.knowledge / "benchmark.jsonl"
    with path.open("a", encoding="utf-8") as lines:
        lines.write(json.dumps({"question": "Who is Ms Alvarez?", "answer": "x", "split": "test"}))
    (run,) = climb(Workspace(hosted.root), [Prompting()])
    assert model.server.count == 11
    assert len(run.answers()) == 11


def test_another_setting_is_another_assistant(hosted: Workspace, model: Model) -> None:
    climb(hosted, [Prompting()])
    climb(hosted, [Prompting("Be brief.")])
    assert model.server.count == 20


def test_a_run_is_put_together_again_from_its_record(hosted: Workspace, model: Model) -> None:
    climb(hosted, [Prompting("Be brief."), FewShot(shots=2, pick="fixed")])
    opened = Workspace(hosted.root)
    run = newest_runs(opened)[-1]
    assert run.row == "few_shot"
    assert run.stage == "few_shot"
    assistant = run.assistant()
    assert assistant.fingerprint == run.fingerprint
    asked = model.server.count
    assert assistant.answer(Ask("How are refunds paid?")).text == "by bank transfer"
    assert model.server.count == asked


def test_an_error_is_unscored_and_asked_again_alone(
    configure: Configure, model: Model, tailor: Command
) -> None:
    workspace = configure(retries=0)
    failing = {"d2": server_error(), "s1": server_error(), "s3": not_json()}
    by_text = {q.question: failing[q.id] for q in workspace.benchmark.questions if q.id in failing}

    def fault(request: object) -> Fault | None:
        asked = request.question  # type: ignore[attr-defined]
        return next((fault for text, fault in by_text.items() if asked.endswith(text)), None)

    model.fault = fault
    ended = tailor("run", "prompting", "-w", workspace.root, "--json")
    assert ended.code == 4
    assert "3 answers ended in an error" in ended.err
    row = ended.json["stages"][0]
    assert (row["n"], row["scored"], row["errors"]) == (6, 4, 2)
    assert row["metrics"]["f1"]["n"] == 4
    assert row["metrics"]["f1"]["mean"] == 1  # over the rest: an error is not a zero
    kinds = {
        id: answer.error.partition(":")[0]
        for id, answer in newest_runs(workspace)[0].answers().items()
        if answer.outcome == "error"
    }
    assert kinds == {"d2": "server", "s1": "server", "s3": "malformed"}
    assert model.server.count == 10

    model.fault = lambda request: None
    ended = tailor("run", "prompting", "-w", workspace.root, "--json")
    assert ended.code == 0
    assert sorted(model.questions(since=10)) == ["d2", "s1", "s3"]
    assert (ended.json["stages"][0]["scored"], ended.json["stages"][0]["errors"]) == (6, 0)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [(slow(30), "timeout"), (rate_limited(0), "rate_limit"), (server_error(), "server")],
)
def test_the_kind_of_error_is_kept(
    configure: Configure, model: Model, fault: Fault, kind: str
) -> None:
    workspace = configure(retries=0, timeout=0.3, concurrency=10)
    model.fault = lambda request: fault
    (run,) = climb(workspace, [Prompting()])
    errors = [answer.error for answer in run.answers().values()]
    assert len(errors) == 10
    assert all(error.startswith(f"{kind}: ") for error in errors)
    assert (run.state().status, run.state().errors) == ("complete", 10)
    assert workspace.answers.count() == (0, 10)


def test_no_row_is_chosen_when_too_few_are_scored(configure: Configure, model: Model) -> None:
    workspace = configure(retries=0)
    model.fault = lambda request: server_error()
    assert compare(climb(workspace, [Prompting()])).winner.row is None


def test_retries_that_help_leave_no_trace(configure: Configure, model: Model) -> None:
    workspace = configure(retries=2)
    model.fault = lambda request: rate_limited(0) if request.number < 3 else None
    (run,) = climb(workspace, [Prompting()])
    assert {answer.outcome for answer in run.answers().values()} == {"ok", "refused"}
    assert model.server.count == 13


def test_no_more_questions_are_in_flight_than_allowed(configure: Configure, model: Model) -> None:
    import threading

    workspace = configure(concurrency=3)
    lock, all_in = threading.Lock(), threading.Event()
    at_once = highest = 0

    def reply(messages: Messages) -> str:
        nonlocal at_once, highest
        with lock:
            at_once += 1
            highest = max(highest, at_once)
            if at_once == 3:
                all_in.set()
        all_in.wait(20)
        with lock:
            at_once -= 1
        return "x"

    model.server.reply = reply
    climb(workspace, [Prompting()])
    assert highest == 3


def test_carry_best_leaves_a_worse_row_behind(configure: Configure, model: Model) -> None:
    workspace = configure(retries=0)
    right = model.server.reply
    worse = Prompting("Say nonsense.")

    def reply(messages: Messages) -> str:
        texts = [str(message["content"]) for message in messages]
        return "nonsense" if "Say nonsense." in texts else right(messages)

    model.server.reply = reply
    runs = climb(workspace, [Prompting("Be brief."), worse, FewShot(shots=1)], carry="best")
    assert [run.previous for run in runs] == [None, "prompting", "prompting"]
    runs = climb(workspace, [Prompting("Be brief."), worse, FewShot(shots=1)])
    assert [run.previous for run in runs] == [None, "prompting", "prompting:2"]


def test_progress_is_told_for_every_answer(hosted: Workspace, model: Model) -> None:
    told: list[tuple[str, str, int, int]] = []
    climb(
        hosted,
        [Prompting()],
        progress=lambda row, step, done, total, note="": told.append((row, step, done, total)),
    )
    assert told[0] == ("prompting", "prepare", 0, 0)
    assert [done for _, step, done, _ in told if step == "ask"] == list(range(11))
    assert {total for _, step, _, total in told if step == "ask"} == {10}


def test_a_failure_of_ours_is_not_hidden_and_what_was_stored_stays(
    hosted: Workspace, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = hosted.answers.keep_answer

    def fails_later(assistant: str, ask: str, answer: Answer, repeat: int = 0) -> None:
        if hosted.answers.count()[1] >= 4:
            raise TailorError("The disk is full.")
        kept(assistant, ask, answer, repeat)

    monkeypatch.setattr(hosted.answers, "keep_answer", fails_later)
    with pytest.raises(TailorError, match="disk is full"):
        climb(hosted, [Prompting()])
    assert all_runs(hosted)[0].state().status == "failed"
    assert hosted.answers.count()[1] == 4
    monkeypatch.undo()
    climb(hosted, [Prompting()])
    assert model.server.count == 10  # the calls that had been paid for were stored


def test_a_changed_benchmark_makes_a_run_stale(hosted: Workspace, model: Model) -> None:
    climb(hosted, [Prompting()])
    path = hosted.knowledge / "benchmark.jsonl"
    path.write_text(path.read_text("utf-8").replace("30 days", "31 days"), "utf-8")
    assert "benchmark changed" in newest_runs(Workspace(hosted.root))[0].stale()


def _two_rows(workspace: Workspace) -> list[Path]:
    climb(workspace, [Prompting(), FewShot()])
    return [workspace.state / "runs" / run.id for run in newest_runs(workspace)]


def test_a_record_torn_anywhere_is_left_out_and_the_rest_shown(
    hosted: Workspace, model: Model, tailor: Command
) -> None:
    first, _ = _two_rows(hosted)
    record = first / "record.json"
    whole = record.read_bytes()
    for end in range(len(whole)):
        record.write_bytes(whole[:end])
        assert [run.row for run in all_runs(hosted)] == ["few_shot"]
    shown = tailor("compare", "--json", "-w", hosted.root)
    assert shown.code == 0
    assert [row["row"] for row in shown.json["stages"]] == ["few_shot"]
    record.write_bytes(b"\xff\xfe" + whole)
    assert [run.row for run in newest_runs(hosted)] == ["few_shot"]

    asked = model.server.count
    assert tailor("run", "prompting", "-w", hosted.root).code == 0
    assert model.server.count == asked
    assert [run.row for run in newest_runs(hosted)] == ["prompting", "few_shot"]


def test_a_state_torn_anywhere_counts_as_interrupted(hosted: Workspace) -> None:
    first, _ = _two_rows(hosted)
    state = first / "state.json"
    whole = state.read_bytes()
    for torn in [whole[:end] for end in range(len(whole))] + [b"\xff\xfe", b"[]", b"null", b"{}"]:
        state.write_bytes(torn)
        runs = newest_runs(hosted)
        assert [run.row for run in runs] == ["prompting", "few_shot"]
        assert [run.state().status for run in runs] == ["interrupted", "complete"]


@pytest.mark.parametrize("torn", ["", "{", "[]", "null", '{"rows": []}', '{"pid": "x"}'])
def test_a_torn_holder_file_hinders_nobody(hosted: Workspace, torn: str) -> None:

    hosted.state.mkdir()
    (hosted.state / "run.json").write_text(torn)
    assert current_run(hosted) is None
    climb(hosted, [Prompting()])
    assert not (hosted.state / "run.json").exists()


def test_a_long_preparation_is_shown_to_other_processes(
    hosted: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[object] = []

    def apply(self: Prompting, assistant: Assistant, workspace: Workspace) -> Assistant:
        assert workspace.progress is not None
        monkeypatch.setattr("tailor.running.time.monotonic", lambda: time.time() + 60)
        workspace.progress("train", 3, 9)
        seen.append((current_run(workspace) or {}).get("preparing"))
        monkeypatch.undo()
        return assistant

    monkeypatch.setattr(Prompting, "apply", apply)
    hosted.climb([Prompting()])
    assert seen == [{"row": "prompting", "step": "train", "done": 3, "total": 9}]
