"""What is being fitted: an assistant with five slots, and the one chain that drives it.

A retriever that does more than search, such as one that asks a model to rewrite the question, has
a method ``find`` beside LangChain's ``invoke`` (see :class:`Finder`). It gets the whole
:class:`Ask` and returns a :class:`Found`: the passages, and what finding them took. Tokens, cost
and the keys of its calls then reach the :class:`Answer`::

    def find(self, ask: Ask, config: RunnableConfig | None = None) -> Found:
        reply = self.chat.invoke(Prompt(question=..., instructions=...), config)
        return Found(self.passages(reply.text), used=reply.used, calls=reply.keys)
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tailor.answer_format import AnswerFormat
from tailor.documents.filters import Filters
from tailor.documents.passages import Passage
from tailor.example import Example, ExampleSelector
from tailor.framing import Order, blocks, neutral, rules
from tailor.prompting.wording import ITEM, QUESTION, Language, in_language
from tailor.spending import Use
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

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", nfc(self.content))


@dataclass(frozen=True)
class Ask:
    """What comes in: a question, earlier turns, and which documents it is asked of.

    Composed and decomposed letters are one: texts are held in NFC.
    """

    question: str
    history: tuple[Turn, ...] = ()
    repeat: int = 0
    """Which of several independent answers to the same question this is."""
    filters: Filters | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "question", nfc(self.question))

    @property
    def key(self) -> str:
        """Content hash without the repeat, under which answers are stored."""
        history = [asdict(turn) for turn in self.history]
        asked = {"question": self.question, "history": history, "repeat": 0}
        return digest({**asked, "filters": self.filters.to_json()} if self.filters else asked)


@dataclass(frozen=True)
class Found:
    """What a retriever found for a question, and what that took."""

    passages: tuple[Passage, ...] = ()
    used: Use = field(default_factory=Use)
    """Tokens and cost of the model calls made for it, from the store or new."""
    calls: tuple[str, ...] = ()
    """Keys of these calls in the answer store, in order."""
    seconds: float | None = None
    """What finding took when its calls were new; None: what the clock says now."""
    order: Order = "best_first"
    """In which the passages are shown to the model."""
    searched: str = ""
    """What was searched for, where that is not the question as it was asked."""
    declined: bool = False
    """Nothing found is relevant enough: the question is refused, and no model asked."""
    fell_back: tuple[str, ...] = ()
    """Steps whose model reply could not be used, so that they changed nothing."""


class Finder(Protocol):
    """A retriever that takes the whole question; it has all of a ``BaseRetriever``, too."""

    def find(self, ask: Ask, config: RunnableConfig | None = None) -> Found:
        """The passages for a question, its earlier turns and filters; the best first."""


@dataclass(frozen=True)
class Prompt:
    """All that a model is given for one question; structured, not yet text."""

    question: str
    instructions: str = ""
    examples: tuple[Example, ...] = ()
    passages: tuple[Passage, ...] = ()
    history: tuple[Turn, ...] = ()
    format: AnswerFormat = field(default_factory=AnswerFormat)
    repeat: int = 0
    seconds: float = 0.0
    """Taken to pick the examples and find the passages."""
    used: Use = field(default_factory=Use)
    """Tokens and cost of the model calls that finding the passages took."""
    calls: tuple[str, ...] = ()
    """Keys of these calls."""
    followed: tuple[Turn, ...] = ()
    """Turns after the question: what the model asked of its tools, and what they said."""
    order: Order = "best_first"
    """In which the passages are shown; their numbers are those of their ranks."""
    quoted: bool = False
    """The passages are framed as quoted material, which the model was not trained otherwise on."""
    searched: str = ""
    """What was searched for, where that is not the question as it was asked."""
    declined: bool = False
    """Nothing relevant was found: no model is to be asked."""

    def messages(self) -> list[BaseMessage]:
        """The chat messages: instructions, examples as turns, then passages and the question."""
        from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

        kind = self.format.kind
        question = asked(self.question, self.passages, self.order, self.quoted, kind)
        turns: list[Turn] = []
        for example in self.examples:
            shown = asked(example.question, example.passages, self.order, self.quoted, kind)
            turns += [Turn("user", shown), Turn("assistant", self.format.shown(example))]
        # Earlier answers and what tools said may hold what stands in a document.
        earlier, later = (
            [Turn(turn.role, neutral(turn.content)) for turn in given]
            for given in (self.history, self.followed)
        )
        turns += [*earlier, Turn("user", question), *later]
        system = self.told()
        if system and self.format.placement == "user":
            at = next(at for at, turn in enumerate(turns) if turn.role == "user")
            turns[at] = Turn("user", f"{system}\n\n{turns[at].content}")
            system = ""
        out: list[BaseMessage] = [SystemMessage(system)] if system else []
        for turn in turns:
            out.append((HumanMessage if turn.role == "user" else AIMessage)(turn.content))
        return out

    def told(self) -> str:
        """The instructions with what is said of format and passages, in the question's language."""
        given = bool(self.passages)
        code = language(self.question)
        said = [in_language(part, code) for part in (self.instructions, self.format.instruction)]
        said.append(rules(self.question, given and self.quoted, given and self.format.citations))
        return " ".join(part for part in said if part)


