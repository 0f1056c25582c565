"""Questions written by a chat model, each tried before anybody has to look at it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from tailor.assistant import digest, is_refusal
from tailor.benchmark import Evidence, Question
from tailor.benchmarking import prompts
from tailor.benchmarking.facts import same_answer
from tailor.benchmarking.support import support
from tailor.benchmarking.wording import borrows, stands_alone, written_in
from tailor.documents.evidence import locate
from tailor.documents.passages import Passage
from tailor.scoring.metrics import f1

if TYPE_CHECKING:
    from tailor.benchmarking.prompts import Language
    from tailor.models.structured import StructuredChat
    from tailor.workspace import Workspace

KINDS = tuple(prompts.KINDS)
_TWO = ("several-documents", "comparison")
_NOT_THERE = "not-in-the-documents"
_AGREES = 0.5
"""F1 of two answers from which they are taken to be the same."""
_SEARCHED = 5
_SHORTEST = 40
"""Letters of a passage that a question can be written from."""


@dataclass(frozen=True)
class Plan:
    """What one question is to be written from."""

    kind: str
    lang: Language
    passages: tuple[Passage, ...]


@dataclass(frozen=True)
class Dropped:
    """Why a draft was not kept, and its question where there was one."""

    reason: str
    question: str = ""


class Writer:
    """Writes and tries questions on a workspace's documents; safe to use from several threads."""

    def __init__(
        self, workspace: Workspace, chat: StructuredChat, texts: Mapping[str, str]
    ) -> None:
        self._workspace = workspace
        self._chat = chat
        self._texts = texts

    def draft(self, plan: Plan, halt: threading.Event) -> Question | Dropped:
        """One question, or why the model's proposal is of no use.

        Raises:
            Exception: the provider's own errors, after the retries.
        """
        messages = prompts.to_write(plan.kind, plan.lang, plan.passages)
        written = self._proposal(self._chat.ask(messages, prompts.DRAFT_SCHEMA, halt), plan)
        if isinstance(written, Dropped):
            return written
        reason = _flaw(written, plan) or self._tried(written, plan, halt)
        return Dropped(reason, written.question) if reason else written

    def _proposal(self, value: Any, plan: Plan) -> Question | Dropped:
        """The question in a reply, with its quotes as the documents have them."""
        if not isinstance(value, dict) or not isinstance(value.get("question"), str):
            return Dropped("the reply is not the JSON asked for")
        asked, answer, quotes = value["question"].strip(), value.get("answer"), value.get("quotes")
        wants_answer = plan.kind != _NOT_THERE
        if not asked or wants_answer != (isinstance(answer, str) and bool(answer.strip())):
            return Dropped("no question, or no answer of the kind asked for", asked)
        evidence: list[Evidence] = []
        for quoted in quotes if isinstance(quotes, list) and wants_answer else ():
            found = self._located(quoted, plan)
            if found is None:
                return Dropped("a quote is not in the document", asked)
            evidence.append(found)
        if wants_answer and not evidence:
            return Dropped("no quote", asked)
        return Question(
            id=f"draft-{digest([asked, [p.document for p in plan.passages]])[:8]}",
            question=asked,
            answers=(str(answer).strip(),) if wants_answer else (),
            evidence=tuple(dict.fromkeys(evidence)),
            lang=plan.lang,
            tags=(plan.kind, "drafted"),
        )

    def _located(self, quoted: Any, plan: Plan) -> Evidence | None:
        if not isinstance(quoted, dict) or not isinstance(quoted.get("quote"), str):
            return None
        number = quoted.get("passage")
        named = isinstance(number, int) and 1 <= number <= len(plan.passages)
        first = [plan.passages[number - 1]] if named and isinstance(number, int) else []
        for passage in (*first, *plan.passages):
            text = self._texts.get(passage.document, "")
            if (place := locate(quoted["quote"], text)) is not None:
                return Evidence(passage.document, text[slice(*place)])
        return None

    def _tried(self, q: Question, plan: Plan, halt: threading.Event) -> str:
        """Why the model's own reading speaks against a question; empty where it does not."""
        passages = plan.passages
        if not q.answerable:
            passages = (*passages, *self._workspace.search(q.question, _SEARCHED))
        read = self._chat.ask(
            prompts.to_read(q.question, plan.lang, passages), prompts.READ_SCHEMA, halt
        )
        if not isinstance(read, dict):
            return "the reply is not the JSON asked for"
        if read.get("clear") is False:
            return "not to be understood without the passage"
        answer = _said(read.get("answer"))
        if not q.answerable:
            return "the documents do say" if answer else ""
        if answer is None or not _agree(answer, q):
            return "read again, the passage gives another answer"
        guessed = self._chat.ask(
            prompts.to_guess(q.question, plan.lang), prompts.GUESS_SCHEMA, halt
        )
        guess = _said(guessed.get("answer")) if isinstance(guessed, dict) else None
        return "answerable without the passage" if guess and _agree(guess, q) else ""


