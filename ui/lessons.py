"""What a fine-tuning would learn from, and what is left out and why, on the page Stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tailor.scoring import format
from tailor.stage import Stage
from tailor.training.lessons_report import LeftOut
from tailor.ui import job, opened, started
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.ui.stage_settings import Form
from tailor.workspace import Workspace

SETTINGS = ("shapes", "distractors", "refusals", "max_length", "validation", "seed", "method")
"""Of the stage: those that lessons depend on."""
SHOWN = 50
"""Questions that are listed of those left out."""
_KEPT = 20


def lessons(
    workspace: Workspace, row: str, model: str, stage: Stage, entered: Form, say: Language
) -> None:
    """Shapes, lengths, examples and what is left out, worked out when it is asked for."""
    asked = words(row, model, stage, entered)
    preferring = "--preferences" in asked
    with st.expander(say("lessons.title"), icon=":material/school:"):
        st.caption(say("lessons.help_preferences" if preferring else "lessons.help"))
        found = _found(workspace, asked, say)
        if found is None:
            return
        st.markdown(literal(_sum(found, preferring, say)))
        if not preferring:
            st.table(_shapes(found, say))
            st.caption(literal(_lengths(found, say)))
        _left_out(found["left_out"], say)
        if found.get("examples"):
            _example(found["examples"], say)


def words(row: str, model: str, stage: Stage, entered: Form) -> list[str]:
    """What follows `tailor lessons` for this row with what the form holds."""
    values = {name: v for name, v in entered.values.items() if name in SETTINGS}
    preferring = {**stage.settings(), **values}.get("method") == "dpo"
    sets = Form(values, entered.valid).sets(row)
    return ["--row", row, "--model", model, *sets, *(["--preferences"] if preferring else [])]


def _found(workspace: Workspace, asked: Sequence[str], say: Language) -> Mapping[str, Any] | None:
    """What `tailor lessons` says; None as long as it is not known."""
    known, key = started.results(), ("lessons", *asked, *_stamp(workspace))
    if key not in known:
        if not st.button(say("lessons.make"), icon=":material/visibility:", key="lessons"):
            return None
        while len(known) >= _KEPT:
            known.pop(next(iter(known)))
        known[key] = job.lessons(workspace, asked)
    if known[key].alive:
        st.caption(say("lessons.making"))
        return None
    if (found := job.said(known[key])) is None:
        refusal(known[key].failure() or job.last_line(known[key].log))
    return found


def _stamp(workspace: Workspace) -> tuple[object, ...]:
    """Changes when something does that lessons are made of."""
    files = [workspace.knowledge / name for name in ("training.jsonl", "preferences.jsonl")]
    times = [file.stat().st_mtime_ns if file.exists() else 0 for file in files]
    return (*opened.stamp(workspace.root), *times)


def _sum(found: Mapping[str, Any], preferring: bool, say: Language) -> str:
    names = ("train", "validation") if preferring else ("train", "validation", "questions",
                                                        "refusals")  # fmt: skip
    counts = {name: format.count(found[name], say.code) for name in names}
    if preferring:
        return say(
            "lessons.sum_preferences", **counts, found=format.count(found["found"], say.code)
        )
    return say("lessons.sum", **counts)


def _shapes(found: Mapping[str, Any], say: Language) -> dict[str, list[str]]:
    shapes = found["shapes"]
    return {
        say("lessons.shape"): [f"`{shape}` {say(f'lessons.shape.{shape}')}" for shape in shapes],
        say("lessons.lessons"): [format.count(n, say.code) for n in shapes.values()],
    }


def _lengths(found: Mapping[str, Any], say: Language) -> str:
    prompts, replies = found["tokens"]["prompts"], found["tokens"]["completions"]
    languages = ", ".join(
        say(f"language.{lang}", count=format.count(n, say.code))
        for lang, n in found["languages"].items()
    )
    return say(
        "lessons.lengths",
        median=format.count(prompts["median"], say.code),
        longest=format.count(prompts["longest"], say.code),
        total=format.count(prompts["total"] + replies["total"], say.code),
        learnt=format.count(replies["total"], say.code),
        languages=languages or format.UNKNOWN,
    )


def _left_out(items: Sequence[Mapping[str, Any]], say: Language) -> None:
    """How many are left out for each reason, then the questions with what is wrong with them."""
    if not items:
        st.caption(say("lessons.left_none"))
        return
    left = [LeftOut(**{k: v for k, v in item.items() if k != "message"}) for item in items]
    counts: dict[str, int] = {}
    for one in left:
        counts[one.reason] = counts.get(one.reason, 0) + 1
    told = [
        f"{say(f'lessons.reason.{reason}')} {format.count(n, say.code)}"
        for reason, n in sorted(counts.items(), key=lambda each: -each[1])
    ]
    st.markdown(literal(say("lessons.left", reasons=" · ".join(told))))
    with st.container(height=min(320, 90 * len(left) + 20), border=True):
        for one in left[:SHOWN]:
            st.markdown(f"**{literal(one.id)}** {literal(one.question)}")
            st.caption(literal(one.message(say.code)))
    if len(left) > SHOWN:
        more = say("lessons.more", count=format.count(len(left) - SHOWN, say.code))
        st.caption(f"{more} `tailor lessons --all`")


def _example(examples: Sequence[Mapping[str, Any]], say: Language) -> None:
    """One of the lessons as the model is given it, and what it is to reply."""
    names = [f"{item['shape']} · {item['source']}" for item in examples]
    at = st.selectbox(
        say("lessons.example"), range(len(names)), format_func=names.__getitem__,
        key=f"lesson {names[0]}",
    )  # fmt: skip
    shown = examples[at]
    with st.container(height=420, border=True):
        for role, content in shown["prompt"]:
            st.caption(say(f"lessons.role.{role}"))
            st.text(content)
    with st.container(border=True):
        st.caption(say("lessons.role.learnt"))
        st.text(shown["completion"])
