"""What is being fitted: an assistant with five slots, and the one chain that drives it."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tailor.documents.passages import Passage
from tailor.text import fold, language, nfc

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.retrievers import BaseRetriever
    from langchain_core.runnables import Runnable, RunnableConfig

Outcome = Literal["ok", "refused", "unparseable", "error"]

REFUSAL = {"en": "Not in the documents.", "vi": "Không có trong tài liệu."}
"""What an assistant replies when the documents do not say."""

_REFUSALS = re.compile(
    r"not in the documents?|(?:documents?|context|passages?) (?:do|does) not (?:say|state|mention)"
    r"|not (?:stated|mentioned|specified|available) in the|i (?:do not|don't) know"
    r"|(?:khong|chua) (?:co|duoc neu|duoc nhac|de cap)[\w ]* trong (?:cac )?tai lieu"
    r"|tai lieu khong (?:noi|neu|de cap)|toi khong biet"
)


def is_refusal(text: str) -> bool:
    """Whether a reply says that the documents do not say, in English or Vietnamese."""
    return len(text) <= 200 and _REFUSALS.search(fold(text)) is not None


def digest(value: object) -> str:
    """A short content hash (16 hex digits of SHA-256) of anything JSON can hold."""
    raw = json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(raw.encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Turn:
    """One earlier turn of a conversation."""

    role: Literal["user", "assistant"]
    content: str


@dataclass(frozen=True)
class Ask:
    """What comes in: a question and earlier turns."""

    question: str
    history: tuple[Turn, ...] = ()
    repeat: int = 0
    """Which of several independent answers to the same question this is."""

    @property
    def key(self) -> str:
        """Content hash without the repeat, under which answers are stored."""
        return digest(asdict(replace(self, repeat=0)))


@dataclass(frozen=True)
class Example:
    """A question with the answer that is wanted, shown in the prompt."""

    question: str
    answer: str


class ExampleSelector(Protocol):
    """Picks the examples for each question."""

    fingerprint: str

    def __call__(self, question: str) -> tuple[Example, ...]:
        """The examples to show with this question, the closest one last."""


@dataclass(frozen=True)
class AnswerFormat:
    """How the reply is asked for, read and checked."""

    kind: Literal["text", "number", "label"] = "text"
    pattern: str | None = None
    """A regular expression the whole answer must match."""
    labels: tuple[str, ...] = ()
    instruction: str = ""
    """Said to the model in its instructions, where there is something to say."""

    def parse(self, reply: str) -> str | None:
        """The answer in a reply, or None when there is none that keeps the format."""
        text = nfc(reply).strip()
        if not text:
            return None
        if self.kind == "label":
            wanted = fold(text).strip(" .\"'")
            return next((label for label in self.labels if fold(label) == wanted), None)
        if self.kind == "number" and not re.search(r"\d", text):
            return None
        return text


@dataclass(frozen=True)
class Prompt:
    """All that a model is given for one question; structured, not yet text."""

    question: str
    instructions: str = ""
    examples: tuple[Example, ...] = ()
    passages: tuple[Passage, ...] = ()
    history: tuple[Turn, ...] = ()
    format: AnswerFormat = AnswerFormat()
    repeat: int = 0
    seconds: float = 0.0
    """Taken to pick the examples and find the passages."""

    def messages(self) -> list[BaseMessage]:
        """The chat messages: instructions, examples as turns, then passages and the question."""
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        system = " ".join(part for part in (self.instructions, self.format.instruction) if part)
        out: list[BaseMessage] = [SystemMessage(system)] if system else []
        for example in self.examples:
            out += [HumanMessage(asked(example.question)), AIMessage(example.answer)]
        for turn in self.history:
            out.append((HumanMessage if turn.role == "user" else AIMessage)(turn.content))
        out.append(HumanMessage(asked(self.question, self.passages)))
        return out


def asked(question: str, passages: Sequence[Passage] = ()) -> str:
    """The text of a user turn: numbered passages under their sources, then the question."""
    label = "Câu hỏi" if language(question) == "vi" else "Question"
    blocks = [f"[{n}] {passage.source}\n{passage.text}" for n, passage in enumerate(passages, 1)]
    return "\n\n".join([*blocks, f"{label}: {question}"])


@dataclass(frozen=True)
class Reply:
    """What a model returned for one prompt, with what it took."""

    text: str
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    cost_usd: float | None = 0.0
    """None where the model's price is not known."""
    refused: bool = False
    """The model itself declined (a reader without confidence, a provider's refusal)."""
    call: str = ""
    """Key of the stored model call this came from; empty where no chat model was asked."""
    dropped: int = 0
    """How many of the least relevant passages did not fit into the model's context."""


