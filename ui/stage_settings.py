"""The settings of a stage as a form, and what a row changes, on the page Stages."""

from __future__ import annotations

import html
import math
import types
import typing
from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, Literal

import streamlit as st

from tailor.config_file import change
from tailor.differences import Difference
from tailor.errors import TailorError
from tailor.explain import changed
from tailor.rows import path, rows_for
from tailor.run import Run, Step
from tailor.scoring import format
from tailor.stage import Stage
from tailor.ui import opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

LONG = 60
"""Characters from which a text gets a box of several lines."""


@dataclass(frozen=True)
class Form:
    """What the form holds now."""

    values: Mapping[str, Any]
    """Only those that differ from tailor.toml."""
    valid: bool

    def sets(self, row: str) -> list[str]:
        """The same as options of `tailor run`."""
        return [
            part
            for name, value in self.values.items()
            for part in ("--set", f"{row}.{name}={typed(value)}")
        ]


def form(workspace: Workspace, stage: Stage, row: str, say: Language) -> Form:
    """One field for each setting; what is changed holds for the next run, or is saved."""
    shown = fields(stage)
    if not shown:
        st.caption(say("stages.no_settings"))
        return Form({}, True)
    first, rest = arranged(stage)
    entered = _fields(say("stages.settings", count=len(first)), len(shown) <= 4, first, stage, row)
    if rest:
        told = say("stages.more_settings", count=len(rest))
        entered |= _fields(told, any(_own(f, stage) for f in rest), rest, stage, row)
    changed = {f.name: v for f in shown if (v := entered[f.name]) != getattr(stage, f.name)}
    try:
        stage.with_settings({**stage.settings(), **entered})
    except TailorError as error:
        refusal(error)
        return Form({}, False)
    if changed:
        st.caption(say("stages.set_once"))
        if st.button(say("stages.save"), icon=":material/save:", key=f"save {row}"):
            typed_in = {name: "none" if v is None else v for name, v in changed.items()}
            kept = {**workspace.config.stages.get(row, {}), **typed_in}
            change(workspace.root / "tailor.toml", {"stages": {row: kept}})
            st.rerun()
    return Form(changed, True)


def arranged(stage: Stage) -> tuple[list[Field[Any]], list[Field[Any]]]:
    """The settings that are shown first, then those behind an expander of their own."""
    known = {f.name: f for f in fields(stage)}
    first = [known.pop(name) for name in stage.first]
    return (first, list(known.values())) if first else (list(known.values()), [])


def _own(f: Field[Any], stage: Stage) -> bool:
    """Whether tailor.toml sets it to something else than the default."""
    return bool(getattr(stage, f.name) != f.default)


def _fields(
    title: str, expanded: bool, shown: list[Field[Any]], stage: Stage, row: str
) -> dict[str, Any]:
    """What an expander with these settings holds."""
    say, hints = opened.spoken(), typing.get_type_hints(type(stage))
    with st.expander(title, expanded=expanded):
        entered = {f.name: _widget(f, hints[f.name], stage, row, say) for f in shown}
        st.caption(say("stages.set_saved"))
    return entered


def _widget(f: Field[Any], kind: Any, stage: Stage, row: str, say: Language) -> Any:
    """A field of the kind that fits the setting's type; returns what it holds."""
    value = getattr(stage, f.name)
    low, high = f.metadata.get("low"), f.metadata.get("high")
    label = f"`{f.name}` {literal(say.meaning(str(f.metadata.get('meaning', ''))))}"
    # Another key for each saved value, so that the field follows tailor.toml.
    key = f"set {row} {f.name} {value!r}"
    choices = typing.get_args(kind)
    if kind is bool:
        return st.toggle(label, value, key=key)
    if typing.get_origin(kind) is Literal:
        return st.selectbox(label, choices, choices.index(value), key=key)
    if typing.get_origin(kind) is tuple and typing.get_origin(choices[0]) is Literal:
        chosen = st.multiselect(
            label, typing.get_args(choices[0]), value, key=key, placeholder=say("settings.choose")
        )
        return tuple(chosen)
    if kind is int:
        return st.number_input(
            label, None if low is None else math.ceil(low),
            None if high is None else math.floor(high), value, 1, key=key,
        )  # fmt: skip
    if kind is float:
        return st.number_input(
            label, None if low is None else float(low), None if high is None else float(high),
            value, _step(value), "%g", key=key,
        )  # fmt: skip
    text = typed(value)
    if typing.get_origin(kind) is tuple:
        return _read(st.text_input(label, text, key=key, help=say("stages.list")), kind)
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        return _read(st.text_input(label, text, key=key, help=say("stages.none")), kind)
    long = f.metadata.get("long") or len(text) > LONG
    return (st.text_area if long else st.text_input)(label, text, key=key)


