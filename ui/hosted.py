"""Trainings at a service: what it takes, how a job goes, its end, on the page Stages."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import streamlit as st

from tailor.models.provider import receiver
from tailor.scoring import format
from tailor.training.hosted.record import HostedJob, hosted_jobs
from tailor.ui import job, opened, started, training
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

SHOWN = 20
"""Jobs to choose from, and newest events that are shown."""
KNOWN = (
    "preparing", "validating_files", "queued", "running", "pausing", "paused", "succeeded",
    "failed", "cancelled",
)  # fmt: skip
"""States that have a word in each language; any other is shown as the service says it."""


def part(workspace: Workspace, model: str = "", there: bool = False) -> None:
    """The jobs of the workspace; where a service is to train ``model``, what that means, too."""
    say = opened.spoken()
    found = hosted_jobs(workspace.state)[:SHOWN]
    if not found and not there:
        return
    st.markdown(f"**{say('hosted.title')}**")
    if there:
        _before(workspace, model, say)
    if not found:
        return
    at = 0
    if len(found) > 1:
        at = st.selectbox(
            say("hosted.which"), range(len(found)),
            format_func=lambda n: f"{_time(found[n].started)} · {_status(found[n], say)}",
            key=f"hosted {found[0].id}",
        )  # fmt: skip
    _job(workspace, found[at], say)


def going(workspace: Workspace) -> bool:
    """Whether the newest job goes on, or its service is being asked."""
    return any(not each.ended for each in hosted_jobs(workspace.state)[:1]) or any(
        one.alive for key, one in started.results().items() if _of_ours(key)
    )


def _before(workspace: Workspace, model: str, say: Language) -> None:
    """Who would get the lessons, and whether it takes them."""
    if to := receiver(model, workspace.config):
        st.caption(literal(say("hosted.sends", host=to)))
    if not workspace.config.base_url:
        st.caption(say("hosted.closing"))
    asked, key = started.results(), ("hosted", str(workspace.root), "service", model)
    words = ("service", "--model", model)
    busy = key in asked and asked[key].alive
    label = say("hosted.asking" if busy else "hosted.ask")
    if st.button(label, icon=":material/help:", type="tertiary", disabled=busy, key="ask service"):
        asked[key] = job.training(workspace, (*words, "--json"))
        st.rerun()
    if key in asked and not busy:
        _told(asked[key], model, say)


def _told(ended: job.Job, model: str, say: Language) -> None:
    told = job.said(ended)
    if told is None:
        refusal(ended.failure() or job.last_line(ended.log))
    elif not told["takes_jobs"]:
        refusal(str(told["reason"]))
    else:
        st.success(literal(say("hosted.takes", model=model)))
        if told["ends"]:
            st.warning(literal(say("hosted.ends", model=model, day=told["ends"])))


def _job(workspace: Workspace, shown: HostedJob, say: Language) -> None:
    if shown.steps:
        done = max((event.step or 0 for event in shown.events), default=0)
        steps = {name: format.count(n, say.code) for name, n in (("done", done),
                 ("total", shown.steps))}  # fmt: skip
        st.progress(min(1.0, done / shown.steps), text=say("training.steps", **steps))
    told = say("hosted.state", status=_status(shown, say), host=shown.host)
    if shown.looked:
        told += " " + say("hosted.looked", at=_time(shown.looked))
    st.markdown(literal(told))
    if shown.error:
        st.error(literal(say("hosted.error", error=shown.error)))
    opened.tiles(_figures(shown, say))
    if shown.points:
        training.chart(shown.points, say, "hosted curve")
    _events(shown, say)
    if shown.model:
        st.markdown(literal(say("hosted.model", model=f"openai:{shown.model}")))
    st.caption(
        literal(
            say(
                "hosted.about",
                base=shown.base,
                lessons=format.count(shown.lessons, say.code),
                held_out=format.count(shown.held_out, say.code),
                epochs=format.count(shown.epochs, say.code),
            )
        )
    )
    if not shown.ended:
        _buttons(workspace, shown, say)


def _figures(shown: HostedJob, say: Language) -> list[tuple[str, ...]]:
    exact = shown.ended and shown.trained_tokens is not None
    tokens = shown.trained_tokens if exact else shown.tokens
    return [
        (say("training.loss"), format.number(shown.last("loss"), say.code)),
        (say("training.validation"), format.number(shown.last("validation_loss"), say.code)),
        (say("hosted.tokens" if exact else "hosted.tokens_about"), format.count(tokens, say.code)),
        (say("hosted.cost" if exact else "hosted.cost_about"),
         format.usd(shown.cost_usd, say.code)),
    ]  # fmt: skip


def _events(shown: HostedJob, say: Language) -> None:
    """What the service told, in its own words, the newest first."""
    if not shown.events:
        return
    with st.expander(say("hosted.events", count=format.count(len(shown.events), say.code))):
        lines = [
            f"- {_time(datetime.fromtimestamp(event.at, UTC).isoformat())} · "
            f"{literal(event.message)}"
            for event in reversed(shown.events[-SHOWN:])
        ]
        st.markdown("\n".join(lines))


def _buttons(workspace: Workspace, shown: HostedJob, say: Language) -> None:
    """Cancel it, or ask the service now; the same as commands."""
    asked: dict[Any, job.Job] = started.results()
    keys = {word: ("hosted", str(workspace.root), word, shown.id) for word in ("cancel", "look")}
    busy = {word: key in asked and asked[key].alive for word, key in keys.items()}
    words = {"cancel": ("cancel", shown.id), "look": ("--json",)}
    icons = {"cancel": ":material/stop:", "look": ":material/refresh:"}
    with st.container(horizontal=True):
        for word in words:
            label = say(f"hosted.{word}ing" if busy[word] else f"hosted.{word}")
            if st.button(label, icon=icons[word], disabled=busy[word], key=f"hosted {word}"):
                asked[keys[word]] = job.training(workspace, words[word])
                st.rerun()
    if keys["cancel"] in asked and (failed := asked[keys["cancel"]].failure()):
        refusal(failed)
    command = opened.command(workspace, "training", *words["cancel"])
    st.code(command, language=None, wrap_lines=True)


def _status(shown: HostedJob, say: Language) -> str:
    if shown.status in KNOWN:
        return say(f"hosted.status.{shown.status}")
    return say("hosted.unknown", status=shown.status)


def _time(iso: str) -> str:
    return f"{iso.replace('T', ' ')[:16]} UTC"


def _of_ours(key: object) -> bool:
    return isinstance(key, tuple) and key[:1] == ("hosted",)
