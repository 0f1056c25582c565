"""Code that a model brings along: never run, unless ``[trusted_code]`` names that very commit."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.models.hub import HubId

Trusted = Mapping[str, str]
"""By repository of the hub, the commit whose code may run: ``"org/name" = "COMMIT"``."""
NOTHING: Trusted = {}

_MODULES = "modules.json"
"""Of sentence-transformers: the classes that a text goes through."""
_LARGE = 4 * 2**20
"""Bytes; settings are smaller, vocabularies may be larger."""


def trusts(trusted: Trusted, named: HubId | None, commit: str) -> bool:
    """Whether the code of a repository may run at this commit."""
    return named is not None and bool(commit) and trusted.get(named.repository) == commit


def check_code(folder: Path, name: str, allowed: bool, at: str = "") -> bool:
    """Refuse a folder whose settings ask for code of their own; whether there is any to run.

    A model whose kind transformers has itself is loaded by that, whatever else it names.

    Args:
        folder: of the model.
        name: of the model, for the sentence.
        allowed: whether the workspace allows its code.
        at: the commit, where it is of the hub.

    Raises:
        TailorError: it brings code that is not allowed, or that lies in another repository.
    """
    asked = list(_asked(folder))
    if not asked:
        return False
    if not allowed:
        where = asked[0][0]
        how = (
            f'read it, and allow that very commit in tailor.toml: [trusted_code], "{name}" = "{at}"'
            if at
            else "take a model that transformers knows, or name it by its hub id and commit, which "
            "[trusted_code] in tailor.toml can allow"
        )
        raise TailorError(
            f"The model {name} cannot be loaded: its {where} asks for code of its own, which is "
            f"not run: {how}."
        )
    if foreign := next((one for _, each in asked for one in each if "--" in one), ""):
        raise TailorError(
            f"The model {name} cannot be loaded: its code {foreign} lies in another repository, "
            "which no commit here pins: take another model."
        )
    return True


def _asked(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """The files that ask for code, with the classes they name."""
    native = _native(folder / "config.json")
    for file in sorted((*folder.glob("*.json"), *folder.glob("*/*.json"))):
        if file.stat().st_size > _LARGE:
            continue
        try:
            value = json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):  # told by whoever needs the file
            continue
        classes = _modules(value) if file.name == _MODULES else list(_classes(value, native))
        if classes:
            yield str(file.relative_to(folder)), classes


def _modules(value: Any) -> list[str]:
    kinds = [str(one.get("type", "")) for one in value if isinstance(one, dict)]
    return [kind for kind in kinds if not kind.startswith("sentence_transformers.")]


def _native(config: Path) -> bool:
    """Whether transformers itself has the kind of model that these settings are of."""
    try:
        kind = json.loads(config.read_text("utf-8")).get("model_type")
    except (OSError, ValueError, AttributeError, RecursionError):
        return False
    from transformers import CONFIG_MAPPING

    return isinstance(kind, str) and kind in CONFIG_MAPPING


def _classes(value: Any, native: bool, depth: int = 0) -> Iterator[str]:
    """What is named in ``auto_map``, kernels, and ``trust_remote_code`` where settings claim it.

    Settings inside settings can override what the caller refuses (CVE-2026-5241).
    """
    if isinstance(value, list):
        for one in value:
            yield from _classes(one, native, depth + 1)
    elif isinstance(value, dict):
        for key, own in value.items():
            if key == "trust_remote_code" and own:
                yield key
            elif "_implementation" in key and "/" in str(own):
                yield f"{own}--{key}"  # a kernel of the hub: machine code of another repository
            elif key == "auto_map" and isinstance(own, dict):
                if depth or not native:
                    yield from (str(name) for name in _flat(own.values()))
            else:
                yield from _classes(own, native, depth + 1)


def _flat(values: Any) -> Iterator[Any]:
    for value in values:
        if isinstance(value, list | tuple):
            yield from _flat(value)
        elif value:
            yield value
