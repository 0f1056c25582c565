"""What running rows would cost, before anything is asked, built or trained."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from tailor.answers import AnswerStore
from tailor.assistant import Ask, Assistant, digest
from tailor.cost import made, total
from tailor.errors import NotApplicable, RowsMissing
from tailor.ladder import dev_score
from tailor.models.usage import Usage, prompt_tokens, text_tokens, usage
from tailor.rows import Bases
from tailor.run import SPLITS, Run, all_runs
from tailor.workspace import Workspace

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.answers import Fact
    from tailor.benchmark import Question
    from tailor.config import Config
    from tailor.documents.index import Index
    from tailor.documents.passages import Splitter
    from tailor.models.chat import Chat
    from tailor.rows import Row
    from tailor.training.forecast import Forecast

SAMPLE = 200
"""Prompts of a row that are put together and counted; where there are more, evenly spread ones."""
CALLS = 40
"""Stored calls by which the count of tokens is set right, and the length of replies known."""
REPLY = 2
"""A reply of a model never measured is taken to be so many times as long as the right answer."""
READ_S, CALL_S, TOKEN_S = 0.05, 0.03, 0.00015
"""Seconds a question of the extractive reader, and a call and an input token of the small model
that comes with Tailor take on two idle cores: a guess, until answers of the row are stored."""

Basis = Literal["prompts", "row before", "earlier run", "no model"]
"""Where the tokens of a prompt come from: the row's own prompts; those of the row it builds on, as
its stage is not prepared; the answers of an earlier run of the row."""


@dataclass(frozen=True)
class RowEstimate:
    """What one row would take."""

    row: str
    questions: int
    """Answers wanted: dev and test questions, times the repeats."""
    answered: int
    calls: int
    """To be made, those included that its stage makes before."""
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """None where the model's price is not known."""
    most_usd: float | None
    """If every reply were as long as it may be."""
    seconds: float | None
    """From what was measured before; guessed for the models that come with Tailor, else None."""
    basis: Basis
    measured: bool
    """Whether stored calls of this model say how long replies are."""
    training: Mapping[str, Any] | None = None
    """What its stage would train on this machine; see `tailor.training.forecast`."""
    training_usd: float | None = 0.0
    """Of the cost, what a service would be paid for training; None where that is not known."""


