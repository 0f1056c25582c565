"""The metrics of numbers and labels as people read them: names, units, and which way is better."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tailor.scoring import format
from tailor.scoring.number import band

if TYPE_CHECKING:
    from tailor.scoring.target import Target

_NAMES: Mapping[str, Mapping[str, str]] = {
    "en": {
        "skill": "Skill", "absolute_error": "Mean error", "percent_error": "Mean % error",
        "good": "Good", "fair": "Good or fair", "squared_log_error": "Squared log error",
        "median_error": "Median error", "rmse": "RMSE", "rmsle": "RMSLE", "r2": "R²",
        "accuracy": "Accuracy", "coverage": "Answered",
        "accuracy_when_answered": "Accuracy when answered", "macro_f1": "Macro-F1",
        "under": "under {high}", "from": "from {low}", "between": "{low} to {high}",
    },
    "vi": {
        "skill": "Mức giảm sai số", "absolute_error": "Sai số trung bình",
        "percent_error": "Sai số % trung bình", "good": "Tốt", "fair": "Tốt hoặc khá",
        "squared_log_error": "Sai số log bình phương", "median_error": "Sai số trung vị",
        "rmse": "RMSE", "rmsle": "RMSLE", "r2": "R²", "accuracy": "Độ chính xác",
        "coverage": "Tỷ lệ trả lời", "accuracy_when_answered": "Độ chính xác khi trả lời",
        "macro_f1": "Macro-F1", "under": "dưới {high}", "from": "từ {low}",
        "between": "{low} đến {high}",
    },
}  # fmt: skip
_AMOUNTS = ("absolute_error", "median_error", "rmse")
_FIGURES = ("rmsle", "r2", "squared_log_error")


def known(name: str) -> bool:
    """Whether this is a metric of numbers or labels, of all items or of a band."""
    return name.partition(" ")[0] in _NAMES["en"]


def label(name: str, target: Target, lang: str) -> str:
    """A metric's name; with its band, as ``Mean error, $20.00 to $45.00``."""
    metric, space, of_band = name.partition(" ")
    said = _NAMES[lang].get(metric, metric)
    return f"{said}, {band_label(of_band, target, lang)}" if space else said


def band_label(name: str, target: Target, lang: str) -> str:
    """A band's name with its unit: ``under $20.00``."""
    for low, high in target.by.bands() if target.by else ():
        if band(low, high) == name and (low, high) != (None, None):
            kind = "under" if low is None else "from" if high is None else "between"
            return _NAMES[lang][kind].format(
                low=amount(low, target, lang), high=amount(high, target, lang)
            )
    return name


def amount(value: float | None, target: Target, lang: str) -> str:
    """A number of the task with its currency or unit."""
    by = target.by
    return format.amount(value, by.currency if by else "", by.unit if by else "", lang)


def shown(name: str, value: float | None, target: Target, lang: str) -> str:
    """A value of a metric: an amount, a figure or a share in percent."""
    metric = name.partition(" ")[0]
    if metric in _AMOUNTS:
        return amount(value, target, lang)
    return format.number(value, lang) if metric in _FIGURES else format.percent(value, lang)


def bare(name: str, value: float | None, target: Target, lang: str) -> str:
    """As :func:`shown`, an amount without its currency or unit, which stands before it."""
    if name.partition(" ")[0] not in _AMOUNTS or not target.by:
        return shown(name, value, target, lang)
    return format.amount(value, target.by.currency, target.by.unit, lang, bare=True)


def gained(name: str, delta: float | None, target: Target, lang: str) -> str:
    """A difference, signed: percentage points of a share, else in the metric's unit."""
    metric = name.partition(" ")[0]
    if delta is None or metric not in (*_AMOUNTS, *_FIGURES):
        return format.points(delta, lang)
    told = shown(name, abs(delta), target, lang)
    return f"{'-' if delta < 0 else '+'}{told}" if told != shown(name, 0.0, target, lang) else told
