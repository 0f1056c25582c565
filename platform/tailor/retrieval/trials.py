"""Trials: what can only be chosen by asking the model, tried on dev questions within a budget.

Optuna proposes configurations; a trial answers growing numbers of dev questions, and only the best
third of the trials so far goes on (asynchronous successive halving, Li et al. 2020). Of those that
answered all, the simplest in a tie with the best is taken, and plain retrieval unless that is
worse. The model's calls are kept, so that the run that follows does not pay for them again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, prod
from typing import TYPE_CHECKING, Any

from tailor.assistant import Ask, Assistant
from tailor.benchmark import Question
from tailor.retrieval.configuration import Configuration, Expansion, Rewriting
from tailor.trial import TIE, try_on

if TYPE_CHECKING:
    from tailor.retrieval.retriever import Retriever
    from tailor.scoring.target import Target
    from tailor.workspace import Workspace

LEAST = 20
"""Dev questions of the first rung, at least: fewer say nothing."""
_REDUCTION = 3


@dataclass(frozen=True)
class Choices:
    """The values that are tried with the model, beside those that the search found."""

    ks: tuple[int, ...]
    rerankers: tuple[str, ...] = ()
    rewritings: tuple[Rewriting, ...] = ()
    expansions: tuple[Expansion, ...] = ()
    compressions: tuple[float, ...] = ()

    def values(self, found: Configuration) -> dict[str, list[Any]]:
        """For each setting with more than one value these values, the found one first."""
        every: dict[str, list[Any]] = {
            "k": sorted(set(self.ks)),
            "reranker": [found.reranker, *self.rerankers],
            "rewriting": [found.rewriting, *self.rewritings],
            "expansion": [found.expansion, *self.expansions],
            "compression": [found.compression, *self.compressions],
        }
        return {name: list(dict.fromkeys(values)) for name, values in every.items()}

    def most(self, dev: int, trials: int) -> int:
        """Model calls at most, plain retrieval included, for so many dev questions."""
        each = 1 + bool(self.rewritings) + ("llm" in self.rerankers)
        count = prod(len(values) for values in self.values(Configuration()).values())
        return dev * (1 + each * min(trials, count))


@dataclass(frozen=True)
class Trial:
    """A configuration with the scores of the dev questions it answered, by id."""

    configuration: Configuration
    scores: Mapping[str, float]
    complete: bool
    """Whether it answered all; else it fell behind."""

    @property
    def mean(self) -> float:
        """The mean score of the questions it answered."""
        return sum(self.scores.values()) / len(self.scores) if self.scores else 0.0


@dataclass(frozen=True)
class Outcome:
    """What was tried with the model, and what was chosen."""

    plain: Trial
    chosen: Trial
    tried: tuple[Trial, ...]
    calls: int
    stopped: bool
    """Whether the limit of calls ended it before all trials were made."""
    fell_back: int = 0
    """Dev questions at which the chosen configuration asked a model whose reply was of no use."""


def rungs(n: int) -> list[int]:
    """How many questions a trial has answered where it may be ended, ascending; the last is all."""
    out = [n]
    while out[0] / _REDUCTION >= LEAST:
        out.insert(0, ceil(out[0] / _REDUCTION))
    return out


def best_by_trials(
    workspace: Workspace,
    questions: Sequence[Question],
    assistant: Assistant,
    plain: Retriever,
    found: Retriever,
    choices: Choices,
    trials: int,
    max_calls: int,
    seed: int = 0,
) -> Outcome:
    """Try configurations on top of the one that the search found; deterministic for a seed.

    Args:
        workspace: told how far it has come.
        questions: of dev.
        assistant: answers with each of the retrievers.
        plain: replaced only by what is not worse.
        found: what the search without model found.
        choices: what is tried.
        trials: how many configurations at most.
        max_calls: model calls at most, with tools used as often as they may be; plain retrieval is
            answered whatever the limit is.
        seed: of the order of questions and of the proposals.

    Raises:
        TailorError: most questions failed, the provider refuses the calls, or the spending limit
            of the workspace is reached.
    """
    order = list(questions)
    random.Random(seed).shuffle(order)
    asker = _Asker(assistant, order, workspace.target)
    base = asker.answered(plain, len(order))
    first = Trial(plain.configuration, base, True)
    proposals = _Proposals(choices.values(found.configuration), trials, seed)
    tried: list[Trial] = []
    answering = assistant.format.rounds + 2 if assistant.format.tools else 1
    calls, stopped = answering * len(order), False
    for number, proposal in enumerate(proposals.each(found.configuration), 1):
        how, scores = proposal.configuration, dict[str, float]()
        done, cost = 0, answering + (how.rewriting != "none") + (how.reranker == "llm")
        for step, n in enumerate(rungs(len(order))):
            stopped = calls + cost * (n - done) > max_calls
            if stopped:
                break
            scores = asker.answered(_with(found, how), n)
            calls, done = calls + cost * (n - done), n
            proposal.complete = n == len(order)
            if not proposal.goes_on(_REDUCTION**step, scores):
                break
        if done:
            tried.append(Trial(how, scores, proposal.complete))
        if workspace.progress:
            workspace.progress("try with the model", number, proposals.count)
        if stopped:
            break
    kept = chosen(first, tried)
    fell_back = 0
    if kept.configuration.asks:  # the replies are stored
        retriever = _with(found, kept.configuration)
        fell_back = sum(bool(retriever.find(Ask(q.question)).fell_back) for q in order)
    return Outcome(first, kept, tuple(tried), calls, stopped, fell_back)


def chosen(plain: Trial, tried: Sequence[Trial]) -> Trial:
    """The simplest in a tie with the best of those that answered all; none worse than plain.

    Compared are the questions that all of them have a score for.
    """
    complete = [plain, *(one for one in tried if one.complete)]
    common = [id for id in plain.scores if all(id in one.scores for one in complete)]
    if not common:
        return plain

    def mean(one: Trial) -> float:
        return sum(one.scores[id] for id in common) / len(common)

    def error(one: Trial, other: Trial) -> float:
        gaps = [one.scores[id] - other.scores[id] for id in common]
        middle = sum(gaps) / len(gaps)
        spread = sum((gap - middle) ** 2 for gap in gaps) / max(1, len(gaps) - 1)
        return float((spread / len(gaps)) ** 0.5)

    def complexity(one: Trial) -> tuple[int, int, int, float]:
        how = one.configuration
        asks = (how.rewriting != "none") + (how.reranker == "llm")
        changes = how.changes(plain.configuration).keys() - {"k"}
        return asks, len(changes), how.k, -mean(one)

    best = max(complete, key=mean)
    close = [
        one for one in complete if mean(best) - mean(one) <= min(TIE, error(best, one)) + 1e-12
    ]
    simplest = min(close, key=complexity)
    return simplest if mean(simplest) >= mean(plain) else plain


def _with(retriever: Retriever, how: Configuration) -> Retriever:
    """The same with another configuration; what was learned is kept only for ``learned``."""
    learned = retriever.reranker if how.reranker == "learned" else None
    return retriever.model_copy(update={"configuration": how, "reranker": learned})


class _Proposals:
    """Optuna's study over the values of each setting."""

    def __init__(self, values: Mapping[str, list[Any]], trials: int, seed: int) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.values = values
        every = prod(len(own) for own in values.values())
        self.count = min(trials, every)
        self.study = optuna.create_study(
            direction="maximize",
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=optuna.pruners.SuccessiveHalvingPruner(1, _REDUCTION, 0),
        )
        # All where they are few; else at first what the search found, as it is.
        first = [tuple(own[0] for own in values.values())]
        for some in product(*values.values()) if every <= trials else first:
            self.study.enqueue_trial(dict(zip(values, some, strict=True)))

    def each(self, found: Configuration) -> Iterator[_Proposal]:
        """Each configuration once."""
        seen: dict[Configuration, _Proposal] = {}
        for _ in range(10 * self.count):
            if len(seen) == self.count:
                return
            trial = self.study.ask()
            values = {n: trial.suggest_categorical(n, own) for n, own in self.values.items()}
            how = replace(found, **values)
            if how in seen:
                self.study.tell(trial, seen[how].mean)
                continue
            seen[how] = _Proposal(how, trial)
            yield seen[how]
            seen[how].end(self.study)


