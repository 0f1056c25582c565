"""Drafts questions from the documents, drops the useless ones and lays the others aside."""

from __future__ import annotations

import random
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal

from tailor.asking import asking
from tailor.benchmark import Question
from tailor.benchmarking import extractive_draft, model_draft, waiting
from tailor.benchmarking.facts import same_answer, shared
from tailor.benchmarking.leakage import Guard
from tailor.benchmarking.model_draft import Dropped, Plan, Writer
from tailor.benchmarking.similar import bag
from tailor.documents.document import Document
from tailor.errors import TailorError, UsageError

if TYPE_CHECKING:
    from tailor.workspace import Workspace

KINDS = model_draft.KINDS
LEAKS, REPEATS = "gives a dev or test question away", "asks what another question asks"

_MOST_TRIES = 4
"""Proposals for each question wanted, before a model is given up."""
_ALIKE, _ALIKE_WITH_ANSWER = 0.9, 0.6
"""Share of common words from which two drafts are one, whatever the answer and with the same."""

Progress = Callable[[str, int, int], None]


@dataclass
class Drafted:
    """What a drafting brought: the drafts that wait now, and why others were dropped."""

    drafter: str
    """The model's name, or ``extractive``."""
    questions: list[Question] = field(default_factory=list)
    dropped: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Questions by the reason they were dropped for; empty texts where there was none."""
    calls: int = 0
    """Model calls that were made; those that were stored already are not counted."""

    def drop(self, dropped: Dropped) -> None:
        """Count what was not kept."""
        self.dropped[dropped.reason].append(dropped.question)

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark draft --json`` prints."""
        return {
            "schema_version": 1,
            "drafter": self.drafter,
            "drafts": [waiting.item(q) for q in self.questions],
            "dropped": {reason: len(asked) for reason, asked in self.dropped.items()},
            "calls": self.calls,
        }


