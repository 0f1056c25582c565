"""Scores, computed once for each answer and kept beside it.

A kept score is taken as long as all it depends on is the same: the metrics' version, the question's
accepted answers, format and evidence, and how the answer ended. All others are computed again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from tailor.assistant import digest
from tailor.errors import TailorError
from tailor.scoring import score
from tailor.scoring.scored import Graded

if TYPE_CHECKING:
    from tailor.answers import Fact, Scores
    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.run import Run

_AT_ONCE = 50
"""Scores that a run computes before they are committed together."""


def graded(run: Run, questions: Iterable[Question], repeat: int = 0) -> dict[str, Graded]:
    """Every stored answer of a run to these questions with its metrics, by question id.

    What is not kept yet, or depends on something that changed, is computed and kept.
    """
    cache = ScoreCache(run, repeat)
    store, keys, facts = run.workspace.answers, run.workspace.benchmark.keys, cache.facts
    kept = store.scores(run.fingerprint, repeat)
    asked = {q.id: q for q in questions if keys[q.id] in facts}
    found: dict[str, Scores] = {}
    for id, question in asked.items():
        about, own = kept.get(keys[id], ("", {}))
        if about == cache.about(question, facts[keys[id]]):
            found[id] = own
    if missing := [question for id, question in asked.items() if id not in found]:
        answers = run.answers(*{q.split for q in missing}, repeat=repeat)
        for question in missing:
            found[question.id] = cache.add(question, answers[question.id])
        cache.keep()
    return {id: Graded(facts[keys[id]], found[id]) for id in asked}


class ScoreCache:
    """Scores a run's answers and keeps the scores; for one repeat, and used by one thread."""

    def __init__(self, run: Run, repeat: int = 0) -> None:
        self._run = run
        self._repeat = repeat
        self._new: dict[str, tuple[str, Scores]] = {}

    @cached_property
    def facts(self) -> Mapping[str, Fact]:
        """Of the answers that were stored when it was first asked for, by the question's key."""
        return self._run.workspace.answers.facts(self._run.fingerprint, self._repeat)

    def add(self, question: Question, answer: Answer) -> Scores:
        """The metrics of an answer; kept at the latest with :meth:`keep`."""
        from tailor.answers import Fact

        workspace = self._run.workspace
        about = self.about(question, Fact.of(answer))
        own = score.score(
            question,
            answer,
            workspace.spans.get(question.id, ()),
            workspace.config.answer_pattern or None,
            self._retrieves,
            workspace.target,
        )
        self._new[workspace.benchmark.keys[question.id]] = about, own
        if len(self._new) >= _AT_ONCE:
            self.keep()
        return own

    def keep(self) -> None:
        """Commit what was scored since the last time."""
        if self._new:
            with suppress(TailorError):  # they can be computed again; answers are never lost so
                self._run.workspace.answers.keep_scores(
                    self._run.fingerprint, self._new, self._repeat
                )
            self._new = {}

    def about(self, question: Question, fact: Fact) -> str:
        """Digest of all that an answer's scores depend on besides its text and passages."""
        workspace = self._run.workspace
        depends = _depends(
            score.METRIC_VERSION,
            workspace.benchmark.task,
            question.answers,
            question.format or workspace.config.answer_pattern,
            workspace.spans.get(question.id, ()),
            *((question.split, self._target) if self._target else ()),
        )
        nothing_found = self._retrieves and not fact.passages
        return f"{depends} {fact.outcome}{' found nothing' * nothing_found}"

    @cached_property
    def _target(self) -> str:
        """Digest of what numbers and labels are scored against; empty for answers."""
        target = self._run.workspace.target
        return "" if target.task == "answer" else digest(asdict(target))

    @cached_property
    def _retrieves(self) -> bool:
        """Whether the assistant has a retriever, so that finding nothing counts."""
        return any(fact.passages for fact in self.facts.values())


@lru_cache(maxsize=1 << 14)  # the same for every row
def _depends(*on: object) -> str:
    return digest(on)
