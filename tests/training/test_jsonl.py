"""Files to train on elsewhere: written, and checked line by line."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tailor.benchmark import Evidence, Question
from tailor.training.jsonl import FEWEST, check, lines, write
from tailor.training.jsonl_problems import KINDS
from tailor.training.pairs import Pair, PreferencePair
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from conftest import Command

PAIRS = [
    Pair((("system", "Be brief."), ("user", f"Question: Where is door {n}?")), f"in room {n}")
    for n in range(FEWEST)
]
VOTES = [
    PreferencePair((("user", f"Question: Where is door {n}?"),), f"in room {n}", "no idea")
    for n in range(FEWEST)
]


def chat(*messages: tuple[str, Any], **more: Any) -> str:
    return json.dumps({"messages": [{"role": r, "content": c} for r, c in messages], **more})


def vote(prompt: str, better: Any, worse: Any, last: str = "user") -> str:
    def output(text: Any) -> Any:
        return [{"role": "assistant", "content": text}] if isinstance(text, str) else text

    return json.dumps(
        {
            "input": {"messages": [{"role": last, "content": prompt}]},
            "preferred_output": output(better),
            "non_preferred_output": output(worse),
        }
    )


USER, REPLY = ("user", "Where is the door?"), ("assistant", "on the left")

BROKEN: list[tuple[str, str]] = [
    ("", "blank"),
    ('{"messages": [', "not_json"),
    ('{"messages": [NaN]}', "not_json"),
    ("[" * 100_000, "not_json"),
    ("[1]", "not_object"),
    ("{}", "missing"),
    ('{"messages": []}', "missing"),
    (chat(USER, REPLY, lesson=1), "unknown_key"),
    ('{"messages": ["hello", {"role": "assistant", "content": "x"}]}', "not_message"),
    (chat(("usr", "hello"), REPLY), "role"),
    (chat(("user", " \n"), REPLY), "empty"),
    (chat(USER, ("assistant", None)), "empty"),
    (chat(USER), "last"),
    (json.dumps({"messages": [{"role": "user", "content": "a", "weight": 1},
                              {"role": "assistant", "content": "b"}]}), "weight"),
    (json.dumps({"messages": [{"role": "user", "content": "a"},
                              {"role": "assistant", "content": "b", "weight": 0}]}), "weightless"),
    (chat(REPLY), "no_user"),
    (chat(USER, ("system", "Be brief."), REPLY), "late_system"),
    (chat(("user", "<|im_start|>system"), REPLY), "signs"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("line", "kind"), BROKEN, ids=[f"{k}-{n}" for n, (_, k) in enumerate(BROKEN)]
)
def test_what_is_wrong_with_a_lesson_is_named_with_its_line(line: str, kind: str) -> None:
    good = [*lines(PAIRS)]
    found = check([good[0], line, *good[1:]])
    assert kind in {problem.kind for problem in found}
    assert {problem.line for problem in found} == {2}
    for problem in found:
        assert not re.search(r"[{}]", problem.message("vi").replace(line[:40], ""))
        assert problem.told("x.jsonl").startswith(f"x.jsonl:2: {problem.level}: ")


BROKEN_VOTES: list[tuple[str, str]] = [
    ("{}", "missing"),
    (vote("a", "b", "b "), "same_outputs"),
    (vote("a", "", "b"), "output"),
    (vote("a", "b", [{"role": "user", "content": "c"}]), "output"),
    (vote("a", [], "b"), "output"),
    (vote("a", "b", "c", last="assistant"), "input_last"),
]


@pytest.mark.parametrize(
    ("line", "kind"), BROKEN_VOTES, ids=[f"{k}-{n}" for n, (_, k) in enumerate(BROKEN_VOTES)]
)
def test_what_is_wrong_with_a_preference_is_named_with_its_line(line: str, kind: str) -> None:
    good = lines(VOTES)
    found = check([*good, line], "preference")
    assert kind in {problem.kind for problem in found}
    assert {problem.line for problem in found} == {FEWEST + 1}


def test_good_lessons_pass(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    assert write(path, PAIRS) == FEWEST
    assert check(path) == ()
    assert check(lines(VOTES), "preference") == ()
    tool = {"messages": [
        {"role": "user", "content": "What is 2 + 2?"},
        {"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function"}]},
        {"role": "tool", "tool_call_id": "a", "content": "4"},
        {"role": "assistant", "content": [{"type": "text", "text": "4"}], "weight": 1},
    ], "tools": []}  # fmt: skip
    assert check([*lines(PAIRS), json.dumps(tool)]) == ()


def test_the_whole_file_is_looked_at() -> None:
    few = check(lines(PAIRS)[1:])
    assert [(p.kind, p.line, p.values) for p in few] == [("few", None, {"n": 9, "least": 10})]
    again = check([*lines(PAIRS), lines(PAIRS)[3], chat(*PAIRS[2].prompt, ("assistant", "gone"))])
    assert [(p.kind, p.line, p.values["other"]) for p in again] == [
        ("duplicate", 11, 4), ("contradiction", 12, 3),
    ]  # fmt: skip
    turned = check(
        [*lines(VOTES), vote("Question: Where is door 3?", "no idea", "in room 3")], "preference"
    )
    assert [(p.kind, p.line, p.values["other"]) for p in turned] == [("contradiction", 11, 4)]


def test_long_lessons_are_named() -> None:
    long = chat(USER, ("assistant", "word " * 50))
    count = lambda text: len(text.split())  # noqa: E731
    found = check([*lines(PAIRS), long], tokens=count, most=40)
    assert [(p.kind, p.line, p.values) for p in found] == [
        ("long", 11, {"tokens": 4 + 50 + 2 * 4, "most": 40}),
    ]  # fmt: skip
    assert check([*lines(PAIRS), long], most=80) == ()


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    good = "\n".join(lines(PAIRS)).encode()
    path.write_bytes(b"\xef\xbb\xbf" + good + b"\n\xff\xfe\n" + good.split(b"\n")[0] + b"\n")
    assert [(p.kind, p.line) for p in check(path)] == [
        ("bom", 1), ("not_utf8", 11), ("duplicate", 12),
    ]  # fmt: skip


def test_held_out_questions_are_found_behind_passages(workspace: Workspace) -> None:
    guard = workspace.guard("dev", "test")
    leaking = chat(
        ("system", "Be brief."),
        (
            "user",
            "[1] a.md\nQuestion: is this one?\n\nQuestion: What is the guest network called ?",
        ),
        ("assistant", "Blue Heron"),
    )
    reading = chat(("user", "[1] it.txt\nWhat is the guest network called? See there.\n\n"
                    "Question: Where is the printer?"), ("assistant", "upstairs"))  # fmt: skip
    found = check([*lines(PAIRS), leaking, reading], guard=guard)
    assert [(p.kind, p.line, p.values["id"]) for p in found] == [("leak", 11, "s5")]
    # The same answer of another document: a file does not tell that, the train questions do.
    other = Question("t9", "Within how many days must books be returned?", ("30 days",),
                     (Evidence("bar.md", "books within 30 days"),), split="train")  # fmt: skip
    alike = chat(("user", f"Question: {other.question}"), ("assistant", "30 days"))
    found = check([*lines(PAIRS), alike], guard=guard)
    assert [(p.kind, p.line) for p in found] == [("leak", 11)]
    assert check([*lines(PAIRS), alike], guard=guard, known=[other]) == ()
    meant = chat(("user", "Within how many days may bottles be claimed?"), ("assistant", "30 days"))
    found = check([*lines(PAIRS), meant], guard=guard)
    assert [(p.kind, p.level) for p in found] == [("leak_meaning", "warning")]
    preferred = vote("How are refunds paid?", "by bank transfer", "in cash")
    found = check([*lines(VOTES), preferred], "preference", guard=guard)
    assert [(p.kind, p.line) for p in found] == [("leak", 11)]


def test_every_problem_is_told_in_both_languages() -> None:
    for _, english, vietnamese in KINDS.values():
        assert english != vietnamese
        names = re.findall(r"{(\w+)}", english)
        assert sorted(names) == sorted(re.findall(r"{(\w+)}", vietnamese))


def test_the_export_needs_no_account(hosted: Workspace, tailor: Command, tmp_path: Path) -> None:
    rows = [{"question": f"Which door is {c}?", "answer": f"door {c}"} for c in "abcdefghijkl"]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    (hosted.knowledge / "training.jsonl").write_text(text, "utf-8")
    done = tailor("export", "openai-jsonl", "-w", hosted.root, "-o", tmp_path / "out")
    assert done.code == 0, done.err
    assert check(tmp_path / "out" / "train.jsonl") == ()
    written = (tmp_path / "out" / "train.jsonl").read_text("utf-8").splitlines()
    held = (tmp_path / "out" / "validation.jsonl").read_text("utf-8").splitlines()
    assert (len(written), len(held)) == (15, 1)
    leak = chat(("user", "What is the guest network called?"), ("assistant", "Blue Heron"))
    path = tmp_path / "own.jsonl"
    path.write_text("\n".join([*written, leak]) + "\n", "utf-8")
    found = tailor("export", "check", path, "-w", hosted.root)
    assert found.code == 1
    assert "own.jsonl:16: error: asks the test question s5 (word for word)" in found.out
    told = json.loads(tailor("export", "check", path, "-w", hosted.root, "--json").out)
    assert (told["errors"], told["files"][0]["problems"][0]["kind"]) == (1, "leak")
    none = tailor("export", "preferences-jsonl", "-w", hosted.root, "-o", tmp_path / "votes")
    assert none.code == 1
    assert "There are no preferences to write" in none.err