def draft(
    workspace: Workspace,
    n: int = 80,
    model: str | None = None,
    language: Literal["en", "vi"] | None = None,
    kinds: Sequence[str] = (),
    training: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> Drafted:
    """Draft up to ``n`` questions and append them to ``knowledge/drafts.jsonl``.

    Written by the chat model, tried with it (read again with the passage, and without it), or
    without a capable one (``shipped``) made from tables, entries, FAQs and definitions. Every
    model call is kept, so that a drafting that was interrupted goes on where it stood.

    Args:
        workspace: whose ingested documents are drafted from.
        n: how many to keep.
        model: ``provider:name``; the workspace's own when None.
        language: of all questions; each document's own when None.
        kinds: of ``KINDS``; all that the drafter can write when empty.
        training: draft to train on, kept apart from the benchmark.
        seed: another seed takes other passages.
        progress: told how many were kept.

    Raises:
        UsageError: a kind that the drafter cannot write.
        TailorError: nothing was ingested, or the provider refuses the calls.
    """
    name = model or workspace.config.model
    extractive = name == "shipped"
    known = extractive_draft.KINDS if extractive else KINDS
    if unknown := [kind for kind in kinds if kind not in known]:
        raise UsageError(
            f"There are no drafts of kind {unknown[0]!r}"
            + (" without a model" if extractive and unknown[0] in KINDS else "")
            + f"; there are {', '.join(known)}."
        )
    documents = _documents(workspace)
    sieve = _Sieve(workspace, training)
    result = Drafted("extractive" if extractive else name)
    before = workspace.answers.count()[0]
    if extractive:
        batches = _made(documents, language, kinds, seed)
    else:
        batches = _written(workspace, name, documents, language, kinds or KINDS, n, seed, result)
    try:
        for candidates in batches:
            kept: list[Question] = []
            for question in candidates:
                if len(result.questions) + len(kept) == n:
                    break
                reason = sieve.reason(question)
                if reason:
                    result.drop(Dropped(reason, question.question))
                else:
                    kept.append(sieve.keep(question))
            waiting.add(workspace.knowledge, kept)
            result.questions += kept
            if progress is not None:
                progress("drafting", len(result.questions), n)
            if len(result.questions) == n:
                break
    finally:
        result.calls = workspace.answers.count()[0] - before
    return result


def _documents(workspace: Workspace) -> list[Document]:
    from tailor.documents.store import DocumentStore, database, unique

    _ = workspace.index()  # says what to do where nothing was ingested
    with database(workspace.state / "documents.db") as connection:
        records = unique(DocumentStore(connection).records())[0]
    return [record.document for record in records.values()]


class _Sieve:
    """Keeps out what is asked already, and what would give a question away."""

    def __init__(self, workspace: Workspace, training: bool) -> None:
        known = [*workspace.training, *waiting.drafts(workspace.knowledge)]
        held: list[Question] = []
        try:
            for q in workspace.benchmark.questions:
                (known if not training or q.split == "train" else held).append(q)
        except TailorError:
            pass  # no benchmark yet: these drafts may become the first
        self._training = training
        self._known, self._held = Guard(known), Guard(held)
        self._kept: list[Question] = []

    def reason(self, q: Question) -> str:
        """Why a question must not be kept; empty where nothing speaks against it."""
        if self._held.leaks([q]):
            return LEAKS
        if self._known.leaks([q]) or any(_repeats(q, other) for other in self._kept):
            return REPEATS
        return ""

    def keep(self, q: Question) -> Question:
        """The question as it is laid aside."""
        self._kept.append(q)
        return replace(q, tags=(*q.tags, waiting.FOR_TRAINING)) if self._training else q


def _repeats(a: Question, b: Question) -> bool:
    left, right = bag(a.question), bag(b.question)
    overlap = len(left & right) / len(left | right)
    if a.answerable and b.answerable and overlap < _ALIKE:
        return shared(a, b) == "fact" or (overlap >= _ALIKE_WITH_ANSWER and same_answer(a, b))
    return overlap >= _ALIKE


def _made(
    documents: Sequence[Document], language: str | None, kinds: Sequence[str], seed: int
) -> Iterator[list[Question]]:
    """Candidates without a model, a document and a kind at a time.

    The languages come in proportion to the documents that have something to ask about in them.
    """
    draw = random.Random(seed)
    queues: dict[str, dict[str, dict[str, list[Question]]]] = {}
    for path, q in extractive_draft.candidates(documents, language):
        fitting = [tag for tag in q.tags if tag in (kinds or extractive_draft.KINDS)]
        if fitting:
            own = queues.setdefault(q.lang, {}).setdefault(path, {})
            own.setdefault(fitting[-1], []).append(q)
    for paths in queues.values():
        for by_kind in paths.values():
            for questions in by_kind.values():
                draw.shuffle(questions)
    rounds = {lang: _rounds(paths, draw) for lang, paths in queues.items()}
    drawn = dict.fromkeys(rounds, 0)
    while rounds:
        lang = min(rounds, key=lambda one: (drawn[one] + 1) / len(queues[one]))
        drawn[lang] += 1
        question = next(rounds[lang], None)
        if question is None:
            del rounds[lang]
        else:
            yield [question]


def _rounds(
    paths: Mapping[str, dict[str, list[Question]]], draw: random.Random
) -> Iterator[Question]:
    """One question of each document, then another of each, each time of another kind."""
    order = draw.sample(sorted(paths), len(paths))
    turn = 0
    while any(any(by_kind.values()) for by_kind in paths.values()):
        for path in order:
            left = [kind for kind, waiting in paths[path].items() if waiting]
            if left:
                turn += 1
                yield paths[path][left[turn % len(left)]].pop()


def _written(
    workspace: Workspace,
    name: str,
    documents: Sequence[Document],
    language: Literal["en", "vi"] | None,
    kinds: Sequence[str],
    n: int,
    seed: int,
    result: Drafted,
) -> Iterator[list[Question]]:
    """Batches of questions that a model wrote and that stood its own trial."""
    from tailor.models.retry import error_kind, error_text
    from tailor.models.structured import StructuredChat

    chat = workspace.chat(name)
    chat.ready()  # a missing key or package is told before any work is done
    writer = Writer(workspace, StructuredChat(chat), {d.path: d.text for d in documents})

    def attempt(plan: Plan, halt: threading.Event) -> Question | Dropped:
        try:
            return writer.draft(plan, halt)
        except TailorError:
            raise
        except Exception as error:  # every provider has its own
            if error_kind(error) in ("auth", "quota", "not_found"):
                raise TailorError(
                    f"The provider of {name} refuses the calls: {error_text(error)}"
                ) from None
            return Dropped(f"the call failed ({error_kind(error)})")

    languages = {d.path: d.language for d in documents}
    waiting_plans = model_draft.plans(workspace, languages, language, list(kinds), seed)
    tries = 0
    while tries < _MOST_TRIES * n:
        missing = n - len(result.questions)
        size = min(missing, 2 * chat.concurrency)  # so that drafts are laid aside now and then
        batch = list(islice(waiting_plans, size))
        if not batch:
            return
        repeats = len(result.dropped[REPEATS])
        with asking(attempt, batch, chat.concurrency) as answered:
            found = dict(answered)
        for plan in batch:
            if isinstance(written := found[plan], Dropped):
                result.drop(written)
        yield [q for plan in batch if isinstance(q := found[plan], Question)]
        # What an earlier drafting took already is stored, and no failure of the model.
        tries += len(batch) - (len(result.dropped[REPEATS]) - repeats)


def summary(dropped: Mapping[str, Sequence[str]]) -> str:
    """How many were dropped for which reason, the most frequent first."""
    counts = Counter({reason: len(asked) for reason, asked in dropped.items() if asked})
    return ", ".join(f"{count} {reason}" for reason, count in counts.most_common())