def asked(
    question: str,
    passages: Sequence[Passage] = (),
    order: Order = "best_first",
    quoted: bool = False,
    kind: str = "text",
) -> str:
    """The text of a user turn: numbered passages under their sources, then the question.

    Where a number or a label is asked for (``kind``), the question is the text of an item.
    """
    lang: Language = "vi" if language(question) == "vi" else "en"
    label = QUESTION[lang] if kind == "text" else ITEM[lang]
    shown = [blocks(passages, order, quoted)] if passages else []
    return "\n\n".join([*shown, f"{label}: {question}"])


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
    counted: bool = False
    """The tokens were counted by Tailor, as the provider reported none."""
    calls: tuple[str, ...] = ()
    """Keys of all calls made for it, in order, ``call`` the last; empty where there was but one."""
    fell_back: bool = False
    """The model knows no structured replies or tools: it was asked for them in words."""

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of all stored calls behind it, in order."""
        return self.calls or ((self.call,) if self.call else ())

    @property
    def used(self) -> Use:
        """Its tokens and its cost."""
        return Use(len(self.keys), self.input_tokens, self.output_tokens, self.cost_usd)


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
    """How many of the passages, from the end, the model did not get to see: the least relevant."""
    counted: bool = False
    """The tokens were counted by Tailor, as the provider reported none."""
    calls: tuple[str, ...] = ()
    """Keys of all stored model calls behind it, in the order they were made: those that finding
    the passages took, intermediate ones, then ``call``. Tokens, time and cost are of them all."""
    quote: str = ""
    """What the model says the documents say, word for word; only in a structured reply."""
    fell_back: bool = False
    """The model knows no structured replies or tools: it was asked for them in words."""

    with_citations: str = ""
    """The text with its citations, as ``[1]``, where they were asked for; ``text`` has none."""
    searched: str = ""
    """What was searched for, where that is not the question as it was asked."""

    @property
    def seen(self) -> tuple[Passage, ...]:
        """The passages that the model was shown; those behind them had no room in the prompt."""
        return self.passages[: len(self.passages) - self.dropped]

    @classmethod
    def of(cls, value: Mapping[str, Any]) -> Answer:
        """The answer from its JSON value, as ``dataclasses.asdict`` makes it.

        Raises:
            TypeError: a field is missing or unknown.
            KeyError: it has no passages.
        """
        passages = tuple(Passage(**passage) for passage in value["passages"])
        return cls(**{**value, "passages": passages, "calls": tuple(value.get("calls", ()))})


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
    """Has a ``fingerprint``; returns LangChain documents that carry a passage's fields, or is a
    :class:`Finder`."""
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
                "format": self.format.recorded(),
            }
        )

    def chain(self) -> Runnable[Ask, Answer]:
        """The LangChain runnable from a question to its answer; everything meets here."""
        from tailor.link import Link

        return Link(self.prompt) | Link(self._answered)

    def answer(self, question: str | Ask) -> Answer:
        """Answer one question.

        Raises:
            Exception: whatever the model raises; a ladder turns it into an ``error`` answer.
        """
        return self.chain().invoke(Ask(question) if isinstance(question, str) else question)

    def prompt(self, ask: Ask, config: RunnableConfig | None = None) -> Prompt:
        """What the model would be given for this question."""
        started = time.monotonic()
        if isinstance(self.examples, tuple):
            examples = tuple(map(self._completed, self.examples))
        else:
            examples = self.examples(ask.question, self._completed)
        picked = time.monotonic() - started
        found = self.found(ask, config)
        finding = time.monotonic() - started - picked
        return Prompt(
            question=ask.question,
            instructions=self.instructions,
            examples=examples,
            passages=found.passages,
            history=ask.history,
            format=self.format,
            repeat=ask.repeat,
            seconds=picked + (finding if found.seconds is None else found.seconds),
            used=found.used,
            calls=found.calls,
            order=found.order,
            quoted=getattr(self.model, "quotes", False),
            searched=found.searched,
            declined=found.declined,
        )

    def found(self, ask: Ask, config: RunnableConfig | None = None) -> Found:
        """What the retriever finds for a question; nothing where there is none."""
        if self.retriever is None:
            return Found()
        find: Callable[..., Found] | None = getattr(self.retriever, "find", None)
        if find is not None:
            return find(ask, config)
        documents = self.retriever.invoke(ask.question, config)
        return Found(tuple(Passage(text=d.page_content, **d.metadata) for d in documents))

    def _answered(self, prompt: Prompt, config: RunnableConfig | None) -> Answer:
        if prompt.declined:
            return self._answer(prompt, Reply(REFUSAL[language(prompt.question)], refused=True))
        return self._answer(prompt, self._conversing.invoke(prompt, config))

    @cached_property
    def _conversing(self) -> Runnable[Prompt, Reply]:
        """The model, or the conversation with it that the format asks for."""
        if not self.format.converses:
            return self.model
        from tailor.prompting.conversation import Conversation

        return Conversation(self.model)

    def _completed(self, example: Example) -> Example:
        """The example with its passages, which are found once for all questions."""
        if not example.shows or self.retriever is None:
            return example
        if example not in self._complete:
            found = self.found(Ask(example.question)).passages
            self._complete[example] = example.with_passages(found)
        return self._complete[example]

    @cached_property
    def _complete(self) -> dict[Example, Example]:
        return {}

    def _answer(self, prompt: Prompt, reply: Reply) -> Answer:
        outcome: Outcome = "ok"
        said, quote = self.format.final(reply.text)
        if reply.refused or is_refusal(said or "") or self.format.declines(said or ""):
            outcome, text = "refused", said or reply.text.strip()
        elif parsed := self.format.parse(said or ""):
            text = parsed
        else:
            outcome, text = "unparseable", reply.text
        used = prompt.used + reply.used
        return Answer(
            outcome=outcome,
            text=text,
            passages=_seen_first(prompt.passages, reply.dropped),
            input_tokens=used.input_tokens,
            output_tokens=used.output_tokens,
            seconds=prompt.seconds + reply.seconds,
            cost_usd=used.usd,
            call=reply.call,
            dropped=reply.dropped,
            counted=reply.counted,
            calls=(*prompt.calls, *reply.keys),
            with_citations=said or "" if self.format.citations else "",
            searched=prompt.searched,
            quote=quote,
            fell_back=reply.fell_back,
        )


def _seen_first(passages: tuple[Passage, ...], dropped: int) -> tuple[Passage, ...]:
    """The passages as the model was shown them, and after them those that were dropped."""
    if not dropped:
        return passages
    from tailor.models.overflow import parted

    kept, left_out = parted(passages, dropped)
    return (*kept, *left_out)


def _fingerprint(slot: object) -> str | None:
    if slot is None:
        return None
    value: str | Callable[[], str] | None = getattr(slot, "fingerprint", None)
    if not isinstance(value, str):
        raise TypeError(f"{type(slot).__name__} needs a `fingerprint` to be put into an assistant")
    return value
