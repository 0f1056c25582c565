"""The answer store against a model: two connections, reopened, written by processes that die.

``TAILOR_STATES=500`` asks for so many histories, chosen anew each time; without it a few are told,
always the same.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
)

from tailor.answers import AnswerStore, Call, Fact
from tailor.assistant import Answer
from tailor.workspace import Workspace

from .forked import Forks
from .histories import explored

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")

Key = tuple[str, str, int]
REACHED = {
    "an answer replaced an error", "an error replaced an error", "an error came too late",
    "a reply came twice", "killed after something was kept", "what was in flight was kept",
    "what was in flight was lost", "a full disk was told", "an answer's scores went with it",
}  # fmt: skip
"""Without these the machine would prove little."""

names = st.sampled_from("abc")
calls = st.builds(
    Call,
    st.fixed_dictionaries({"ask": st.text(max_size=5)}),
    st.fixed_dictionaries({"text": st.sampled_from(("12 days", "12 ngày", "\n\0", "{}"))}),
    st.floats(0, 9),
)
answers = st.builds(
    Answer,
    st.sampled_from(("ok", "error", "error", "refused", "unparseable")),
    st.sampled_from(("12 days", "nghỉ phép", "")),
    input_tokens=st.integers(0, 9),
    cost_usd=st.none() | st.floats(0, 1),
    error=st.sampled_from(("", "timeout: late")),
)
keys = st.tuples(names, names, st.integers(0, 1))
which = st.integers(0, 1)
call_steps = st.tuples(st.just("call"), names, calls)
answer_steps = st.tuples(st.just("answer"), keys, answers)
steps = st.one_of(call_steps, answer_steps, answer_steps)
scores = st.dictionaries(st.sampled_from(("f1", "em")), st.none() | st.floats(0, 1), min_size=1)


class Answers(RuleBasedStateMachine):
    """A store of answers, its two connections, and processes that write to it and die."""

    home: Path
    forks: Forks
    seen: Counter[str]
    number = 0

    def saw(self, what: str) -> None:
        """Such a state was reached."""
        self.seen[what] += 1

    @initialize()
    def begin(self) -> None:
        """An empty store."""
        type(self).number += 1
        self.root = self.home / str(self.number)
        self.path = self.root / ".tailor" / "answers.db"
        self.path.parent.mkdir(parents=True)
        self.calls: dict[str, Call] = {}
        self.answers: dict[Key, Answer] = {}
        self.scores: dict[Key, tuple[str, Any]] = {}
        self.stores = [AnswerStore(self.path), AnswerStore(self.path)]

    def teardown(self) -> None:
        """Close the files."""
        for store in getattr(self, "stores", ()):
            store.close()

    def take(self, step: tuple[Any, ...]) -> None:
        """What a step that was kept leaves in the model."""
        kind, key, value = step
        if kind == "call":
            if key in self.calls:
                self.saw("a reply came twice")
            self.calls.setdefault(key, value)
            return
        known = self.answers.get(key)
        if known is not None and known.outcome != "error":
            if value.outcome == "error":
                self.saw("an error came too late")
            return
        if known is not None:
            what = "error" if value.outcome == "error" else "answer"
            self.saw(f"an {what} replaced an error")
        self.answers[key] = value
        if self.scores.pop(key, None):
            self.saw("an answer's scores went with it")

    def write(self, store: AnswerStore, step: tuple[Any, ...]) -> None:
        """Keep a call or an answer."""
        kind, key, value = step
        if kind == "call":
            store.keep_call(key, value)
        else:
            assistant, ask, repeat = key
            store.keep_answer(assistant, ask, value, repeat)

    @rule(number=which, step=steps)
    def keep(self, number: int, step: tuple[Any, ...]) -> None:
        """One of the connections keeps something."""
        self.write(self.stores[number], step)
        self.take(step)

    @rule(number=which, some=st.lists(steps, min_size=2, max_size=6, unique_by=lambda s: s[:2]))
    def keep_side_by_side(self, number: int, some: list[tuple[Any, ...]]) -> None:
        """Several threads of one process keep different things at once."""
        with ThreadPoolExecutor(len(some)) as pool:
            list(pool.map(lambda step: self.write(self.stores[number], step), some))
        for step in some:
            self.take(step)

    @rule(number=which, key=keys, about=names, own=scores)
    def score(self, number: int, key: Key, about: str, own: dict[str, float | None]) -> None:
        """An answer is scored."""
        assistant, ask, repeat = key
        self.stores[number].keep_scores(assistant, {ask: (about, own)}, repeat)
        self.scores[key] = about, own

    @rule(number=which)
    def open_again(self, number: int) -> None:
        """One of the connections is closed and opened."""
        self.stores[number].close()
        self.stores[number] = AnswerStore(self.path)

    @rule()
    def clean(self) -> None:
        """What nothing needs is deleted: no answer is among that."""
        Workspace(self.root).clean(drop=True)

    @rule(
        some=st.lists(steps, min_size=1, max_size=6),
        point=st.sampled_from(("call.before", "call.after", "answer.before", "answer.after")),
        nth=st.integers(1, 3),
        kind=st.sampled_from(("kill", "kill", "enospc", "eio")),
    )
    def keep_and_die(self, some: list[tuple[Any, ...]], point: str, nth: int, kind: str) -> None:
        """Another process keeps things; it is killed, or its disk fails once."""
        kind = "kill" if point.endswith(".after") else kind
        log = Path(f"{self.path}.kept")
        log.write_text("", "utf-8")
        given = [
            ["call", key, [value.request, value.reply, value.seconds]]
            if kind == "call"
            else ["answer", key[0], key[1], asdict(value), key[2]]
            for kind, key, value in some
        ]
        fault = f"{point}:{nth}:{kind}"
        code = self.forks.run("keep", path=str(self.path), steps=given, fault=fault)
        told = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
        reached = sum(step[0] == point.split(".")[0] for step in some) >= nth
        assert code == (-9 if reached and kind == "kill" else 0), fault
        kept = [line["kept"] for line in told if "kept" in line]
        for number in kept:
            self.take(some[number])
        refused = [line for line in told if "refused" in line]
        assert len(refused) == (reached and kind != "kill")
        for line in refused:
            assert "cannot be used" in line["why"]
            self.saw("a full disk was told")
        if code:
            assert kept == list(range(len(kept)))
            if kept:
                self.saw("killed after something was kept")
            self.in_flight(some[len(kept)], point)

    def in_flight(self, step: tuple[Any, ...], point: str) -> None:
        """What was not acknowledged at a kill is there after the commit, and not before it."""
        if point.endswith(".after"):
            self.saw("what was in flight was kept")
            self.take(step)
        else:
            self.saw("what was in flight was lost")

    @invariant()
    def both_are_right(self) -> None:
        """Both connections read what the model holds."""
        for store in getattr(self, "stores", ()):
            assert store.count() == (len(self.calls), len(self.answers))
            for key in "abc":
                assert store.call(key) == self.calls.get(key)
                for repeat in (0, 1):
                    own = {a[1]: v for a, v in self.answers.items() if a[::2] == (key, repeat)}
                    assert store.answers(key, repeat) == own
                    assert store.facts(key, repeat) == {a: Fact.of(v) for a, v in own.items()}
                    marked = {a[1]: v for a, v in self.scores.items() if a[::2] == (key, repeat)}
                    assert store.scores(key, repeat) == marked


@pytest.fixture(scope="module")
def forks() -> Iterator[Forks]:
    """Forks processes that keep answers."""
    started = Forks("tailor.answers")
    yield started
    started.close()


def test_the_answer_store_is_as_its_model(forks: Forks, tmp_path: Path) -> None:

    class Machine(Answers):
        home = tmp_path

    Machine.forks = forks
    explored(Machine, 20, REACHED)
