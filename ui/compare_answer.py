"""One question with the answers of two rows, on the page Compare."""

from __future__ import annotations

import html
from collections.abc import Sequence

import streamlit as st

from tailor.assistant import Answer
from tailor.benchmark import Question
from tailor.documents.passages import Passage
from tailor.errors import TailorError
from tailor.run import Run
from tailor.scoring import attribution, diff, format
from tailor.scoring.changes import MARKS, change
from tailor.scoring.comparison import SideBySide
from tailor.scoring.grounding import cited
from tailor.text import nfc
from tailor.ui import compared, exchanged
from tailor.ui.compare_sides import Sides
from tailor.ui.language import Language, literal
from tailor.ui.marks import Mark, decorated, marked
from tailor.ui.refusal import refusal
from tailor.workspace import Span, Workspace


def side_by_side(workspace: Workspace, item: SideBySide, sides: Sides, say: Language) -> None:
    """One question, the expected answer, and both answers with the passages each one saw."""
    question = item.question
    kind = change(item)
    sign = "" if sides.one else f" · <b>{MARKS[kind]} {html.escape(say(f'compare.is_{kind}'))}</b>"
    st.html(
        f'<p class="question">{html.escape(question.question)}</p>'
        f'<p class="about">{html.escape(_about(question))}{sign}</p>'
    )
    expected = " / ".join(question.answers) or say("answer.none_expected")
    told = [_labelled(say("answer.expected"), expected)]
    told += [
        _labelled(say("answer.source"), f"{one.document}: “{one.quote}”")
        for one in question.evidence
    ]
    st.html("".join(told))
    both = (
        (sides.base, sides.base_name, item.base, item.told("base", say.code)),
        (sides.candidate, sides.candidate_name, item.candidate, item.told("candidate", say.code)),
    )
    shown = both[1:] if sides.one else both
    changes = _changes(item)
    for at, column in enumerate(st.columns(len(shown))):
        run, name, answer, score = shown[at]
        with column, st.container(border=True):
            st.markdown(f"**{literal(name)}**")
            if answer is None:
                st.caption(say("answer.not_asked"))
                continue
            _answer(answer, score, changes[at], f"side{at}", say)
            _why(run, question, say)
            _passages(answer, workspace.spans.get(question.id, ()), question, f"side{at}", say)
            _exchanges(run, question, f"{at}", say)


def _changes(item: SideBySide) -> tuple[list[Mark], list[Mark]]:
    """The words that only one of the answers has."""
    texts = [
        nfc(answer.text) if answer and not answer.error else ""
        for answer in (item.base, item.candidate)
    ]
    pieces = diff.words(*texts) if all(texts) else ()
    return _changed(pieces, "removed"), _changed(pieces, "added")


def _about(question: Question) -> str:
    return " · ".join((question.id, question.lang, *question.tags))


def _changed(pieces: Sequence[diff.Piece], own: diff.Kind) -> list[Mark]:
    """Where the words stand that only this answer has."""
    found: list[Mark] = []
    at = 0
    for piece in pieces:
        if piece.kind in ("same", own):
            if piece.kind == own:
                found.append((at, at + len(piece.text), f'<span class="{own}">', "</span>"))
            at += len(piece.text)
    return found


def _answer(
    answer: Answer, score: str, changed: Sequence[Mark], anchor: str, say: Language
) -> None:
    """The answer with what only it says, its citations, its score, time and cost."""
    said = [
        say(f"outcome.{answer.outcome}"),
        score,
        format.seconds(answer.seconds or None, say.code),  # people need not take the time
        format.usd(answer.cost_usd, say.code),
        say(
            "answer.tokens",
            count=format.count(answer.input_tokens + answer.output_tokens, say.code),
        ),
    ]
    st.caption(literal(" · ".join(said)))
    text = answer.error or nfc(answer.text) or format.UNKNOWN
    links: list[Mark] = []
    if not answer.error:
        for start, end, number in cited(text):
            if 1 <= number <= len(answer.passages):
                links.append((start, end, f'<a href="#{anchor}-{number}">', "</a>"))
    st.html(f'<div class="answer">{decorated(text, [*changed, *links])}</div>')


def _why(run: Run, question: Question, say: Language) -> None:
    """What was wrong with the answer, and which stage to try next."""
    why = compared.attributed(run).by_question.get(question.id, "right")
    if why != "right":
        st.html(
            f'<p class="why"><b>{html.escape(attribution.label(why, say.code))}</b> '
            f"{html.escape(attribution.advice(why, say.code))}</p>"
        )


def _passages(
    answer: Answer, spans: Sequence[Span], question: Question, anchor: str, say: Language
) -> None:
    """What the model was shown, with the evidence marked."""
    if not answer.passages:
        st.caption(say("answer.no_passages"))
        return
    seen = len(answer.passages) - answer.dropped
    quoted = {number for _, _, number in cited(nfc(answer.text))}
    gold = {nfc(evidence.document) for evidence in question.evidence}
    shown = []
    for number, passage in enumerate(answer.passages, 1):
        marks = _evidence(passage, spans)
        flags = {
            "cited": number in quoted,
            "dropped": number > seen,
            "right_document": not marks and nfc(passage.document) in gold,
        }
        told = [f"<i>{html.escape(say(f'answer.{name}'))}</i>" for name, on in flags.items() if on]
        if marks:
            told = [f'<b class="evidence">✓ {html.escape(say("answer.evidence"))}</b>', *told]
        head = " · ".join([html.escape(passage.source), *told])
        # What bears on the answer is open, the rest one click away.
        state = " open" if marks or number in quoted else ""
        shown.append(
            f'<details class="passage" id="{anchor}-{number}"{state}>'
            f"<summary><b>[{number}]</b> {head}</summary>"
            f"<blockquote>{marked(passage.text, marks)}</blockquote></details>"
        )
    with st.expander(say("answer.passages", count=seen), expanded=True):
        st.html("".join(shown))


def _evidence(passage: Passage, spans: Sequence[Span]) -> list[tuple[int, int]]:
    """Where the question's evidence stands in a passage."""
    return [
        (max(start, passage.start) - passage.start, min(end, passage.end) - passage.start)
        for document, start, end in spans
        if document == passage.document and start < passage.end and end > passage.start
    ]


def _exchanges(run: Run, question: Question, side: str, say: Language) -> None:
    """Every exact prompt with its raw reply, looked up only when asked for."""
    if run.imported:
        return
    box = st.expander(
        say("answer.prompt"), key=f"prompt {side} {run.id} {question.id}", on_change="rerun"
    )
    if not box.open:
        return
    with box:
        try:
            with st.spinner(say("answer.prompt_wait")):
                found = compared.explained(run, question).exchanges
        except TailorError as error:
            refusal(error)
            return
        exchanged.show(found, say)


def _labelled(label: str, text: str) -> str:
    return f'<p class="expected"><span>{html.escape(label)}</span> {html.escape(text)}</p>'
