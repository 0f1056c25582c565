"""The shapes of lessons: what stands in the prompt beside the question.

- ``as_asked``: what the assistant would be given; where its search misses the evidence, the
  passage that holds it stands first, so that the lesson is to read rather than to guess;
- ``closed_book``: no passages, so that the fact itself is learnt;
- ``gold``: the passage with the evidence alone, so that answers are read out of it;
- ``retrieved``: that passage among others which search finds, so that the model learns to tell
  them apart (as in RAFT, Zhang et al. 2024, arXiv:2403.10131);
- ``refusal``: such other passages only, and the reply that the documents do not say;
- ``house_format``: as asked, but without instructions and examples, so that the form of the reply
  is learnt, too.

Questions whose answer the documents do not hold are refused in every shape that needs no evidence.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tailor.assistant import REFUSAL, Ask, Assistant, Prompt, digest
from tailor.documents.passages import Passage
from tailor.example import Example
from tailor.scoring.metrics import contains
from tailor.training.lessons_report import LeftOut
from tailor.training.pairs import Pair, Shape

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.models.chat import Chat
    from tailor.training.lessons_settings import LessonSettings
    from tailor.workspace import Span, Workspace

NEEDS_EVIDENCE = ("gold", "retrieved", "refusal")
"""Shapes whose lessons are to read passages; of a question without evidence there are none."""
_SEARCHED = ("as_asked", "house_format")
"""Shapes that show what the assistant's own search finds."""
_SPARE = 6
"""Passages searched for beyond those wanted, since some hold the answer."""
_LONGEST_QUOTE = 300
"""Characters of evidence that a reply with a quote repeats."""


