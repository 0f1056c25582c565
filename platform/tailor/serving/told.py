"""Answers as clients of OpenAI's API get them, with their citations."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from tailor import outgoing
from tailor.answer_format import AnswerFormat
from tailor.assistant import Answer
from tailor.documents.passages import Passage
from tailor.serving.asked import MODEL, Chat
from tailor.serving.card import Card
from tailor.text import fold, language, nfc

SOURCES = {"en": "Sources", "vi": "Nguồn"}
_MARK = re.compile(r"\[(\d+(?:\s*,\s*\d+)*)\]")
_CUT = re.compile(r"\s(?=\S*\Z)")
_LINK = re.compile(r"\[(?!\d+(?:\s*,\s*\d+)*\][^(\[:])|\[[^\]]*\Z")
"""What may begin a link or an image; the number of a passage does not."""


@dataclass(frozen=True)
class Told:
    """One answer with the assistant it is of."""

    answer: Answer
    card: Card
    trusted: tuple[str, ...] = ()
    """Hosts whose addresses it may carry."""

    @cached_property
    def text(self) -> str:
        """The answer, in which no address is alive."""
        return outgoing.shown(self.answer, self.trusted).strip()

    @cached_property
    def citations(self) -> tuple[dict[str, Any], ...]:
        """The passages it rests on: those it cites, else those that say it, else all it was shown.

        A refusal rests on none.
        """
        answer = self.answer
        if answer.outcome != "ok":
            return ()
        seen = answer.seen
        marks = {int(n) for m in _MARK.findall(answer.with_citations) for n in m.split(",")}
        cited = {n for n in marks if 1 <= n <= len(seen)}
        known = {n: _quoted(p.source, p.text, self.trusted) for n, p in enumerate(seen, 1)}
        said = fold(answer.text).strip(" .")
        holding = {n for n, (_, folded) in known.items() if said and said in folded}
        chosen = cited or holding or set(known)
        return tuple(
            {
                "number": n,
                "document": p.document,
                "place": p.place,
                "start": p.start,
                "end": p.end,
                "text": known[n][0],
                "score": p.score,
            }
            for n, p in enumerate(seen, 1)
            if n in chosen
        )

    @cached_property
    def sources(self) -> str:
        """The citations as text, to stand below the answer; empty where there are none."""
        named: dict[str, None] = {}
        for one in self.citations:
            place = f", {one['place']}" if one["place"] else ""
            named[f"[{one['number']}] {one['document']}{place}"] = None
        if not named:
            return ""
        title = SOURCES[language(self.answer.text)]
        return f"\n\n{title}: {outgoing.defused('; '.join(named), self.answer.passages)}"

    def extension(self, ignored: Sequence[str] = ()) -> dict[str, Any]:
        """What OpenAI's API has no place for."""
        answer, card = self.answer, self.card
        return {
            "row": card.row,
            "run": card.run,
            "generation": card.generation,
            "outcome": answer.outcome,
            "citations": list(self.citations),
            "searched": answer.searched,
            "cost_usd": answer.cost_usd,
            "ignored": list(ignored),
        }


@lru_cache(maxsize=4096)
def _quoted(source: str, text: str, trusted: tuple[str, ...]) -> tuple[str, str]:
    """A passage's text without live addresses, and folded; the same ones are found often."""
    return outgoing.defused(text, [Passage(source, 0, 0, text)], trusted), fold(text)


def completion(id: str, at: int, asked: Chat, told: Sequence[Told]) -> dict[str, Any]:
    """The reply to a request that is not streamed."""
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": content(asked, one), "refusal": None},
            "logprobs": None,
            "finish_reason": "stop",
            "tailor": one.extension(asked.ignored),
        }
        for index, one in enumerate(told)
    ]
    return {
        "id": id,
        "object": "chat.completion",
        "created": at,
        "model": MODEL,
        "choices": choices,
        "usage": usage(told),
    }


def content(asked: Chat, told: Told) -> str:
    """The text of an answer, with its sources where they are asked for."""
    return told.text + (told.sources if asked.citations == "text" else "")


def usage(told: Sequence[Told]) -> dict[str, int]:
    """Tokens of all answers of a request."""
    given = sum(one.answer.input_tokens for one in told)
    written = sum(one.answer.output_tokens for one in told)
    return {
        "prompt_tokens": given,
        "completion_tokens": written,
        "total_tokens": given + written,
    }


def vectors(
    embedder: str, found: Sequence[Sequence[float]], as_base64: bool, tokens: int
) -> dict[str, Any]:
    """The reply to a request for vectors; base64 holds 32-bit floats, the first byte the least."""
    import numpy as np

    def one(vector: Sequence[float]) -> object:
        if not as_base64:
            return [float(x) for x in vector]
        return base64.b64encode(np.asarray(vector, dtype="<f4").tobytes()).decode()

    return {
        "object": "list",
        "model": embedder,
        "data": [
            {"object": "embedding", "index": at, "embedding": one(vector)}
            for at, vector in enumerate(found)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


class Pieces:
    """A reply as it is written, handed on piece by piece as far as nothing in it is to be changed.

    What has to be made harmless depends on the passages, which are known at the end: from the
    first such place on, the rest waits for it.
    """

    def __init__(self, format: AnswerFormat) -> None:
        self.sent = ""
        # In other formats, the answer is only a part of the reply.
        self._plain = format.kind == "text" and not (format.reasoning or format.converses)

    def more(self, written: str) -> str:
        """What may be sent now of a reply that has come so far."""
        text = nfc(written).lstrip()
        cut = _CUT.search(text)
        if not self._plain or cut is None:
            return ""
        safe = text[: cut.start()].rstrip()
        if link := _LINK.search(safe, len(self.sent)):
            safe = safe[: link.start()].rstrip()
        if not safe.startswith(self.sent) or outgoing.defused(safe) != safe:
            return ""
        piece, self.sent = safe[len(self.sent) :], safe
        return piece


def chunk(
    id: str, at: int, index: int, delta: dict[str, Any], last: dict[str, Any] | None = None
) -> dict[str, Any]:
    """One event of a stream; ``last``, of the last one of an answer, is its extension."""
    choice = {"index": index, "delta": delta, "logprobs": None, "finish_reason": None}
    if last is not None:
        choice |= {"finish_reason": "stop", "tailor": last}
    return {
        "id": id,
        "object": "chat.completion.chunk",
        "created": at,
        "model": MODEL,
        "choices": [choice],
    }
