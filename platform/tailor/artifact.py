"""Whether an artifact is still what was made: a disk that failed may have cut its files off."""

from __future__ import annotations

import json
from pathlib import Path

from tailor.errors import TailorError


def check(folder: Path) -> Path:
    """The folder, once its JSON files are known to be whole; weights are checked by who loads them.

    Raises:
        TailorError: one is damaged; nothing is made anew unasked, since it may have taken hours.
    """
    for file in sorted(folder.glob("*.json")):
        try:
            json.loads(file.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            raise TailorError(
                f"{file} is damaged: delete the folder {folder.name}, then run the row again to "
                "have it made anew."
            ) from None
    return folder
