"""The page Settings: the keys of tailor.toml as a form, the providers' keys, and the check."""

from __future__ import annotations

import dataclasses
import os
import types
import typing
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from tailor.config import Config
from tailor.config_file import change, meanings
from tailor.errors import TailorError
from tailor.models.provider import KEYS
from tailor.stage import stage_types
from tailor.ui import checkup, opened
from tailor.ui.language import Language, literal
from tailor.ui.refusal import refusal
from tailor.workspace import Workspace

GROUPS: Mapping[str, Sequence[str]] = {
    "models": (
        "model", "base_url", "quantization", "embedder", "embedder_url", "judge",
        "transcriber", "transcriber_url", "transcriber_language",
    ),
    "answers": (
        "max_tokens", "temperature", "answer_pattern", "timeout", "retries", "concurrency",
        "requests_per_minute", "tokens_per_minute",
    ),
    "documents": ("passage_size", "passage_overlap", "passage_strategy", "chroma_url"),
    "ladder": ("task", "ladder", "workspace_stages", "merge_loss"),
    "costs": ("gpu_hour_usd", "max_cost"),
}  # fmt: skip
REREAD = ("embedder", *GROUPS["documents"])
PRESETS: Mapping[str, Mapping[str, str]] = {
    "shipped": {"model": "shipped", "base_url": ""},
    "folder": {"model": "huggingface:PATH", "base_url": ""},
    "ollama": {"model": "ollama:qwen3", "base_url": ""},
    "server": {"model": "openai:NAME", "base_url": "http://127.0.0.1:8000/v1"},
    "openai": {"model": "openai:gpt-5-mini", "base_url": ""},
}


def page() -> None:
    """Show the page."""
    say, workspace = opened.spoken(), opened.workspace()
    st.title(say("settings.title"))
    file = workspace.root / "tailor.toml"
    st.caption(literal(say("settings.file", file=file)))
    saved()
    preset = st.pills(
        say("settings.preset"),
        list(PRESETS),
        format_func=lambda name: say(f"settings.preset_{name}"),
        key="preset",
    )
    form(workspace, PRESETS.get(preset or "", {}), say)
    tables(workspace, say)
    secrets(workspace.config, say)
    st.subheader(say("settings.doctor"), anchor=False)
    st.caption(say("settings.doctor_help"))
    checkup.show(workspace, say)


def saved() -> None:
    """What the last saving changed, and what has to follow."""
    say, names = opened.spoken(), st.session_state.pop("saved", None)
    if names is None:
        return
    if not names:
        st.info(say("settings.same"))
        return
    st.success(literal(say("settings.saved", names=", ".join(names))))
    if any(name in REREAD for name in names):
        st.warning(say("settings.reread"))
        st.code(opened.command(opened.workspace(), "ingest"), language=None)


def form(workspace: Workspace, preset: Mapping[str, str], say: Language) -> None:
    """One field for each key that holds a single value; saved together."""
    config, hints = workspace.config, typing.get_type_hints(Config)
    known = {name for names in GROUPS.values() for name in names}
    defaults = {field.name: getattr(Config(), field.name) for field in dataclasses.fields(Config)}
    single = [name for name in defaults if _single(hints[name])]
    groups = {**GROUPS, "more": [name for name in single if name not in known]}
    values: dict[str, Any] = {}
    with st.form("settings", border=False, enter_to_submit=False):
        for group, names in groups.items():
            if not names:
                continue
            st.subheader(say(f"settings.{group}"), anchor=False)
            for name in names:
                now = preset.get(name, getattr(config, name))
                wide = typing.get_origin(hints[name]) is tuple  # many names beside each other
                places = (
                    (st.container(), st.container())
                    if wide
                    else st.columns([4, 5], vertical_alignment="center", gap="medium")
                )
                with places[0]:
                    values[name] = field(name, hints[name], now, workspace)
                places[1].caption(say.meaning(meanings()[name]))
        if st.form_submit_button(say("settings.save"), type="primary", icon=":material/save:"):
            save(workspace, values, defaults)


