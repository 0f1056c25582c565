"""The best row is followed: a new winner at once, and no other row while nothing has won."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.serving.engine import Engine as Answers
from tailor.serving.pinned import pin, unpin
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Begin, Engine

    from tailor.testing import Messages

MANY = 45


def ask_about(root: Path, count: int, what: str = "boxes") -> None:
    lines = [
        {
            "id": f"box-{n}",
            "question": f"How many {what} stand in hall {n}?",
            "answer": "42 boxes",
            "split": ("train", "dev", "test")[n % 3],
        }
        for n in range(count)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (root / "knowledge" / "benchmark.jsonl").write_text(text, "utf-8")


def only_with_examples(messages: Messages) -> str:
    return "42 boxes" if len(messages) > 2 else "no idea at all"


def climb(root: Path, *rows: str) -> None:
    workspace = Workspace(root)
    workspace.climb([workspace.stage(row) for row in rows])


def test_a_new_winner_without_a_failed_request_and_none_without_runs_of_today(
    root: Path, engine: Engine, begin: Begin
) -> None:
    ask_about(root, MANY)
    engine.said = only_with_examples
    served = begin(root, engine, "prompting", concurrency=8, queue=8)
    served.end()
    climb(root, "prompting")
    served = begin(root, engine, "best", concurrency=8, queue=8)
    statuses: Counter[int] = Counter()
    over = threading.Event()

    def going() -> None:
        while not over.is_set():
            statuses[served.chat(f"How many boxes at {time.time()}?").status] += 1
            time.sleep(0.02)

    def swapped(times: int) -> str:
        end = time.monotonic() + 30
        while served.ask("GET", "/health").json["swaps"] < times:
            assert time.monotonic() < end, served.ask("GET", "/health").json
            time.sleep(0.05)
        return str(served.ask("GET", "/health").json["row"])

    asking = threading.Thread(target=going, daemon=True)
    asking.start()
    assert served.ask("GET", "/health").json["row"] == "prompting"
    climb(root, "prompting", "few_shot")
    assert swapped(1) == "few_shot"
    # One more question: no run is of today's benchmark, and what has answered goes on.
    ask_about(root, MANY + 1)
    time.sleep(2.5)
    health = served.ask("GET", "/health").json
    assert (health["row"], health["not_taken_up"]) == ("few_shot", None)
    # A ladder begun anew: its first row has nothing yet to be compared with.
    climb(root, "prompting")
    time.sleep(2.5)
    assert served.ask("GET", "/health").json["row"] == "few_shot"
    over.set()
    asking.join()
    served.end()
    assert set(statuses) == {200}
    assert statuses[200] > 20
    again = Answers(root)  # as after a restart
    try:
        assert again.card.row == "few_shot"
        engine.said = lambda messages: "no idea" if len(messages) > 2 else "42 boxes"
        pin(again.workspace.state, "few_shot", "openai:double")
        again.look()
        unpin(again.workspace.state)
        ask_about(root, MANY, "crates")
        climb(root, "prompting", "few_shot")
        assert again.look()
        assert again.card.row == "prompting"
    finally:
        again.close()


def test_what_answered_last_and_is_no_more_is_let_go(root: Path, engine: Engine) -> None:
    (root / ".tailor").mkdir()
    (root / ".tailor" / "following.json").write_text('{"row": "gone", "model": "x"}', "utf-8")
    (root / "tailor.toml").write_text(
        f'model = "openai:double"\nbase_url = "{engine.server.url}"\n', "utf-8"
    )
    Workspace(root).ingest()
    one = Answers(root)
    try:
        assert one.card.row == "retrieval"
    finally:
        one.close()
