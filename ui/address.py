"""Choices that are kept in the URL, so that links, Back and reload find them again."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st


def current(key: str, options: Sequence[str], default: str) -> str:
    """What the URL names, where that is one of the options."""
    asked: str | None = st.query_params.get(key)
    return asked if asked is not None and asked in options else default


def keep(key: str, value: str) -> None:
    """Put a choice into the URL."""
    st.query_params[key] = value


def box(
    key: str,
    label: str,
    options: Sequence[str],
    default: str,
    told: Callable[[str], str] = str,
) -> str:
    """A select box."""
    value = current(key, options, default)
    widget = _widget(key, told(value))  # else it would stay in the language of before
    st.selectbox(
        label, options, options.index(value), key=widget, format_func=told,
        on_change=_taken, args=(key, widget),
    )  # fmt: skip
    return value


def pills(
    key: str, label: str, options: Sequence[str], default: str, told: Callable[[str], str]
) -> str:
    """Pills, of which always one is chosen."""
    value = current(key, options, default)
    widget = _widget(key, value)
    st.pills(
        label, options, default=value, required=True, key=widget, format_func=told,
        label_visibility="collapsed", on_change=_taken, args=(key, widget), wrap=True,
    )  # fmt: skip
    return value


def segments(
    key: str, label: str, options: Sequence[str], default: str, told: Callable[[str], str]
) -> str:
    """Neighbouring buttons, of which always one is chosen."""
    value = current(key, options, default)
    widget = _widget(key, value)
    st.segmented_control(
        label, options, default=value, required=True, key=widget, format_func=told,
        label_visibility="collapsed", on_change=_taken, args=(key, widget),
    )  # fmt: skip
    return value


def _widget(key: str, value: str) -> str:
    # Another key for each value, so that the widget follows the URL when the user goes back.
    return f"{key} {value}"


def _taken(key: str, widget: str) -> None:
    if (value := st.session_state.get(widget)) is not None:
        keep(key, value)
