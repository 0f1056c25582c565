"""The page Overview: the goal, what there is, which row to use, and the one next step."""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import streamlit as st

from tailor.benchmark import Benchmark
from tailor.config_file import change
from tailor.documents.overview import FileState, pending
from tailor.errors import TailorError
from tailor.initialize import copy_sample
from tailor.prediction.samples.sample import Sample
from tailor.run import Run
from tailor.scoring import format, wording
from tailor.scoring import goal as goals
from tailor.scoring.comparison import Comparison, key, labels
from tailor.ui import job, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

Next = Literal["read", "questions", "run", "compare"]
STEPS: tuple[Next, ...] = ("read", "questions", "run")
SAMPLES: dict[Sample, str] = {"prices": "sell", "tickets": "forum"}  # with their icons
POOR = 4  # rows that did not pay, told here; all of them are on the page Compare
SIGNS = {"reached": "✓", "unclear": "?", "missed": "✗"}


@dataclass(frozen=True)
class Seen:
    """What there is in the workspace."""

    files: tuple[FileState, ...]
    """Files and documents as they were read."""
    waiting: tuple[FileState, ...]
    """Files that the next ingestion would look at."""
    benchmark: Benchmark | None
    runs: tuple[Run, ...]
    """The newest run of every row and model."""

    @property
    def steps(self) -> tuple[Next, ...]:
        """The way to a verdict; items need no documents."""
        items = self.benchmark is not None and self.benchmark.task != "answer"
        return STEPS[1:] if items else STEPS

    @property
    def next(self) -> Next:
        """The first step that is not done."""
        if "read" in self.steps and not any(state.status == "indexed" for state in self.files):
            return "read"
        if self.benchmark is None:
            return "questions"
        good = any(run.state().status == "complete" and not run.stale() for run in self.runs)
        return "compare" if good else "run"


def page() -> None:
    """Show the page; it looks for news while documents are read or stages run."""
    st.title(opened.spoken()("overview.title"))
    busy = working(opened.workspace())
    st.fragment(body, run_every=2 if busy else 10)(busy)


def working(workspace: Workspace) -> bool:
    """Whether documents are being read or a stage runs."""
    return (
        started.ingestion(workspace) is not None or job.live(workspace, started.runs()) is not None
    )


def body(busy: bool) -> None:
    """All below the title; ``busy`` is what the page knew when it was drawn."""
    try:
        workspace, say = opened.workspace(), opened.spoken()
        seen = look(workspace)
        if not seen.files and not seen.waiting and seen.benchmark is None:
            welcome(workspace, say)
        else:
            standing(workspace, seen, say)
        # At the end: drawn anew before its button is, a press would be lost.
        if working(workspace) != busy:
            st.rerun()
    except TailorError as error:
        refusal(error)


def standing(workspace: Workspace, seen: Seen, say: Language) -> None:
    """The verdict, or the way to it; then what there is, and the goal."""
    result = opened.comparison(seen.runs) if seen.next == "compare" else None
    if result is None:
        checklist(workspace, seen, say)
    else:
        verdict(workspace, result, say)
    glance(seen, workspace.config.task == "answer", say)
    goal(workspace, result, say)


def look(workspace: Workspace) -> Seen:
    """What there is; nothing is read that was not read before."""
    known = opened.stored(workspace)
    waiting = pending(workspace.knowledge, known) if workspace.knowledge.is_dir() else ()
    file = workspace.knowledge / "benchmark.jsonl"
    asked = workspace.config.task != "answer" or (file.exists() and file.stat().st_size > 0)
    return Seen(
        tuple(known),
        tuple(waiting),
        workspace.benchmark if asked else None,
        tuple(workspace.runs()) if asked else (),
    )


