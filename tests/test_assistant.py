"""The chain: what finding passages took reaches the answer, and the answer comes back as it was."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from tailor.answer_format import AnswerFormat
from tailor.assistant import Answer, Ask, Assistant, Found, Prompt, Reply, Turn
from tailor.documents.passages import Passage
from tailor.spending import Use
from tailor.workspace import Workspace

PASSAGE = Passage("a.md", 0, 8, "12 days.")


class Finder:
    """A retriever that asks a model to rewrite the question."""

    fingerprint = "finder"
    asked: Ask

    def find(self, ask: Ask, config: Any = None) -> Found:
        self.asked = ask
        return Found((PASSAGE,), used=Use(1, 100, 10, 0.25), calls=("rewritten",), seconds=2.0)


class Model:
    """Answers after one intermediate call."""

    fingerprint = "model"

    def invoke(self, prompt: Prompt, config: Any = None) -> Reply:
        return Reply("12 days", 30, 3, seconds=1.0, cost_usd=0.5, call="b", calls=("a", "b"))


def _assistant(finder: Finder) -> Assistant:
    return Assistant(model=Model(), retriever=finder)  # type: ignore[arg-type]


def test_what_finding_took_is_part_of_the_answer() -> None:
    finder = Finder()
    answer = _assistant(finder).answer(Ask("And then?", history=(Turn("user", "How long?"),)))
    assert finder.asked.history[0].content == "How long?"
    assert answer.passages == (PASSAGE,)
    assert answer.calls == ("rewritten", "a", "b")
    assert (answer.call, answer.input_tokens, answer.output_tokens) == ("b", 130, 13)
    assert answer.cost_usd == 0.75
    assert 3.0 <= answer.seconds < 3.5  # as first measured, not by the clock


def test_an_unknown_price_makes_the_cost_unknown() -> None:
    finder = Finder()
    unknown = Found(used=Use(1, 1, 1, None))
    finder.find = lambda ask, config=None: unknown  # type: ignore[method-assign]
    assert _assistant(finder).answer("How long?").cost_usd is None


def test_an_answer_comes_back_from_the_store_as_it_was(workspace: Workspace) -> None:
    answer = replace(_assistant(Finder()).answer("How long?"), quote="12 days", fell_back=True)
    workspace.answers.keep_answer("one", "ask", answer)
    assert workspace.answers.answer("one", "ask") == answer
    older = {k: v for k, v in asdict(answer).items() if k not in ("calls", "quote", "fell_back")}
    assert Answer.of(json.loads(json.dumps(older))).calls == ()


def test_what_a_format_takes_out_of_a_reply_is_what_is_parsed() -> None:
    number = AnswerFormat(kind="number", reasoning=True)
    assert number.final("There are two boxes of 6.\nAnswer: 12") == ("12", "")
    label = AnswerFormat(kind="label", labels=("spam", "ham"), structured=True)
    said, quote = label.final('{"answer": "Spam", "quote": "win now"}')
    assert (label.parse(said or ""), quote) == ("spam", "win now")
    assert label.final("[broken") == ("[broken", "")
