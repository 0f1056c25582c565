"""What retrieval tuning tried, on the page Stages: the best configurations, and what mattered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from tailor.retrieval.tuning import Tuning
from tailor.run import Run
from tailor.scoring import format
from tailor.ui.language import Language, literal

SHOWN = 10
"""Configurations in a table."""


def sentence(run: Run, code: str) -> str:
    """What came of its tuning; empty where it had none."""
    if found := run.tuning():
        return found.sentence(code)
    similar = run.similar_tuning()
    return similar.sentence(run.workspace.target, code) if similar else ""


def tuning(run: Run, say: Language) -> None:
    """An expander with tables of what was tried, and a bar for each value of each setting."""
    found = run.tuning()
    if found is None:
        _similar(run, say)
        return
    with st.expander(say("tuning.title")):
        st.markdown(literal(found.sentence(say.code)))
        st.caption(say("tuning.searched"))
        st.table(_searched(found, say))
        if found.asked["tried"]:
            st.caption(say("tuning.asked"))
            st.table(_asked(found, say))
        for name, values in found.search["matters"].items():
            st.markdown(literal(f"**{name}**"))
            for value, quality in values.items():
                text = f"{value or say('tuning.own')}: {format.percent(quality, say.code)}"
                st.progress(min(1.0, max(0.0, quality)), text=literal(text))


def _similar(run: Run, say: Language) -> None:
    """As :func:`tuning`, where numbers and labels are told by similar train items."""
    found, target = run.similar_tuning(), run.workspace.target
    if found is None:
        return
    best = found.searched[:SHOWN]
    with st.expander(say("tuning.title")):
        st.markdown(literal(found.sentence(target, say.code)))
        st.caption(say("tuning.similar_searched"))
        st.table(
            {
                say("tuning.similar"): [literal(one.told(say.code)) for one in best],
                say("tuning.error"): [literal(one.error_told(target, say.code)) for one in best],
            }
        )
        st.caption(say("tuning.similar_asked"))
        st.table(
            {
                say("tuning.similar"): [literal(one.told(say.code)) for one in found.tried],
                say("tuning.score"): [format.percent(one.score, say.code) for one in found.tried],
            }
        )


def _searched(found: Tuning, say: Language) -> dict[str, list[str]]:
    lines = found.search["tried"][:SHOWN]
    return {
        say("tuning.changes"): [_changes(line, say) for line in lines],
        say("tuning.quality"): [format.percent(line["quality"], say.code) for line in lines],
    }


def _asked(found: Tuning, say: Language) -> dict[str, list[str]]:
    lines = [found.asked["plain"], *found.asked["tried"]]
    return {
        say("tuning.changes"): [_changes(line, say) for line in lines],
        say("tuning.score"): [format.percent(line["score"], say.code) for line in lines],
        say("tuning.n"): [format.count(line["n"], say.code) for line in lines],
    }


def _changes(line: Mapping[str, Any], say: Language) -> str:
    shown = Tuning.changes(line, say.code)
    return literal(shown) if shown else say("tuning.plain")
