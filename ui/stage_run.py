"""The run of a stage on the page Stages: how it goes, why it stopped, and its buttons."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

import streamlit as st

from tailor.benchmark import Question
from tailor.models.provider import embedder_receiver, receiver
from tailor.run import SPLITS, Run, State
from tailor.scoring import format
from tailor.scoring.cache import graded
from tailor.ui import job, stage_tuning, started
from tailor.ui.job import Live
from tailor.ui.language import Language, literal
from tailor.ui.refusal import note, refusal, told
from tailor.workspace import Workspace

Scores = Mapping[str, float | None]
ENDED = ("failed", "interrupted")
LINES = 15
"""Of a log, shown at its end."""
NAMED = 3
"""Kinds of errors that are named."""


def preparation(at: Mapping[str, Any] | None, say: Language) -> None:
    """What the stage is busy with before questions are asked."""
    if at is None:
        st.progress(0.0, text=say("run.preparing"))
        return
    done, total = at["done"], max(1, at["total"])
    counted = {"done": format.count(done, say.code), "total": format.count(total, say.code)}
    text = say("run.preparing_step", row=at["row"], **counted)
    st.progress(min(1.0, done / total), text=literal(text))


def progress(run: Run, state: State, say: Language) -> None:
    """Live count, errors, score so far on test, and one square per question."""
    questions = run.workspace.benchmark.split(*SPLITS)
    answers, primary = graded(run, questions), run.workspace.target.primary
    scores = {id: own.scores.get(primary) for id, own in answers.items()}
    tested = {q.id for q in questions if q.split == "test"}
    known = [v for id, v in scores.items() if id in tested and v is not None]
    costs = [own.fact.cost_usd for own in answers.values()]
    wrong = {id for id, own in answers.items() if own.fact.outcome == "error"}
    usd = None if None in costs else sum(c for c in costs if c is not None)
    text = say(
        "run.progress" if state.status != "complete" else "run.complete",
        done=format.count(len(scores), say.code),
        total=format.count(len(questions), say.code),
        errors=format.count(len(wrong), say.code),
        score=format.percent(sum(known) / len(known) if known else None, say.code),
    )
    if usd:
        text += f" · {format.usd(usd, say.code)}"
    if state.wait_s and state.status == "running":
        waits = format.count(state.wait_s, say.code)
        text += f" · {say('run.waiting', seconds=waits, attempt=state.attempt)}"
    st.progress(len(scores) / len(questions) if questions else 0.0, text=literal(text))
    st.html(
        f'<div role="img" aria-label="{html.escape(text)}" class="squares">'
        f"{squares(questions, scores)}</div>"
    )
    items = run.workspace.config.task == "number"
    st.caption(say("run.squares_number" if items else "run.squares"))
    if wrong:
        errors(run, [q for q in questions if q.id in wrong], say)
    notes(run, say)


def notes(run: Run, say: Language) -> None:
    """What its stage left out and why, and what came of its tuning."""
    tuned = stage_tuning.sentence(run, "en") if run.notes else ""
    for sentence in run.notes:
        if sentence == tuned:
            st.caption(literal(stage_tuning.sentence(run, say.code)))
        else:
            note(sentence, say)


def squares(questions: Sequence[Question], scores: Scores) -> str:
    """One sign per question, as HTML; neighbours of one kind share a tag, to keep it light."""

    def kind(question: Question) -> tuple[str, str]:
        if question.id not in scores:
            return "open", "·"
        value = scores[question.id]
        if value is None:
            return "error", "!"
        return ("right", "■") if value >= 0.5 else ("wrong", "□")

    runs = ((kind, len(list(group))) for kind, group in groupby(map(kind, questions)))
    return "".join(f'<span class="{name}">{sign * n}</span>' for (name, sign), n in runs)


def errors(run: Run, failed: Sequence[Question], say: Language) -> None:
    """The kinds of errors with how many questions ended in each, and one of the messages."""
    store, keys = run.workspace.answers, run.workspace.benchmark.keys
    found = [store.answer(run.fingerprint, keys[q.id]) for q in failed]
    texts = [answer.error for answer in found if answer and answer.error]
    kinds = Counter(text.partition(":")[0] for text in texts)
    for kind, count in kinds.most_common(NAMED):
        example = next(text for text in texts if text.startswith(kind))
        line = say("run.errors", count=format.count(count, say.code), kind=kind)
        st.html(
            f'<p class="failure"><b>{html.escape(line)}</b> '
            f'<span lang="en">{html.escape(example.partition(": ")[2])}</span></p>'
        )


def messages(
    workspace: Workspace, row: str, run: Run | None, status: str, live: Live | None, say: Language
) -> None:
    """Why a run did not start, why it ended, what it said last, and why it may not hold."""
    last = next((j for j in reversed(started.runs()) if j.names[0] in (row, "all")), None)
    refused_by = last.rival if last else 0
    failure = last.failure() if last and (not refused_by or live) else ""
    message = run.state().message if run else ""
    if failure:
        refusal(failure)
    elif status == "failed":
        refusal(message)
    if status == "none" and (reason := job.left_out(workspace, row)):
        note(reason, say)
    if status == "interrupted":
        st.warning(say("run.interrupted"))
    if status == "paused":
        st.warning(say("run.paused"))
        if sentence := told(message, say):
            st.caption(literal(sentence))
    if (failure or status in ENDED) and (log := job.last_log(workspace, row)):
        with st.expander(say("run.log")):
            st.code(job.tail(log, LINES), language=None, wrap_lines=True)
            st.caption(literal(say("run.log_file", file=log)))
    if run and (stale := run.changed()):
        st.warning(literal(say(f"stale.{stale}", row=row)))


def sent(workspace: Workspace, model: str, say: Language) -> None:
    """What leaves the machine, where something does."""
    if to := receiver(model, workspace.config):
        st.caption(literal(say("run.sent", to=to)))
    if to := embedder_receiver(workspace.config):
        st.caption(literal(say("run.sent_embedder", to=to)))


def cancel(live: Live, say: Language) -> None:
    """The button that stops the run that goes on."""
    label = say("run.cancelling" if live.cancelled else "run.cancel")
    if st.button(label, icon=":material/stop:", disabled=live.cancelled, key="cancel"):
        for one in started.runs():
            one.cancelled = one.cancelled or one.process.pid == live.pid
        job.cancel(live.pid)
        st.rerun()
