"""The answer store: what is committed stays, and an error never counts as an answer."""

from __future__ import annotations

import os
import sqlite3
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tailor.answers import AnswerStore, Call, Fact
from tailor.assistant import Answer, Ask
from tailor.documents.passages import Passage
from tailor.errors import TailorError

if TYPE_CHECKING:
    from conftest import Command

PASSAGE = Passage(text="12 ngày phép", document="hr/nghi-phep.md", start=3, end=15)
ANSWER = Answer(
    "ok", "12 ngày", (PASSAGE,), input_tokens=9, output_tokens=2, seconds=0.5, cost_usd=None
)
ERROR = Answer("error", error="timeout: Request timed out.")
CALL = Call({"messages": ["Nghỉ phép?"]}, {"data": "12 ngày"}, 0.25)


@pytest.fixture
def store(tmp_path: Path) -> AnswerStore:
    return AnswerStore(tmp_path / "answers.db")


def test_what_is_kept_comes_back_whole(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ANSWER)
    store.keep_call("k", CALL)
    again = AnswerStore(store.path)
    assert again.answer("a", "q") == ANSWER
    assert again.answers("a") == {"q": ANSWER}
    assert again.call("k") == CALL
    assert again.count() == (1, 1)


def test_what_was_not_kept_is_none(store: AnswerStore) -> None:
    assert store.answer("a", "q") is None
    assert store.call("k") is None
    assert store.answers("a") == {}


def test_an_error_never_replaces_an_answer(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ANSWER)
    store.keep_answer("a", "q", ERROR)  # a call that timed out here and completed there
    assert store.answer("a", "q") == ANSWER


def test_an_answer_replaces_an_error_and_stays(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ERROR)
    store.keep_answer("a", "q", ANSWER)
    store.keep_answer("a", "q", replace(ANSWER, text="something else"))
    assert store.answer("a", "q") == ANSWER
    assert store.count() == (0, 1)


def test_assistants_questions_and_repeats_are_apart(store: AnswerStore) -> None:
    for at, (assistant, ask, repeat) in enumerate((("a", "q", 0), ("b", "q", 0), ("a", "q", 1))):
        store.keep_answer(assistant, ask, replace(ANSWER, text=str(at)), repeat)
    assert store.answers("a") == {"q": replace(ANSWER, text="0")}
    assert store.answers("a", repeat=1) == {"q": replace(ANSWER, text="2")}
    assert store.answer("b", "q") == replace(ANSWER, text="1")


def test_the_first_reply_to_a_request_stays(store: AnswerStore) -> None:
    store.keep_call("k", CALL)
    store.keep_call("k", replace(CALL, reply={"data": "13 ngày"}))
    assert store.call("k") == CALL


def test_the_key_of_a_question_leaves_the_repeat_out() -> None:
    assert Ask("q", repeat=3).key == Ask("q").key


def test_a_commit_reaches_the_disk(store: AnswerStore) -> None:
    assert store._db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert store._db.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_many_threads_and_two_connections_lose_nothing(tmp_path: Path) -> None:
    stores = [AnswerStore(tmp_path / "answers.db") for _ in range(2)]
    start = threading.Barrier(8)

    def write(worker: int) -> None:
        start.wait(20)
        for at in range(20):
            stores[worker % 2].keep_answer("a", f"{worker} {at}", ANSWER)
            stores[worker % 2].keep_answer("a", f"shared {at}", ANSWER)

    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(write, worker) for worker in range(8)]:
            done.result()
    assert stores[0].count() == stores[1].count() == (0, 180)


def test_a_file_that_is_no_store_is_one_sentence(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    path.write_bytes(b"not a database at all, only some text that stands here" * 40)
    with pytest.raises(TailorError, match=r"answers\.db is damaged .* -wal"):
        AnswerStore(path)


def test_a_folder_that_is_a_file_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(TailorError, match="cannot be opened"):
        AnswerStore(tmp_path / "state" / "answers.db")


def test_facts_are_the_answers_without_their_texts(store: AnswerStore) -> None:
    store.keep_answer("a", "q", replace(ANSWER, call="k", dropped=1))
    store.keep_answer("a", "r", replace(ANSWER, outcome="refused", passages=(), cost_usd=0.5))
    store.keep_answer("a", "q", ERROR, repeat=1)
    store.keep_answer("b", "q", ANSWER)
    assert store.facts("a") == {
        "q": Fact("ok", 9, 2, 0.5, None, "k", 1, 1),
        "r": Fact("refused", 9, 2, 0.5, 0.5, "", 0, 0),
    }
    assert store.facts("a", repeat=1) == {"q": Fact.of(ERROR)}
    assert store.facts("nobody") == {}


def test_a_fact_follows_the_answer_that_is_kept(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ERROR)
    assert store.facts("a") == {"q": Fact.of(ERROR)}
    store.keep_answer("a", "q", ANSWER)
    assert store.facts("a") == {"q": Fact.of(ANSWER)}
    store.keep_answer("a", "q", ERROR)
    store.keep_answer("a", "q", replace(ANSWER, seconds=9.0))
    assert store.facts("a") == {"q": Fact.of(ANSWER)}


def test_a_store_of_an_older_version_gets_its_facts(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    _filled(path)
    with sqlite3.connect(path) as older:
        older.execute("DROP TABLE facts")
        older.execute("DROP TABLE scores")
        for event in ("INSERT", "UPDATE", "DELETE"):
            older.execute(f"DROP TRIGGER answers_{event}")
        older.execute("PRAGMA user_version = 0")
    store = AnswerStore(path)
    assert set(store.facts("a").values()) == {Fact.of(ANSWER)}
    assert len(store.facts("a")) == 60
    (made,) = store._db.execute("SELECT count(*) FROM facts").fetchone()
    assert made == 60
    assert store.scores("a") == {}


def test_facts_are_read_where_nothing_may_be_written(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ANSWER)
    store._db.execute("DELETE FROM facts")
    store._db.execute("PRAGMA query_only = 1")
    assert store.facts("a") == {"q": Fact.of(ANSWER)}


SCORES = {"f1": 0.1 + 0.2, "rouge2": None, "exact_match": 0.0}


def test_scores_come_back_to_the_last_bit(store: AnswerStore) -> None:
    store.keep_scores("a", {"q": ("about", SCORES), "r": ("other", {"f1": 1.0})})
    store.keep_scores("a", {"q": ("about", {})}, repeat=1)
    again = AnswerStore(store.path)
    assert again.scores("a") == {"q": ("about", SCORES), "r": ("other", {"f1": 1.0})}
    assert again.scores("a", repeat=1) == {"q": ("about", {})}


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE scores SET value = '[1.0, 1.0, 1.0]' WHERE ask = 'q'",
        "UPDATE scores SET value = '[0.3' WHERE ask = 'q'",
        "UPDATE scores SET value = x'ff00' WHERE ask = 'q'",
        "UPDATE scores SET names = 'f1' WHERE ask = 'q'",
        "UPDATE scores SET about = 'today' WHERE ask = 'q'",
        "UPDATE scores SET crc = 'x' WHERE ask = 'q'",
        "DELETE FROM scores WHERE ask = 'q'",
    ],
)
def test_a_damaged_score_counts_as_missing(store: AnswerStore, damage: str) -> None:
    store.keep_scores("a", {"q": ("about", SCORES), "r": ("about", SCORES)})
    store._db.execute(damage)
    assert store.scores("a") == {"r": ("about", SCORES)}


