"""What a newer version of Tailor wrote is refused; a JSON file says it under ``schema_version``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tailor.errors import NewerVersion


def refuse_newer(found: object, known: int, path: Path) -> None:
    """Refuse what a newer version wrote.

    Raises:
        NewerVersion: ``found`` is no version up to ``known``.
    """
    if isinstance(found, int) and 0 <= found <= known:
        return
    raise NewerVersion(
        f"{path} was written by a newer version of Tailor (format {found}; this one reads up to "
        f"{known}): install that version, or use another workspace."
    )


def of_json(told: Mapping[str, Any], known: int, path: Path) -> dict[str, Any]:
    """A JSON file's values without its ``schema_version``.

    Raises:
        NewerVersion: a newer version wrote it.
    """
    refuse_newer(told.get("schema_version", 0), known, path)
    return {name: value for name, value in told.items() if name != "schema_version"}
