"""When to use which technique, on the page Compare: the rule, and what was measured here."""

from __future__ import annotations

import html

import streamlit as st

from tailor.scoring.comparison import Comparison
from tailor.scoring.guide import Guideline
from tailor.ui import compared
from tailor.ui.compare_sides import Sides
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

NEEDS = ("data", "hardware", "money", "changes")


def guidelines(workspace: Workspace, result: Comparison, sides: Sides, say: Language) -> None:
    """Every technique: when it pays, this workspace's figures, what it needs."""
    st.caption(literal(say("guide.help", row=sides.candidate_name)))
    found = compared.guide(workspace, result, sides.candidate)
    for left, right in zip(found[::2], [*found[1::2], None], strict=False):
        for column, part in zip(st.columns(2), (left, right), strict=True):
            if part is not None:
                with column, st.container(border=True, height="stretch"):
                    _technique(part, say)


def _technique(part: Guideline, say: Language) -> None:
    rule = part.rule(say.code)
    st.markdown(f"**{literal(rule.name)}**")
    st.markdown(literal(rule.when))
    told = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in part.here(say.code))
    st.html(f'<p class="about">{html.escape(say("guide.here"))}</p><ul class="pays">{told}</ul>')
    with st.expander(say("guide.needs")):
        for name in NEEDS:
            st.html(
                f'<p class="expected"><span>{html.escape(say(f"guide.{name}"))}</span> '
                f"{html.escape(getattr(rule, name))}</p>"
            )
