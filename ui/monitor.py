"""The page Monitor: what of it works today."""

from __future__ import annotations

import streamlit as st

from tailor.ui import opened


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("monitor.title"))
    st.info(say("monitor.later"))
    st.markdown(say("monitor.today"))
    commands = (opened.command(workspace, *("compare",)),)
    st.code("\n".join(commands), language=None, wrap_lines=True)


if __name__ == "__main__":
    page()
