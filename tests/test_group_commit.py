"""Writes that wait together are committed together, and fail alone."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tailor.answers import AnswerStore, Call
from tailor.assistant import Answer

THREADS, EACH = 16, 20


def test_threads_share_transactions_and_lose_nothing(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    statements: list[str] = []
    store._db.set_trace_callback(statements.append)

    def write(thread: int) -> None:
        for n in range(EACH):
            store.keep_call(f"{thread} {n}", Call({}, {"text": "12 days"}, 0.1))
            assert store.call(f"{thread} {n}") is not None  # there as soon as it returns
            store.keep_answer("a", f"{thread} {n}", Answer("ok", "12 days"))

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(write, range(THREADS)))
    assert store.count() == (THREADS * EACH, THREADS * EACH)
    assert len(store.facts("a")) == THREADS * EACH
    assert statements.count("COMMIT") < 2 * THREADS * EACH
    assert not store._db.in_transaction
    store.close()


def test_a_write_that_fails_takes_no_other_with_it(tmp_path: Path) -> None:
    store = AnswerStore(tmp_path / "answers.db")
    torn = Answer("ok", "half a sign: \ud83d")  # no UTF-8 can hold it

    def write(n: int) -> Exception | None:
        try:
            store.keep_answer("a", str(n), torn if n % 5 == 0 else Answer("ok", "12 days"))
        except Exception as error:
            return error
        return None

    with ThreadPoolExecutor(THREADS) as pool:
        errors = list(pool.map(write, range(100)))
    assert [n for n, error in enumerate(errors) if error is not None] == list(range(0, 100, 5))
    assert store.count()[1] == 80
    store.close()


_WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tailor.answers import AnswerStore
from tailor.assistant import Answer

store = AnswerStore(Path(sys.argv[1]))

def write(thread):
    for n in range(10_000):
        store.keep_answer("a", f"{thread} {n}", Answer("ok", "12 days"))
        sys.stdout.write(f"{thread} {n}\\n")
        sys.stdout.flush()

with ThreadPoolExecutor(8) as pool:
    list(pool.map(write, range(8)))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
def test_what_was_told_to_be_kept_survives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    child = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert child.stdout is not None
    told = [child.stdout.readline() for _ in range(200)]
    child.send_signal(signal.SIGKILL)
    told += child.stdout.read().splitlines(keepends=True)
    child.wait(20)
    acknowledged = {line.strip() for line in told if line.endswith("\n") and line.count(" ") == 1}
    assert len(acknowledged) >= 150
    store = AnswerStore(path)
    assert acknowledged <= set(store.answers("a"))
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    store.close()


def test_what_is_asked_again_loads_no_provider(tmp_path: Path) -> None:
    """A second run finds all its answers in the store: no call, no package of a provider."""
    (tmp_path / "knowledge").mkdir()
    question = {"id": "q", "question": "How many days?", "answer": "12 days", "split": "test"}
    (tmp_path / "knowledge" / "benchmark.jsonl").write_text(json.dumps(question), "utf-8")
    script = """
import sys
from tailor.ladder import climb
from tailor.stages import Prompting
from tailor.testing import OpenAIServer
from tailor.workspace import Workspace

with OpenAIServer(lambda messages: "12 days") as server:
    if sys.argv[2] == "first":
        url = server.url
        open(sys.argv[1] + "/tailor.toml", "w").write(
            f'model = "openai:double"\\nbase_url = "{url}"\\n'
        )
    climb(Workspace(sys.argv[1]), [Prompting()])
    print(server.count, "langchain_openai" in sys.modules, "openai" in sys.modules)
"""
    said = [
        subprocess.run(
            [sys.executable, "-c", script, str(tmp_path), which],
            capture_output=True, text=True, check=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        ).stdout.split()
        for which in ("first", "again")
    ]  # fmt: skip
    assert said == [["1", "True", "True"], ["0", "False", "False"]]