def _read(text: str, kind: Any) -> Any:
    """The text in the setting's type; as it is where it does not fit, which the stage then says."""
    from tailor.settings import convert

    try:
        return convert(text, kind)
    except ValueError:
        return text


def _step(value: float) -> float:
    """A tenth of the size of the number, as a power of ten: what a click adds."""
    return 10.0 ** (math.floor(math.log10(abs(value))) - (abs(value) >= 1)) if value else 0.1


def typed(value: object) -> str:
    """A setting as it is typed after ``--set``, and shown."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ",".join(map(typed, value))
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def changes(
    workspace: Workspace, stage: Stage, row: str, run: Run | None, entered: Form, say: Language
) -> None:
    """What the row changes against the step before, and what the next run would change in it."""
    steps = run.lineage if run else planned(workspace, row)
    model = run.model if run else workspace.config.model
    before = [step.row for step in steps[:-1]]
    following = {**stage.settings(), **entered.values}
    # A run of before a setting was there did as its default does.
    used = {**_defaults(stage), **steps[-1].settings}
    differs = run is not None and any(
        typed(used.get(name)) != typed(value) for name, value in following.items()
    )
    if stage.starts_from == "root":
        st.caption(say("stages.alone"))
    else:
        title = say("stages.changed", row=before[-1] if before else model)
        st.markdown(f"**{literal(title)}**")
    if differs:
        st.html(_table(used, following, say))
    elif used:
        found = changed(steps)
        # Of a stage that comes for the first time, all settings are new.
        shown = [one for one in found if one.base is not None or _telling(one, stage)]
        told = [f"`{one.name}` {literal(_told(one))}" for one in shown]
        st.markdown(" · ".join(told) or say("compare.no_difference"))
        if len(found) > len(shown):
            st.caption(say("stages.by_default", count=len(found) - len(shown)))
    if stage.starts_from != "root":
        st.caption(literal(say("stages.unchanged", steps=" › ".join([model, *before]))))


def _telling(one: Difference, stage: Stage) -> bool:
    """Whether a new setting is one that most people change, or is set to something of its own."""
    first, defaults = stage.first, _defaults(stage)
    return not first or one.name in first or typed(one.candidate) != typed(defaults.get(one.name))


def _defaults(stage: Stage) -> dict[str, Any]:
    return {f.name: f.default for f in fields(stage) if f.default is not MISSING}


def own_settings(settings: Mapping[str, Any], stage: Stage) -> str:
    """Those of a training that are not the stage's defaults."""
    defaults = _defaults(stage)
    return " · ".join(
        f"{name} {typed(value)}"
        for name, value in settings.items()
        if name not in defaults or typed(value) != typed(defaults[name])
    )


def planned(workspace: Workspace, name: str) -> tuple[Step, ...]:
    """The steps of a row that was not run yet."""
    rows = path(rows_for(workspace, [name]), name)
    return tuple(Step(row.id, row.stage.name(), row.stage.settings()) for row in rows)


def _told(one: Difference) -> str:
    """The value; before it that of the same stage further down, where the stage comes again."""
    now = typed(one.candidate) or format.UNKNOWN
    return now if one.base is None else f"{typed(one.base) or format.UNKNOWN} → {now}"


def _table(used: Mapping[str, Any], following: Mapping[str, Any], say: Language) -> str:
    """The settings of the last run beside those of the next one, where they differ."""
    head = (say("stages.setting"), say("stages.value"), say("stages.next_run"))
    lines = []
    for name in dict.fromkeys([*used, *following]):
        now, then = typed(used.get(name)), typed(following.get(name))
        if now != then:
            cells = (name, now or format.UNKNOWN, then or format.UNKNOWN)
            lines.append("".join(f"<td>{html.escape(cell)}</td>" for cell in cells))
    titles = "".join(f"<th>{html.escape(title)}</th>" for title in head)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<table class="settings"><thead><tr>{titles}</tr></thead><tbody>{body}</tbody></table>'