@dataclass(frozen=True)
class Estimate:
    """What running rows would take."""

    model: str
    to: str
    """Who would get the texts: a host or provider; empty when nothing leaves this machine."""
    repeats: int
    price_source: str | None
    """Whose price was taken, with its date; empty where tokens are free, None where unknown."""
    rows: tuple[RowEstimate, ...]
    left_out: tuple[str, ...] = ()
    """Rows that cannot be applied, with the reason, a sentence each."""

    @property
    def calls(self) -> int:
        """Of all rows."""
        return sum(row.calls for row in self.rows)

    @property
    def cost_usd(self) -> float | None:
        """Of all rows; None where one is not known."""
        return total(row.cost_usd for row in self.rows)

    @property
    def most_usd(self) -> float | None:
        """Of all rows, if every reply were as long as it may be."""
        return total(row.most_usd for row in self.rows)

    @property
    def seconds(self) -> float | None:
        """Of all rows; None where one is not known."""
        return total(row.seconds for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """As ``tailor run --dry-run --json`` prints it."""
        own = {"cost_usd": self.cost_usd, "most_usd": self.most_usd, "seconds": self.seconds}
        return {
            "schema_version": 1,
            "model": self.model,
            "to": self.to,
            "repeats": self.repeats,
            "price_source": self.price_source,
            "rows": [dict(row.__dict__) for row in self.rows],
            "left_out": list(self.left_out),
            "total": {"calls": self.calls, **own},
        }


def estimate(
    workspace: Workspace, rows: Sequence[Row], model: str | None = None, repeats: int = 1
) -> Estimate:
    """What ``climb`` would take for these rows.

    A row that builds on the best so far is taken to build on the best by what was scored before.

    Asks no model, builds no index and trains nothing. Tokens are counted in the prompts that would
    be sent, with the tokenizer that comes with Tailor, and set right by stored calls of the model
    where there are any; replies are as long as stored ones, else twice the right answer.

    Raises:
        TailorError: nothing has been ingested yet, and a row needs it.
    """
    from tailor.models.provider import receiver
    from tailor.prices import price_source

    model = model or workspace.config.model
    planned = _Planned(workspace)
    known = _Known(planned, model)
    bases = Bases(_Base(planned.root_assistant(model)), lambda own: _dev(planned, own))
    found: list[RowEstimate] = []
    left_out: list[str] = []
    for row in rows:
        try:
            base = bases.of(row)[1]
            reached = _applied(row, base, planned)
        except RowsMissing as error:
            if len(found) < 2:  # nor will there be enough by then
                left_out.append(f"{row.id}: {error}")
                continue
            reached = _Base(base.assistant, False)
        except NotApplicable as error:
            left_out.append(f"{row.id}: {error}")
            continue
        if row.scored:
            found.append(_row(known, row, base, reached, repeats))
        bases.add(row, reached)
    to = receiver(model, workspace.config)
    source = price_source(model, workspace.config)
    return Estimate(model, to, repeats, source, tuple(found), tuple(left_out))


@dataclass(frozen=True)
class _Base:
    """What a row would be built on."""

    assistant: Assistant
    exact: bool = True
    """False: something in it is not made yet, so that this one stands in for it."""
    training_usd: float | None = 0.0
    """What a service would be paid for training; None where that is not known."""
    training: Forecast | None = None
    """What its stage would train on this machine."""


def _applied(row: Row, base: _Base, planned: _Planned) -> _Base:
    """What the row's stage makes of its base; the base itself where that is not made yet."""
    try:
        return _Base(row.stage.apply(base.assistant, planned), base.exact)
    except _NotMade:
        forecasts, planned.forecasts = planned.forecasts or [], []
        forecast = forecasts[0] if forecasts else None
        if not planned.foreseen:
            return _Base(base.assistant, False, training=forecast)
        model, usd = planned.foreseen.pop()
        return _Base(replace(base.assistant, model=planned.chat(model)), False, usd, forecast)


def _dev(workspace: Workspace, own: _Base) -> float | None:
    return dev_score(workspace, own.assistant.fingerprint) if own.exact else None


def _row(known: _Known, row: Row, base: _Base, reached: _Base, repeats: int) -> RowEstimate:
    from tailor.models.chat import Chat

    workspace, assistant = known.workspace, reached.assistant
    questions = workspace.benchmark.split(*SPLITS)
    missing = (
        _missing(workspace, questions, assistant, repeats)
        if reached.exact
        else [(q, repeat) for repeat in range(repeats) for q in questions]
    )
    answered = len(questions) * repeats - len(missing)
    prepared = reached.exact or not (base.exact or row.stage.calls(workspace))
    # A reference row that is not made yet will not ask the model it was given.
    own = reached.exact or row.stage.starts_from != "root"
    chat = assistant.model if own and isinstance(assistant.model, Chat) else None
    if chat is None:
        workers = workspace.config.concurrency
        seconds = known.seconds(row.id, prepared, len(missing), workers)
        cost = known.of_hours(seconds)
        wanted = len(questions) * repeats
        if seconds is None and row.stage.name() == "baseline" and workspace.config.task == "answer":
            seconds = len(missing) * READ_S
        return RowEstimate(row.id, wanted, answered, 0, 0, 0, cost, cost, seconds, "no model", True)
    sent = _offline(assistant, workspace.config)
    calls = _to_make(chat, sent, missing) + (0 if prepared else row.stage.calls(workspace))
    basis, each = known.prompt_tokens(row.id, sent, reached.exact, [q for q, _ in missing])
    used = Usage(round(calls * each), round(calls * known.reply_tokens(row.id, questions)))
    seconds = known.seconds(row.id, prepared, calls, chat.concurrency, reached.training)
    hours, usd = known.of_hours(seconds), reached.training_usd
    if seconds is None and chat.name == "shipped":
        trained = reached.training.seconds if reached.training else None
        seconds = calls * CALL_S + used.input_tokens * TOKEN_S + (trained or 0.0)
    return RowEstimate(
        row=row.id,
        questions=len(questions) * repeats,
        answered=answered,
        calls=calls,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=total((chat.cost(used), hours, usd)),
        most_usd=total((chat.cost(_most(used, calls, chat, assistant)), hours, usd)),
        seconds=seconds,
        basis=basis,
        measured=bool(known.calls),
        training=reached.training.to_json() if reached.training else None,
        training_usd=usd,
    )


def _most(used: Usage, calls: int, chat: Chat, assistant: Assistant) -> Usage:
    """If every reply were as long, and every tool used as often, as it may be."""
    format = assistant.format
    times = format.rounds + 2 if format.tools else 1
    return Usage(times * used.input_tokens, times * calls * chat.longest)


def _missing(
    workspace: Workspace, questions: Sequence[Question], assistant: Assistant, repeats: int
) -> list[tuple[Question, int]]:
    """Questions without an answer, with which of their repeats."""
    fingerprint, keys = assistant.fingerprint, workspace.benchmark.keys
    missing: list[tuple[Question, int]] = []
    for repeat in range(repeats):
        facts = workspace.answers.facts(fingerprint, repeat)
        done = {key for key, fact in facts.items() if fact.outcome != "error"}
        missing += [(q, repeat) for q in questions if keys[q.id] not in done]
    return missing


def _to_make(chat: Chat, assistant: Assistant, missing: Sequence[tuple[Question, int]]) -> int:
    """How many calls the missing answers take; a call that is in the store is not made again."""
    from tailor.models.provider import is_local

    if is_local(chat.name):  # to know its exact prompts, its weights would have to be loaded
        return len(missing)
    sample = _spread(missing, SAMPLE)
    stored = sum(
        chat.store.call(digest(chat.request(_messages(assistant, q), repeat))) is not None
        for q, repeat in sample
    )
    return len(missing) - round(stored * len(missing) / max(1, len(sample)))


def _messages(assistant: Assistant, question: Question) -> list[BaseMessage]:
    return assistant.prompt(Ask(question.question)).messages()


def _offline(assistant: Assistant, config: Config) -> Assistant:
    """The assistant, searching by words alone where its embedder would have to be asked."""
    from tailor.retrieval.retriever import Retriever

    found = assistant.retriever
    if not isinstance(found, Retriever):
        return assistant
    if not (found.configuration.embedder or config.embedder).startswith("openai:"):
        return assistant
    words = replace(found.configuration, weight=1.0, reranker="")
    offline = found.model_copy(update={"configuration": words, "reranker": None})
    return replace(assistant, retriever=offline)


T = TypeVar("T")


def _spread(items: Sequence[T], most: int) -> list[T]:
    """At most so many of the items, evenly spread."""
    step = max(1.0, len(items) / most)
    return [items[int(at * step)] for at in range(min(most, len(items)))]


class _NotMade(NotApplicable):
    """Something would have to be built, trained or searched for first."""


class _Planned(Workspace):
    """The workspace, in which nothing is made."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__(workspace.root)
        self.config = workspace.config
        self.foreseen = []
        self.forecasts = []
        self.__dict__["benchmark"] = workspace.benchmark

    @cached_property
    def answers(self) -> AnswerStore:
        """The store; an empty one in memory where there is none yet."""
        path = self.state / "answers.db"
        return AnswerStore(path if path.exists() else Path(":memory:"))

    def artifact(self, kind: str, key: object, build: Callable[[Path], None]) -> Path:
        """The folder, if it is there."""
        folder = self.artifact_folder(kind, key)
        if not folder.is_dir():
            raise _NotMade(f"{kind} is not made yet")
        return folder

    def index(self, splitter: Splitter | None = None, embedder: str = "") -> Index:
        """The generation, if it is there."""
        from tailor.documents import generation

        name = embedder or self.config.embedder
        other = splitter or self.splitter
        if generation.current(self.state) is not None:
            known = generation.current_name(self.state, name, other)
            if known and not (self.state / "index" / known / "manifest.json").exists():
                raise _NotMade("the index is not built yet")
            if known is None and name != self.config.embedder:
                raise _NotMade("the index is not built yet")
        return super().index(splitter, embedder)


@dataclass(frozen=True)
class _Known:
    """What the stored answers of a model tell."""

    workspace: Workspace
    model: str

    @cached_property
    def runs(self) -> list[Run]:
        """Of this model, the newest first."""
        runs = [run for run in all_runs(self.workspace) if run.model == self.model]
        return [run for run in reversed(runs) if not run.imported]

    def facts(self, row: str | None = None) -> list[Fact]:
        """The answers of a row's newest run that has any, or of all rows."""
        found: list[Fact] = []
        for run in self.runs:
            if row in (None, run.row) and not (row and found):
                found += [fact for fact in run.facts().values() if fact.outcome != "error"]
        return found

    @cached_property
    def calls(self) -> list[Fact]:
        """The answers for which this model was asked, all rows."""
        return [fact for fact in self.facts() if fact.call]

    @cached_property
    def ratio(self) -> float:
        """Tokens the provider reports for each that is counted here; 1 where none is reported."""
        from langchain_core.messages import messages_from_dict

        reported = counted = 0
        for fact in _spread(self.calls, CALLS):
            if call := self.workspace.answers.call(fact.call):
                messages = messages_from_dict(call.request["messages"])
                used = usage(messages, messages_from_dict([call.reply])[0])
                if not used.counted:
                    reported += used.input_tokens
                    counted += prompt_tokens(messages, self.model)
        return reported / counted if reported and counted else 1.0

    def reply_tokens(self, row: str, questions: Sequence[Question]) -> float:
        """The mean length of a reply: of the row, else of the model, else by the right answers."""
        facts = [fact for fact in self.facts(row) if fact.call] or self.calls
        if facts:
            return fmean(fact.output_tokens for fact in facts)
        right = [text_tokens(q.answers[0], self.model) for q in questions if q.answers]
        return REPLY * fmean(right or [8.0])

    def prompt_tokens(
        self, row: str, assistant: Assistant, exact: bool, questions: Sequence[Question]
    ) -> tuple[Basis, float]:
        """The mean length of a prompt, and what it is known by."""
        earlier = [fact.input_tokens for fact in self.facts(row) if fact.call]
        if not exact and earlier:
            return "earlier run", fmean(earlier)
        sample = _spread(list(dict.fromkeys(questions)), SAMPLE)
        lengths = [prompt_tokens(_messages(assistant, q), self.model) for q in sample]
        return "prompts" if exact else "row before", self.ratio * fmean(lengths or [0.0])

    def seconds(
        self, row: str, prepared: bool, calls: int, workers: int, training: Forecast | None = None
    ) -> float | None:
        """Wall time of the calls, and of preparing the row; None where it was never measured."""
        preparing = 0.0 if prepared else self._preparing(row)
        if preparing is None and training is not None:
            preparing = training.seconds
        if not calls or preparing is None:
            return preparing
        facts = self.facts(row) or self.calls
        if not facts:
            return None
        return preparing + fmean(fact.seconds for fact in facts) * calls / workers

    def _preparing(self, row: str) -> float | None:
        """What was made for the row before took so long; None where nothing was."""
        last = next((run for run in self.runs if run.row == row), None)
        before = next((run for run in self.runs if last and run.row == last.previous), None)
        own = set(last.artifacts or () if last else ()) - set(
            before.artifacts or () if before else ()
        )
        folders = [self.workspace.state / "artifacts" / name for name in own]
        took = [one.seconds for folder in folders if (one := made(folder))]
        return sum(took) if took else None

    def of_hours(self, seconds: float | None) -> float | None:
        """What the time costs where the model runs on this machine and its hours have a price."""
        from tailor.models.provider import is_local

        price = self.workspace.config.gpu_hour_usd
        if price is None or not is_local(self.model):
            return 0.0
        return None if seconds is None else seconds / 3600 * price