def test_a_table_of_scores_that_cannot_be_read_counts_as_empty(store: AnswerStore) -> None:
    store.keep_scores("a", {"q": ("about", SCORES)})
    store._db.execute("DROP TABLE scores")
    assert store.scores("a") == {}


def test_another_answer_has_no_scores(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ERROR)
    store.keep_scores("a", {"q": ("about", {"f1": None}), "r": ("about", SCORES)})
    store.keep_answer("a", "q", ERROR)  # asked again, with the same end
    store.keep_scores("a", {"q": ("about", {"f1": None})})
    store.keep_answer("a", "q", ANSWER)
    assert store.scores("a") == {"r": ("about", SCORES)}
    store.keep_scores("a", {"q": ("about", SCORES)})
    store.keep_answer("a", "q", replace(ANSWER, text="not taken"))
    assert set(store.scores("a")) == {"q", "r"}
    with sqlite3.connect(store.path) as other:  # whoever changes it
        other.execute("UPDATE answers SET answer = '{}' WHERE ask = 'q'")
    assert set(store.scores("a")) == {"r"}


def _filled(path: Path) -> int:
    store = AnswerStore(path)
    for at in range(60):
        store.keep_call(f"k{at}", CALL)
        store.keep_answer("a", f"q{at}", ANSWER)
    store.close()
    return path.stat().st_size


def test_damage_anywhere_is_one_sentence_or_right(tmp_path: Path) -> None:
    size = _filled(tmp_path / "answers.db")
    sound = (tmp_path / "answers.db").read_bytes()
    told: list[str] = []
    for start in range(100, size, 1500):
        path = tmp_path / f"{start}.db"
        path.write_bytes(sound[:start] + b"\xff" * 600 + sound[start + 600 :])
        try:
            store = AnswerStore(path)
            for at in range(60):
                assert store.answer("a", f"q{at}") in (ANSWER, None)
                assert store.call(f"k{at}") in (CALL, None)
            store.answers("a")
            store.keep_answer("a", "new", ANSWER)
        except TailorError as error:
            told.append(str(error))
    assert len(told) > size / 1500 / 2
    assert [sentence for sentence in told if ".db is damaged" not in sentence] == []


def test_a_damaged_store_is_one_sentence_on_the_command_line(
    hosted_run: Path, tailor: Command
) -> None:
    path = hosted_run / ".tailor" / "answers.db"
    sound = path.read_bytes()
    path.write_bytes(sound[:4096] + b"\xff" * (len(sound) - 4096))
    for command in (("compare",), ("run", "prompting")):
        ended = tailor(*command, "-w", hosted_run)
        assert ended.code == 1
        assert "answers.db is damaged" in ended.sentence


@pytest.fixture
def hosted_run(request: pytest.FixtureRequest) -> Path:
    """The folder of a workspace that has been run, its store closed."""
    workspace = request.getfixturevalue("hosted")
    tailor = request.getfixturevalue("tailor")
    assert tailor("run", "prompting", "-w", workspace.root).code == 0
    connection = sqlite3.connect(workspace.state / "answers.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    return Path(workspace.root)


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="permissions do not bind this user"
)
def test_a_store_that_may_not_be_written_is_one_sentence(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ANSWER)
    store.close()
    store.path.chmod(0o400)
    with pytest.raises(TailorError, match="may write"):
        AnswerStore(store.path).keep_answer("a", "p", ANSWER)


def test_a_full_store_is_one_sentence_and_loses_nothing(store: AnswerStore) -> None:
    store.keep_answer("a", "q", ANSWER)
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(TailorError, match=r"is full.*goes on from what is stored"):
        store.keep_answer("a", "long", replace(ANSWER, text="x" * 100_000))
    assert store.answers("a") == {"q": ANSWER}
    store._db.execute("PRAGMA max_page_count = 100000")
    store.keep_answer("a", "long", replace(ANSWER, text="x" * 100_000))
    assert AnswerStore(store.path).count() == (0, 2)
