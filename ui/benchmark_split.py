"""How the questions are shared out and what they are made of, on the page Benchmark."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.benchmarking import assignment
from tailor.benchmarking.splitting import By, shares_of
from tailor.benchmarking.stats import Stats, stats
from tailor.errors import TailorError
from tailor.scoring import format
from tailor.ui import opened
from tailor.ui.language import Language
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

GROUPS: tuple[By, ...] = ("document", "quote")


def split(workspace: Workspace, say: Language) -> None:
    """Both beside each other."""
    found = _stats((opened.stamp(workspace.root), str(workspace.root)), workspace)
    left, right = st.columns([5, 4], gap="large")
    with left:
        made_of(found, workspace.config.task == "answer", say)
    with right:
        shared_out(workspace, found, say)


def shared_out(workspace: Workspace, found: Stats, say: Language) -> None:
    """How many questions are where, and a form to share them out anew."""
    st.subheader(say("split.title"), anchor=False)
    counts = found.counts[""]
    n = sum(counts.values())
    st.dataframe(
        {
            say("split.name"): list(counts),
            say("split.questions"): [format.count(own, say.code) for own in counts.values()],
            say("split.share"): [format.percent(own / n, say.code) for own in counts.values()],
        },
        hide_index=True,
        alt=say("split.title"),
    )
    st.caption(say("split.help"))
    usual = shares_of(workspace.config.task)
    with st.expander(say("split.anew")), st.form("split", border=False):
        parts = [
            column.number_input(name, 0, 100, round(100 * share), key=f"share {name}")
            for column, (name, share) in zip(st.columns(len(usual)), usual.items(), strict=True)
        ]
        seed = st.number_input(say("split.seed"), 0, 1_000_000, 0)
        by: Any = st.radio(
            say("split.by"), GROUPS, format_func=lambda name: say(f"split.by_{name}")
        )
        reassign = st.checkbox(say("split.reassign"))
        if st.form_submit_button(say("split.do")):
            shares = dict(zip(usual, map(float, parts), strict=True))
            try:
                done = assignment.split(workspace, shares, int(seed), reassign, by)
            except TailorError as error:
                refusal(error)
                return
            st.session_state["split done"] = done.changed
            st.rerun()
    if (changed := st.session_state.pop("split done", None)) is not None:
        st.success(say("split.done", count=format.count(changed, say.code)))


def made_of(found: Stats, asked: bool, say: Language) -> None:
    """Questions by language and tag, and documents by question; items have no documents."""
    st.subheader(say("stats.title"), anchor=False)
    hard, lang = found.difficulty, say.code
    names = {"": say("stats.all"), "null": say("stats.null")}
    columns = {say("stats.trait"): [names.get(name, name) for name in found.counts]}
    for name in ("train", "dev", "test"):
        columns[name] = [format.count(own[name], lang) for own in found.counts.values()]
    if hard:
        means = [hard.by_trait.get(name) for name in found.counts]
        columns[say("stats.baseline")] = [format.percent(m[0] if m else None, lang) for m in means]
    st.dataframe(columns, hide_index=True, alt=say("stats.title"), height=300)
    if hard:
        st.caption(say("stats.hard", easy=hard.easy, middle=hard.middle, hard=hard.hard, n=hard.n))
    if not asked:
        return
    words = found.answer_words
    st.caption(
        say(
            "stats.answers",
            median=format.count(round(words["median"]), lang),
            longest=format.count(int(words["longest"]), lang),
            numbers=format.count(int(words["numbers"]), lang),
        )
    )
    used = sum(n > 0 for n in found.documents.values())
    st.caption(say("stats.documents", asked=used, silent=len(found.documents) - used))
    _documents(list(found.documents.items()), say)


def _documents(listed: Sequence[tuple[str, int]], say: Language) -> None:
    with st.expander(say("stats.by_document")):
        columns = {
            say("stats.questions"): [format.count(n, say.code) for _, n in listed],
            say("stats.document"): [name for name, _ in listed],
        }
        st.dataframe(columns, hide_index=True, alt=say("stats.by_document"), height=300)


@st.cache_resource(max_entries=2, show_spinner=False)
def _stats(key: object, _workspace: Workspace) -> Stats:
    return stats(_workspace)
