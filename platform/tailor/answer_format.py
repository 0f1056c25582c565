"""How the reply of a model is asked for, and how the answer is read out of it."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any, Literal

from tailor.example import Example
from tailor.prompting.wording import ABSTAIN, MARKS, before_mark, final, without_thought
from tailor.text import fold, language, nfc

_SHORT = 200
"""Characters up to which a reply may name its label among other words."""


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
    currency: str = ""
    """Of a number that is an amount of money, as ``USD``."""
    unit: str = ""
    """Of another number, as ``minutes``."""

    def recorded(self) -> dict[str, Any]:
        """What of it can change an answer, as JSON values; without what no reply depends on."""
        own = asdict(self)
        return {k: v for k, v in own.items() if v or k not in ("currency", "unit")}

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
            return self._label(text)
        if self.kind == "number":
            from tailor.prediction.parsing import canonical, number

            value = number(text, self.currency, self.unit)
            return None if value is None else canonical(value)
        return text

    def declines(self, reply: str) -> bool:
        """Whether a reply says that no label can be told."""
        return self.kind == "label" and bool(
            {_bare(reply), *map(_bare, reply.split("\n")[-1:])} & set(map(_bare, ABSTAIN.values()))
        )

    def _label(self, text: str) -> str | None:
        """The label that a reply is, or the only one that a short reply names.

        Accents may be left out; of labels that nothing else tells apart, the reply must have them.
        """
        wanted = _bare(text)
        by_name: dict[str, list[str]] = {}
        for label in self.labels:
            by_name.setdefault(_bare(label), []).append(label)
        named = {wanted} & by_name.keys()
        if not named and by_name and len(text) <= _SHORT:
            named = set(re.findall("|".join(map(_word, sorted(by_name, key=len)[::-1])), wanted))
        same = by_name[named.pop()] if len(named) == 1 else []
        if len(same) > 1:
            said = text.casefold()
            same = [label for label in same if re.search(_word(nfc(label).casefold()), said)]
        return same[0] if len(same) == 1 else None


def _word(text: str) -> str:
    """The pattern of a text that no longer word has around it."""
    return rf"(?<!\w){re.escape(text)}(?!\w)"


def _bare(text: str) -> str:
    """A label without what sets it off, accents aside."""
    return fold(text).strip(" \t\r\n.!*_`\"'“”[](){}")
