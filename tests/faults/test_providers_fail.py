"""What providers do to a run: late replies, replies that are none, a context that is too small."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.answers import AnswerStore
from tailor.assistant import Ask
from tailor.run import newest_runs
from tailor.testing import Fault, Request, not_json, slow, too_long
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command, Model, Rows

Configure = Callable[..., Workspace]


def test_a_reply_that_comes_after_its_call_timed_out_makes_no_second_row(
    configure: Configure, model: Model, tailor: Command, stored: Callable[[], Rows]
) -> None:
    """Every question's first call is answered, but too late; its second one at once."""
    workspace = configure(retries=1, timeout=0.5, concurrency=4)
    seen: set[str] = set()
    lock = threading.Lock()

    def late(request: Request) -> Fault | None:
        with lock:
            first = request.question not in seen
            seen.add(request.question)
        return slow(1.0) if first else None

    model.fault = late
    assert tailor("run", "prompting", "-w", workspace.root).code == 0
    assert Counter(model.questions()) == Counter(dict.fromkeys(set(model.questions()), 2))
    rows = stored()
    assert len(rows) == 10
    assert {json.loads(answer)["outcome"] for answer in rows.values()} <= {"ok", "refused"}
    assert workspace.answers.count() == (10, 10)
    asked = model.server.count
    assert tailor("run", "prompting", "-w", workspace.root).code == 0
    assert model.server.count == asked
    assert stored() == rows


def test_the_database_itself_takes_no_second_row(tmp_path: Path) -> None:
    AnswerStore(tmp_path / "answers.db").close()
    with closing(sqlite3.connect(tmp_path / "answers.db")) as db:
        for table, row in (("answers", ("a", "q", 0, "ok", "{}")), ("calls", ("k", "", "", 0.0))):
            into = f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})"
            db.execute(into, row)
            with pytest.raises(sqlite3.IntegrityError, match="UNIQUE"):
                db.execute(into, row)


def test_replies_that_are_none_are_rows_of_their_kind_and_only_errors_are_asked_again(
    configure: Configure, model: Model, tailor: Command
) -> None:
    """An empty reply is what the model said; a body that is no reply is an error."""
    workspace = configure(retries=0)
    ids = {q.question: q.id for q in workspace.benchmark.questions}

    def reply(messages: object) -> str:
        asked = str(messages[-1]["content"])  # type: ignore[index]
        return "" if asked.endswith("How are refunds paid?") else "30 days"

    def fault(request: Request) -> Fault | None:
        return not_json() if request.question.endswith("be returned?") else None

    model.server.reply, model.fault = reply, fault
    ended = tailor("run", "prompting", "-w", workspace.root, "--json")
    assert ended.code == 4
    run = newest_runs(workspace)[0]
    empty, broken = run.answers()["s2"], run.answers()["s1"]
    assert (empty.outcome, empty.text) == ("unparseable", "")
    call = workspace.answers.call(empty.call)
    assert call is not None
    assert call.reply["data"]["content"] == ""
    assert call.reply["data"]["response_metadata"]["id"].startswith("chatcmpl-")
    assert (broken.outcome, broken.call) == ("error", "")
    assert broken.error.startswith("malformed: ")
    assert '{"choices": [{"mess' in broken.error  # what came is kept with it
    assert workspace.answers.count() == (9, 10)

    asked = model.server.count
    model.fault = lambda request: None
    assert tailor("run", "prompting", "-w", workspace.root).code == 0
    assert model.questions(since=asked) == ["s1"]
    assert newest_runs(workspace)[0].answers()["s1"].outcome == "ok"
    assert workspace.answers.count() == (10, 10)
    assert ids["How are refunds paid?"] == "s2"


def words(request: Request) -> int:
    return sum(len(str(message["content"]).split()) for message in request.messages)


def test_a_prompt_of_four_windows_is_answered_from_the_best_passages(
    configure: Configure, model: Model
) -> None:
    workspace = configure(retries=0)
    for number in range(12):
        file = workspace.knowledge / "more" / f"{number}.md"
        file.parent.mkdir(exist_ok=True)
        file.write_text(
            f"# Refund case {number}\n\n" + f"Refunds case{number} paid. " * 40, "utf-8"
        )
    workspace.ingest()
    root = workspace.root_assistant()
    found = workspace.stage("retrieval", {"k": 12}).apply(root, workspace)
    ask = Ask("How are refunds paid?")
    model.fault = lambda request: too_long(10, 10**6)
    with pytest.raises(Exception, match="maximum context"):
        found.answer(ask)
    whole = max(words(request) for request in model.server.requests)
    window = whole // 4

    model.fault = lambda request: (
        too_long(window, words(request)) if words(request) > window else None
    )
    before = model.server.count
    answer = found.answer(ask)
    sent = [request for request in model.server.requests[before:] if words(request) <= window]
    assert answer.outcome == "ok"
    assert 0 < answer.dropped < 12
    shown, left_out = answer.passages[: -answer.dropped], answer.passages[-answer.dropped :]
    assert all(passage.text in sent[-1].question for passage in shown)
    assert not any(passage.text in sent[-1].question for passage in left_out)
    assert min(p.score or 0 for p in shown) >= max(p.score or 0 for p in left_out)
    assert model.server.count - before <= 4


def test_half_a_character_in_a_reply_is_told_and_stored(
    configure: Configure, model: Model, tailor: Command
) -> None:
    """JSON may hold half of a character of two units (a lone surrogate), UTF-8 may not."""
    workspace = configure()
    model.server.reply = lambda messages: "30 \ud83d days"
    ended = tailor("run", "prompting", "-w", workspace.root)
    assert ended.code == 0, ended.err
    (run,) = newest_runs(workspace)
    assert {answer.text for answer in run.answers("test").values()} == {"30 \ufffd days"}
    assert tailor("compare", "-w", workspace.root, "--details").code == 0
    asked = model.server.count
    assert tailor("run", "prompting", "-w", workspace.root).code == 0
    assert model.server.count == asked
