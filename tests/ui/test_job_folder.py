"""A job for another machine: its command, and a folder that is none, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest


def script(code: str, root: str) -> None:
    import streamlit as st

    from tailor.ui import job_folder
    from tailor.workspace import Workspace

    st.session_state["lang"] = code.upper()
    job_folder.part(Workspace(root), "fine_tuning:2")


@pytest.mark.parametrize(
    ("code", "title"), [("en", "Train on another machine"), ("vi", "Huấn luyện trên máy khác")]
)
def test_the_command_is_shown_and_a_wrong_folder_is_refused(
    tmp_path: Path, code: str, title: str
) -> None:
    app = AppTest.from_function(script, args=(code, str(tmp_path))).run()
    assert app.expander[0].label == title
    assert "tailor export job -o" in app.code[0].value
    assert "--row fine_tuning:2" in app.code[0].value
    app.text_input[0].set_value(str(tmp_path / "nowhere"))
    app.button[0].click().run()
    assert not app.exception
    assert "nowhere" in app.error[0].value
    assert not app.success
