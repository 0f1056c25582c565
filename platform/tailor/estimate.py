"""What running rows would cost, before anything is asked, built or trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, Any, Literal

from tailor.assistant import Ask, Assistant, digest
from tailor.cost import total
from tailor.errors import NotApplicable, RowsMissing
from tailor.estimate_measured import Measured, spread
from tailor.estimate_planned import NotMade, Planned
from tailor.ladder import dev_score
from tailor.models.usage import Usage, prompt_tokens
from tailor.rows import Bases
from tailor.run import SPLITS

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from tailor.benchmark import Question
    from tailor.config import Config
    from tailor.models.chat import Chat
    from tailor.rows import Row
    from tailor.training.forecast import Forecast
    from tailor.workspace import Workspace

SAMPLE = 200
"""Prompts of a row that are put together and counted; where there are more, evenly spread ones."""
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
    planned = Planned(workspace)
    measured = Measured(planned, model)
    bases = Bases(_Base(planned.root_assistant(model)), lambda own: _dev(planned, own))
    found: list[RowEstimate] = []
    left_out: list[str] = []
    for row in rows:
        try:
            base = bases.of(row)[1]
            reached = _applied(row, base, planned)
        except RowsMissing as error:
            if len(found) < 2:  # nor will there be enough by then
                left_out.append(f"{row.id}: left out. {error}")
                continue
            reached = _Base(base.assistant, False)
        except NotApplicable as error:
            left_out.append(f"{row.id}: left out. {error}")
            continue
        if row.scored:
            found.append(_row(measured, row, base, reached, repeats))
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


def _applied(row: Row, base: _Base, planned: Planned) -> _Base:
    """What the row's stage makes of its base; the base itself where that is not made yet."""
    try:
        return _Base(row.stage.apply(base.assistant, planned), base.exact)
    except NotMade:
        forecasts, planned.forecasts = planned.forecasts or [], []
        forecast = forecasts[0] if forecasts else None
        if not planned.foreseen:
            return _Base(base.assistant, False, training=forecast)
        model, usd = planned.foreseen.pop()
        return _Base(replace(base.assistant, model=planned.chat(model)), False, usd, forecast)


def _dev(workspace: Workspace, own: _Base) -> float | None:
    return dev_score(workspace, own.assistant.fingerprint) if own.exact else None


def _row(measured: Measured, row: Row, base: _Base, reached: _Base, repeats: int) -> RowEstimate:
    from tailor.models.chat import Chat

    workspace, assistant = measured.workspace, reached.assistant
    questions = workspace.benchmark.split(*SPLITS)
    missing = (
        _missing(workspace, questions, assistant, repeats)
        if reached.exact
        else [(q, repeat) for repeat in range(repeats) for q in questions]
    )
    wanted = len(questions) * repeats
    unasked = RowEstimate(
        row.id, wanted, wanted - len(missing), 0, 0, 0, 0.0, 0.0, 0.0, "no model", True
    )
    prepared = reached.exact or not (base.exact or row.stage.calls(workspace))
    # A reference row that is not made yet will not ask the model it was given.
    own = reached.exact or row.stage.starts_from != "root"
    if not own or not isinstance(chat := assistant.model, Chat):
        return _without_model(unasked, measured, row, prepared, len(missing))
    sent = _offline(assistant, workspace.config)
    calls = _to_make(chat, sent, missing) + (0 if prepared else row.stage.calls(workspace))
    basis, each = _prompt_tokens(measured, row.id, sent, reached.exact, [q for q, _ in missing])
    used = Usage(round(calls * each), round(calls * measured.reply_tokens(row.id, questions)))
    training = reached.training
    seconds = measured.seconds(row.id, prepared, calls, chat.concurrency, training)
    hours, usd = measured.of_hours(seconds), reached.training_usd
    if seconds is None and chat.name == "shipped":
        trained = training.seconds if training else None
        seconds = calls * CALL_S + used.input_tokens * TOKEN_S + (trained or 0.0)
    return replace(
        unasked,
        calls=calls,
        input_tokens=used.input_tokens,
        output_tokens=used.output_tokens,
        cost_usd=total((chat.cost(used), hours, usd)),
        most_usd=total((chat.cost(_most(used, calls, chat, assistant)), hours, usd)),
        seconds=seconds,
        basis=basis,
        measured=bool(measured.calls),
        training=training.to_json() if training else None,
        training_usd=usd,
    )


def _without_model(
    unasked: RowEstimate, measured: Measured, row: Row, prepared: bool, missing: int
) -> RowEstimate:
    """Of a row that asks no chat model."""
    config = measured.workspace.config
    seconds = measured.seconds(row.id, prepared, missing, config.concurrency)
    cost = measured.of_hours(seconds)
    if seconds is None and row.stage.name() == "baseline" and config.task == "answer":
        seconds = missing * READ_S
    return replace(unasked, cost_usd=cost, most_usd=cost, seconds=seconds)


def _prompt_tokens(
    measured: Measured, row: str, assistant: Assistant, exact: bool, questions: Sequence[Question]
) -> tuple[Basis, float]:
    """The mean length of a prompt, and what it is known by."""
    earlier = [fact.input_tokens for fact in measured.facts(row) if fact.call]
    if not exact and earlier:
        return "earlier run", fmean(earlier)
    sample = spread(list(dict.fromkeys(questions)), SAMPLE)
    lengths = [prompt_tokens(_messages(assistant, q), measured.model) for q in sample]
    return "prompts" if exact else "row before", measured.ratio * fmean(lengths or [0.0])


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
    sample = spread(missing, SAMPLE)
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
