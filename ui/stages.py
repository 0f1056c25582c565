"""The page Stages: the rows of the ladder, what each one sets, and its run."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import streamlit as st

from tailor.benchmark import Question
from tailor.errors import TailorError
from tailor.ladder import rows_for
from tailor.run import SPLITS, Run, State, all_runs, newest_runs
from tailor.scoring import comparison as compared
from tailor.scoring import format, wording
from tailor.scoring.score import PRIMARY
from tailor.stage import Stage
from tailor.ui import job, opened
from tailor.ui.job import Live
from tailor.ui.language import Language, literal
from tailor.workspace import Workspace

SIGNS = {
    "complete": "✓",
    "running": "◔",
    "cancelled": "‖",
    "failed": "✗",
    "interrupted": "!",
    "stale": "↻",
    "none": "·",
}
COLOURS: dict[str, Literal["green", "primary", "orange", "gray"]] = {
    "complete": "green",
    "running": "primary",
    "cancelled": "orange",
    "stale": "orange",
    "none": "gray",
}
MARKS = {"better": "▲", "worse": "▼", "tie": "≈", "undecided": "?"}


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

    @property
    def left(self) -> int:
        """How many questions have no answer yet, errors included."""
        if self.run is None or self.state is None:
            return 0
        answered = sum(a.outcome != "error" for a in self.run.answers().values())
        return len(self.run.workspace.benchmark.split(*SPLITS)) - answered


def page() -> None:
    """Show the page; it looks for news every second while a run goes on."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("stages.title"))
    running = job.live(workspace, opened.jobs()) is not None
    st.fragment(body, run_every=1 if running else 5)(running)


def body(running: bool) -> None:
    """The table and the selected row; ``running`` is what the page knew when it was drawn."""
    try:
        workspace = opened.workspace()
        live = job.live(workspace, opened.jobs())
        if (live is not None) != running:
            st.rerun()
        ready = opened.next_step(workspace)
        lines = ladder(workspace, ready)
        left, right = st.columns([5, 3], gap="medium")
        with left:
            chosen = table(lines, live)
        with right, st.container(border=True):
            panel(workspace, lines[chosen], live, ready)
    except TailorError as error:
        st.error(literal(str(error)))


def ladder(workspace: Workspace, ready: bool) -> list[Line]:
    """The stages of tailor.toml in order, each with its newest run, then other rows with runs."""
    newest = {(run.row, run.model): run for run in all_runs(workspace) if not run.imported}
    told = [run for run in newest_runs(workspace) if run.state().status != "running"]
    rows = opened.comparison(told).rows if told and ready else ()
    scored = {compared.key(row): row for row in rows}
    model, order = workspace.config.model, list(workspace.config.ladder)
    keys = [(name, model) for name in order if (name, model) not in newest] + list(newest)
    places = {name: at for at, name in enumerate(order)}

    def place(key: tuple[str, str]) -> tuple[bool, int, int]:
        run = newest.get(key)
        stage = run.stage if run else key[0]
        return key[1] != model, places.get(stage, len(order)), run.sequence if run else 0

    lines = []
    for key in sorted(keys, key=place):
        run = newest.get(key)
        stage = workspace.stage(run.stage if run else key[0])
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
    return f"{delta} {MARKS[step.verdict]} {say(f'verdict.{step.verdict}')}"


def asked(line: Line, say: Language) -> str:
    """How many test questions are scored; of a run that is not complete, how many are asked."""
    if line.run and line.state and line.state.status != "complete":
        return say("stages.asked", done=len(line.run.answers()), total=line.state.total)
    return format.count(line.scored.scored, say.code) if line.scored else ""


def errors(line: Line, say: Language) -> str:
    """How many questions ended in an error."""
    if line.run is None:
        return ""
    failed = sum(answer.outcome == "error" for answer in line.run.answers().values())
    return format.count(failed, say.code)


def panel(workspace: Workspace, line: Line, live: Live | None, ready: bool) -> None:
    """The selected row: what it does, its run, its settings."""
    say = opened.spoken()
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(literal(line.row), anchor=False, width="content")
        st.badge(status(line, say), color=COLOURS.get(line.status, "red"))
    st.markdown(literal(say.meaning(first_line(line.stage))))
    going = live is not None and (live.run == line.run if live.run else line.row in live.rows)
    if live and not going:
        st.info(literal(say("run.other", row=live.run.row if live.run else ", ".join(live.rows))))
    if line.run and line.state and not (going and live and live.run is None):
        progress(line.run, line.state, say)
    elif live and going:
        preparation(live.preparing, say)
    messages(workspace, line, live)
    buttons(workspace, line, live, ready)
    settings(workspace, line, say)


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
    scores = {split: _primary(run.scored(split)) for split in SPLITS}
    known = [value for value in scores["test"].values() if value is not None]
    asked = scores["dev"] | scores["test"]
    questions = run.workspace.benchmark.split(*SPLITS)
    text = say(
        "run.progress" if state.status != "complete" else "run.complete",
        done=len(asked),
        total=len(questions),
        errors=sum(value is None for value in asked.values()),
        score=format.percent(sum(known) / len(known) if known else None, say.code),
    )
    st.progress(len(asked) / len(questions) if questions else 0.0, text=literal(text))
    squares = "".join(_square(q, asked) for q in questions)
    st.html(f'<div role="img" aria-label="{html.escape(text)}" class="squares">{squares}</div>')
    st.caption(say("run.squares"))