def welcome(workspace: Workspace, say: Language) -> None:
    """An empty workspace: the sample company, or one's own documents."""
    st.markdown(say("overview.welcome"))
    left, right = st.columns(2, gap="medium")
    with left, st.container(border=True, height="stretch"):
        st.subheader(say("overview.sample"), anchor=False)
        st.markdown(say("overview.sample_help"))
        if st.button(say("overview.sample_load"), type="primary", icon=":material/apartment:"):
            copy_sample(workspace)
            started.ingest(workspace)
            st.rerun(scope="app")
        st.caption(say("overview.sample_more"))
        for sample, icon in SAMPLES.items():
            if st.button(say(f"overview.sample_{sample}"), icon=f":material/{icon}:"):
                copy_sample(workspace, sample)
                st.rerun(scope="app")
    with right, st.container(border=True, height="stretch"):
        st.subheader(say("overview.own"), anchor=False)
        st.markdown(literal(say("overview.own_help", folder=workspace.knowledge)))
        if st.button(say("overview.own_add"), icon=":material/upload_file:"):
            opened.go("knowledge")


def checklist(workspace: Workspace, seen: Seen, say: Language) -> None:
    """The steps up to a verdict; a button for the first that is not done, and no other."""
    asked = "questions" if workspace.config.task == "answer" else "items"
    notes = {
        "read": say(
            "overview.read_done", count=sum(state.status == "indexed" for state in seen.files)
        ),
        "questions": say(
            f"overview.{asked}_done",
            count=len(seen.benchmark.questions) if seen.benchmark else 0,
        ),
        "run": "",
    }
    at = seen.steps.index(seen.next)
    lines = []
    for number, step in enumerate(seen.steps):
        kind = "done" if number < at else "now" if number == at else "later"
        sign = {"done": "✓", "now": "➜", "later": "·"}[kind]
        told = notes[step] if kind == "done" else say(f"overview.{step}_todo")
        name = asked if step == "questions" else step
        lines.append(
            f'<li class="{kind}"><span aria-hidden="true">{sign}</span>'
            f"<b>{html.escape(say(f'overview.{name}'))}</b> {html.escape(told)}</li>"
        )
    st.subheader(say("overview.checklist"), anchor=False)
    st.html(f'<ol class="checklist">{"".join(lines)}</ol>')
    if not going(workspace, say):
        button(workspace, seen, say)


def going(workspace: Workspace, say: Language) -> bool:
    """How far the work has come that goes on, if any does."""
    reading, live = started.ingestion(workspace), job.live(workspace, started.runs())
    if reading is not None:
        share = reading.done / reading.total if reading.total else 0.0
        st.progress(min(1.0, share), text=say("overview.reading"))
        return True
    if live is not None:
        state = live.run.state() if live.run else None
        share = state.done / state.total if state and state.total else 0.0
        rows = live.run.row if live.run else ", ".join(live.rows)
        st.progress(min(1.0, share), text=literal(say("overview.running", row=rows)))
        if st.button(say("overview.watch")):
            opened.go("stages")
        return True
    return False


def button(workspace: Workspace, seen: Seen, say: Language) -> None:
    """The next step, started or opened by one click."""
    icons = {"read": "menu_book", "questions": "quiz", "run": "play_arrow"}
    step = seen.next
    label, icon = say(f"overview.{step}_do"), f":material/{icons[step]}:"
    if not st.button(label, type="primary", icon=icon, key="next"):
        return
    if step == "read" and not seen.waiting:
        opened.go("knowledge")
    elif step == "read":
        started.ingest(workspace)
        st.rerun(scope="app")
    elif step == "run":
        started.run(workspace, ["all"])
        opened.go("stages")
    else:
        opened.go("benchmark")


def verdict(workspace: Workspace, result: Comparison, say: Language) -> None:
    """Which row to use, which reach the goal, what did not pay, and the way to every figure."""
    box = {"chosen": st.success, "undecided": st.info}.get(result.winner.status, st.warning)
    box(literal(result.verdict(say.code)))
    if told := result.caution(say.code):
        st.caption(literal(told))
    if told := goals.sentence(result.rows, workspace.config.goal, say.code):
        st.markdown(literal(told))
    names = labels(result.rows)
    poor = [
        html.escape(wording.pays(row, say.code, names[key(row)]))
        for row in result.rows
        if row.step and row.step.verdict != "better" and not row.stale
    ]
    if poor:
        st.html(f'<ul class="pays">{"".join(f"<li>{told}</li>" for told in poor[:POOR])}</ul>')
    going(workspace, say)
    if st.button(say("overview.compare_do"), type="primary", icon=":material/bar_chart:"):
        opened.go("compare")