@dataclass(frozen=True)
class Answer:
    """How one question ended: ``ok``, ``refused``, ``unparseable`` or ``error``."""

    outcome: Outcome
    text: str = ""
    passages: tuple[Passage, ...] = ()
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    """From the question to the answer, retrieval included, as first measured."""
    cost_usd: float | None = 0.0
    """None where the model's price is not known."""
    error: str = ""
    """Kind and message, ``rate_limit: …``; only where the outcome is ``error``."""
    call: str = ""
    """Key of the stored model call; empty where no chat model was asked."""
    dropped: int = 0
    """How many of the passages, from the end, the model did not get to see."""


@dataclass(frozen=True)
class Assistant:
    """A language model (or a reader without one) fitted to a company's documents.

    Every stage returns a new assistant with one slot replaced.
    """

    model: Runnable[Prompt, Reply]
    """Has a ``fingerprint``: a content hash of all in the model that can change a reply."""
    instructions: str = ""
    examples: tuple[Example, ...] | ExampleSelector = ()
    retriever: BaseRetriever | None = None
    """Has a ``fingerprint``; returns LangChain documents that carry a passage's fields."""
    format: AnswerFormat = field(default_factory=AnswerFormat)

    @property
    def fingerprint(self) -> str:
        """Content hash of all that can change an answer."""
        examples = (
            [asdict(example) for example in self.examples]
            if isinstance(self.examples, tuple)
            else self.examples.fingerprint
        )
        return digest(
            {
                "model": _fingerprint(self.model),
                "instructions": self.instructions,
                "examples": examples,
                "retriever": _fingerprint(self.retriever),
                "format": asdict(self.format),
            }
        )

    def chain(self) -> Runnable[Ask, Answer]:
        """The LangChain runnable from a question to its answer; everything meets here."""
        from langchain_core.runnables import RunnableLambda, RunnableParallel, RunnablePassthrough

        return (
            RunnableLambda(self.prompt).with_config(run_name="prompt")
            | RunnableParallel(prompt=RunnablePassthrough(), reply=self.model)
            | RunnableLambda(self._answer).with_config(run_name="answer")
        )

    def answer(self, question: str | Ask) -> Answer:
        """Answer one question.

        Raises:
            Exception: whatever the model raises; a ladder turns it into an ``error`` answer.
        """
        return self.chain().invoke(Ask(question) if isinstance(question, str) else question)

    def prompt(self, ask: Ask, config: RunnableConfig | None = None) -> Prompt:
        """What the model would be given for this question."""
        started = time.monotonic()
        examples = (
            self.examples if isinstance(self.examples, tuple) else self.examples(ask.question)
        )
        passages: tuple[Passage, ...] = ()
        if self.retriever is not None:
            found = self.retriever.invoke(ask.question, config)
            passages = tuple(Passage(text=d.page_content, **d.metadata) for d in found)
        return Prompt(
            question=ask.question,
            instructions=self.instructions,
            examples=examples,
            passages=passages,
            history=ask.history,
            format=self.format,
            repeat=ask.repeat,
            seconds=time.monotonic() - started,
        )

    def _answer(self, exchange: dict[str, Any]) -> Answer:
        prompt: Prompt = exchange["prompt"]
        reply: Reply = exchange["reply"]
        outcome: Outcome = "ok"
        text: str | None = reply.text.strip()
        if reply.refused or is_refusal(reply.text):
            outcome = "refused"
        else:
            text = self.format.parse(reply.text)
            if text is None:
                outcome, text = "unparseable", reply.text
        return Answer(
            outcome=outcome,
            text=text or "",
            passages=prompt.passages,
            input_tokens=reply.input_tokens,
            output_tokens=reply.output_tokens,
            seconds=prompt.seconds + reply.seconds,
            cost_usd=reply.cost_usd,
            call=reply.call,
            dropped=reply.dropped,
        )


def _fingerprint(slot: object) -> str | None:
    if slot is None:
        return None
    value: str | Callable[[], str] | None = getattr(slot, "fingerprint", None)
    if not isinstance(value, str):
        raise TypeError(f"{type(slot).__name__} needs a `fingerprint` to be put into an assistant")
    return value
