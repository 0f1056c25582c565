"""How the reply of a model is asked for, and how the answer is read out of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

from tailor.example import Example
from tailor.prompting.wording import MARKS, before_mark, final, without_thought
from tailor.text import fold, language, nfc


@dataclass(frozen=True)
class AnswerFormat:
    """How the reply is asked for, read and checked."""

    kind: Literal["text", "number", "label"] = "text"
    pattern: str | None = None
    """A regular expression the whole answer must match."""
    labels: tuple[str, ...] = ()
    instruction: str = ""
    """Said to the model in its instructions, where there is something to say; it may have a
    section for each language, as the instructions may (see `tailor.prompting.wording`)."""
    citations: bool = False
    """The reply must cite the passages it rests on by their numbers; the answer is without them."""

    placement: Literal["system", "user"] = "system"
    """Where the instructions stand: in a system message, or before the first user message."""
    reasoning: bool = False
    """The model thinks first, and its answer is taken from the end of the reply."""
    structured: bool = False
    """The reply is JSON with an ``answer`` and a ``quote``."""
    tools: bool = False
    """The model may calculate and look things up in tables before it answers."""
    rounds: int = 3
    """How often it may do so for one question."""

    @property
    def converses(self) -> bool:
        """Whether an answer takes more than sending the prompt once, as it is."""
        return self.tools or self.structured

    def final(self, reply: str) -> tuple[str | None, str]:
        """What a reply gives as the answer, None where it gives none, and its quote."""
        text = without_thought(reply).strip()
        if self.structured:
            from tailor.models.structured import json_in

            value = json_in(text)
            if isinstance(value, dict) and "answer" in value:
                quote = value.get("quote")
                return str(value["answer"] or "").strip(), quote if isinstance(quote, str) else ""
        return (final(text) if self.reasoning else text), ""

    def thought(self, reply: str) -> str:
        """The reasoning before the answer in a reply; empty where the format asks for none."""
        if not self.reasoning:
            return ""
        text = without_thought(reply).strip()
        if self.structured:
            from tailor.models.structured import json_in

            value = json_in(text)
            return str(value.get("reasoning") or "") if isinstance(value, dict) else ""
        return before_mark(text)

    def shown(self, example: Example) -> str:
        """The reply that an example shows, in this format."""
        if self.structured:
            thought = {"reasoning": example.reasoning} if self.reasoning else {}
            parts = {**thought, "answer": example.answer, "quote": example.quote}
            return json.dumps(parts, ensure_ascii=False)
        if not self.reasoning:
            return example.answer
        marked = f"{MARKS['vi' if language(example.question) == 'vi' else 'en']} {example.answer}"
        return f"{example.reasoning}\n{marked}" if example.reasoning else marked

    def parse(self, reply: str) -> str | None:
        """The answer in a reply, or None when there is none that keeps the format."""
        text = nfc(reply).strip()
        if self.citations:
            from tailor.scoring.grounding import uncited

            text = uncited(text).strip()
        if not text:
            return None
        if self.kind == "label":
            wanted = fold(text).strip(" .\"'")
            return next((label for label in self.labels if fold(label) == wanted), None)
        if self.kind == "number" and not re.search(r"\d", text):
            return None
        return text
