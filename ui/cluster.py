"""Which Ray cluster does the work of a run or an ingestion."""

from __future__ import annotations

import streamlit as st

from tailor.ui.language import Language


def chosen(say: Language, key: str) -> list[str]:
    """The cluster that is typed in, as an option of the command; none: work is done here."""
    typed = st.text_input(
        say("cluster.on"), key=key, help=say("cluster.on_help"), placeholder=say("cluster.here")
    ).strip()
    return ["--on", typed] if typed else []
