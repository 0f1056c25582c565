"""Training on another machine, in the fine-tuning panel: the job out, and its adapter back in."""

from __future__ import annotations

import os
from pathlib import Path

import streamlit as st

from tailor.errors import TailorError
from tailor.training.job_result import bring_back
from tailor.ui import opened
from tailor.ui.language import literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace


def part(workspace: Workspace, row: str) -> None:
    """The command that writes the job, and a field for the folder that comes back."""
    say = opened.spoken()
    with st.expander(say("job_folder.title"), icon=":material/output:"):
        st.caption(say("job_folder.help"))
        words = ["export", "job", "-o", str(workspace.root / "job")]
        words += [] if row == "fine_tuning" else ["--row", row]
        st.code(opened.command(workspace, *words), language=None, wrap_lines=True)
        with st.form(f"job folder {row}", border=False):
            folder = st.text_input(say("job_folder.result"), str(workspace.root / "job" / "result"))
            pressed = st.form_submit_button(say("job_folder.take"), icon=":material/input:")
        if pressed:
            try:
                adapter = bring_back(workspace, Path(os.path.expanduser(folder)))
            except TailorError as error:
                refusal(error)
            else:
                st.success(literal(say("job_folder.taken", name=adapter.name)))
