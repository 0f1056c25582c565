"""What `tailor doctor` finds, looked for in a process of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tailor.ui import job, opened
from tailor.ui.job import Job
from tailor.ui.language import Language
from tailor.ui.refusal import refusal, told
from tailor.workspace import Workspace

SIGNS = {"ok": "✓", "absent": "–", "problem": "✗"}


def show(workspace: Workspace, say: Language) -> None:
    """The command, a button that runs it, and what the last run found."""
    last = opened.checkups()
    busy = bool(last) and last[-1].alive
    st.fragment(body, run_every=1 if busy else None)(workspace, busy, say)


def body(workspace: Workspace, busy: bool, say: Language) -> None:
    """``busy`` is what the page knew when it was drawn."""
    checkups = opened.checkups()
    going = bool(checkups) and checkups[-1].alive
    st.code(opened.command(workspace, "doctor"), language=None)
    label = say("settings.checking" if going else "settings.check")
    if st.button(label, disabled=going, icon=":material/stethoscope:"):
        checkups.append(job.doctor(workspace))
        st.rerun()
    if checkups and not going:
        results(checkups[-1], say)
    # At the end: drawn anew before its button is, a press would be lost.
    if going != busy:
        st.rerun()


def results(done: Job, say: Language) -> None:
    """One line per finding, problems first."""
    found = findings(done)
    if not found:
        refusal(job.last_line(done.log))
        return
    found = sorted(found, key=lambda one: ("problem", "ok", "absent").index(one["state"]))
    columns = {
        say("settings.what"): [one["name"] for one in found],
        say("settings.state"): [
            f"{SIGNS[one['state']]} {say('settings.' + one['state'])}" for one in found
        ],
        say("settings.detail"): [one["detail"] for one in found],
        say("settings.remedy"): [told(one["remedy"], say) or one["remedy"] for one in found],
    }
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        alt=say("settings.doctor"),
        height="content",
    )


def findings(done: Job) -> Sequence[Mapping[str, Any]]:
    """What the command printed as JSON, among whatever libraries said; empty where it failed."""
    text = done.log.read_text("utf-8", errors="replace")
    try:
        value = json.JSONDecoder().raw_decode(text, text.index('{\n  "schema_version"'))[0]
    except ValueError:
        return []
    found: list[Mapping[str, Any]] = value["findings"]
    return found