@dataclass
class _Proposal:
    """A configuration that Optuna proposes, and how it did."""

    configuration: Configuration
    trial: Any
    mean: float = 0.0
    complete: bool = False

    def goes_on(self, step: int, scores: Mapping[str, float]) -> bool:
        """Whether it is among the best third of those that came to this step."""
        self.mean = sum(scores.values()) / len(scores) if scores else 0.0
        self.trial.report(self.mean, step)
        return not self.trial.should_prune()

    def end(self, study: Any) -> None:
        """Tell the study how it ended."""
        from optuna.trial import TrialState

        state = TrialState.COMPLETE if self.complete else TrialState.PRUNED
        study.tell(self.trial, self.mean if self.complete else None, state=state)


class _Asker:
    """Answers the first n dev questions, each once for a retriever."""

    def __init__(self, assistant: Assistant, questions: Sequence[Question], target: Target) -> None:
        self.assistant = assistant
        self.questions = questions
        self.target = target
        self.known: dict[str, dict[str, float | None]] = {}

    def answered(self, retriever: Retriever, n: int) -> dict[str, float]:
        """The scores of the first n questions, those without one left out."""
        known = self.known.setdefault(retriever.fingerprint, {})
        asked = self.questions[:n]
        missing = [q for q in asked if q.id not in known]
        if missing:
            assistant = replace(self.assistant, retriever=retriever)
            found = try_on(assistant, missing, "A configuration of retrieval_tuning", self.target)
            known |= {q.id: value for q, value in zip(missing, found.scores, strict=True)}
        return {q.id: value for q in asked if (value := known[q.id]) is not None}
