"""What a benchmark is made of: languages, tags, answers, evidence, and how hard it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any, get_args

from tailor.benchmark import Question, Split
from tailor.benchmarking.balance import traits
from tailor.benchmarking.human import Agreement, agreement, people
from tailor.benchmarking.power import Power, power
from tailor.scoring.cache import graded
from tailor.scoring.tokens import tokens
from tailor.text import nfc, words

if TYPE_CHECKING:
    from tailor.run import Run
    from tailor.workspace import Workspace

EASY, HARD = 0.8, 0.2
"""The baseline scores at least this on an easy question, and at most that on a hard one."""


@dataclass(frozen=True)
class Difficulty:
    """How the baseline does; of several the one that is best on dev."""

    row: str
    n: int
    easy: int
    middle: int
    hard: int
    by_trait: Mapping[str, tuple[float, int]]
    """Mean score and number of questions by language and tag, the hardest first."""


@dataclass(frozen=True)
class Stats:
    """What a benchmark is made of."""

    counts: Mapping[str, Mapping[str, int]]
    """Questions by language or tag, and by split; under ``""`` all of them, under ``null`` those
    that the documents do not answer."""
    answer_words: Mapping[str, float]
    """Words of the preferred answers: ``median``, ``longest``, and how many are ``numbers``."""
    documents: Mapping[str, int]
    """Questions by document, the most asked about first; 0 for documents without one."""
    power: Power
    difficulty: Difficulty | None
    """None where the baseline was not run yet."""
    agreement: tuple[Agreement, ...]
    """Of the people who answered."""

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark stats --json`` prints."""
        hard = self.difficulty
        return {
            "schema_version": 1,
            "counts": {name or "all": dict(own) for name, own in self.counts.items()},
            "answer_words": dict(self.answer_words),
            "documents": dict(self.documents),
            "power": self.power.to_json(),
            "difficulty": hard
            and {
                "row": hard.row,
                "n": hard.n,
                "easy": hard.easy,
                "middle": hard.middle,
                "hard": hard.hard,
                "by": {
                    name or "all": {"mean": m, "n": n} for name, (m, n) in hard.by_trait.items()
                },
            },
            "agreement": [pair.to_json() for pair in self.agreement],
        }


def stats(workspace: Workspace) -> Stats:
    """What the workspace's benchmark is made of; reads only what is stored.

    Raises:
        TailorError: there is no benchmark.
    """
    questions = workspace.benchmark.questions
    return Stats(
        counts=_counts(questions),
        answer_words=_answer_words(questions),
        documents=_documents(questions, _known(workspace)),
        power=power(len(workspace.benchmark.split("test")), workspace.config.task),
        difficulty=_difficulty(workspace),
        agreement=tuple(agreement(people(workspace))),
    )


def _counts(questions: Sequence[Question]) -> dict[str, dict[str, int]]:
    kinds = [{"", *traits(q)} for q in questions]
    names = Counter(name for own in kinds for name in own)
    first = ["", *sorted({q.lang for q in questions}), "null"]
    order = dict.fromkeys([*(n for n in first if n in names), *(n for n, _ in names.most_common())])
    return {
        name: {
            split: sum(
                q.split == split and name in own for q, own in zip(questions, kinds, strict=True)
            )
            for split in get_args(Split)
        }
        for name in order
    }


def _answer_words(questions: Iterable[Question]) -> dict[str, float]:
    said = [q.answers[0] for q in questions if q.answerable]
    lengths = [len(words(answer)) for answer in said] or [0]
    numbers = sum(any(t[-1:].isdigit() for t in tokens(answer)) for answer in said)
    return {"median": median(lengths), "longest": max(lengths), "numbers": numbers}


def _known(workspace: Workspace) -> set[str]:
    if not (workspace.state / "documents.db").exists():
        return set()
    from tailor.documents.corpus import documents

    return set(documents(workspace.state))


def _documents(questions: Iterable[Question], known: set[str]) -> dict[str, int]:
    asked = Counter(d for q in questions for d in {nfc(e.document) for e in q.evidence})
    return {**dict(asked.most_common()), **dict.fromkeys(sorted(known - asked.keys()), 0)}


def _difficulty(workspace: Workspace) -> Difficulty | None:
    known = [(run, _scores(run)) for run in workspace.runs() if run.stage == "baseline"]
    known = [(run, scores) for run, scores in known if scores]
    if not known:
        return None
    run, scores = max(known, key=lambda one: _on_dev(one[1]))
    values: dict[str, list[float]] = {}
    for question, value in scores:
        for name in ("", *traits(question)):
            values.setdefault(name, []).append(value)
    means = {name: (sum(own) / len(own), len(own)) for name, own in values.items()}
    return Difficulty(
        row=run.row,
        n=len(scores),
        easy=sum(value >= EASY for _, value in scores),
        middle=sum(HARD < value < EASY for _, value in scores),
        hard=sum(value <= HARD for _, value in scores),
        by_trait=dict(sorted(means.items(), key=lambda item: item[1])),
    )


def _on_dev(scores: Sequence[tuple[Question, float]]) -> float:
    """The mean on dev, where the best of several baselines is chosen."""
    own = [value for question, value in scores if question.split == "dev"]
    return sum(own) / len(own) if own else -math.inf


def _scores(run: Run) -> list[tuple[Question, float]]:
    questions = run.workspace.benchmark.split("dev", "test")
    known, primary = graded(run, questions), run.workspace.target.primary
    return [
        (q, value)
        for q in questions
        if q.id in known and (value := known[q.id].scores[primary]) is not None
    ]
