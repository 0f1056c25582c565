"""A served question on the page Monitor: its answer, what people say of it, and what to learn."""

from __future__ import annotations

import html
from datetime import UTC, datetime

import streamlit as st

from tailor.errors import TailorError
from tailor.monitoring.learned import Purpose, learn
from tailor.scoring import format
from tailor.serving import kept
from tailor.serving.kept import Feedback, Rating, Served
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

PURPOSES: tuple[Purpose, ...] = ("benchmark", "training", "preference")


def show(
    workspace: Workspace, one: Served, said: Feedback | None, where: str, say: Language
) -> None:
    """The question under its time and outcome; opened, its answer and what to do with it."""
    sign = {"up": "👍 ", "down": "👎 "}[said.rating] if said else ""
    at = datetime.fromtimestamp(one.at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    ended = say(f"outcome.{one.outcome}")
    key = f"{where} {one.id}"
    with st.expander(literal(f"{sign}{at} · {ended} · {one.question}")):
        st.html(f'<div class="answer">{html.escape(one.text or one.error)}</div>')
        took = [f"{one.row} · {one.model}", format.seconds(one.seconds, say.code)]
        took.append(format.usd(one.cost_usd, say.code))
        st.caption(literal(" · ".join(took)))
        for number, passage in enumerate(one.passages, 1):
            st.caption(literal(f"[{number}] {passage.source}"))
        _feedback(workspace, one, said, key, say)
        _learn(workspace, one, key, say)


def _feedback(
    workspace: Workspace, one: Served, said: Feedback | None, key: str, say: Language
) -> None:
    with st.form(f"feedback {key}", border=False):
        right = st.text_input(
            say("monitor.correction"), said.correction if said else "", key=f"right {key}"
        )
        with st.container(horizontal=True):
            up = st.form_submit_button(say("monitor.up"), icon=":material/thumb_up:")
            down = st.form_submit_button(say("monitor.down"), icon=":material/thumb_down:")
    if up or down:
        rating: Rating = "up" if up else "down"
        try:
            kept.feedback(workspace, one.id, rating, correction="" if up else right)
        except TailorError as error:
            st.error(literal(str(error)))
            return
        st.rerun()


def _learn(workspace: Workspace, one: Served, key: str, say: Language) -> None:
    with st.container(horizontal=True):
        for purpose in PURPOSES:
            if st.button(say(f"monitor.to_{purpose}"), key=f"{purpose} {key}"):
                try:
                    made = learn(workspace, [one.id], purpose)
                except TailorError as error:
                    refusal(error)
                else:
                    taken = "preferred" if purpose == "preference" else "learned"
                    st.success(say(f"monitor.{taken if made else 'known'}"))
