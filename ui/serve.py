"""The page Serve: what of it works today."""

from __future__ import annotations

import streamlit as st

from tailor.ui import opened


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("serve.title"))
    st.info(say("serve.later"))
    st.markdown(say("serve.today"))
    commands = (opened.command(workspace, *("ask", say("serve.example"))),)
    st.code("\n".join(commands), language=None, wrap_lines=True)


if __name__ == "__main__":
    page()
