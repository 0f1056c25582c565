"""``tailor.toml`` changed in place: other keys, comments and their order stay as they are."""

from __future__ import annotations

import ast
import inspect
import os
import re
import shutil
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tailor.config import Config, Goal
from tailor.errors import TailorError
from tailor.fault import hit


def change(path: Path, values: Mapping[str, Any]) -> Config:
    """Write these keys into ``tailor.toml``, and return what it now sets.

    A mapping changes single keys of a table: ``{"goal": {"score": 0.8}}``. None takes a key out.
    The file is replaced as a whole, and only by one that `Config` accepts.

    Raises:
        TailorError: the file is not TOML, cannot be written, or would hold a secret.
        UsageError: a key or value is not one Tailor knows; the file is as it was.
    """
    import tomlkit

    Config.load(path)  # says what is wrong with the file as it is
    _without_secrets(values)
    path = path.resolve()
    before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
    document = tomlkit.parse(before)
    for key, value in values.items():
        if isinstance(value, Mapping):
            if key not in document and any(own is not None for own in value.values()):
                document[key] = tomlkit.table()
            for name, own in value.items():
                _put(document.get(key, {}), name, own)
        else:
            _put(document, key, value)
    text = tomlkit.dumps(document)
    config = Config().with_values(tomlkit.parse(text).unwrap(), str(path))
    if text != before:
        _replace(path, text)
    return config


@cache
def meanings() -> Mapping[str, str]:
    """What each key means, in a sentence: the text below its field; ``goal.score`` in a table."""
    return {**_below(Config), **{f"goal.{key}": text for key, text in _below(Goal).items()}}


def _put(table: Any, key: str, value: Any) -> None:
    if value is None:
        table.pop(key, None)
    elif key not in table or table[key] != (list(value) if isinstance(value, tuple) else value):
        table[key] = list(value) if isinstance(value, tuple) else value


def _without_secrets(values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        if isinstance(value, Mapping):
            _without_secrets(value)
        elif isinstance(value, str) and _secret(value):
            raise TailorError(
                f"{key} looks like a secret, which does not belong into tailor.toml: set the "
                "provider's environment variable, then start Tailor again."
            )


def _secret(text: str) -> bool:
    from tailor.documents.sensitive import SECRETS, sensitive

    named = re.search(r"//[^/\s]*:[^/\s]*@", text)  # an address with a password in it
    return bool(named) or any(found.kind in SECRETS for found in sensitive(text))


def _replace(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.part")
    try:
        hit("config.before")
        part.unlink(missing_ok=True)  # a link would lead what is written elsewhere
        part.write_text(text, "utf-8", newline="")
        if path.exists():
            shutil.copymode(path, part)
        hit("config.part")
        os.replace(part, path)
        hit("config.after")
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); see to the permissions and free space, "
            "then save again."
        ) from None


def _below(kind: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(body, ast.ClassDef)
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
        ):
            found[field.target.id] = " ".join(str(below.value.value).split())
    return found
