"""Scores by part of the benchmark: by tag, language, answerability, or folder of the documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Literal, get_args

from tailor.benchmark import Question
from tailor.scoring import number
from tailor.scoring import pooled as drawn
from tailor.scoring.scored import Scored, key
from tailor.scoring.statistics import (
    MARGIN,
    Interval,
    Paired,
    differences,
    holm,
    intervals,
    questions_needed,
    verdict,
)
from tailor.scoring.step import Aligned, Step

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.scoring.pooled import Measure

By = Literal["tag", "lang", "answerable", "folder"]

BYS: tuple[By, ...] = get_args(By)

SMALL = 20
"""On fewer questions a slice is marked as small: its interval is about 40 points wide or more."""

_NAMES: Mapping[str, Mapping[tuple[By, str], str]] = {
    "en": {
        ("lang", "en"): "English",
        ("lang", "vi"): "Vietnamese",
        ("answerable", "yes"): "the documents say",
        ("answerable", "no"): "the documents do not say",
        ("folder", "."): "(no folder)",
    },
    "vi": {
        ("lang", "en"): "tiếng Anh",
        ("lang", "vi"): "tiếng Việt",
        ("answerable", "yes"): "tài liệu có nói",
        ("answerable", "no"): "tài liệu không nói",
        ("folder", "."): "(không có thư mục)",
    },
}


@dataclass(frozen=True)
class Cell:
    """One row on one slice."""

    row: str
    model: str
    score: Interval | None
    """Of the primary metric; None where no answer is scored."""
    step: Step | None
    """Against another row; ``p``, and so the verdict, is adjusted for all of the table (Holm)."""

    def to_json(self) -> dict[str, Any]:
        """Like ``metrics`` and ``vs_previous`` of ``tailor compare --json``."""
        score = self.score
        return {
            "row": self.row,
            "model": self.model,
            "mean": score.mean if score else None,
            "ci95": [score.low, score.high] if score else None,
            "n": score.n if score else 0,
            "vs": None if self.step is None else self.step.to_json(),
        }


@dataclass(frozen=True)
class Slice:
    """The rows on the questions that have something in common."""

    by: By
    name: str
    """The tag, the language's code, ``yes`` or ``no``, or the first folder of the evidence."""
    n: int
    """How many questions there are; a question with several tags is in several slices."""
    cells: tuple[Cell, ...]
    """One for each row, in the order of the rows."""

    @property
    def small(self) -> bool:
        """Whether there are too few questions to tell much."""
        return self.n < SMALL

    def label(self, lang: str) -> str:
        """The name as people read it; tags and folders are as they are written."""
        return _NAMES[lang].get((self.by, self.name), self.name)

    def to_json(self) -> dict[str, Any]:
        """An entry of ``slices`` in ``tailor compare --json``."""
        return {
            "slice": self.name,
            "n": self.n,
            "small": self.small,
            "rows": [cell.to_json() for cell in self.cells],
        }


def slices(
    runs: Sequence[Scored],
    by: By = "tag",
    base: tuple[str, str] | None = None,
    margin: float = MARGIN,
) -> tuple[Slice, ...]:
    """The primary score of each row on each slice of the questions, the largest slice first.

    A row is compared with the one it was built on, or with ``base`` (row id and model). With so
    many differences some look large by chance: the p values are adjusted over all of the table
    (Holm), and a difference is called better or worse only where they allow it. Stale rows are
    left out.
    """
    fresh = [run for run in runs if not run.stale]
    if not fresh:
        return ()
    others = [_other(run, fresh, base) for run in fresh]
    parts = {name: Aligned(tuple(asked)) for name, asked in _parts(fresh, by).items()}
    columns = {name: _columns(part, fresh) for name, part in parts.items()}
    found = [
        one for name in parts for one in _differences(columns[name], parts[name], others, fresh)
    ]
    family = max(1, sum(one is not None for one in found))
    adjusted = iter(holm(found))
    out: list[Slice] = []
    for name, part in parts.items():
        scores = _scores(part, columns[name], fresh)
        cells: list[Cell] = []
        for run, other, score in zip(fresh, others, scores, strict=True):
            one, step = next(adjusted), None
            if one is not None and other is not None:
                more = questions_needed(one, margin, family)
                step = Step(fresh[other].row, one, verdict(one, margin), more)
            cells.append(Cell(run.row, run.model, score, step))
        out.append(Slice(by, name, len(part.questions), tuple(cells)))
    return tuple(out)


def slices_json(
    runs: Sequence[Scored], base: tuple[str, str] | None = None, margin: float = MARGIN
) -> dict[str, list[dict[str, Any]]]:
    """``slices`` of ``tailor compare --json``: for each of ``BYS`` its slices."""
    return {by: [part.to_json() for part in slices(runs, by, base, margin)] for by in BYS}


def _parts(runs: Sequence[Scored], by: By) -> dict[str, list[Question]]:
    """The questions of each slice, the largest first, then by name."""
    found: dict[str, list[Question]] = {}
    for q in Aligned.of(runs).questions:
        for name in _names(q, by):
            found.setdefault(name, []).append(q)
    return dict(sorted(found.items(), key=lambda part: (-len(part[1]), part[0])))


def _names(question: Question, by: By) -> Iterator[str]:
    if by == "lang":
        yield question.lang
    elif by == "answerable":
        yield "yes" if question.answerable else "no"
    elif by == "tag":
        yield from dict.fromkeys(question.tags)
    else:
        yield from dict.fromkeys(_folder(item.document) for item in question.evidence)


def _folder(document: str) -> str:
    parts = PurePosixPath(document).parts
    return parts[0] if len(parts) > 1 else "."


def _other(run: Scored, runs: Sequence[Scored], base: tuple[str, str] | None) -> int | None:
    """The place of the row that a row is compared with."""
    for at, other in enumerate(runs):
        if base is not None:
            if key(other) == base != key(run):
                return at
        elif key(other) == (run.previous, run.model) and run.base in (None, other.fingerprint):
            return at
    return None


def _columns(part: Aligned, runs: Sequence[Scored]) -> NDArray[np.float64]:
    """The primary scores by question and row; NaN where unscored."""
    import numpy as np

    return np.stack([part.column(run) for run in runs], axis=1)


def _scores(
    part: Aligned, columns: NDArray[np.float64], runs: Sequence[Scored]
) -> list[Interval | None]:
    """The primary score of each row; of numbers against the constant's error on this slice."""
    if runs[0].target.by is None:
        return intervals(columns, part.groups)
    return [drawn.intervals([_skill(run, part)], part.groups)["skill"] for run in runs]


def _skill(run: Scored, part: Aligned) -> Measure:
    assert run.target.by
    return number.skill(run, part.questions, run.target.by)


def _differences(
    columns: NDArray[np.float64],
    part: Aligned,
    others: Sequence[int | None],
    runs: Sequence[Scored],
) -> list[Paired | None]:
    """Of each row that has another one; None for the others."""
    known = [at for at, other in enumerate(others) if other is not None]
    if not known:
        return [None] * len(others)
    bases = [other for other in others if other is not None]
    if runs[0].target.by is None:
        found = differences(columns[:, bases], columns[:, known], part.groups)
    else:
        pairs = zip(bases, known, strict=True)
        skills = [(_skill(runs[a], part), _skill(runs[b], part)) for a, b in pairs]
        found = [
            drawn.differences([one], [other], part.groups).get("skill") for one, other in skills
        ]
    by_row = dict(zip(known, found, strict=True))
    return [by_row.get(at) for at in range(len(others))]
