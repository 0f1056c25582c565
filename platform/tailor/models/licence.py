"""Under which licence a model's weights may be used, as far as its own folder says."""

from __future__ import annotations

import re
from pathlib import Path

UNKNOWN = "unknown"
"""The folder says nothing, or the model is at the hub."""

_FRONT = re.compile(r"\A---\n(.*?)\n---", re.DOTALL)
_FIELD = re.compile(r"^license(?:_name)?:\s*[\"']?([^\"'\n]+)", re.MULTILINE)
_ROW = re.compile(r"^\|\s*Licen[cs]e\s*\|\s*(.+?)\s*\|", re.MULTILINE)


def licence(path: str | Path) -> str:
    """What a model card in the folder names, by the hub's convention or in a table's row."""
    for name in ("README.md", "MODEL_CARD.md"):
        try:
            text = (Path(path) / name).read_text("utf-8", errors="replace")
        except OSError:
            continue
        front = _FRONT.match(text)
        named = (_FIELD.findall(front[1]) if front else []) or _ROW.findall(text)
        # "other" says only that a second field has the name.
        said: list[str] = [value.strip() for value in named if value.strip() != "other"]
        if said:
            return said[0]
    return UNKNOWN