def glance(seen: Seen, asked: bool, say: Language) -> None:
    """Documents, passages, questions and runs in figures; of a workspace of items, the items."""
    st.subheader(say("overview.glance"), anchor=False)
    read = [state for state in seen.files if state.status == "indexed"]
    questions = seen.benchmark.questions if seen.benchmark else ()
    splits = Counter(question.split for question in questions)
    complete = sum(run.state().status == "complete" for run in seen.runs)
    stale = sum(bool(run.stale()) for run in seen.runs)
    waiting = say("overview.waiting", count=len(seen.waiting)) if seen.waiting else ""
    documents = (
        (
            say("overview.documents"),
            format.count(len(read), say.code),
            _languages([state.language for state in read], say),
            waiting,
        ),
        (
            say("overview.passages"),
            format.count(sum(state.passages for state in read), say.code),
        ),
    )
    opened.tiles(
        (
            *(documents if asked or read else ()),
            (
                say("overview.questions_count" if asked else "pictures.items"),
                format.count(len(questions), say.code),
                _languages([question.lang or "" for question in questions], say),
                ", ".join(
                    f"{format.count(splits[name], say.code)} {name}"
                    for name in ("test", "dev", "train")
                    if splits[name]
                ),
            ),
            (
                say("overview.runs"),
                format.count(len(seen.runs), say.code),
                say("overview.runs_complete", count=format.count(complete, say.code)),
                say("overview.runs_stale", count=format.count(stale, say.code)) if stale else "",
            ),
        )
    )


def _languages(codes: Sequence[str], say: Language) -> str:
    counted = Counter(code for code in codes if code in ("en", "vi"))
    return ", ".join(
        say(f"language.{code}", count=format.count(number, say.code))
        for code, number in counted.most_common()
    )


def goal(workspace: Workspace, result: Comparison | None, say: Language) -> None:
    """What the assistant is for, its limits, the rows against them, and a form to set them."""
    own = workspace.config.goal
    st.subheader(say("overview.goal"), anchor=False)
    if own.purpose:
        st.text(own.purpose)
    if goals.has_limits(own):
        st.markdown(literal(say("overview.limits", limits=goals.limits(own, say.code))))
    elif not own.purpose:
        st.caption(say("overview.no_goal"))
    if result is not None and goals.has_limits(own):
        against(result, workspace, say)
    with st.expander(say("overview.set_goal")):
        form(workspace, say)


def against(result: Comparison, workspace: Workspace, say: Language) -> None:
    """Every row that holds, with what the goal looks at."""
    found, names = goals.standings(result.rows, workspace.config.goal), labels(result.rows)
    columns = {
        say("overview.row"): [names[key(standing.row)] for standing in found],
        say("overview.reaches"): [
            f"{SIGNS[standing.all]} {say(f'overview.{standing.all}')}" for standing in found
        ],
        say("overview.score"): [wording.score(standing.row, say.code) for standing in found],
        say("overview.cost"): [
            format.usd(standing.row.cost_per_1000_usd, say.code) for standing in found
        ],
        say("overview.latency"): [format.seconds(standing.row.p95, say.code) for standing in found],
    }
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        alt=say("overview.against"),
        height="content",
    )


def form(workspace: Workspace, say: Language) -> None:
    """The goal as tailor.toml holds it; an empty field sets no limit."""
    own = workspace.config.goal
    with st.form("goal", border=False):
        purpose = st.text_area(say("overview.purpose"), own.purpose, max_chars=500, height=80)
        left, middle, right = st.columns(3)
        with left:
            percent = None if own.score is None else round(100 * own.score, 4)
            score = opened.number(say("overview.least_score"), percent, 1.0, "goal score", 100)
        with middle:
            cost = opened.number(say("overview.most_cost"), own.cost_per_1000_usd, 0.1, "goal cost")
        with right:
            latency = opened.number(
                say("overview.longest_latency"), own.latency_s, 0.5, "goal latency"
            )
        if st.form_submit_button(say("overview.save_goal")):
            values = {
                "purpose": purpose.strip() or None,
                "score": None if score is None else round(score / 100, 6),
                "cost_per_1000_usd": cost,
                "latency_s": latency,
            }
            change(workspace.root / "tailor.toml", {"goal": values})
            st.rerun(scope="app")


if __name__ == "__main__":
    page()
