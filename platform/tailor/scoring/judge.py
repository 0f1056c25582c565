"""A chat model as a judge: verdicts on fixed scales with reasons, each kept and paid for once."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest
from tailor.scoring import judge_prompts
from tailor.scoring.judge_prompts import BEST, SCALES, Scale
from tailor.spending import Use

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.answers import Fact
    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.models.structured import StructuredChat


@dataclass(frozen=True)
class Verdict:
    """What a judge said about one answer."""

    scores: Mapping[Scale, int]
    """0, 1 or 2 on each scale that applies."""
    reasons: Mapping[Scale, str]


@dataclass(frozen=True)
class Vote:
    """One asking of the judge: a verdict, or why there is none."""

    verdict: Verdict | None
    """None: ``unscored``. It never becomes a number."""
    failure: str = ""
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = 0.0
    """None where the judge's price is not known."""

    def to_json(self) -> dict[str, Any]:
        """As it is stored with the answer."""
        return {
            "scores": dict(self.verdict.scores) if self.verdict else None,
            "reasons": dict(self.verdict.reasons) if self.verdict else None,
            "failure": self.failure,
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "cost_usd": self.cost_usd,
        }


def identity(chat: StructuredChat) -> str:
    """What tells this judge from another: its model with its parameters, and the prompts."""
    return digest([chat.chat.fingerprint, judge_prompts.VERSION])


def by_rule(question: Question, answer: Answer | Fact) -> dict[Scale, float | None] | None:
    """Scores that need no judge, between 0 and 1; None where one must be asked.

    As everywhere in Tailor: an error is unscored; a refusal is right where the documents do not
    say, and else nothing; a reply that cannot be read is nothing.
    """
    if answer.outcome == "ok":
        return None
    if answer.outcome == "error":
        return dict.fromkeys(SCALES)
    right = float(answer.outcome == "refused" and not question.answerable)
    return {**dict.fromkeys(SCALES, right), "faithfulness": None}


def vote(
    chat: StructuredChat,
    question: Question,
    answer: Answer,
    repeat: int = 0,
    halt: threading.Event | None = None,
    answer_first: bool = False,
) -> Vote:
    """Ask the judge about one answer; a reply that is no verdict is asked for once more.

    Raises:
        Exception: the provider's own errors, after the retries.
    """
    from langchain_core.messages import messages_from_dict

    from tailor.models.structured import value

    messages = judge_prompts.messages(question, answer, answer_first)
    asked = judge_prompts.scales(answer)
    schema = judge_prompts.schema(asked)
    spent = Use()
    for _ in range(2):
        call = chat.call(messages, schema, halt, repeat)
        reply = messages_from_dict([call.reply])[0]
        took = chat.chat.took(messages, reply)
        spent += Use(1, took.input_tokens, took.output_tokens, chat.chat.cost(took))
        if verdict := read(value(call), asked):
            return Vote(verdict, "", spent.input_tokens, spent.output_tokens, spent.usd)
        said = str(reply.text)
        messages = [*messages, _said(said or "..."), judge_prompts.again(question.lang)]
    failure = "the judge's reply is not the JSON asked for"
    return Vote(None, failure, spent.input_tokens, spent.output_tokens, spent.usd)


def read(value: Any, asked: Sequence[Scale]) -> Verdict | None:
    """The verdict in a JSON value; None unless every scale has a reason and a score it knows."""
    if not isinstance(value, dict):
        return None
    scores: dict[Scale, int] = {}
    reasons: dict[Scale, str] = {}
    for scale in asked:
        one = value.get(scale)
        if not isinstance(one, dict):
            return None
        score, reason = one.get("score"), one.get("reason")
        if type(score) is not int or not 0 <= score <= BEST:
            return None
        if not isinstance(reason, str) or not reason.strip():
            return None
        scores[scale], reasons[scale] = score, reason.strip()
    return Verdict(scores, reasons)


def mean(votes: Sequence[Mapping[str, Any]]) -> dict[str, float | None]:
    """``judge_correctness`` and so on between 0 and 1, over the stored votes that are verdicts."""
    found: dict[str, float | None] = {}
    for scale in SCALES:
        scores = [v["scores"][scale] for v in votes if v["scores"] and scale in v["scores"]]
        found[f"judge_{scale}"] = fmean(scores) / BEST if scores else None
    return found


def _said(text: str) -> BaseMessage:
    from langchain_core.messages import AIMessage

    return AIMessage(text)
