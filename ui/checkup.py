"""What `tailor doctor` finds, looked for in a process of its own."""

from __future__ import annotations

import streamlit as st

from tailor.ui import job, opened, started
from tailor.ui.job import Job
from tailor.ui.language import Language
from tailor.ui.refusal import phrase, refusal, told
from tailor.workspace import Workspace

SIGNS = {"ok": "✓", "absent": "–", "problem": "✗"}


def show(workspace: Workspace, say: Language) -> None:
    """The command, a button that runs it, and what the last run found."""
    last = started.checkups()
    busy = bool(last) and last[-1].alive
    st.fragment(body, run_every=1 if busy else None)(workspace, busy, say)


def body(workspace: Workspace, busy: bool, say: Language) -> None:
    """``busy`` is what the page knew when it was drawn."""
    checkups = started.checkups()
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
    told_of = job.said(done)
    if told_of is None:
        refusal(job.last_line(done.log))
        return
    order = ("problem", "ok", "absent")
    found = sorted(told_of["findings"], key=lambda one: order.index(one["state"]))
    columns = {
        say("settings.what"): [phrase(one["name"], say) for one in found],
        say("settings.state"): [
            f"{SIGNS[one['state']]} {say('settings.' + one['state'])}" for one in found
        ],
        say("settings.detail"): [phrase(one["detail"], say) for one in found],
        say("settings.remedy"): [told(one["remedy"], say) or one["remedy"] for one in found],
    }
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        alt=say("settings.doctor"),
        height="content",
    )
