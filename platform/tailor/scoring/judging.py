"""Whole rows before the judge: what is sent, the verdicts, and how steady they are."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, variance
from typing import TYPE_CHECKING, Any

from tailor.asking import asking
from tailor.assistant import Answer, Ask, digest
from tailor.cost import total
from tailor.errors import TailorError, UsageError
from tailor.scoring import judge as judges
from tailor.scoring import judge_prompts
from tailor.scoring.groups import groups
from tailor.scoring.judge import Vote
from tailor.scoring.statistics import Interval, intervals

if TYPE_CHECKING:
    from tailor.answers import Fact
    from tailor.benchmark import Question, Split
    from tailor.models.structured import StructuredChat
    from tailor.run import Run
    from tailor.spending import Spending
    from tailor.workspace import Workspace

Case = tuple["Question", "Answer"]
Told = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Judged:
    """One row's verdicts."""

    run: Run
    n: int
    asked: int
    """Answers the judge was asked about; the others need none."""
    unscored: int
    """Of those asked about, without a verdict."""
    failures: Mapping[str, int]
    """Why, with how many votes each."""
    means: Mapping[str, Interval | None]
    """``judge_correctness`` and so on, between 0 and 1."""
    steady: Mapping[str, float | None] | None
    """With repeats: ``changed``, the share of answers on which the votes differ, and
    ``variance_correctness`` and so on, the mean variance of an answer's votes; None without."""
    votes: Mapping[str, Sequence[Mapping[str, Any]]]
    """By question id; see :func:`votes`."""

    def to_json(self) -> dict[str, Any]:
        """An entry of ``rows`` in ``tailor judge --json``."""
        return {
            "row": self.run.row,
            "model": self.run.model,
            "run": self.run.id,
            "n": self.n,
            "asked": self.asked,
            "unscored": self.unscored,
            "failures": dict(self.failures),
            "metrics": {
                name: {"mean": i.mean, "ci95": [i.low, i.high], "n": i.n}
                if i
                else {"mean": None, "ci95": None, "n": 0}
                for name, i in self.means.items()
            },
            "steady": self.steady,
            "questions": [{"id": id, "votes": said} for id, said in self.votes.items()],
        }


@dataclass(frozen=True)
class Session:
    """What one judging brought."""

    model: str
    judge: str
    """Identity of model, parameters and prompts."""
    repeats: int
    split: str
    rows: tuple[Judged, ...]
    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """Of all verdicts, those paid before included; None where the price is not known."""
    votes: Mapping[Case, Vote]
    """The first vote on each answer."""

    def to_json(self) -> dict[str, Any]:
        """As ``tailor judge --json`` prints it."""
        return {
            "schema_version": 1,
            "judge": {
                "model": self.model,
                "id": self.judge,
                "prompts": judge_prompts.VERSION,
                "repeats": self.repeats,
            },
            "split": self.split,
            "rows": [row.to_json() for row in self.rows],
            "tokens": {"input": self.input_tokens, "output": self.output_tokens},
            "cost_usd": self.cost_usd,
        }


def judge(
    workspace: Workspace,
    runs: Sequence[Run],
    split: Split = "test",
    repeats: int = 1,
    model: str | None = None,
    told: Told | None = None,
    spending: Spending | None = None,
) -> Session:
    """Let the judge read every answer of the rows, ``repeats`` times, and keep its verdicts.

    Equal answers to the same question are judged once. A vote that fails is tried again the next
    time.

    Raises:
        UsageError: no judge is named.
        BudgetReached: a further call could pass the limit of ``spending``; verdicts are kept.
        TailorError: the provider refuses the calls.
    """
    name = named(workspace, model)
    chat = judge_chat(workspace, name, spending)
    identity = judges.identity(chat)
    distinct = cases(runs, split)
    cast = ask(chat, [(case, r, False) for case in distinct for r in range(repeats)], told)
    by_case = {case: [cast[case, r, False] for r in range(repeats)] for case in distinct}
    for run in runs:
        workspace.answers.keep_measured(run.fingerprint, f"judge:{identity}", {
            Ask(case[0].question).key: (about(case[0]), [v.to_json() for v in by_case[case]])
            for case in _cases(run, split)
        })  # fmt: skip
    _remember(workspace, identity, name)
    tokens_in = sum(vote.input_tokens for vote in cast.values())
    tokens_out = sum(vote.output_tokens for vote in cast.values())
    rows = tuple(_judged(run, split, by_case) for run in runs)
    first = {case: own[0] for case, own in by_case.items()}
    cost = total(vote.cost_usd for vote in cast.values())
    return Session(name, identity, repeats, split, rows, tokens_in, tokens_out, cost, first)


def judge_chat(workspace: Workspace, name: str, spending: Spending | None = None) -> StructuredChat:
    """The chat model of this name with room for a verdict, however short answers must be.

    Raises:
        UsageError: the name has no provider.
    """
    from tailor.models.provider import HOSTED_TOKENS, chat
    from tailor.models.structured import StructuredChat

    room = max(workspace.config.max_tokens or 0, HOSTED_TOKENS)
    config = replace(workspace.config, max_tokens=room)
    store, limiter = workspace.answers, workspace.limiter(name)
    made = chat(name, config, store, None, spending, limiter, workspace.place)
    return StructuredChat(made)


