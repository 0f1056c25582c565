"""The page Stages: the rows of the ladder, what each one sets, and its run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import streamlit as st

from tailor.errors import TailorError
from tailor.models.device import has_gpu
from tailor.models.provider import is_local
from tailor.run import SPLITS, Run, State, all_runs, newest_runs
from tailor.scoring import comparison as compared
from tailor.scoring import format, wording
from tailor.stage import Stage, stage_types
from tailor.training.lessons_settings import Shapes
from tailor.ui import (
    adapters,
    hosted,
    job,
    job_folder,
    lessons,
    opened,
    stage_estimate,
    stage_learnt,
    stage_rows,
    stage_run,
    stage_settings,
    stage_start,
    stage_tuning,
    started,
    training,
    verdict,
)
from tailor.ui.job import Live
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

SIGNS = {
    "complete": "✓",
    "running": "◔",
    "cancelled": "‖",
    "paused": "‖",
    "failed": "✗",
    "interrupted": "!",
    "stale": "↻",
    "none": "·",
}
COLOURS: dict[str, Literal["green", "primary", "orange", "gray"]] = {
    "complete": "green",
    "running": "primary",
    "cancelled": "orange",
    "paused": "orange",
    "stale": "orange",
    "none": "gray",
}


@dataclass(frozen=True)
class Line:
    """One row of the table: a stage, and its newest run where it has one."""

    row: str
    stage: Stage
    model: str
    run: Run | None
    state: State | None
    scored: compared.Row | None
    """Its scores: of the newest complete run, or of the newest one."""

    @property
    def status(self) -> str:
        """The state's status; ``none`` where there is no run, ``stale`` where it does not hold."""
        if self.run is None or self.state is None:
            return "none"
        stale = self.state.status == "complete" and self.run.stale()
        return "stale" if stale else self.state.status

    @cached_property
    def _counted(self) -> tuple[int, int]:
        if self.run is None or self.state is None:
            return 0, 0
        if self.state.status == "complete":
            return self.state.done, self.state.errors
        # What the process of a run wrote last may be older than what it has stored since.
        times = [self.run.facts(repeat=r).values() for r in range(self.run.repeats)]
        wrong = sum(fact.outcome == "error" for facts in times for fact in facts)
        return sum(map(len, times)), wrong

    @property
    def asked(self) -> int:
        """How many answers there are, repeats and errors included."""
        return self._counted[0]

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return self._counted[1]

    @property
    def left(self) -> int:
        """How many answers are missing yet, errors included."""
        if self.run is None:
            return 0
        questions = len(self.run.workspace.benchmark.split(*SPLITS))
        return questions * self.run.repeats - self.asked + self.errors


def page() -> None:
    """Show the page; it looks for news every second while a run goes on."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("stages.title"))
    busy = working(workspace)
    st.fragment(body, run_every=1 if busy else 5)(busy)


def working(workspace: Workspace) -> bool:
    """Whether a run or a training goes on, or an estimate is being worked out."""
    live = job.live(workspace, started.runs()) is not None
    trained = training.going(workspace) or hosted.going(workspace)
    return live or stage_estimate.busy() or trained


def body(busy: bool) -> None:
    """The table and the selected row; ``busy`` is what the page knew when it was drawn."""
    try:
        workspace = opened.workspace()
        live = job.live(workspace, started.runs())
        stage_start.confirm(workspace, opened.spoken())
        ready = opened.next_step(workspace)
        lines = ladder(workspace, ready)
        left, right = st.columns([3, 2], gap="medium")
        with left:
            chosen = table(lines, live)
            gone(workspace)
            stage_rows.edit(workspace, lines[chosen].row, opened.spoken())
        with right, st.container(border=True):
            panel(workspace, lines[chosen], live, ready)
        # At the end: drawn anew before its button is, a press would be lost.
        if working(workspace) != busy:
            st.rerun()
    except TailorError as error:
        refusal(error)


def ladder(workspace: Workspace, ready: bool) -> list[Line]:
    """The stages of tailor.toml in order, each with its newest run, then other rows with runs."""
    known = stage_types(workspace.own_stages)
    newest = {
        (run.row, run.model): run
        for run in all_runs(workspace)
        if not run.imported and run.stage in known
    }
    told = [run for run in newest_runs(workspace) if run.state().status != "running"]
    rows = opened.comparison(told).rows if told and ready else ()
    scored = {compared.key(row): row for row in rows}
    model, order = workspace.config.model, list(workspace.config.ladder)
    keys = [(name, model) for name in order if (name, model) not in newest] + list(newest)
    places = {name: at for at, name in enumerate(order)}

    def place(key: tuple[str, str]) -> tuple[bool, int, int]:
        run = newest.get(key)
        stage = run.stage if run else key[0]
        at = places.get(key[0], places.get(stage, len(order)))
        return key[1] != model, at, run.sequence if run else 0

    lines = []
    for key in sorted(keys, key=place):
        run = newest.get(key)
        stage = workspace.stage(key[0] if key[0] in places or not run else run.stage)
        state = run.state() if run else None
        lines.append(Line(*key[:1], stage, key[1], run, state, scored.get(key)))
    return lines


def table(lines: Sequence[Line], live: Live | None) -> int:
    """One line per stage; returns the number of the one that the URL names."""
    say = opened.spoken()
    labels = names(lines)
    wanted = st.query_params.get("stage")
    chosen = labels.index(wanted) if wanted in labels else 0
    if wanted not in labels and live and live.run:
        chosen = next((i for i, line in enumerate(lines) if line.run == live.run), 0)
    columns = {
        say("stages.row"): labels,
        say("stages.status"): [status(line, say) for line in lines],
        say("stages.score"): [score(line, say) for line in lines],
        say("stages.difference"): [difference(line, say) for line in lines],
        say("stages.n"): [asked(line, say) for line in lines],
        say("stages.errors"): [errors(line, say) for line in lines],
    }
    clicked = opened.select("ladder", columns, chosen, say("stages.table"))
    st.caption(say("stages.legend"))
    if clicked != chosen:
        st.query_params["stage"] = labels[clicked]
        st.rerun()
    return chosen


def gone(workspace: Workspace) -> None:
    """Name the rows whose stage's file is no longer there."""
    known = stage_types(workspace.own_stages)
    left = {r.row: r for r in all_runs(workspace) if not r.imported and r.stage not in known}
    if left:
        st.caption(literal(opened.spoken()("stages.gone", rows=", ".join(left))))


