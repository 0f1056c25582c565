"""The processes that this server has started, shared by all tabs."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

import streamlit as st

from tailor import playground
from tailor.documents.activity import Activity, activity
from tailor.ui import job
from tailor.ui.job import Job
from tailor.workspace import Workspace


def runs() -> list[Job]:
    """Each `tailor run`, the newest last, as in the lists below."""
    return _jobs("run", _root())


def ingestions() -> list[Job]:
    """Each `tailor ingest`."""
    return _jobs("ingest", _root())


def measurements() -> list[Job]:
    """Each `tailor models`."""
    return _jobs("models", _root())


def checkups() -> list[Job]:
    """Each `tailor doctor`."""
    return _jobs("doctor", _root())


def results() -> dict[object, Job]:
    """Commands whose result is shown, by all that the result depends on."""
    return _results(_root())


def run(workspace: Workspace, words: Sequence[str]) -> None:
    """Start `tailor run`, unless a run goes on: of tabs that press at once, one starts it."""
    with _starting():
        if job.live(workspace, runs()) is None:
            runs().append(job.run(workspace, words))


def ingest(workspace: Workspace, *options: str) -> None:
    """Start `tailor ingest`, unless an ingestion goes on: of tabs that press at once, one does."""
    with _starting():
        if ingestion(workspace) is None:
            ingestions().append(job.ingest(workspace, *options))


def ingestion(workspace: Workspace) -> Activity | None:
    """The ingestion that goes on, also one that has only just been started here."""
    if (found := activity(workspace.state)) is not None:
        return found
    alive = [one for one in ingestions() if one.alive]
    return Activity(alive[-1].process.pid, 0.0) if alive else None


def resume(workspace: Workspace, training: str) -> None:
    """Go on with a training, unless this server does already."""
    with _starting():
        if not resumed(training):
            _trainings().append(job.resume(workspace, training))


def resumed(training: str) -> bool:
    """Whether this server goes on with a training."""
    return any(one.alive and one.names == (training,) for one in _trainings())


def answer(workspace: Workspace) -> None:
    """See that a process takes up the questions of the Playground."""
    with _starting():
        known = _jobs("playground", _root())
        if not playground.answering(workspace.state) and not any(one.alive for one in known):
            known.append(job.answer(workspace))


def serve(workspace: Workspace, row: str, model: str, port: int) -> None:
    """Start `tailor serve`, unless one is just being started."""
    with _starting():
        if not server_starts():
            _servers().append(job.serve(workspace, row, model, port))


def server_starts() -> bool:
    """Whether a server that was started here does not listen yet."""
    return any(one.alive and '"url":' not in job.tail(one.log, 50) for one in _servers())


def server_failed() -> str:
    """The sentence with which the server that was started here last failed; empty: it did not."""
    return _servers()[-1].failure() if _servers() else ""


def _trainings() -> list[Job]:
    return _jobs("training", _root())


def _servers() -> list[Job]:
    return _jobs("serve", _root())


def _root() -> str:
    return os.environ.get("TAILOR_WORKSPACE", ".")


@st.cache_resource(show_spinner=False)
def _jobs(command: str, root: str) -> list[Job]:
    return []


@st.cache_resource(show_spinner=False)
def _results(root: str) -> dict[object, Job]:
    return {}


@st.cache_resource(show_spinner=False)
def _starting() -> threading.Lock:
    return threading.Lock()