def _flaw(q: Question, plan: Plan) -> str:
    """What is wrong with a question, as far as that shows without asking anybody."""
    quotes = "\n".join(e.quote for e in q.evidence)
    if written_in(q.question) != plan.lang:
        return "in another language"
    if not stands_alone(q.question):
        return "not to be understood without the passage"
    if not q.answerable:
        return ""
    if plan.kind == "several-documents" and len({e.document for e in q.evidence}) < 2:
        return "needs only one document"
    if plan.kind == "number" and not any(c.isdigit() for c in q.answers[0]):
        return "no question, or no answer of the kind asked for"
    if plan.kind == "paraphrase" and borrows(q.question, quotes):
        return "in the document's own words"
    if support(q.answers, quotes) == "missing":
        return "the answer is not in its quote"
    return ""


def _said(answer: Any) -> str | None:
    if not isinstance(answer, str) or not answer.strip() or is_refusal(answer):
        return None
    return None if answer.strip().casefold() in ("null", "none") else answer.strip()


def _agree(answer: str, q: Question) -> bool:
    other = replace(q, answers=(answer,))
    return same_answer(q, other) or f1(answer, q.answers) >= _AGREES


def plans(
    workspace: Workspace,
    languages: Mapping[str, str],
    lang: Language | None,
    kinds: Sequence[str],
    seed: int,
) -> Iterator[Plan]:
    """What to write questions from, spread over kinds, languages and documents.

    Each passage is taken once for each kind. ``languages`` holds each document's language; with
    ``lang`` all questions are in that one.
    """
    draw = random.Random(seed)
    by_document: dict[str, list[Passage]] = {}
    for passage in workspace.index().passages():
        if passage.document in languages:
            by_document.setdefault(passage.document, []).append(passage)
    order = _alternating(list(by_document), languages, draw)
    left = {
        kind: {path: draw.sample(p, len(p)) for path, p in by_document.items()} for kind in kinds
    }
    turn = 0  # so that every document meets every kind
    while any(any(waiting.values()) for waiting in left.values()):
        for at, path in enumerate(order):
            kind = kinds[(turn + at) % len(kinds)]
            taken = _taken(left[kind][path], kind)
            if taken is None:
                continue
            partner = _partner(workspace, taken) if kind in _TWO else None
            if kind == "several-documents" and partner is None:
                continue
            passages = (taken,) if partner is None else (taken, partner)
            own: Language = "vi" if languages[path] == "vi" else "en"
            yield Plan(kind, lang or own, passages)
        turn += 1


def _alternating(paths: list[str], languages: Mapping[str, str], draw: random.Random) -> list[str]:
    """The documents in random order, the languages in turn."""
    draw.shuffle(paths)
    queues = [[p for p in paths if languages[p] == one] for one in sorted(set(languages.values()))]
    longest = max(map(len, queues), default=0)
    return [queue[at] for at in range(longest) for queue in queues if at < len(queue)]


def _taken(waiting: list[Passage], kind: str) -> Passage | None:
    """The next passage that a question of this kind can be written from, out of those waiting."""
    while waiting:
        passage = waiting.pop()
        fits = {
            "number": any(c.isdigit() for c in passage.text),
            "comparison": sum(c.isdigit() for c in passage.text) > 1,
            "table": "|" in passage.text or passage.text.count("; ") > 2,
        }
        if fits.get(kind, True) and len(passage.text) >= _SHORTEST:
            return passage
    return None


def _partner(workspace: Workspace, passage: Passage) -> Passage | None:
    """The passage of another document that is closest to this one."""
    near = workspace.search(passage.text[:300], 10)
    return next((p for p in near if p.document != passage.document), None)
