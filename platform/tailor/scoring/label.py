"""Scores of labels: right or wrong by item, macro-F1, a table by label, the confusion matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailor.text import fold, nfc

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.assistant import Answer
    from tailor.benchmark import Question
    from tailor.scoring.pooled import Measure
    from tailor.scoring.scored import Graded, Scored

GIVEN = "_label"
"""Among the scores of an answer: the place of its label among all, -1 for none; no metric."""


@dataclass(frozen=True)
class OfLabel:
    """One label, as a row tells it."""

    label: str
    n: int
    """Items that have it."""
    precision: float | None
    """None where the row never gave it."""
    recall: float | None
    f1: float | None


@dataclass(frozen=True)
class Confusion:
    """Which labels a row gave to items of which label, by item; errors are left out."""

    labels: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]
    """``counts[true][given]``; the last column is of items that were given no label."""


def scores(question: Question, answer: Answer, labels: Sequence[str]) -> dict[str, float | None]:
    """Each metric of an answer; all None where it is an error.

    A refusal and what names no label count as wrong in ``accuracy``, and not in
    ``accuracy_when_answered``; ``coverage`` is the share that was given a label.
    """
    if answer.outcome == "error":
        return dict.fromkeys(("accuracy", "coverage", "accuracy_when_answered", GIVEN))
    given = _place(answer.text.strip(), labels) if answer.outcome == "ok" else -1
    right = float(given >= 0 and labels[given] in question.answers)
    return {
        "accuracy": right,
        "coverage": float(given >= 0),
        "accuracy_when_answered": right if given >= 0 else None,
        GIVEN: float(given),
    }


def _place(text: str, labels: Sequence[str]) -> int:
    """Of the label that a text is, with or without its accents; -1 where it is none or several."""
    same = [at for at, label in enumerate(labels) if fold(label) == fold(text)]
    if len(same) > 1:  # they differ by accents alone
        same = [at for at in same if nfc(labels[at]).casefold() == nfc(text).casefold()]
    return same[0] if len(same) == 1 else -1


def pooled(run: Scored, questions: Sequence[Question], labels: Sequence[str]) -> list[Measure]:
    """``macro_f1``: the mean F1 of the labels that items have or were given."""
    import numpy as np

    from tailor.scoring.pooled import Measure

    columns = np.full((len(questions), 3 * len(labels)), np.nan)
    for row, q in enumerate(questions):
        known = [one for one in run.of(q.id) if one.scores.get(GIVEN) is not None]
        if known:
            columns[row] = np.mean([_marked(q, one, labels) for one in known], axis=0)
    return [Measure("macro_f1", columns, _macro)]


def by_label(run: Scored, labels: Sequence[str]) -> tuple[OfLabel, ...]:
    """Precision, recall and F1 of each label; of the first answer where it was asked repeatedly."""
    table = confusion(run, labels).counts
    out: list[OfLabel] = []
    for at, label in enumerate(labels):
        n, right = sum(table[at]), table[at][at]
        given = sum(line[at] for line in table)
        f1 = 2 * right / (n + given) if n + given else None
        precision, recall = right / given if given else None, right / n if n else None
        out.append(OfLabel(label, n, precision, recall, f1))
    return tuple(out)


def confusion(run: Scored, labels: Sequence[str]) -> Confusion:
    """Which labels a row gave to items of which label."""
    places = {label: at for at, label in enumerate(labels)}
    counts = [[0] * (len(labels) + 1) for _ in labels]
    for q in run.questions:
        given = _given(run.answers, q)
        if given is not None:
            counts[places[_true(q, labels, given)]][given] += 1
    return Confusion(tuple(labels), tuple(map(tuple, counts)))


def _given(answers: Mapping[str, Graded], question: Question) -> int | None:
    value = answers[question.id].scores.get(GIVEN) if question.id in answers else None
    return None if value is None else int(value)


def _true(question: Question, labels: Sequence[str], given: int) -> str:
    """The item's label; of several the one that was given, else the first."""
    named = labels[given] if given >= 0 else ""
    return named if named in question.answers else question.answers[0]


def _marked(question: Question, one: Graded, labels: Sequence[str]) -> NDArray[np.float64]:
    """By label: given and true, given, true."""
    import numpy as np

    given = int(one.scores[GIVEN] or 0)
    marks = np.zeros((3, len(labels)))
    true = labels.index(_true(question, labels, given))
    marks[2, true] = 1
    if given >= 0:
        marks[1, given] = 1
        marks[0, given] = given == true
    return marks.ravel()


def _macro(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """From sums (..., 3 labels + 1) to the mean F1 of the labels that occur."""
    import numpy as np

    right, given, true = np.split(sums[..., :-1], 3, axis=-1)
    f1 = np.where(given + true > 0, 2 * right / (given + true), np.nan)
    known = (~np.isnan(f1)).sum(axis=-1)
    found: NDArray[np.float64] = np.nansum(f1, axis=-1) / known
    return found
