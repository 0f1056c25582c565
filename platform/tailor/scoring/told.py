"""What a row scores, in the words of its task: columns of the table, parts of its sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailor.scoring import format, measures

if TYPE_CHECKING:
    from tailor.scoring.row import Row
    from tailor.scoring.statistics import Interval, Paired
    from tailor.scoring.target import Target

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "answer": (),
    "number": ("absolute_error", "median_error", "good", "rmsle"),
    "label": ("macro_f1", "coverage"),
}
"""Metrics that the table shows beside the score, by task; for answers it has recall."""
_WITH_INTERVAL = ("absolute_error", "macro_f1")
_TO = {"en": " to ", "vi": " đến "}
_OFF = {"en": "off by {}", "vi": "lệch {}"}

_SCORES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "answer": "scores {mean} (95% interval {interval}) on {n} {split} questions",
        "number": "saves {mean} of the best constant's error (95% interval {interval}) on {n} "
        "{split} items, with a mean error of {error} and {good} of them good",
        "label": "labels {mean} of {n} {split} items rightly (95% interval {interval}), with a "
        "macro-F1 of {macro}",
    },
    "vi": {
        "answer": "đạt {mean} (khoảng tin cậy 95%: {interval}) trên {n} câu hỏi của tập {split}",
        "number": "giảm {mean} sai số so với hằng số tốt nhất (khoảng tin cậy 95%: {interval}) "
        "trên {n} mục của tập {split}, sai số trung bình {error}, {good} đạt mức tốt",
        "label": "gán đúng nhãn cho {mean} trong {n} mục của tập {split} (khoảng tin cậy 95%: "
        "{interval}), macro-F1 {macro}",
    },
}


def scores(row: Row, lang: str) -> str:
    """What a row scores, to follow its name: ``scores 61.3% (95% interval …) on 80 questions``."""
    one, of = row.primary, row.target

    def mean(name: str) -> str:
        found = row.metrics.get(name)
        return measures.shown(name, found.mean if found else None, of, lang)

    low, high = (format.percent(end, lang) for end in ((one.low, one.high) if one else (None,) * 2))
    return _SCORES[lang][of.task].format(
        mean=format.percent(one.mean if one else None, lang),
        interval=f"{low}{_TO[lang]}{high}" if one else format.UNKNOWN,
        n=format.count(row.scored, lang),
        split=row.split,
        error=mean("absolute_error"),
        good=mean("good"),
        macro=mean("macro_f1"),
    )


def columns(target: Target, lang: str) -> dict[str, str]:
    """The head of each further column of the table, by metric."""
    return {
        name: measures.label(name, target, lang) + (" (95 %)" if name in _WITH_INTERVAL else "")
        for name in COLUMNS[target.task]
    }


def cell(row: Row, name: str, lang: str) -> str:
    """A metric of a row: ``$52.10 (47.00 to 57.90)``, or the mean alone."""
    found = row.metrics.get(name)
    if name in _WITH_INTERVAL:
        told = with_interval(name, found, row.target, lang)
        # Of fewer answers than others: those without a number have no error.
        few = found and row.target.task == "number" and found.n < row.scored
        return f"{told}, n = {format.count(found.n, lang)}" if found and few else told
    return measures.shown(name, found.mean if found else None, row.target, lang)


def with_interval(name: str, found: Interval | None, target: Target, lang: str) -> str:
    """A metric with its 95 % interval: ``$52.10 (47.00 to 57.90)``."""
    if found is None:
        return format.UNKNOWN
    mean = measures.shown(name, found.mean, target, lang)
    low, high = (measures.bare(name, x, target, lang) for x in (found.low, found.high))
    return f"{mean} ({low}{_TO[lang]}{high})"


def gains(found: Mapping[str, Paired], target: Target, lang: str) -> list[str]:
    """Every metric against another row, a line each: ``Mean error: -$4.10 (-7.90 to -0.40)``."""
    lines = []
    for name, one in found.items():
        delta, low, high = (
            measures.gained(name, x, target, lang) for x in (one.delta, one.low, one.high)
        )
        p = f"p = {format.p_value(one.p, lang)}".replace("= <", "<")
        said = measures.label(name, target, lang)
        lines.append(f"{said}: {delta} ({low}{_TO[lang]}{high}; {p})")
    return lines


def item(scores: Mapping[str, float | None], target: Target, lang: str) -> str:
    """The score of one answer: a share, or by how much a number is off."""
    if target.task != "number":
        return format.percent(scores.get(target.primary), lang)
    error = scores.get("absolute_error")
    return _OFF[lang].format(measures.amount(error, target, lang))