def _primary(run: compared.Scored) -> dict[str, float | None]:
    return {id: value[PRIMARY] for id, value in compared.score_all(run).items()}


def _square(question: Question, scores: Mapping[str, float | None]) -> str:
    if question.id not in scores:
        kind, sign = "open", "·"
    elif (value := scores[question.id]) is None:
        kind, sign = "error", "!"
    else:
        kind, sign = ("right", "■") if value >= 0.5 else ("wrong", "□")
    return f'<span class="{kind}" title="{html.escape(question.question)}">{sign}</span>'


def messages(workspace: Workspace, line: Line, live: Live | None) -> None:
    """Why a run did not start, why it failed, and why its score may not hold."""
    say = opened.spoken()
    names = (line.row, "all")
    last = next((j for j in reversed(opened.jobs()) if j.names[0] in names), None)
    refused_by = last.rival if last else 0
    failure = last.failure() if last and (not refused_by or live) else ""
    if failure and last:
        st.error(literal(failure))
        st.caption(literal(say("run.log", file=last.log)))
    elif line.state and line.status == "failed":
        st.error(literal(line.state.message))
    if line.status == "interrupted":
        st.warning(say("run.interrupted"))
    if line.run and (stale := opened.staleness(line.run)):
        st.warning(literal(say(f"stale.{stale}", row=line.row)))
    if line.run and line.scored and line.scored.run != line.run.id:
        st.info(say("run.older"))


def buttons(workspace: Workspace, line: Line, live: Live | None, ready: bool) -> None:
    """Run, Resume or Cancel, and the command that does the same."""
    say = opened.spoken()
    names = [line.row]
    if line.model != workspace.config.model:
        names += ["--model", line.model]
    with st.container(horizontal=True):
        if live is not None:
            if st.button(
                say("run.cancelling" if live.cancelled else "run.cancel"),
                icon=":material/stop:",
                disabled=live.cancelled,
                key="cancel",
            ):
                for started in opened.jobs():
                    if started.process.pid == live.pid:
                        started.cancelled = True
                job.cancel(live.pid)
                st.rerun()
        elif line.row == line.stage.name():
            left = line.left
            if left:
                label = say("run.resume", left=left)
            else:
                label = say("run.start" if line.status == "none" else "run.again")
            if st.button(
                label,
                type="primary" if left or line.status == "none" else "secondary",
                icon=":material/play_arrow:",
                disabled=not ready,
                key="run",
            ):
                opened.jobs().append(job.start(workspace, names))
                st.rerun()
            if st.button(
                say("run.all"), type="tertiary", disabled=not ready, key="all",
                help=say("run.all_help"),
            ):  # fmt: skip
                opened.jobs().append(job.start(workspace, ["all"]))
                st.rerun()
    st.code(job.command(workspace, names), language=None, wrap_lines=True)


def settings(workspace: Workspace, line: Line, say: Language) -> None:
    """What the stage sets, and what changed against the step before."""
    if line.run:
        steps = [(step.row, dict(step.settings)) for step in line.run.lineage]
    else:
        steps = planned(workspace, line.row)
    before = [row for row, _ in steps[:-1]]
    if line.stage.starts_from == "root":
        title = say("settings.title")
    elif before:
        title = say("settings.changed", row=before[-1])
    else:
        title = say("settings.first", model=line.model)
    st.markdown(f"**{literal(title)}**")
    used, now = steps[-1][1], line.stage.settings()
    changed = [name for name in now if _shown(used.get(name)) != _shown(now[name])]
    head = [say("settings.name"), say("settings.value")]
    if changed:
        head.append(say("settings.now"))
    rows = []
    for field in fields(line.stage):
        name, meaning = field.name, say.meaning(str(field.metadata.get("meaning", "")))
        cells = [
            f"<b>{html.escape(name)}</b><br><small>{html.escape(meaning)}</small>",
            html.escape(_shown(used.get(name, "–"))),
        ]
        if changed:
            cells.append(html.escape(_shown(now[name])) if name in changed else "")
        rows.append(cells)
    if rows:
        st.html(_table(head, rows))
    else:
        st.caption(say("settings.none"))
    if changed:
        st.caption(say("settings.differ"))
    if line.stage.starts_from == "root":
        st.caption(say("settings.root"))
    else:
        st.caption(literal(say("settings.unchanged", steps=" › ".join([line.model, *before]))))


def planned(workspace: Workspace, name: str) -> list[tuple[str, dict[str, Any]]]:
    """The steps of a row that was not run yet: row and settings."""
    rows = rows_for(workspace, [name])
    kept = [r for r in rows if r.stage.starts_from == "previous" or r.id == name]
    return [(row.id, row.stage.settings()) for row in kept]


def first_line(stage: Stage) -> str:
    """What a stage does, in a sentence."""
    return (type(stage).__doc__ or "").strip().split("\n")[0]


def _shown(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Cells are HTML."""

    def line(tag: str, cells: Sequence[str]) -> str:
        return "<tr>" + "".join(f"<{tag}>{c}</{tag}>" for c in cells) + "</tr>"

    body = "".join(line("td", cells) for cells in rows)
    return f'<table class="settings"><thead>{line("th", head)}</thead><tbody>{body}</tbody></table>'


if __name__ == "__main__":
    page()
