"""What the page Compare shows of runs, counted once for all tabs until something changes."""

from __future__ import annotations

import streamlit as st

from tailor.benchmark import Question
from tailor.explain import Explained, explain
from tailor.prediction.pictures import Pictures, pictures
from tailor.run import Run
from tailor.scoring import attribution
from tailor.scoring import comparison as compared
from tailor.scoring.attribution import Attribution
from tailor.scoring.comparison import Comparison, SideBySide, Step
from tailor.scoring.guide import Guideline
from tailor.scoring.guide import guide as guidelines
from tailor.scoring.slices import By, Slice
from tailor.scoring.slices import slices as cut
from tailor.ui import opened
from tailor.ui.compare_sides import Sides
from tailor.workspace import Workspace

Key = tuple[object, ...]
Pairs = tuple[tuple[SideBySide, ...], Step | None]


def key(run: Run) -> Key:
    """Changes when the run's answers or the files of the workspace do."""
    state = run.state()
    progress = state.status, state.done, state.errors
    return run.id, run.fingerprint, *progress, opened.stamp(run.workspace.root)


def pairs(base: Run, candidate: Run) -> Pairs:
    """Both runs question by question on test, and their paired difference."""
    return _pairs((key(base), key(candidate)), base, candidate)


def attributed(run: Run) -> Attribution:
    """Why each test answer of a run is right or wrong."""
    return _attributed(key(run), run)


def pictured(run: Run) -> Pictures:
    """What is drawn of a run that gives numbers, on test."""
    return _pictured(key(run), run)


def slices(sides: Sides, by: By) -> tuple[Slice, ...]:
    """The score of both rows on each part of the test questions; stale rows are left out."""
    keys = key(sides.base), key(sides.candidate), by
    return _slices(keys, sides, by)


def guide(workspace: Workspace, result: Comparison, chosen: Run) -> tuple[Guideline, ...]:
    """Every technique with this workspace's figures; mistakes are those of the chosen row."""
    return guidelines(result, attributed(chosen), workspace.config.gpu_hour_usd)


def explained(run: Run, question: Question) -> Explained:
    """How the run came to its answer.

    Raises:
        TailorError: that cannot be told.
    """
    return _explained((key(run), question.id), run, question)


@st.cache_resource(max_entries=20, show_spinner=False)
def _pairs(key: Key, _base: Run, _candidate: Run) -> Pairs:
    former, latter = _base.scored("test"), _candidate.scored("test")
    return compared.pair(former, latter), compared.difference(former, latter)


@st.cache_resource(max_entries=20, show_spinner=False)
def _attributed(key: Key, _run: Run) -> Attribution:
    return attribution.attribute(_run, "test")


@st.cache_resource(max_entries=40, show_spinner=False)
def _pictured(key: Key, _run: Run) -> Pictures:
    return pictures(_run.scored("test"))


@st.cache_resource(max_entries=20, show_spinner=False)
def _slices(key: Key, _sides: Sides, _by: By) -> tuple[Slice, ...]:
    runs = [_sides.candidate] if _sides.one else [_sides.base, _sides.candidate]
    return cut([run.scored("test") for run in runs], _by, (_sides.base.row, _sides.base.model))


@st.cache_resource(max_entries=20, show_spinner=False)
def _explained(key: Key, _run: Run, _question: Question) -> Explained:
    return explain(_run, _question.id)
