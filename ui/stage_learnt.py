"""What a baseline learnt, on the page Stages: features and words with their weights."""

from __future__ import annotations

import streamlit as st

from tailor.run import Run
from tailor.scoring import format
from tailor.ui.language import Language, literal


def learnt(run: Run, say: Language) -> None:
    """An expander with a table of weights, or of the words that speak for each label."""
    found = run.learnt()
    if found is None:
        return
    with st.expander(say("learnt.title")):
        st.markdown(literal(found.sentence(say.code)))
        if found.weights:
            st.table(
                {
                    say("learnt.name"): [
                        literal(found.name(one, say.code)) for one in found.weights
                    ],
                    say("learnt.effect"): [
                        literal(found.effect(one, say.code)) for one in found.weights
                    ],
                }
            )
        if found.words:
            st.table(
                {
                    say("learnt.label"): [literal(label) for label in found.words],
                    say("learnt.words"): [literal(", ".join(own)) for own in found.words.values()],
                }
            )
        if found.k:
            share = format.percent(found.weight, say.code)
            st.markdown(say("learnt.neighbours", k=format.count(found.k, say.code), share=share))
