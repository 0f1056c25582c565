"""What is told of served questions: where nothing changed no alarm, where much did an alarm."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tailor.assistant import Answer
from tailor.benchmark import Benchmark, Question
from tailor.documents.passages import Passage
from tailor.initialize import sample_folder
from tailor.models.provider import SHIPPED
from tailor.models.static_encoder import StaticEncoder
from tailor.monitoring.drift import drift
from tailor.monitoring.monitored import monitor
from tailor.monitoring.online import measures
from tailor.monitoring.relevance import support
from tailor.monitoring.topics import topics
from tailor.monitoring.traffic import by_day, traffic
from tailor.monitoring.wording import sentences
from tailor.scoring.statistics import Interval
from tailor.serving import kept
from tailor.serving.kept import Feedback, Served
from tailor.workspace import Workspace

ELSEWHERE = [
    "Which striker scored most goals in the world cup?",
    "Who painted the ceiling of the chapel?",
    "How long does a soft-boiled egg take?",
    "Cách nấu phở bò ngon nhất là gì?",
    "Why is the sky blue at noon?",
] * 12


def served(id: str, question: str, **changed: object) -> Served:
    one = Served(
        id=id, at=time.time(), question=question, history=(), text="12 days", outcome="ok",
        error="", row="retrieval", model="shipped", run="", fingerprint="f", generation="",
        passages=(), searched="", seconds=0.5, input_tokens=10, output_tokens=2, cost_usd=0.0,
    )  # fmt: skip
    return replace(one, **changed)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def encoder() -> StaticEncoder:
    return StaticEncoder.load(SHIPPED / "encoder")


@pytest.fixture(scope="module")
def questions() -> tuple[Question, ...]:
    return Benchmark.load(sample_folder() / "benchmark.jsonl").questions


def vectors(encoder: StaticEncoder, texts: list[str]) -> np.ndarray:
    return np.array(encoder.embed_documents(texts), dtype=np.float32)


def test_questions_of_the_same_kind_are_no_drift_and_others_are(
    encoder: StaticEncoder, questions: tuple[Question, ...]
) -> None:
    known = [q for q in questions if q.split == "test"]
    alike = [q for q in questions if q.split == "dev"]
    matrix = vectors(encoder, [q.question for q in known])
    same = drift(
        known, matrix, [q.lang for q in alike], vectors(encoder, [q.question for q in alike])
    )
    assert same.far is not None
    assert not same.drifted
    assert same.far.mean < 0.1
    other = drift(known, matrix, ["en"] * len(ELSEWHERE), vectors(encoder, ELSEWHERE))
    assert other.drifted
    assert other.far is not None
    assert other.far.mean > 0.5
    assert other.languages["en"][1] == 1.0
    few = drift(known, matrix, ["en"] * 3, vectors(encoder, ELSEWHERE[:3]))
    assert few.far is None
    assert not few.drifted


def test_support_counts_rare_words_that_passages_hold() -> None:
    weights = {"how": 0.1, "many": 0.1, "leave": 2.0, "day": 1.0}

    def rarity(words: list[str]) -> list[float]:
        return [weights.get(word, 1.0) for word in words]

    passage = Passage("hr/leave.md", 0, 9, "Each leave is counted.")
    found = support("How many leave days?", [passage], rarity)  # type: ignore[arg-type]
    assert found == pytest.approx(2.0 / 3.2)
    assert support("How many leave days?", [], rarity) == 0.0  # type: ignore[arg-type]
    assert support("?!", [passage], rarity) == 0.0  # type: ignore[arg-type]


def test_topics_gather_what_asks_the_same_and_are_named_by_it(encoder: StaticEncoder) -> None:
    asked = [
        "What is for lunch in the canteen?",
        "Which lunch does the canteen have on Friday?",
        "Can I park my bicycle?",
        "How many days of leave are there?",
    ]
    found = topics(asked, vectors(encoder, asked), [0, 1, 2])
    assert [set(topic.questions) for topic in found] == [{0, 1}, {2}]
    assert {"lunch", "canteen"} <= set(found[0].words)
    assert topics(asked, vectors(encoder, asked), []) == ()


def test_traffic_by_day_leaves_errors_out_of_the_times() -> None:
    day = 86400.0
    ones = [
        served("a", "x", at=0.0, seconds=1.0),
        served("b", "x", at=1.0, seconds=99.0, outcome="error", error="timeout: late"),
        served("c", "x", at=day, outcome="refused", cost_usd=None),
    ]
    first, second = by_day(ones)
    assert (first.day, first.questions, first.errors, first.p95) == ("1970-01-01", 2, 1, 1.0)
    assert (second.day, second.refused, second.cost_usd) == ("1970-01-02", 1, None)
    assert traffic(ones).questions == 3
    assert traffic([]).p50 is None


class _Run:
    """A run of which only the test questions are known."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def scored(self, split: str) -> object:
        return type("Scored", (), {"answers": {}})

    def facts(self, split: str) -> dict[str, Answer]:
        return {str(n): Answer("ok") for n in range(100)}