def names(lines: Sequence[Line]) -> list[str]:
    """What each line is called; the model is named where it is not the workspace's."""
    rows = [line.row for line in lines]
    return [
        line.row if rows.index(line.row) == at else f"{line.row} ({line.model})"
        for at, line in enumerate(lines)
    ]


def status(line: Line, say: Language) -> str:
    """A sign and a word."""
    return f"{SIGNS[line.status]} {say(f'status.{line.status}')}"


def score(line: Line, say: Language) -> str:
    """The score with its interval."""
    return wording.score(line.scored, say.code) if line.scored else ""


def difference(line: Line, say: Language) -> str:
    """Points against the row it was built on."""
    step = line.scored.step if line.scored else None
    if step is None:
        return ""
    delta = format.points(step.paired.delta, say.code)
    return f"{delta} {verdict.SIGNS[step.verdict]} {say(f'verdict.{step.verdict}')}"


def asked(line: Line, say: Language) -> str:
    """How many test questions are scored; of a run that is not complete, how many are asked."""
    if line.run and line.state and line.state.status != "complete":
        done, total = (format.count(n, say.code) for n in (line.asked, line.state.total))
        return say("stages.asked", done=done, total=total)
    return format.count(line.scored.scored, say.code) if line.scored else ""


def errors(line: Line, say: Language) -> str:
    """How many questions ended in an error."""
    return format.count(line.errors, say.code) if line.run else ""


def panel(workspace: Workspace, line: Line, live: Live | None, ready: bool) -> None:
    """The selected row: what it does, its run, its settings."""
    say = opened.spoken()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(line.row), anchor=False, width="content")
        st.badge(status(line, say), color=COLOURS.get(line.status, "red"))
    st.markdown(literal(say.meaning(first_line(line.stage))))
    changed = st.container()
    going = live is not None and (live.run == line.run if live.run else line.row in live.rows)
    if live and not going:
        st.info(literal(say("run.other", row=live.run.row if live.run else ", ".join(live.rows))))
    if line.run and line.state and not (going and live and live.run is None):
        stage_run.progress(line.run, line.state, say)
    elif live and going:
        stage_run.preparation(live.preparing, say)
    stage_run.messages(workspace, line.row, line.run, line.status, live, say)
    if line.run and line.scored and line.scored.run != line.run.id:
        st.info(say("run.older"))
    if line.run and line.status not in ("none", "running"):
        stage_tuning.tuning(line.run, say)
        stage_learnt.learnt(line.run, say)
    if line.stage.trains:
        training.curves(workspace, say)
        adapters.part(workspace)
    elsewhere = st.container()
    taught = st.container()
    hindered = st.container()
    actions = st.container()
    entered = stage_settings.form(workspace, line.stage, line.row, say)
    if isinstance(line.stage, Shapes):
        with taught:
            lessons.lessons(workspace, line.row, line.model, line.stage, entered, say)
    there = {**line.stage.settings(), **entered.values}.get("where") == "openai"
    if line.stage.trains:
        with elsewhere:
            hosted.part(workspace, line.model, there)
            job_folder.part(workspace, line.row)
    with hindered:
        possible = hindrance(line, there, say)
    with changed:
        stage_settings.changes(workspace, line.stage, line.row, line.run, entered, say)
    with actions:
        if live is not None:
            stage_run.cancel(live, say)
            words = [*command(workspace, line), *entered.sets(line.row)]
            st.code(opened.command(workspace, "run", *words), language=None, wrap_lines=True)
        elif line.row in (line.stage.name(), *workspace.config.ladder):
            start = stage_start.Start(
                command(workspace, line), line.row, line.model, line.asked, line.left, line.status,
                ready, ready and possible and entered.valid, line.stage.trains,
            )  # fmt: skip
            stage_start.buttons(workspace, start, entered, say)


def command(workspace: Workspace, line: Line) -> list[str]:
    """What follows `tailor run` for this row."""
    other = line.model != workspace.config.model
    return [line.row, "--model", line.model] if other else [line.row]


def hindrance(line: Line, there: bool, say: Language) -> bool:
    """Say what a stage that trains lacks here and what works without; False: it cannot run.

    ``there``: a service trains.
    """
    if not line.stage.trains:
        return True
    if there:
        if is_local(line.model):
            st.warning(literal(say("hosted.local", model=line.model)))
        return not is_local(line.model)
    if not is_local(line.model):
        st.warning(literal(say("stages.hosted", model=line.model)))
        return False
    if not has_gpu():
        st.caption(say("stages.no_gpu"))
    return True


def first_line(stage: Stage) -> str:
    """What a stage does, in a sentence."""
    return (type(stage).__doc__ or "").strip().split("\n")[0]


if __name__ == "__main__":
    page()
