"""How a model is trained, live and afterwards, on the page Stages."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.errors import TailorError
from tailor.scoring import format
from tailor.training.job import Job, Stop, ask, jobs
from tailor.training.progress import RESUMABLE, Training, trainings
from tailor.ui import colours, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.ui.stage_settings import own_settings
from tailor.workspace import Workspace

SHOWN = 20
"""Past trainings to choose from."""
MOST = 400
"""Points that a curve is drawn of, so that long trainings stay quick to draw."""


def curves(workspace: Workspace, say: Language) -> None:
    """The newest training, or a past one: both losses, how fast it goes, and its buttons."""
    st.markdown(f"**{say('training.title')}**")
    found = trainings(workspace.state)[:SHOWN]
    if not found:
        st.caption(say("training.none"))
        return
    names = [_name(each, say) for each in found]
    shown = found[0]
    if len(found) > 1:
        at = st.selectbox(
            say("training.which"), range(len(found)), format_func=names.__getitem__,
            key=f"training {found[0].id}",
        )  # fmt: skip
        shown = found[at]
    else:
        st.caption(literal(names[0]))
    _figures(shown, say)
    _buttons(workspace, shown, say)
    if shown.points:
        chart(shown.points, say)
    else:
        st.caption(say("training.no_points"))
    about = own_settings(shown.settings, workspace.stage("fine_tuning"))
    st.caption(
        literal(
            say(
                "training.about",
                lessons=format.count(shown.lessons, say.code),
                held_out=format.count(shown.held_out, say.code),
                device=say("training.cpu") if shown.device == "cpu" else shown.device,
                settings=say("training.set", settings=about) if about else say("training.unset"),
            )
        )
    )


def going(workspace: Workspace) -> bool:
    """Whether the newest training goes on."""
    return any(each.status == "running" for each in trainings(workspace.state)[:1])


def _buttons(workspace: Workspace, training: Training, say: Language) -> None:
    """Pause, go on, cancel: what this training can be asked."""
    known = {each.id: each for each in jobs(workspace.state)}
    if training.id not in known or training.status not in ("running", *RESUMABLE):
        return
    own = known[training.id]
    if training.status == "running" and own.asked:
        st.caption(say("training.stopping"))
        return
    with st.container(horizontal=True):
        if training.status == "running":
            if st.button(say("training.pause"), icon=":material/pause:", key="pause training"):
                _stop(own, "pause")
        elif st.button(
            say("training.resume"), icon=":material/play_arrow:", key="resume training",
            disabled=started.resumed(training.id),
        ):  # fmt: skip
            started.resume(workspace, training.id)
            st.rerun()
        if st.button(say("training.cancel"), icon=":material/stop:", key="cancel training"):
            _stop(own, "cancel")
    words = ("training", "pause" if training.status == "running" else "resume", training.id)
    st.code(opened.command(workspace, *words), language=None, wrap_lines=True)


def _stop(own: Job, stop: Stop) -> None:
    try:
        ask(own, stop)
    except TailorError as error:  # it ended in between
        refusal(error)
    else:
        st.rerun()


def _name(training: Training, say: Language) -> str:
    status = say(f"status.{training.status}")
    return f"{training.started.replace('T', ' ')[:16]} UTC · {status}"


def _figures(training: Training, say: Language) -> None:
    last = training.last
    step, memory = last("step") or 0, last("memory_bytes")
    pace, rate = last("tokens_per_second"), last("learning_rate")
    steps = say(
        "training.steps", done=format.count(step, say.code),
        total=format.count(training.steps, say.code),
    )  # fmt: skip
    done = min(1.0, step / training.steps) if training.steps else 0.0
    left = training.seconds_left
    if left is not None:
        steps += " · " + say("training.left", time=format.seconds(left, say.code))
    st.progress(done, text=literal(steps))
    if training.status == "failed":
        refusal(training.message)
    elif training.message:
        st.info(say("training.early"))
    if training.status == "complete" and training.best not in (None, step):
        st.caption(say("training.best", step=format.count(training.best, say.code)))
    if training.status == "interrupted":
        st.warning(say("training.interrupted"))
    figures = [
        (say("training.loss"), format.number(last("loss"), say.code)),
        (say("training.validation"), format.number(last("validation_loss"), say.code)),
        (say("training.rate"), format.rate(rate, say.code)),
        (say("training.pace"), format.count(None if pace is None else round(pace), say.code)),
        (say("training.memory"), format.memory(memory, say.code)),
    ]
    st.html(
        '<div class="figures">'
        + "".join(
            f"<div><span>{html.escape(name)}</span><b>{html.escape(value)}</b></div>"
            for name, value in figures
        )
        + "</div>"
    )


def chart(points: Sequence[Any], say: Language, key: str = "curve") -> None:
    """Both losses by step."""
    import altair as alt
    import pandas

    kinds = {"loss": say("training.loss"), "validation_loss": say("training.validation")}
    every = max(1, len(points) // MOST)
    rows = [
        {"step": point.step, "kind": label, "value": value}
        for name, label in kinds.items()
        for at, point in enumerate(points)
        if (value := getattr(point, name)) is not None
        and (name != "loss" or at % every == 0 or at == len(points) - 1)
    ]
    names = list(kinds.values())
    dark, label = colours.dark(), colours.figures(say.code)
    pair = [colours.accent(dark), colours.warm(dark)]
    # Points too: a single measurement would be an invisible line.
    chart = (
        alt.Chart(pandas.DataFrame(rows))
        .mark_line(point=True)
        .encode(
            x=alt.X("step:Q", title=say("training.step"),
                    axis=alt.Axis(tickMinStep=1, labelExpr=label),
                    scale=alt.Scale(domainMin=0)),
            y=alt.Y("value:Q", title=say("training.axis"), axis=alt.Axis(labelExpr=label),
                    scale=alt.Scale(zero=False)),
            color=alt.Color(
                "kind:N", title=None, scale=alt.Scale(domain=names, range=pair),
                legend=alt.Legend(orient="top"),
            ),
            strokeDash=alt.StrokeDash(
                "kind:N", legend=None, scale=alt.Scale(domain=names, range=[[1, 0], [5, 3]]),
            ),
            tooltip=["kind:N", "step:Q", alt.Tooltip("value:Q", format=".3f")],
        )
        .properties(height=280)
    )  # fmt: skip
    st.altair_chart(chart, alt=say("training.alt"), key=key)
