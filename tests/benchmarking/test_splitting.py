"""Splits: shares kept, facts on one side, kinds spread alike, nothing moved without being asked."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tailor.benchmark import Benchmark, Evidence, Question
from tailor.benchmarking import assignment
from tailor.benchmarking.splitting import SHARES, allot, groups
from tailor.errors import TailorError, UsageError
from tailor.workspace import Workspace


def about(at: int, *documents: str, lang: str = "en", tag: str = "a") -> Question:
    return Question(
        id=f"q{at}",
        question=f"Word{at} other{at} third{at}?",
        answers=(f"answer {at}",),
        evidence=tuple(Evidence(name, f"quote {at}") for name in documents),
        lang=lang,
        tags=(tag,),
    )


def everything(questions: list[Question]) -> set[str]:
    return {q.id for q in questions}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("documents", "off"), [(6, 0.12), (12, 0.06), (60, 0.02)])
def test_shares_are_kept_and_documents_stay_together(documents: int, off: float, seed: int) -> None:
    questions = [about(at, f"{at % documents}.md") for at in range(documents * 5)]
    placed = allot(questions, everything(questions), seed=seed)
    for name, share in SHARES.items():
        assert sum(q.split == name for q in placed) / len(placed) == pytest.approx(share, abs=off)
    splits: dict[str, set[str]] = {}
    for q in placed:
        splits.setdefault(q.evidence[0].document, set()).add(q.split)
    assert all(len(own) == 1 for own in splits.values())
    assert placed == allot(questions, everything(questions), seed=seed)


def test_a_question_inside_another_stays_with_it() -> None:
    short = Question("a", "What is the average cost of selling, general and administrative work?",
                     ("399",))  # fmt: skip
    long = Question(
        "b", f"Say what follows. {short.question[:-1]} at the Huế site in 2025?", ("7",)
    )
    other = Question(
        "c", "What is the average cost of cleaning and of administrative work?", ("5",)
    )
    one, same, alone = groups([short, long, other])
    assert one == same != alone


def test_another_seed_is_another_split() -> None:
    questions = [about(at, f"{at % 30}.md") for at in range(90)]
    loose = everything(questions)
    assert allot(questions, loose, seed=0) != allot(questions, loose, seed=1)


def test_languages_and_tags_are_spread_alike() -> None:
    questions = [
        about(at, f"{at % 40}.md", lang="vi" if at % 40 < 12 else "en", tag="ab"[at % 2])
        for at in range(200)
    ]
    placed = allot(questions, everything(questions))
    for name in SHARES:
        own = [q for q in placed if q.split == name]
        assert sum(q.lang == "vi" for q in own) / len(own) == pytest.approx(0.3, abs=0.06)
        assert sum("a" in q.tags for q in own) / len(own) == pytest.approx(0.5, abs=0.06)


def test_no_split_is_empty_where_there_are_three_groups() -> None:
    sizes = {"a.md": 30, "b.md": 1, "c.md": 1}
    names = [name for name, n in sizes.items() for _ in range(n)]
    questions = [about(at, name) for at, name in enumerate(names)]
    placed = allot(questions, everything(questions))
    assert {q.split for q in placed} == {"train", "dev", "test"}
    shares = {"train": 0.0, "dev": 0.5, "test": 0.5}
    assert {q.split for q in allot(questions, everything(questions), shares)} == {"dev", "test"}


def test_near_duplicates_are_one_group_and_others_are_not() -> None:
    def asked(at: int, question: str, answer: str) -> Question:
        return Question(f"q{at}", question, (answer,))

    questions = [
        asked(1, "What does the FrostBox weigh when it is empty?", "28 kg"),
        asked(2, "what does the frostbox weigh when it is empty today", "28 kg"),
        asked(3, "What does the FrostBox cost when it is empty?", "900 EUR"),
        asked(4, "Kho lạnh Hải Phòng giữ ở nhiệt độ bao nhiêu độ?", "âm 18"),
        asked(5, "kho lanh hai phong giu o nhiet do bao nhieu do", "âm 18"),
    ]
    first, second, third, fourth, fifth = groups(questions)
    assert first == second != third
    assert fourth == fifth


def test_by_quote_a_document_may_stand_on_two_sides_but_a_fact_may_not() -> None:
    def quoting(at: int, quote: str) -> Question:
        return Question(f"q{at}", f"One{at} two{at}?", (f"{at}",), (Evidence("a.md", quote),))

    questions = [quoting(1, "12 days of leave"), quoting(2, "12 days"), quoting(3, "six weeks")]
    assert len(set(groups(questions))) == 1
    one, two, three = groups(questions, "quote")
    assert one == two != three


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_the_split_is_recorded_and_the_rest_of_the_file_is_as_it_was(workspace: Workspace) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    before = lines(path)
    stripped = [{k: v for k, v in line.items() if k != "split"} for line in before[:8]] + before[8:]
    raw = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in stripped)
    path.write_text(raw + "{broken\n", "utf-8")
    workspace.forget_benchmark()
    done = assignment.split(workspace)
    after = path.read_text("utf-8").splitlines()
    assert after[14] == "{broken"
    assert [json.loads(line) for line in after[8:14]] == before[8:]
    assert done.changed == 8
    assert all(json.loads(line)["split"] in SHARES for line in after[:14])
    assert Counter(q.split for q in Benchmark.load(path).questions) == Counter(done.counts)
    assert assignment.split(workspace).changed == 0
    assert workspace.split(reassign=True, seed=3).seed == 3


def test_the_command(tailor: Any, workspace: Workspace) -> None:
    wanted = "train=1,dev=1,test=2"
    done = tailor("benchmark", "split", "--reassign", "--shares", wanted, "-w", workspace.root,
                  "--json").json  # fmt: skip
    assert done["shares"] == {"train": 0.25, "dev": 0.25, "test": 0.5}
    assert sum(done["counts"].values()) == 14
    assert min(done["counts"].values()) > 0
    again = tailor("benchmark", "split", "--shares", "train=1,test=1", "-w", workspace.root)
    assert "All 14 questions have a split already; --reassign" in again.err
    assert tailor("benchmark", "split", "--shares", "half", "-w", workspace.root).code == 2
    (workspace.knowledge / "benchmark.jsonl").write_text("", "utf-8")
    assert "nothing to split" in tailor("benchmark", "split", "-w", workspace.root).sentence


@pytest.mark.parametrize("shares", ["nan,20,50", "inf,20,50", "-1,20,50", "0,0,0"])
def test_shares_that_share_nothing_out(tailor: Any, workspace: Workspace, shares: str) -> None:
    before = (workspace.knowledge / "benchmark.jsonl").read_bytes()
    ended = tailor("benchmark", "split", "--reassign", f"--shares={shares}", "-w", workspace.root)
    assert (ended.code, "0 or more" in ended.sentence) == (2, True)
    assert (workspace.knowledge / "benchmark.jsonl").read_bytes() == before


def test_items_are_shared_out_to_learn_from_where_they_may_be_written(
    tailor: Any, workspace: Workspace
) -> None:
    toml = workspace.root / "tailor.toml"
    toml.write_text('task = "label"\n', "utf-8")
    path = workspace.knowledge / "benchmark.jsonl"
    texts = [f"thing {at * 37} of shape {at * 53}" for at in range(40)]
    written = "".join(json.dumps({"question": t, "answer": t[-1]}) + "\n" for t in texts)
    path.write_text(written, "utf-8")
    done = tailor("benchmark", "split", "-w", workspace.root, "--json").json
    assert done["shares"] == {"train": 0.7, "dev": 0.1, "test": 0.2}
    assert done["counts"]["train"] >= 26
    toml.write_text('task = "label"\n[items]\npath = "knowledge/items.jsonl"\n', "utf-8")
    refused = tailor("benchmark", "split", "-w", workspace.root)
    assert (refused.code, "elsewhere" in refused.sentence) == (1, True)


@pytest.mark.parametrize("text", ["", "1,2", "train=x,dev=1,test=1", "tain=1,dev=1", "1,2,3,4"])
def test_shares_that_cannot_be_read(text: str) -> None:
    with pytest.raises(UsageError, match="write it like"):
        assignment.shares(text)


def test_a_disk_that_is_full_leaves_the_former_file(
    workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = workspace.knowledge / "benchmark.jsonl"
    before = path.read_bytes()

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(TailorError, match="stays as it was"):
        assignment.split(workspace, reassign=True, seed=5)
    assert path.read_bytes() == before
    assert list(path.parent.glob(".*")) == []
