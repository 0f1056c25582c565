"""Query rewriting: what a chat model makes of a question, searched beside the question itself."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tailor.assistant import Prompt, is_refusal
from tailor.retrieval.follow_up import untold
from tailor.retrieval.ranking import RANK_CONSTANT
from tailor.retrieval.took import Took
from tailor.text import language, words

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from tailor.models.chat import Chat
    from tailor.retrieval.configuration import Rewriting

VERSION = 1
"""Raised when a prompt below changes."""

_LONGEST = 1000
"""Characters of a text that is searched for."""
_MOST = 3
"""Lines of a reply that are searched for."""

_PROMPTS: Mapping[str, Mapping[Rewriting, str]] = {
    "en": {
        "multi_query": "Write three other wordings of the question below, for searching a "
        "company's documents: other words, the same meaning. Reply with one per line and nothing "
        "else; do not answer.",
        "hyde": "Write a short passage, two or three sentences, as it could stand in a company's "
        "document that answers the question below. Where you do not know a detail, leave it out. "
        "Reply with the passage alone.",
        "decomposition": "Split the question below into the simpler questions, at most three, "
        "whose answers together answer it. A simple question stays as it is. Reply with one per "
        "line and nothing else; do not answer.",
        "translation": "Translate the question below into Vietnamese. Keep names, numbers and "
        "codes. Reply with the translation alone; do not answer.",
    },
    "vi": {
        "multi_query": "Hãy viết ba cách diễn đạt khác của câu hỏi dưới đây để tìm trong tài liệu "
        "của công ty: từ ngữ khác, cùng một nghĩa. Mỗi dòng một câu, không viết gì thêm; đừng trả "
        "lời câu hỏi.",
        "hyde": "Hãy viết một đoạn ngắn, hai hoặc ba câu, giống như đoạn trong tài liệu của công "
        "ty trả lời được câu hỏi dưới đây. Chi tiết nào không biết thì bỏ qua. Chỉ viết đoạn đó.",
        "decomposition": "Hãy tách câu hỏi dưới đây thành các câu hỏi đơn giản hơn, nhiều nhất là "
        "ba, mà câu trả lời của chúng gộp lại trả lời được câu hỏi. Câu hỏi đơn giản thì giữ "
        "nguyên. Mỗi dòng một câu, không viết gì thêm; đừng trả lời câu hỏi.",
        "translation": "Hãy dịch câu hỏi dưới đây sang tiếng Anh. Giữ nguyên tên riêng, con số và "
        "mã. Chỉ viết bản dịch; đừng trả lời câu hỏi.",
    },
}
_MARK = re.compile(r"^\s*(?:[-*•]|\(?\d{1,2}[.):])\s+")


@dataclass(frozen=True)
class Rewritten:
    """The texts that are searched for, the question itself first, and what they took."""

    queries: tuple[str, ...]
    took: Took = field(default_factory=Took)
    """It fell back where nothing in the reply could be searched for."""


def rewritten(
    question: str,
    how: Rewriting,
    chat: Chat,
    languages: Collection[str],
    config: RunnableConfig | None = None,
) -> Rewritten:
    """The question and what the chat model makes of it.

    ``languages`` are those of the documents: without one in the other language, English or
    Vietnamese, nothing is translated, and no call is made.

    Raises:
        Exception: the provider's own errors, after the retries.
    """
    own = language(question)
    other = "en" if own == "vi" else "vi"
    if how == "none" or (how == "translation" and other not in languages):
        return Rewritten((question,))
    prompt = Prompt(question, instructions=_PROMPTS[own][how])
    started = time.monotonic()
    reply = chat.invoke(prompt, untold(config))
    texts = () if reply.refused else parsed(reply.text, how)
    queries = tuple(dict.fromkeys((question, *texts)))
    clock = time.monotonic() - started
    fell_back = "" if texts else "rewriting"
    return Rewritten(queries, Took(reply.used, reply.keys, reply.seconds, clock, fell_back))


def parsed(reply: str, how: Rewriting) -> tuple[str, ...]:
    """The texts in a reply that can be searched for."""
    if is_refusal(reply):
        return ()
    lines = [_MARK.sub("", line).strip().strip("\"'“”") for line in reply.splitlines()]
    lines = [line[:_LONGEST] for line in lines if words(line)]
    if how == "hyde":
        return (" ".join(lines)[:_LONGEST],) if lines else ()
    return tuple(lines[: 1 if how == "translation" else _MOST])


def joined(rankings: Sequence[Sequence[int]]) -> list[tuple[int, float]]:
    """Passage numbers with their reciprocal rank fusion over several rankings, the best first."""
    found: defaultdict[int, float] = defaultdict(float)
    for ranking in rankings:
        for rank, number in enumerate(ranking, 1):
            found[number] += 1 / (RANK_CONSTANT + rank)
    return sorted(found.items(), key=lambda one: (-round(one[1], 9), one[0]))
