"""What a run would take, worked out by a process of its own, on the page Stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from tailor.cost import total
from tailor.scoring import format
from tailor.training.forecast import Forecast
from tailor.ui import job, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import note, refusal
from tailor.workspace import Workspace

_KEPT = 50


@dataclass(frozen=True)
class Estimate:
    """Of all rows of a run."""

    rows: int
    """How many can be applied."""
    calls: int
    tokens: int
    cost_usd: float | None
    """None where the price is not known."""
    most_usd: float | None
    seconds: float | None
    left_out: tuple[str, ...]
    measured: bool
    trainings: tuple[Mapping[str, Any], ...] = ()
    """What would be trained; see `tailor.training.forecast.Forecast`."""
    training_usd: float | None = 0.0
    """What a service would be paid for training; None where that is not known."""


def estimate(
    workspace: Workspace, words: Sequence[str], answered: int, by_itself: bool, say: Language
) -> Estimate | None:
    """Calls, tokens, cost and time; ``by_itself``, else when it is asked for.

    ``words`` are those after `tailor run`; None as long as it is not known.
    """
    known, key = started.results(), (*words, answered, opened.stamp(workspace.root))
    if key not in known:
        asked = st.button(
            say("run.estimate"), type="tertiary", icon=":material/calculate:", key="estimate"
        )
        if not (asked or by_itself):
            return None
        while len(known) >= _KEPT:
            known.pop(next(iter(known)))
        known[key] = job.estimate(workspace, words)
    if known[key].alive:
        st.caption(say("run.estimating"))
        return None
    found = read(known[key])
    if found is None:
        refusal(known[key].failure() or job.last_line(known[key].log))
        return None
    if found.rows:
        st.caption(literal(sentence(found, say)))
    for training in found.trainings:
        trained(training, say)
    for reason in found.left_out:
        note(reason, say)
    return found


def busy() -> bool:
    """Whether an estimate is being worked out."""
    return any(each.alive for each in started.results().values())


def read(ended: job.Job) -> Estimate | None:
    """What the process printed."""
    if (said := job.said(ended)) is None:
        return None
    rows, all_ = said["rows"], said["total"]
    return Estimate(
        rows=len(rows),
        calls=all_["calls"],
        tokens=sum(row["input_tokens"] + row["output_tokens"] for row in rows),
        cost_usd=all_["cost_usd"],
        most_usd=all_["most_usd"],
        seconds=all_["seconds"],
        left_out=tuple(said["left_out"]),
        measured=all(row["measured"] for row in rows),
        trainings=tuple(row["training"] for row in rows if row.get("training")),
        training_usd=total(row["training_usd"] for row in rows),
    )


def trained(about: Mapping[str, Any], say: Language) -> None:
    """What a training would take; where it does not fit, the setting with which it would."""
    one = Forecast(**about)
    free, need = (format.memory(n, say.code) for n in (one.available_bytes, one.memory_bytes))
    if one.fits:
        key = "training.forecast" if one.measured else "training.forecast_guess"
    else:
        key = "training.too_large" if one.instead else "training.never_fits"
    told = say(
        key,
        lessons=format.count(one.lessons, say.code),
        tokens=format.count(one.tokens, say.code),
        steps=format.count(one.steps, say.code),
        need=need,
        free=free,
        time=format.seconds(one.seconds, say.code),
        instead=one.instead,
        then=format.memory(one.instead_bytes, say.code),
    )
    (st.caption if one.fits else st.warning)(literal(told))


def _training(found: Estimate, say: Language) -> list[str]:
    """What of the cost is the training at a service."""
    if found.training_usd == 0:
        return []
    if found.training_usd is None:
        return [say("run.training_unpriced")]
    return [say("run.training_costs", cost=format.usd(found.training_usd, say.code))]


def sentence(found: Estimate, say: Language) -> str:
    """One line of figures."""
    if not found.calls and not found.seconds:
        return say("run.nothing_to_do")
    cost = format.usd(found.cost_usd, say.code)
    parts = [
        say("run.calls", count=format.count(found.calls, say.code)),
        say("run.tokens", count=format.count(found.tokens, say.code)),
        say("run.costs", cost=cost, most=format.usd(found.most_usd, say.code))
        if found.cost_usd
        else say("run.free" if found.cost_usd == 0 else "run.unpriced"),
        *_training(found, say),
        say("run.takes", time=format.seconds(found.seconds, say.code))
        if found.seconds is not None
        else say("run.unmeasured"),
    ]
    told = " · ".join(parts)
    return told if found.measured else f"{told}. {say('run.guess')}"
