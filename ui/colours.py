"""The colours of charts, by day and by night, and how their axes write numbers."""

from __future__ import annotations

import streamlit as st


def dark() -> bool:
    """Whether the page is shown dark."""
    return bool(st.context.theme.type == "dark")


def ink(night: bool) -> str:
    """Of letters and lines."""
    return "#e8eceb" if night else "#1f2a2a"


def accent(night: bool) -> str:
    """Of what a chart is about."""
    return "#3aa79c" if night else "#0f766e"


def warm(night: bool) -> str:
    """Of what stands beside it."""
    return "#f2a56d" if night else "#b4552d"


def figures(code: str) -> str:
    """How an axis writes numbers, as a Vega expression."""
    if code == "en":
        return "datum.label"
    return "replace(replace(replace(datum.label, /,/g, '_'), /\\./g, ','), /_/g, '.')"