def ask(
    chat: StructuredChat, wanted: Sequence[tuple[Case, int, bool]], told: Told | None = None
) -> dict[tuple[Case, int, bool], Vote]:
    """The votes on (question and answer, repeat, answer first), asked side by side.

    Raises:
        TailorError: the provider refuses the calls.
    """
    from tailor.models.retry import error_kind, error_text

    def one(item: tuple[Case, int, bool], halt: threading.Event) -> Vote:
        (question, answer), repeat, answer_first = item
        try:
            return judges.vote(chat, question, answer, repeat, halt, answer_first)
        except TailorError:
            raise
        except Exception as error:  # each provider raises its own; a vote may have failed
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(f"The judge refuses the calls: {error_text(error)}") from None
            return Vote(None, error_text(error))

    cast: dict[tuple[Case, int, bool], Vote] = {}
    with asking(one, wanted, chat.chat.concurrency) as answered:
        for item, vote in answered:
            cast[item] = vote
            if told:
                told("judge", len(cast), len(wanted))
    return cast


def verdicts(
    run: Run, questions: Sequence[Question], answers: Mapping[str, Answer | Fact]
) -> dict[str, dict[str, float | None]]:
    """The stored scores of the judge in use, by question id; none where it has not judged."""
    known = votes(run, questions)
    if not known:
        return {}
    out: dict[str, dict[str, float | None]] = {}
    for q in questions:
        if q.id not in answers:
            continue
        if (rule := judges.by_rule(q, answers[q.id])) is not None:
            out[q.id] = {f"judge_{scale}": value for scale, value in rule.items()}
        elif q.id in known:
            out[q.id] = judges.mean(known[q.id])
    return out


def votes(run: Run, questions: Sequence[Question]) -> dict[str, list[dict[str, Any]]]:
    """What the judge in use said about each answer, with reasons, by question id.

    Each vote has ``scores`` and ``reasons`` by scale, None where it failed, and ``failure``.
    """
    identity = _in_use(run.workspace)
    if identity is None:
        return {}
    found = run.workspace.answers.measured(run.fingerprint, f"judge:{identity}")
    by_id = {q.id: (q, found.get(Ask(q.question).key)) for q in questions}
    return {
        id: entry[1]
        for id, (q, entry) in by_id.items()
        if entry is not None and entry[0] == about(q)
    }


def about(question: Question) -> str:
    """Digest of what a verdict depends on besides the answer."""
    return digest([question.answers, question.lang])


def cases(runs: Sequence[Run], split: Split) -> list[Case]:
    """The different answers of the rows that need a judge, with their questions."""
    return list(dict.fromkeys(case for run in runs for case in _cases(run, split)))


def _cases(run: Run, split: Split) -> list[Case]:
    answers = run.answers(split)
    return [
        (q, _plain(answers[q.id]))
        for q in run.workspace.benchmark.split(split)
        if q.id in answers and judges.by_rule(q, answers[q.id]) is None
    ]


def _plain(answer: Answer) -> Answer:
    """Only what the judge sees, so that equal answers of several rows are one."""
    bare = tuple(replace(p, score=None, dense_rank=None, lexical_rank=None) for p in answer.seen)
    return Answer(answer.outcome, answer.text, bare)


def _judged(run: Run, split: Split, by_case: Mapping[Case, Sequence[Vote]]) -> Judged:
    questions, answers = run.workspace.benchmark.split(split), run.answers(split)
    own = [by_case[case] for case in _cases(run, split)]
    scores = verdicts(run, questions, answers)
    failures: dict[str, int] = {}
    for vote in (vote for said in own for vote in said if vote.verdict is None):
        failures[vote.failure] = failures.get(vote.failure, 0) + 1
    return Judged(
        run=run,
        n=len(questions),
        asked=len(own),
        unscored=sum(all(vote.verdict is None for vote in said) for said in own),
        failures=failures,
        means=_means(questions, scores),
        steady=_steady(own),
        votes=votes(run, questions),
    )


def _means(
    questions: Sequence[Question], scores: Mapping[str, Mapping[str, float | None]]
) -> dict[str, Interval | None]:
    """Of each scale, as comparisons have it."""
    import numpy as np

    names = [f"judge_{scale}" for scale in judge_prompts.SCALES]
    lines = [[scores.get(q.id, {}).get(name) for name in names] for q in questions]
    columns = np.array(lines, dtype=float).reshape(-1, len(names))
    return dict(zip(names, intervals(columns, groups(questions)), strict=True))


def _steady(own: Sequence[Sequence[Vote]]) -> dict[str, float | None] | None:
    repeated = [
        scores
        for said in own
        if len(scores := [v.verdict.scores for v in said if v.verdict is not None]) > 1
    ]
    if not repeated:
        return None
    found: dict[str, float | None] = {
        "changed": fmean(any(one != scores[0] for one in scores) for scores in repeated)
    }
    for scale in judge_prompts.SCALES:
        spread = [
            variance([one[scale] / judge_prompts.BEST for one in scores])
            for scores in repeated
            if scale in scores[0]
        ]
        found[f"variance_{scale}"] = fmean(spread) if spread else None
    return found


def named(workspace: Workspace, model: str | None) -> str:
    """The judge's model: the one given, else that of tailor.toml.

    Raises:
        UsageError: neither names one.
    """
    name = model or workspace.config.judge
    if not name:
        raise UsageError(
            'No judge is named: write judge = "openai:gpt-5-mini" (or any other chat model) in '
            "tailor.toml, or give --model."
        )
    return name


def _remember(workspace: Workspace, identity: str, model: str) -> None:
    from tailor.run import write_json

    write_json(
        workspace.state / "judge.json",
        {"judge": identity, "model": model, "prompts": judge_prompts.VERSION},
    )


def _in_use(workspace: Workspace) -> str | None:
    """The judge that judged last, unless tailor.toml names another or the prompts are newer."""
    try:
        last: dict[str, Any] = json.loads((workspace.state / "judge.json").read_text("utf-8"))
        named = workspace.config.judge or last["model"]
        current = (named, judge_prompts.VERSION) == (last["model"], last["prompts"])
        return str(last["judge"]) if current else None
    except (OSError, ValueError, TypeError, KeyError):
        return None
