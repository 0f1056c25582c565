"""The page Compare: which row to use, every row beside the others, and why."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence

import streamlit as st

from tailor.errors import TailorError
from tailor.run import Run, unreadable_runs
from tailor.scoring import comparison as compared
from tailor.scoring import format, told, wording
from tailor.scoring.comparison import Comparison, Step
from tailor.ui import (
    address,
    compare_chart,
    compare_download,
    compare_guide,
    compare_models,
    compare_pictures,
    compare_question,
    compare_why,
    opened,
)
from tailor.ui.compare_sides import Sides, sides
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.ui.verdict import SIGNS
from tailor.workspace import Workspace

View = Callable[[Workspace, Comparison, Sides, Language], None]
PICTURES = "pictures"
VIEWS: Mapping[str, View] = {
    PICTURES: compare_pictures.show,
    "questions": compare_question.questions,
    "slices": compare_why.slices,
    "mistakes": compare_why.mistakes,
    "settings": compare_why.settings,
    "guide": compare_guide.guidelines,
}
DOWNLOAD = "download"
# Steps that are told at once; Streamlit would show a bare string here.
PAYS = 8


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("compare.title"))
    runs = workspace.runs()
    if not runs and not opened.next_step(workspace):
        return
    if names := unreadable_runs(workspace):
        st.warning(literal(say("compare.unreadable", names=", ".join(names))))
    if not runs:
        st.info(say("compare.none"))
        opened.door("stages")
        st.code(opened.command(workspace, "run", "all"), language=None)
        return
    result = opened.comparison(runs)
    verdict(result, say)
    remarks(workspace, runs, say)
    compare_chart.charts(result, winner(result), say)
    table(result, say)
    compare_models.show(result, say)
    st.fragment(parts)(workspace, runs, result)


def parts(workspace: Workspace, runs: Sequence[Run], result: Comparison) -> None:
    """One of the parts below; choosing in it draws nothing else anew."""
    say = opened.spoken()
    try:
        views = [*VIEWS, DOWNLOAD]
        if result.task == "answer":
            views.remove(PICTURES)
        view = address.segments(
            "view",
            say("compare.view"),
            views,
            views[0],
            lambda name: say(f"compare.{name}"),
        )
        if view == DOWNLOAD:
            compare_download.downloads(workspace, runs, result, say)
        else:
            VIEWS[view](workspace, result, sides(runs, result, say), say)
    except TailorError as error:
        refusal(error)


def verdict(result: Comparison, say: Language) -> None:
    """The sentence that `tailor compare` ends with, and whether each step paid."""
    box = {"chosen": st.success, "undecided": st.info}.get(result.winner.status, st.warning)
    box(literal(result.verdict(say.code)))
    if caution := result.caution(say.code):
        st.caption(literal(caution))
    names = compared.labels(result.rows)
    paid = [
        (row.step, wording.pays(row, say.code, names[compared.key(row)]))
        for row in result.rows
        if row.step
    ]
    lines = [f"<li><b>{SIGNS[step.verdict]}</b> {html.escape(text)}</li>" for step, text in paid]
    if lines:
        st.html(f'<ul class="pays">{"".join(lines[:PAYS])}</ul>')
    if len(lines) > PAYS:
        with st.expander(say("compare.more_steps", count=len(lines) - PAYS)):
            st.html(f'<ul class="pays">{"".join(lines[PAYS:])}</ul>')


def remarks(workspace: Workspace, runs: Sequence[Run], say: Language) -> None:
    """Runs that no longer hold, are not complete or are missing, each with the command to type."""
    for kind in ("benchmark", "documents", "metrics"):
        stale = [run for run in runs if opened.staleness(run) == kind]
        if stale:
            rows = ", ".join(run.row for run in stale)
            st.warning(literal(say(f"compare.stale_{kind}", rows=rows)))
            _commands(workspace, stale)
    for run in runs:
        state = run.state()
        if not run.stale() and state.status not in ("complete", "running"):
            text = say("compare.incomplete", row=run.row, done=state.done, total=state.total)
            st.warning(literal(text))
            _commands(workspace, [run])
    have = {run.row for run in runs}
    if missing := [name for name in workspace.config.ladder if name not in have]:
        with st.expander(literal(say("compare.missing", rows=", ".join(missing)))):
            st.code(opened.command(workspace, "run", *missing), language=None, wrap_lines=True)


def _commands(workspace: Workspace, runs: Sequence[Run]) -> None:
    """The commands that run these again, one for each model."""
    lines = []
    for model in dict.fromkeys(run.model for run in runs):
        words = list(dict.fromkeys(run.row for run in runs if run.model == model))
        if model != workspace.config.model:
            words += ["--model", model]
        lines.append(opened.command(workspace, "run", *words))
    st.code("\n".join(lines), language=None, wrap_lines=True)


def table(result: Comparison, say: Language) -> None:
    """All rows with what they score and take."""
    names, lang = compared.labels(result.rows), say.code
    won = winner(result)
    further = told.columns(result.rows[0].target, lang)
    recalls = [row.metrics.get("recall@5") for row in result.rows]
    columns = {
        "#": [str(at) for at, _ in enumerate(result.rows, 1)],
        say("compare.row"): [
            ("★ " if compared.key(row) == won else "")
            + names[compared.key(row)]
            + (f" ({say('status.stale')})" if row.stale else "")
            for row in result.rows
        ],
    }
    if wording.branches(result.rows):
        builds_on = [row.builds_on or format.UNKNOWN for row in result.rows]
        columns[say("compare.builds_on")] = builds_on
    columns |= {
        _score_head(result, say): [wording.score(row, lang) for row in result.rows],
        say("compare.step"): [marked_step(row.step, lang) for row in result.rows],
        "p": [format.p_value(row.step.paired.p if row.step else None, lang) for row in result.rows],
    }
    for name, head in further.items():
        columns[head] = [told.cell(row, name, lang) for row in result.rows]
    if not further:
        columns["recall@5"] = [format.percent(r.mean if r else None, lang) for r in recalls]
    columns |= {
        say("compare.latency"): [format.seconds(row.p50, lang) for row in result.rows],
        say("compare.tokens"): [
            format.count(row.input_tokens + row.output_tokens, lang) for row in result.rows
        ],
        say("compare.cost"): [format.usd(row.cost_per_1000_usd, lang) for row in result.rows],
        say("stages.n"): [say("compare.scored", scored=row.scored, n=row.n) for row in result.rows],
        say("stages.errors"): [format.count(row.errors, lang) for row in result.rows],
    }
    st.dataframe(
        columns,
        hide_index=True,
        column_config=opened.widths(columns),
        alt=say("compare.table"),
        height="content" if len(result.rows) <= 12 else 37 + 35 * 12,
    )
    st.caption(literal(say("compare.legend")))


def _score_head(result: Comparison, say: Language) -> str:
    """What the score is called: by task."""
    answers = result.task == "answer"
    return say("stages.score") if answers else wording.score_head(result, say.code)


def marked_step(step: Step | None, lang: str) -> str:
    """A difference with the sign of its verdict."""
    return f"{SIGNS[step.verdict]} {wording.step(step, lang)}" if step else format.UNKNOWN


def winner(result: Comparison) -> tuple[str | None, str | None]:
    """The key of the row that was chosen; of none where that is undecided."""
    chosen = result.winner.status == "chosen"
    return (result.winner.row, result.winner.model) if chosen else (None, None)


if __name__ == "__main__":
    page()
