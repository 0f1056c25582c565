"""The chain from a question to its answer: find passages, fill the prompt, ask, read the reply."""

from __future__ import annotations

import json
from operator import itemgetter
from pathlib import Path
from typing import Any

from langchain_core.documents import Document
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.output_parsers import StrOutputParser
from langchain_core.runnables import Runnable, RunnableLambda, RunnablePassthrough

from tailor.exporting.plain import model
from tailor.exporting.plain.examples import Examples
from tailor.exporting.plain.passage import Passage
from tailor.exporting.plain.search import Search
from tailor.framing import blocks, rules
from tailor.prompting.wording import final, in_language, without_thought
from tailor.text import language, nfc

DATA = Path(__file__).parent / "data"


def build(data: Path = DATA) -> Runnable[dict[str, Any], dict[str, Any]]:
    """From ``{"question": ...}`` to the same with ``passages`` and ``answer``."""
    settings = json.loads((data / "settings.json").read_text("utf-8"))
    passages: Runnable[dict[str, Any], list[Document]] = RunnableLambda(lambda _: [])
    if settings["retriever"]:
        passages = itemgetter("question") | Search.load(data, settings["retriever"])
    llm = model.load(data, settings["model"])
    return RunnablePassthrough.assign(passages=passages) | RunnablePassthrough.assign(
        answer=prompt(data, settings, llm)
        | llm
        | StrOutputParser()
        | RunnableLambda(lambda reply: read(reply, settings["reasoning"]))
    )


def prompt(
    data: Path, settings: dict[str, Any], llm: BaseChatModel
) -> Runnable[dict[str, Any], list[BaseMessage]]:
    """From a question and its passages, as many as fit, to the messages the model gets."""
    examples = Examples.load(data, settings["examples"])

    def fitted(given: dict[str, Any]) -> list[BaseMessage]:
        passages = _passages(given["passages"])
        made = messages(given["question"], passages)
        while passages and isinstance(llm, model.LocalModel) and not llm.fits(made):
            passages = passages[:-1]
            made = messages(given["question"], passages)
        return made

    def messages(question: str, passages: list[Passage]) -> list[BaseMessage]:
        turns: list[BaseMessage] = []
        for example in examples(question):
            turns += [HumanMessage(asked(example.question)), AIMessage(example.reply)]
        turns.append(HumanMessage(asked(question, passages, settings["order"], settings["quoted"])))
        told = [in_language(part, language(question)) for part in settings["instructions"]]
        quoted = bool(passages) and settings["quoted"]
        told.append(rules(question, quoted, bool(passages) and settings["citations"]))
        system = " ".join(part for part in told if part)
        if system and settings["placement"] == "user":
            turns[0] = HumanMessage(f"{system}\n\n{turns[0].content}")
            return turns
        return [SystemMessage(system), *turns] if system else turns

    return RunnableLambda(fitted)


def asked(
    question: str, passages: list[Passage] | None = None, order: Any = "", quoted: bool = False
) -> str:
    """A user turn: numbered passages under their sources, then the question."""
    label = "Câu hỏi" if language(question) == "vi" else "Question"
    shown = [blocks(passages, order, quoted)] if passages else []  # type: ignore[arg-type]
    return "\n\n".join([*shown, f"{label}: {question}"])


def read(reply: str, reasoning: bool) -> str:
    """The answer in a reply; that which reasons first ends with it."""
    text = without_thought(reply).strip()
    return nfc((final(text) or text) if reasoning else text).strip()


def _passages(documents: list[Document]) -> list[Passage]:
    return [Passage(text=found.page_content, **found.metadata) for found in documents]