@dataclass(frozen=True)
class Made:
    """The lessons of one question, and what was left out of them."""

    pairs: tuple[Pair, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Shaping:
    """Makes lessons of questions."""

    assistant: Assistant
    chat: Chat
    workspace: Workspace
    settings: LessonSettings
    questions: Sequence[Question]
    """All that are learnt from: where nothing is searched, others' evidence distracts."""

    def pairs(self, question: Question) -> Made:
        """The lessons of a question in all shapes that it can have, equal ones once."""
        prompt = self._asked(question)
        made: dict[tuple[Any, str], Pair] = {}
        left: list[LeftOut] = []
        for shape in dict.fromkeys(self.settings.shapes):
            shaped = self._shaped(shape, prompt, question)
            if shaped is None:
                continue
            pair = self._pair(shaped, question, shape)
            tokens = sum(self.tokens(pair))
            if self.most and tokens > self.most:
                values = {"shape": shape, "tokens": tokens, "most": self.most}
                left.append(self._left(question, "long", values))
            else:
                made.setdefault((pair.prompt, pair.completion), pair)
        bare = not question.answerable or self._gold(question) is None
        if bare and all(shape in NEEDS_EVIDENCE for shape in self.settings.shapes):
            shapes = {"shapes": ", ".join(self.settings.shapes)}
            left.append(self._left(question, "unshaped", shapes))
        return Made(tuple(made.values()), tuple(left))

    def tokens(self, pair: Pair) -> tuple[int, int]:
        """How long prompt and completion are, about."""
        from tailor.models.usage import OVERHEAD

        prompt = sum(self._size(content) + OVERHEAD for _, content in pair.prompt)
        return prompt, self._size(pair.completion) + OVERHEAD

    def _size(self, text: str) -> int:
        from tailor.models.usage import text_tokens

        if text not in self._sizes:
            self._sizes[text] = text_tokens(text, self.chat.name)
        return self._sizes[text]

    @cached_property
    def _sizes(self) -> dict[str, int]:
        return {}

    @cached_property
    def most(self) -> int:
        """Tokens that a lesson may have; 0 where no limit is known."""
        return self.settings.max_length or context(self.chat.name)

    def _asked(self, question: Question) -> Prompt:
        """What the assistant would be given; neither timing nor the question's own example."""
        searched = any(shape in _SEARCHED for shape in self.settings.shapes)
        assistant = self.assistant if searched else replace(self.assistant, retriever=None)
        prompt = assistant.prompt(Ask(question.question))
        examples = tuple(e for e in prompt.examples if e.question != question.question)
        return self.chat.fitted(replace(prompt, examples=examples, seconds=0.0))

    def _shaped(self, shape: Shape, prompt: Prompt, question: Question) -> Prompt | None:
        """The prompt in a shape; None where the question has no evidence that it needs."""
        if shape in NEEDS_EVIDENCE and not question.answerable:
            return None
        if shape == "as_asked":
            return self._with_evidence(prompt, question)
        if shape == "house_format":
            form = replace(prompt.format, instruction="")
            plain = replace(prompt, instructions="", examples=(), format=form)
            return self._with_evidence(plain, question)
        if shape == "closed_book":
            return replace(prompt, passages=())
        gold = self._gold(question)
        if gold is None:
            return None
        if shape == "gold":
            return replace(prompt, passages=(gold,))
        if shape == "retrieved":
            return self._retrieved(prompt, question, gold)
        return self._withheld(prompt, question)

    def _pair(self, prompt: Prompt, question: Question, shape: Shape) -> Pair:
        from langchain_core.messages import convert_to_openai_messages

        lang = "vi" if question.lang == "vi" else "en"
        refused = shape == "refusal" or not question.answerable
        wanted = REFUSAL[lang] if refused else question.answers[0]
        quote = question.evidence[0].quote if question.evidence and not refused else ""
        messages = convert_to_openai_messages(prompt.messages())
        assert isinstance(messages, list)
        short = quote if len(quote) <= _LONGEST_QUOTE else ""
        reply = prompt.format.shown(Example(question.question, wanted, quote=short))
        told = tuple((m["role"], m["content"]) for m in messages)
        return Pair(told, reply, question.id, shape)

    def _with_evidence(self, prompt: Prompt, question: Question) -> Prompt:
        """The prompt with the evidence first, where it has passages that miss it."""
        if self.assistant.retriever is None:
            return prompt
        missing = [s for s in self._spans(question) if not _any_holds(prompt.passages, s)]
        gold = self._holder(missing[0]) if missing else None
        return self._fitted(prompt, gold, prompt.passages) if gold else prompt

    def _retrieved(self, prompt: Prompt, question: Question, gold: Passage) -> Prompt:
        others = self._others(question)[: self.settings.distractors]
        at = self._draw(question).randrange(len(others) + 1)
        mixed = replace(prompt, passages=(*others[:at], gold, *others[at:]))
        fitted = self.chat.fitted(mixed)
        if gold in fitted.passages:
            return fitted
        return self._fitted(prompt, gold, others)

    def _withheld(self, prompt: Prompt, question: Question) -> Prompt | None:
        """Passages that do not say it, for the share of the questions that is refused."""
        if self._draw(question).random() >= self.settings.refusals:
            return None
        others = self._others(question)[: self.settings.distractors + 1]
        return self.chat.fitted(replace(prompt, passages=tuple(others))) if others else None

    def _fitted(self, prompt: Prompt, gold: Passage, others: Sequence[Passage]) -> Prompt:
        """The evidence first, then as many others as before but one."""
        kept = [p for p in others if p != gold][: max(0, len(others) - 1)]
        return self.chat.fitted(replace(prompt, passages=(gold, *kept)))

    def _others(self, question: Question) -> list[Passage]:
        """Passages that neither hold the evidence nor say an accepted answer."""
        spans = self._spans(question)
        return [
            passage
            for passage in self._candidates(question)
            if not any(_touches(passage, span) for span in spans)
            and not contains(passage.text, question.answers, folded=True)
        ]

    def _candidates(self, question: Question) -> Sequence[Passage]:
        wanted = self.settings.distractors + 1 + _SPARE
        if self._searchable:
            return self.workspace.index().search(question.question, k=wanted)
        own = {e.quote for e in question.evidence}
        pool = [p for p in self._quoted if p.text not in own]
        return self._draw(question).sample(pool, min(wanted, len(pool)))

    def _gold(self, question: Question) -> Passage | None:
        """The passage with the evidence; what the question quotes where that is not indexed."""
        for span in self._spans(question):
            if found := self._holder(span):
                return found
        if not question.evidence:
            return None
        first = question.evidence[0]
        return Passage(first.document, 0, len(first.quote), first.quote)

    def _spans(self, question: Question) -> tuple[Span, ...]:
        return self.workspace.spans.get(question.id, ()) if question.evidence else ()

    def _holder(self, span: Span) -> Passage | None:
        held = self._passages.get(span[0], ())
        return next((passage for passage in held if _holds(passage, span)), None)

    def _draw(self, question: Question) -> random.Random:
        return random.Random(digest([self.settings.seed, question.id, question.question]))

    @cached_property
    def _benchmark(self) -> frozenset[str]:
        return frozenset(q.id for q in self.workspace.benchmark.questions)

    @cached_property
    def _searchable(self) -> bool:
        return self.workspace.generation is not None

    @cached_property
    def _passages(self) -> dict[str, list[Passage]]:
        out: dict[str, list[Passage]] = {}
        for passage in self.workspace.index().passages() if self._searchable else ():
            out.setdefault(passage.document, []).append(passage)
        return out

    @cached_property
    def _quoted(self) -> list[Passage]:
        quotes = {e.quote: e.document for q in self.questions for e in q.evidence}
        return [Passage(document, 0, len(quote), quote) for quote, document in quotes.items()]

    def _left(self, question: Question, reason: Any, values: dict[str, Any]) -> LeftOut:
        origin: Any = "benchmark" if question.id in self._benchmark else "training"
        return LeftOut(question.id, question.question, origin, reason, values)


def context(model: str) -> int:
    """Tokens that a model on this machine can read; 0 where that is not known."""
    from tailor.models.provider import is_local, local_path

    if not is_local(model):
        return 0
    try:
        told = json.loads((Path(local_path(model)) / "config.json").read_text("utf-8"))
        return int(told.get("max_position_embeddings") or 0)
    except (OSError, ValueError):
        return 0


def _any_holds(passages: Sequence[Passage], span: Span) -> bool:
    return any(_holds(passage, span) for passage in passages)


def _holds(passage: Passage, span: Span) -> bool:
    document, start, end = span
    return passage.document == document and passage.start <= start and end <= passage.end


def _touches(passage: Passage, span: Span) -> bool:
    document, start, end = span
    return passage.document == document and passage.start < end and start < passage.end
