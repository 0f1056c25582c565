"""The answer of one row on the page Playground, and what a person makes of the answers."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from tailor import playground
from tailor.assistant import Answer
from tailor.documents.highlight import highlights
from tailor.explain import exchanges
from tailor.playground import Asked, Side
from tailor.preferences import Choice, prefer
from tailor.scoring import format
from tailor.ui import exchanged
from tailor.ui.language import Language, literal
from tailor.ui.marks import marked, quote
from tailor.ui.refusal import note, refusal
from tailor.workspace import Workspace


def show(workspace: Workspace, asked: Asked, side: Side, name: str, at: int, say: Language) -> None:
    """The reply so far or the answer, what it took, its passages and its prompt."""
    st.markdown(f"**{literal(name)}**")
    if side.status == "failed":
        refusal(side.message)
    elif side.status != "done":
        st.caption(say(f"playground.{side.status}"))
    # As plain text: what a model writes is never Markdown, HTML or a picture here.
    text = (side.answer.with_citations or side.answer.text) if side.answer else side.text
    st.html(f'<div class="answer" aria-live="polite">{html.escape(text)}</div>')
    for sentence in side.left_out:
        note(sentence, say)
    if side.answer is None:
        return
    st.caption(literal(" · ".join(_took(side, side.answer, say))))
    _passages(asked.question, side.answer, say)
    if st.toggle(say("playground.prompt"), key=f"prompt {asked.id} {at}"):
        found = exchanges(workspace, side.answer)
        if not found:
            st.caption(say("playground.no_prompt"))
        exchanged.show(found, say)


def _took(side: Side, answer: Answer, say: Language) -> list[str]:
    """How it ended, seconds, tokens, cost."""
    said = [say(f"outcome.{answer.outcome}")]
    if side.stored:
        said.append(say("playground.stored", time=format.seconds(answer.seconds, say.code)))
    else:
        said.append(format.seconds(side.total_s, say.code))
        if side.first_s is not None:
            said.append(say("playground.first", time=format.seconds(side.first_s, say.code)))
    if answer.call:
        said.append(
            say(
                "playground.tokens",
                input=format.count(answer.input_tokens, say.code),
                output=format.count(answer.output_tokens, say.code),
            )
        )
    said.append(say("playground.cost", cost=format.usd(answer.cost_usd, say.code)))
    return said


def _passages(question: str, answer: Answer, say: Language) -> None:
    seen = answer.seen
    if not seen:
        st.caption(say("answer.no_passages"))
        return
    with st.expander(say("answer.passages", count=len(seen))):
        for number, passage in enumerate(seen, 1):
            spans = [*highlights(question, passage.text), *_said(answer.text, passage.text)]
            st.html(quote(number, passage.source, marked(passage.text, spans)))


def _said(answer: str, passage: str) -> list[tuple[int, int]]:
    """Where the passage says the whole answer, letter by letter."""
    at = passage.casefold().find(answer.casefold()) if answer else -1
    return [] if at < 0 else [(at, at + len(answer))]


def judge(workspace: Workspace, asked: Asked, sides: Sequence[Side], say: Language) -> None:
    """Which answer is better, and the question as one of the benchmark."""
    done = [(at, side.answer) for at, side in enumerate(sides) if side.answer is not None]
    if len(done) == 2:
        _vote(workspace, asked, [answer for _, answer in done], say)
    if done:
        _add(workspace, asked, [answer for _, answer in done], say)


def _vote(workspace: Workspace, asked: Asked, answers: Sequence[Answer], say: Language) -> None:
    key = f"voted {asked.id}"
    if voted := st.session_state.get(key):
        st.success(literal(say("playground.voted", row=voted)))
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(say("playground.better"), width="content")
        for at, (name, _) in enumerate(asked.rows):
            if st.button(literal(name), key=f"vote {at}", icon=":material/thumb_up:"):
                chosen, rejected = (
                    Choice(*row, answer.text, playground.prompt(workspace, answer))
                    for row, answer in zip(asked.rows, answers, strict=True)
                )
                if at == 1:
                    chosen, rejected = rejected, chosen
                prefer(workspace.knowledge, asked.question, chosen, rejected)
                st.session_state[key] = name
                st.rerun()


def _add(workspace: Workspace, asked: Asked, answers: Sequence[Answer], say: Language) -> None:
    """A form with the question and the answer, to be corrected, as a draft."""
    key = f"added {asked.id}"
    if st.session_state.get(key):
        st.success(say("playground.added"))
        return
    with st.expander(say("playground.add")), st.form(f"add {asked.id}", border=False):
        st.caption(say("playground.add_help"))
        question = st.text_area(say("playground.question"), asked.question, height=80)
        answer = st.text_input(
            say("playground.right_answer"), answers[-1].text if answers[-1].outcome == "ok" else "",
            help=say("playground.right_help"),
        )  # fmt: skip
        if st.form_submit_button(say("playground.add_do"), icon=":material/playlist_add:"):
            passages = [p for each in answers for p in each.passages]
            playground.to_benchmark(workspace, question, answer, passages)
            st.session_state[key] = True
            st.rerun()