def test_measures_hold_what_people_corrected_against_the_answer(workspace: Workspace) -> None:
    ones = [served("a", "x"), served("b", "x"), served("c", "x", outcome="refused")]
    said = {"a": Feedback("a", 0.0, "up"), "b": Feedback("b", 0.0, "down", correction="15 days")}
    found = {one.name: one for one in measures(ones, said, _Run(workspace))}  # type: ignore[arg-type]
    assert found["liked"].online == Interval(0.5, *_ends(found["liked"].online), 2)
    assert found["score"].online is not None
    assert found["score"].online.mean == 0.5  # liked as it is: 1; contradicted by a number: 0
    assert found["refused"].online is not None
    assert found["refused"].online.mean == pytest.approx(1 / 3)
    assert found["error"].benchmark is not None
    assert not found["error"].differs


def _ends(found: Interval | None) -> tuple[float, float]:
    assert found is not None
    return found.low, found.high


def test_a_workspace_that_served_nothing_and_one_without_a_run(workspace: Workspace) -> None:
    empty = monitor(workspace)
    assert not empty.served
    assert empty.to_json()["traffic"]["questions"] == 0
    old = served("old", "How many days?", at=time.time() - 86400 * 40)
    dislike = served("b", "How do I reach minh.tran@saodo-logistics.vn?")
    kept.keep(workspace, [old, served("a", "How many days?"), dislike])
    kept.feedback(workspace, "b", "down")
    found = monitor(workspace, days=30)
    assert [one.id for one in found.served] == ["a", "b"]
    assert [topic.questions for topic in found.unanswered] == [(1,)]
    assert "minh.tran@saodo-logistics.vn" not in str(found.to_json())
    assert found.run is None
    assert found.measures == ()


def test_the_store_holds_no_address_in_clear(workspace: Workspace) -> None:
    kept.keep(workspace, [served("a", "Write to minh.tran@saodo-logistics.vn")])
    raw = b"".join(path.read_bytes() for path in Path(workspace.state).glob("served.db*"))
    assert b"minh.tran@saodo" not in raw


def test_nothing_sensitive_is_kept_and_nothing_that_is_too_old(
    workspace: Workspace,
) -> None:
    (workspace.root / "tailor.toml").write_text("[serve]\nkeep_days = 7\n", "utf-8")
    workspace = Workspace(workspace.root)
    secret = "reach minh.tran@saodo-logistics.vn with key sk-live-4fQ9zR7tY2wK8mN1aB3c"
    passage = Passage("hr/people.md", 0, len(secret), secret)
    old = served("old", f"An old one: {secret}", at=time.time() - 86400 * 8)
    new = served("new", "x", passages=(passage,), searched=secret, error=secret, outcome="error")
    kept.keep(workspace, [old, new])
    kept.feedback(workspace, "old", "down", correction="gone tomorrow")
    assert kept.feedback(workspace, "new", "down", comment=secret, correction=secret)
    assert [one.id for one in kept.served(workspace)] == ["new"]
    assert [one.outcome for one in kept.ended(workspace)] == ["error"]
    assert list(kept.named(workspace, ["old", "new", "none"])) == ["new"]
    assert kept.expire(workspace) == 1
    assert [one.id for one in kept.feedbacks(workspace)] == ["new"]
    raw = b"".join(path.read_bytes() for path in Path(workspace.state).glob("served.db*"))
    for gone in (b"minh.tran@", b"sk-live-4fQ9", b"An old one", b"gone tomorrow"):
        assert gone not in raw


def test_of_many_the_last_are_read_and_all_are_counted(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.keep(workspace, [served(str(at), f"What of hall {at}?") for at in range(30)])
    monkeypatch.setattr("tailor.monitoring.monitored.LAST", 10)
    found = monitor(workspace)
    assert [one.id for one in found.served] == [str(at) for at in range(20, 30)]
    assert found.all.questions == 30
    assert "last 10 of 30" in next(sentence for _, sentence in sentences(found, "en"))
    assert "10" in next(sentence for _, sentence in sentences(found, "vi"))


def test_a_liked_refusal_is_right_and_numbers_are_held_by_their_own_measure(
    tmp_path: Path, workspace: Workspace
) -> None:
    refused = served("a", "x", outcome="refused", text="Not in the documents.")
    said = {"a": Feedback("a", 0.0, "up")}
    found = {one.name: one for one in measures([refused], said, _Run(workspace))}  # type: ignore[arg-type]
    assert found["score"].online is not None
    assert found["score"].online.mean == 1.0
    (tmp_path / "prices" / "knowledge").mkdir(parents=True)
    (tmp_path / "prices" / "tailor.toml").write_text('task = "number"\n', "utf-8")
    rows = [
        {"id": str(n), "question": f"A lamp {n}", "answer": 10.0 + n,
         "split": ("train", "dev", "test")[n % 3]}
        for n in range(12)
    ]  # fmt: skip
    (tmp_path / "prices" / "knowledge" / "benchmark.jsonl").write_text(
        "".join(json.dumps(row) + "\n" for row in rows), "utf-8"
    )
    prices = Workspace(tmp_path / "prices")
    ones = [
        served("a", "A lamp", text="$90.00"),
        served("b", "A lamp", text="$16"),
        served("c", "A lamp", text="$16"),
    ]
    said = {
        "a": Feedback("a", 0.0, "down", correction="about $15"),
        "b": Feedback("b", 0.0, "up"),
        "c": Feedback("c", 0.0, "down", correction="it is no lamp"),
    }
    found = {one.name: one for one in measures(ones, said, _Run(prices))}  # type: ignore[arg-type]
    online = found["score"].online
    assert online is not None
    assert (online.n, online.mean < -5) == (2, True)  # far worse than the best constant: below 0
