"""The page Models: what each model is, what it makes of your text, and how it does here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from tailor.scoring import format
from tailor.selection import wording
from tailor.selection.facts import Facts
from tailor.selection.kept import kept
from tailor.selection.measured import Against
from tailor.ui import colours, job, models_tokens, opened, started
from tailor.ui.colours import figures
from tailor.ui.language import Language, language
from tailor.ui.refusal import note, refusal
from tailor.workspace import Workspace

# What is looked at; Streamlit would show a bare string here.
FACTS, MEASURE, BITS = "facts", "measure", "bits"


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("models.title"))
    st.caption(say("models.help"))
    jobs = started.measurements()
    busy = bool(jobs) and jobs[-1].alive
    _form(workspace, busy, say)
    st.fragment(_progress, run_every=1 if busy else None)(busy, say)
    found = kept(workspace.state)
    if found.models:
        _facts(found.models, say)
    if found.measured:
        _measured(found.measured, say)
    models_tokens.show(workspace, busy, say)


def _form(workspace: Workspace, busy: bool, say: Language) -> None:
    with st.form("models", border=True):
        text = st.text_area(
            say("models.names"),
            "\n".join(dict.fromkeys((workspace.config.model, "shipped"))),
            help=say("models.names_help"),
            height=110,
        )
        what = st.segmented_control(
            say("models.what"),
            (FACTS, MEASURE, BITS),
            default=FACTS,
            required=True,
            format_func=lambda one: say(f"models.what_{one}"),
        )
        count = st.number_input(say("models.questions"), 1, 1000, 40)
        names = [line.strip() for line in text.splitlines() if line.strip()]
        words = [name for name in names if not name.startswith("-")]
        words += {
            FACTS: [],
            MEASURE: ["--measure", f"--questions={count}"],
            BITS: ["--quantizations", f"--questions={count}"],
        }[str(what)]
        st.caption(say("models.cost"))
        pressed = st.form_submit_button(say("models.go"), type="primary", disabled=busy)
    st.code(opened.command(workspace, "models", *words), language=None, wrap_lines=True)
    if pressed and names:
        started.measurements().append(job.measure(workspace, words))
        st.rerun()


def _progress(busy: bool, say: Language) -> None:
    """``busy`` is what the page knew when it was drawn."""
    jobs = started.measurements()
    going = bool(jobs) and jobs[-1].alive
    if going:
        st.info(say("models.busy"), icon=":material/hourglass_top:")
    elif jobs and (failure := jobs[-1].failure()):
        refusal(failure)
    if going != busy:
        st.rerun()


def _facts(models: Sequence[Facts], say: Language) -> None:
    st.subheader(say("models.facts"), anchor=False)
    _table(wording.about(models, say.code), say("models.facts"))
    if any(one.text for one in models):
        st.subheader(say("models.on_text"), anchor=False)
        st.caption(say("models.on_text_help"))
        _rates(models, say)
        _table(wording.on_text(models, say.code), say("models.on_text"))
    if any(one.memory for one in models):
        st.subheader(say("models.memory"), anchor=False)
        st.caption(say("models.memory_help"))
        _table(wording.in_memory(models, say.code), say("models.memory"))
    for sentence in wording.problems(models, ()):
        note(sentence, say)


def _measured(measured: Sequence[Against], say: Language) -> None:
    st.subheader(say("models.measured"), anchor=False)
    st.caption(say("models.measured_help"))
    _table(wording.was_measured(measured, say.code), say("models.measured"))
    _scores(measured, say)
    for sentence in wording.problems((), measured):
        note(sentence, say)


def _table(found: wording.Lines, alt: str) -> None:
    heads, lines = found
    columns = dict(zip(heads, map(list, zip(*lines, strict=True)), strict=True)) if lines else {}
    if columns:
        st.dataframe(
            columns, hide_index=True, column_config=opened.widths(columns), alt=alt,
            height="content",
        )  # fmt: skip


def _rates(models: Sequence[Facts], say: Language) -> None:
    values = [
        {"model": one.name, "lang": say(f"spoken.{lang}"), "rate": own.tokens_per_word,
         "text": format.number(own.tokens_per_word, say.code)}
        for one in models
        for lang, own in one.text.items()
    ]  # fmt: skip
    told = "; ".join(f"{v['model']} {v['lang']}: {v['text']}" for v in values)
    dark = colours.dark()
    opened.chart(_bars, values, say.code, dark, alt=told)


def _bars(values: Sequence[dict[str, Any]], code: str, dark: bool) -> Any:
    import altair as alt

    say = language(code)
    ink = colours.ink(dark)
    axis = alt.Axis(labelExpr=figures(code), tickCount=6)
    base = alt.Chart(alt.InlineData(values=list(values))).encode(
        y=alt.Y("model:N", title=None, sort=None, axis=alt.Axis(labelLimit=260)),
        yOffset="lang:N",
        x=alt.X("rate:Q", title=say("models.rate"), axis=axis),
        color=alt.Color(
            "lang:N",
            title=None,
            scale=alt.Scale(range=[colours.accent(dark), colours.warm(dark)]),
        ),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("model", "lang", "text")],
    )
    label = base.mark_text(align="left", dx=5, color=ink).encode(
        text="text:N", color=alt.value(ink)
    )
    return (base.mark_bar() + label).properties(height=alt.Step(20))


def _scores(measured: Sequence[Against], say: Language) -> None:
    values = [
        {"model": f"{one.measured.name} · {wording.WORDS[say.code][one.measured.quantization]}",
         "score": score.mean, "low": score.low, "high": score.high,
         "text": format.percent(score.mean, say.code)}
        for one in measured
        if (score := one.measured.score) is not None
    ]  # fmt: skip
    told = "; ".join(f"{v['model']}: {v['text']}" for v in values)
    dark = colours.dark()
    if values:
        opened.chart(_points, values, say.code, dark, alt=told)


def _points(values: Sequence[dict[str, Any]], code: str, dark: bool) -> Any:
    import altair as alt

    colour = colours.accent(dark)
    base = alt.Chart(alt.InlineData(values=list(values))).encode(
        y=alt.Y("model:N", title=None, sort=None, axis=alt.Axis(labelLimit=320)),
        tooltip=[alt.Tooltip(f"{name}:N") for name in ("model", "text")],
    )
    title = language(code)("models.score")
    line = base.mark_rule(color=colour, strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, axis=alt.Axis(format="%")), x2="high:Q"
    )
    point = base.mark_point(filled=True, size=90, color=colour).encode(x="score:Q")
    return (line + point).properties(height=alt.Step(32))


if __name__ == "__main__":
    page()
