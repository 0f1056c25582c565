"""The adapters of a workspace, what they changed, and their way out, on the page Stages."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from tailor.scoring import format
from tailor.training import before_after, gate
from tailor.training.adapters import Adapter, adapters
from tailor.training.before_after import BeforeAfter
from tailor.training.gate import Gate, Scored
from tailor.ui import job, opened, started, verdict
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.ui.stage_settings import own_settings
from tailor.workspace import Workspace

LONGEST = 300
"""Characters of an answer that are shown."""
BLOCKED = 3
"""How `tailor export merged` ends where the merge gate says no."""


def part(workspace: Workspace) -> None:
    """Every adapter with what was measured of it, and the buttons that export it."""
    say = opened.spoken()
    found = adapters(workspace)
    if not found:
        return
    with st.expander(say("adapters.title"), icon=":material/extension:"):
        at = 0
        if len(found) > 1:
            at = st.selectbox(
                say("adapters.which"), range(len(found)),
                format_func=lambda n: found[n].name, key=f"adapter {found[0].name}",
            )  # fmt: skip
        adapter = found[at]
        _about(workspace, adapter, say)
        if measured := before_after.read(adapter):
            _before_after(measured, say)
        else:
            st.caption(say("adapters.unmeasured"))
            words = ("adapters", adapter.name, "--measure")
            st.code(opened.command(workspace, *words), language=None, wrap_lines=True)
        if told := gate.read(adapter):
            _gate(told, say)
        _exports(workspace, adapter, told, say)


def _about(workspace: Workspace, adapter: Adapter, say: Language) -> None:
    st.markdown(literal(adapter.name))
    about = own_settings(adapter.settings, workspace.stage("fine_tuning"))
    licence = say("adapters.no_licence") if adapter.licence == "unknown" else adapter.licence
    st.caption(
        literal(
            say(
                "adapters.about",
                base=Path(adapter.base).name,
                lessons=format.count(adapter.lessons, say.code),
                made=adapter.created[:16].replace("T", " "),
                licence=licence,
                settings=say("training.set", settings=about) if about else say("training.unset"),
            )
        )
    )


def _before_after(measured: BeforeAfter, say: Language) -> None:
    one, other = (
        format.number(side.mean if side else None, say.code)
        for side in (measured.before, measured.after)
    )
    n = measured.before.n if measured.before else 0
    st.markdown(
        literal(say("adapters.perplexity", before=one, after=other, n=format.count(n, say.code)))
    )
    with st.container(height=min(360, 150 * len(measured.samples) + 20), border=True):
        for sample in measured.samples:
            told = [f"**{literal(sample.question)}**"]
            for name in ("reference", "before", "after"):
                text = literal(getattr(sample, name)[:LONGEST]) or format.UNKNOWN
                told.append(f"- {say(f'adapters.{name}')}: {text}")
            st.markdown("\n".join(told))


def _gate(told: Gate, say: Language) -> None:
    st.markdown(f"**{say('adapters.gate')}**")
    questions = format.count(told.questions, say.code)
    columns = {
        say("adapters.form"): [_form(one, told, say) for one in told.forms],
        literal(say("adapters.score", metric=told.metric)): [_score(f, say) for f in told.forms],
        say("adapters.against"): [_against(one, say) for one in told.forms],
        say("adapters.same"): [
            say("adapters.of", same=format.count(one.same, say.code), n=questions)
            for one in told.forms
        ],
    }
    st.table(columns)
    limit = format.points(told.limit, say.code).lstrip("+")
    if "merged" in told.blocked:
        st.error(literal(say("adapters.blocked", limit=limit)))
    elif "quantized" in told.blocked:
        st.warning(literal(say("adapters.blocked_bits", bits=told.bits, limit=limit)))
    else:
        st.success(literal(say("adapters.passed", limit=limit)))


def _form(one: Scored, told: Gate, say: Language) -> str:
    name = say(f"adapters.form.{one.form}", bits=told.bits)
    return literal(f"✗ {name}" if one.form in told.blocked else name)


def _score(one: Scored, say: Language) -> str:
    score = one.score
    if score is None:
        return format.UNKNOWN
    low, high = format.percent(score.low, say.code), format.percent(score.high, say.code)
    mean = format.percent(score.mean, say.code)
    return literal(say("compare.interval", mean=mean, low=low, high=high))


def _against(one: Scored, say: Language) -> str:
    paired = one.against
    if paired is None or one.verdict is None:
        return ""
    low, high = format.points(paired.low, say.code), format.points(paired.high, say.code)
    told = f"{verdict.SIGNS[one.verdict]} {say(f'verdict.{one.verdict}')}"
    delta = say("compare.interval", mean=format.points(paired.delta, say.code), low=low, high=high)
    return literal(f"{delta} {told}")


def _exports(workspace: Workspace, adapter: Adapter, told: Gate | None, say: Language) -> None:
    st.markdown(f"**{say('adapters.export')}**")
    st.caption(say("adapters.export_help"))
    force = bool(told and "merged" in told.blocked) and st.checkbox(
        say("adapters.force"), key=f"force {adapter.name}"
    )
    for kind in ("merged", "adapter"):
        target = workspace.root / "exports" / f"{adapter.name}-{kind}"
        words = [kind, adapter.name, "-o", str(target)]
        words += ["--force"] if force and kind == "merged" else []
        _export(workspace, kind, words, target, say)


def _export(
    workspace: Workspace, kind: str, words: Sequence[str], target: Path, say: Language
) -> None:
    """A button that starts the export, what came of it, and the command that does the same."""
    begun, key = started.results(), ("export", str(workspace.root), *words)
    going = key in begun and begun[key].alive
    label = say("adapters.exporting" if going else f"adapters.export_{kind}")
    if st.button(
        label, icon=":material/output:", disabled=going or target.exists(), key=f"export {kind}"
    ):
        begun[key] = job.export(workspace, words)
        st.rerun()
    if target.exists():
        st.caption(literal(say("adapters.exported", folder=target)))
    elif key in begun and not going:
        _ended(begun[key], say)
    st.code(opened.command(workspace, "export", *words), language=None, wrap_lines=True)


def _ended(done: Any, say: Language) -> None:
    if done.process.returncode == BLOCKED:
        st.caption(say("adapters.not_written"))
    elif done.process.returncode:
        refusal(done.failure() or job.last_line(done.log))
