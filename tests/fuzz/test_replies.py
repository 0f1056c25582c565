"""What models reply, made wrong: every part that reads replies gives a value, in bounded time.

``TAILOR_FUZZ=50`` tries 50 times as many.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mutation import changed

from tailor.answer_format import AnswerFormat
from tailor.assistant import is_refusal
from tailor.documents.minutes import Minutes, NoMinutes, _json
from tailor.documents.passages import Passage
from tailor.framing import neutral
from tailor.models.structured import json_in
from tailor.outgoing import defused
from tailor.prediction.parsing import canonical, number
from tailor.prompting import calculator, table, tools
from tailor.prompting.wording import before_mark, final, in_language, unsectioned, without_thought
from tailor.retrieval import listwise, rewriting
from tailor.scoring import judge
from tailor.scoring.grounding import citations_resolved, cited, supported, uncited
from tailor.scoring.judge_prompts import SCALES
from tailor.scoring.metrics import exact_match, f1

TIMES = int(os.environ.get("TAILOR_FUZZ", "1"))
SECONDS = 5.0
"""Of the processor, for what takes milliseconds; what grows by the square takes minutes."""
LONG = 10_000
"""Characters of a reply that never ends."""

PASSAGES = (
    Passage("hr/leave.md", 0, 40, "New employees get 12 days.\n| Box | EUR |\n| A | 5 |"),
    Passage("a.csv", 0, 40, "Item: Box; Price: 1.480,00\nItem: Cable; Price: 12"),
)
REPLIES = (
    "12 days [1, 2]. See hr/leave.md and https://acme.example/a?b=c ![x](http://e.example/x.png)",
    "<think>hm, 5 + 7</think>The notes say so.\n**Answer:** 1.480,00 € đến 2 triệu",
    "Đáp án: khoảng 3tr5 - 4 triệu đồng, tức 1e6; 2-pack, 15 inch",
    '```json\n{"answer": "12 days", "quote": "employees get 12 days.", "reasoning": "it"}\n```',
    "CALCULATE: (1,480.00 + 10%) * 2 ^ 3 / 7",
    "TABLE: sum(Price) where Item = Box and Price > 5",
    "[2, 1, 3]",
    "1. How many days?\n2) Mấy ngày phép?\n- leave days",
    '{"correctness": {"score": 2, "reason": "right"}, "completeness": {"score": 1, "reason": "a"}, '
    '"faithfulness": {"score": 0, "reason": "b"}, "relevance": {"score": 2, "reason": "c"}}',
    '{"subject": "Giao ban", "participants": ["An"], "decisions": [{"decision": "x", "time": '
    '"00:01:00"}], "actions": [{"task": "y", "owner": null, "due": ["a"]}]}',
    '{"question": "Who?", "answer": "An", "quotes": [{"passage": 1, "quote": "12 days"}]}',
    "Not in the documents. / Tài liệu không nói.",
    "urgent",
)
FORMATS = [
    AnswerFormat(
        kind=kind,
        citations=bool(n & 1),
        reasoning=bool(n & 2),
        structured=bool(n & 4),
        labels=("urgent", "không gấp", "(a+)+$") if kind == "label" else (),
        currency="VND" if n & 1 else "",
        unit="minutes" if n & 2 else "",
    )
    for kind in ("text", "number", "label")
    for n in range(8)
]


def formatted(reply: str) -> None:
    for form in FORMATS:
        text, quote = form.final(reply)
        assert isinstance(quote, str)
        form.thought(reply)
        form.declines(text or "")
        answer = form.parse(text or "")
        assert answer is None or answer


def numbers(reply: str) -> None:
    for currency, unit in (("", ""), ("USD", ""), ("", "minutes")):
        value = number(reply, currency, unit)
        if value is not None:
            assert abs(value) < 1e15
            assert number(canonical(value), lang="en") == pytest.approx(value)


def used_tools(reply: str) -> None:
    if (use := tools.asked_for(reply)) is not None:
        assert tools.in_words(use, PASSAGES, "vi") is not None
    for text in (reply, reply[:400]):
        assert tools.called("calculate", {"expression": text}, PASSAGES, "en")
        tools.in_words(tools.ToolUse("look_up", text), PASSAGES, "en")
        tools.in_words(tools.ToolUse("calculate", text), PASSAGES, "vi")


def tool_calls(reply: str) -> None:
    given = json_in(reply)
    if isinstance(given, dict):
        said: Mapping[str, Any] = given
        for name in ("calculate", "look_up", "x"):
            assert isinstance(tools.called(name, said, PASSAGES, "en"), str)
            assert isinstance(
                tools.called(
                    name, {"how": "sum", "where": [given], "column": reply}, PASSAGES, "en"
                ),
                str,
            )


def verdicts(reply: str) -> None:
    verdict = judge.read(json_in(reply), list(SCALES))
    assert verdict is None or set(verdict.scores) == set(SCALES)


def minutes(reply: str) -> None:
    try:
        found = Minutes.read(_json(reply))
    except NoMinutes:
        return
    assert all(isinstance(name, str) for name in found.participants)


def grounded(reply: str) -> None:
    cited(reply)
    uncited(reply)
    for value in (citations_resolved(reply, PASSAGES), supported(reply, PASSAGES)):
        assert value is None or 0 <= value <= 1
    assert "](" not in defused(reply, PASSAGES)


def scored(reply: str) -> None:
    assert 0 <= f1(reply, ["12 days", "12 ngày"]) <= 1
    exact_match(reply, ["12 days"])


def rewritten(reply: str) -> None:
    for how in ("multi_query", "hyde", "decomposition", "translation"):
        assert all(rewriting.parsed(reply, how))  # type: ignore[arg-type]
    places = listwise.parsed(reply, 3)
    assert places is None or sorted(places) == [0, 1, 2]


def worded(reply: str) -> None:
    for read in (without_thought, final, before_mark, unsectioned, neutral, is_refusal):
        read(reply)
    in_language(reply, "vi")


def calculated(reply: str) -> None:
    with suppress(calculator.CalculationError):
        calculator.written(calculator.calculate(reply))
    with suppress(table.TableError):
        table.look_up(PASSAGES, table.read(reply), "en")


READERS: tuple[Callable[[str], None], ...] = (
    formatted,
    numbers,
    used_tools,
    tool_calls,
    verdicts,
    minutes,
    grounded,
    scored,
    rewritten,
    worded,
    calculated,
)


def fine(reply: str, origin: str) -> None:
    for read in READERS:
        began = time.thread_time()
        try:
            read(reply)
        except Exception as error:
            raise AssertionError(
                f"{origin}: {read.__name__}: {error!r}: {reply[:200]!r}"
            ) from error
        took = time.thread_time() - began
        assert took < SECONDS, f"{origin}: {read.__name__} took {took:.1f} s: {reply[:80]!r}"


def test_mutated_replies() -> None:
    for n in range(400 * TIMES):
        random = Random(f"reply-{n}")
        raw = changed(random.choice(REPLIES).encode(), [r.encode() for r in REPLIES], random)
        fine(
            raw[:4000].decode("utf-8", random.choice(["replace", "surrogateescape"])), f"reply {n}"
        )


@settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    st.text(max_size=200)
    | st.text(alphabet="0123456789.,-+eE$€đktrtriệu%()[]{}\"': \n", max_size=80)
)
def test_texts(reply: str) -> None:
    fine(reply, "text")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "answer",
                    "quote",
                    "reasoning",
                    "score",
                    "reason",
                    "how",
                    "where",
                    "column",
                    "operator",
                    "value",
                    "expression",
                    "subject",
                    "actions",
                    "task",
                    "decisions",
                    "participants",
                    *SCALES,
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@settings(max_examples=100 * TIMES, deadline=None, suppress_health_check=list(HealthCheck))
@given(JSON)
def test_values(value: Any) -> None:
    fine(f"So: {json.dumps(value)}", "value")


PIECES = (
    "a",
    "1",
    " ",
    "\n",
    "-",
    "*",
    "#",
    "[",
    "]",
    "(",
    "{",
    "}",
    "<",
    ">",
    '"',
    "'",
    ".",
    ",",
    "1 ",
    "1,",
    "1.",
    "a.",
    "a-",
    "a ",
    "à",
    "- ",
    "![",
    "[1",
    "[1] ",
    "](",
    "http://",
    "www.",
    "@",
    "a@",
    "//",
    '{"',
    '{"a":',
    "[[",
    "<think>",
    "Answer:",
    "Answer: \n",
    "TABLE:",
    "CALCULATE: ",
    "2-3 ",
    "$",
    "1k ",
    "between 1 and ",
    "tu 1 den ",
    "sum(",
    "and ",
    "where a = ",
    "\n-",
    "[en]\n",
    "```",
    "<|",
    "\u200b",
    "đ",
    "e9",
    "((",
    "1^",
    "1%",
    "p a s s",
    "<p ",
    "https://a.b/",
)


@pytest.mark.parametrize("piece", PIECES)
def test_much_of_one_piece(piece: str) -> None:
    """A model that repeats itself until its tokens are used up."""
    much = (piece * LONG)[:LONG]
    fine(much, f"much of {piece!r}")
    fine(f"Answer: 12 {much} x", f"between others much of {piece!r}")
