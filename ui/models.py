"""The page Models: what of it works today."""

from __future__ import annotations

import streamlit as st

from tailor.ui import opened


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("models.title"))
    st.info(say("models.later"))
    st.markdown(say("models.today"))
    commands = (
        opened.command(workspace, *("run", "all", "--model", "MODEL")),
        opened.command(workspace, *("doctor",)),
    )
    st.code("\n".join(commands), language=None, wrap_lines=True)


if __name__ == "__main__":
    page()