def field(name: str, hint: Any, now: Any, workspace: Workspace) -> Any:
    """The widget for a key of this type; another value from outside makes another widget."""
    key = f"set {name} {now}"
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return st.selectbox(name, arguments, index=arguments.index(now), key=key)
    if origin is tuple:
        own = stage_types(workspace.own_stages) if name == "ladder" else ()
        chosen = st.multiselect(
            name, list(dict.fromkeys([*own, *now])), list(now), key=key, accept_new_options=True,
            placeholder=opened.spoken()("settings.add"),
        )  # fmt: skip
        return tuple(chosen)
    if hint is bool:
        return st.checkbox(name, now, key=key)
    if hint is str:
        return st.text_input(name, now, key=key).strip()
    step = 0.1 if float in (hint, *arguments) else 1
    return opened.number(name, now, step, f"set {name}")


def save(workspace: Workspace, values: Mapping[str, Any], defaults: Mapping[str, Any]) -> None:
    """Write what differs; an empty number is left out of the file, or "none" where it may be."""
    hints = typing.get_type_hints(Config)
    changed = {}
    for name, value in values.items():
        if value != getattr(workspace.config, name):
            unsaid = types.NoneType in typing.get_args(hints[name]) and defaults[name] is not None
            changed[name] = "none" if value is None and unsaid else value
    try:
        change(workspace.root / "tailor.toml", changed)
    except TailorError as error:
        refusal(error)
        return
    st.session_state["saved"] = list(changed)
    st.rerun()


def tables(workspace: Workspace, say: Language) -> None:
    """The keys that hold tables: shown, and changed in the file."""
    import tomlkit

    config = workspace.config
    held = {
        "stages": {name: dict(own) for name, own in config.stages.items()},
        "builds_on": dict(config.builds_on),
        "prices": {
            name: {key: own for key, own in dataclasses.asdict(price).items() if own is not None}
            for name, price in config.prices.items()
        },
        "sources": {name: dict(own) for name, own in config.sources.items()},
        "enrich": {name: dict(own) for name, own in config.enrich.items()},
        "items": _items(config),
    }
    with st.expander(say("settings.tables")):
        st.caption(say("settings.tables_help"))
        text = tomlkit.dumps({name: own for name, own in held.items() if own})
        st.code(text or say("settings.no_tables"), language="toml", wrap_lines=True)


def _items(config: Config) -> dict[str, Any]:
    """Where the items of a task of numbers or labels are; nothing of another."""
    if config.task == "answer":
        return {}
    own = dataclasses.asdict(config.items).items()
    return {name: list(x) if isinstance(x, tuple) else x for name, x in own if x}


def secrets(config: Config, say: Language) -> None:
    """Which providers' keys are set; never what they are."""
    st.subheader(say("settings.keys"), anchor=False)
    st.caption(say("settings.keys_help"))
    used = {
        name.partition(":")[0]
        for name in (config.model, config.embedder, config.judge, config.transcriber)
    }
    columns = {
        say("settings.provider"): list(KEYS),
        say("settings.variable"): list(KEYS.values()),
        say("settings.state"): [
            _state(variable, provider in used, say) for provider, variable in KEYS.items()
        ],
    }
    st.dataframe(columns, hide_index=True, alt=say("settings.keys"), height="content")


def _state(variable: str, used: bool, say: Language) -> str:
    if os.environ.get(variable):
        return "✓ " + say("settings.set")
    return "! " + say("settings.wanted") if used else "– " + say("settings.unset")


def _single(hint: Any) -> bool:
    """Whether a key holds a text, a number, a choice, yes or no, or a list of names."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        return all(part in (int, float, types.NoneType) for part in arguments)
    return hint in (str, int, float, bool) or origin in (typing.Literal, tuple)


if __name__ == "__main__":
    page()
