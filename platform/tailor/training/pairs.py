"""Training pairs: questions as the assistant would be asked them, with their answers."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tailor.assistant import REFUSAL, Ask, Assistant
from tailor.benchmarking.leakage import sift
from tailor.documents.passages import Passage
from tailor.errors import NotApplicable
from tailor.example import Example

if TYPE_CHECKING:
    from tailor.models.chat import Chat
    from tailor.workspace import Span, Workspace

FEWEST = 8
"""Below this many train questions a fine-tuning would only memorize."""


@dataclass(frozen=True)
class Pair:
    """One lesson: the messages before the reply, in OpenAI's form, and the reply."""

    prompt: tuple[tuple[str, str], ...]
    """(role, content) in order."""
    completion: str


def pairs(assistant: Assistant, chat: Chat, workspace: Workspace) -> list[Pair]:
    """One pair for each train question, then each of ``training.jsonl``, in file order.

    Dev and test questions are never used, nor is what gives one of them away.

    With a retriever the prompt holds what it finds. Where it misses the evidence, the passage that
    holds it takes the last place, so that the lesson is to read rather than to guess.

    Raises:
        NotApplicable: there are too few train questions.
    """
    from langchain_core.messages import convert_to_openai_messages

    train = (*workspace.benchmark.split("train"), *workspace.training)
    questions = sift(workspace, "fine_tuning", train, "dev", "test")
    if len(questions) < FEWEST:
        raise NotApplicable(
            f"fine_tuning needs at least {FEWEST} train questions and the workspace has "
            f'{len(questions)} that give no other away: add questions with "split": "train" to the '
            "benchmark, or draft some with `tailor benchmark draft --training`."
        )
    out: list[Pair] = []
    for question in questions:
        prompt = assistant.prompt(Ask(question.question))
        # Neither timing nor the question's own answer among the examples belongs into a lesson.
        examples = tuple(e for e in prompt.examples if e.question != question.question)
        prompt = chat.fitted(replace(prompt, examples=examples, seconds=0.0))
        spans = workspace.spans.get(question.id, ())
        if assistant.retriever is not None and spans:
            passages = prompt.passages
            missing = [s for s in spans if not any(_holds(p, s) for p in passages)]
            if missing:
                gold = [p for p in workspace.index().passages() if _holds(p, missing[0])][:1]
                kept = passages[: max(0, len(passages) - 1)]
                prompt = chat.fitted(replace(prompt, passages=(*gold, *kept)))
        lang = "vi" if question.lang == "vi" else "en"
        wanted = question.answers[0] if question.answerable else REFUSAL[lang]
        quote = question.evidence[0].quote if question.evidence else ""
        messages = convert_to_openai_messages(prompt.messages())
        assert isinstance(messages, list)
        out.append(
            Pair(
                tuple((m["role"], m["content"]) for m in messages),
                prompt.format.shown(Example(question.question, wanted, quote=quote)),
            )
        )
    return out


def _holds(passage: Passage, span: Span) -> bool:
    document, start, end = span
    return passage.document == document and passage.start <= start and end <= passage.end
