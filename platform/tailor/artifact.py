"""An artifact: a folder that a stage fills once, and that is there as a whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tailor.cost import timed
from tailor.errors import TailorError
from tailor.fault import hit
from tailor.spending import Spending


def built(target: Path, build: Callable[[Path], None], spending: Spending) -> Path:
    """The folder ``target``; where it is not there yet, ``build`` fills it.

    ``build`` gets an empty folder beside it, moved into place only when ``build`` returns. Two
    processes never build the same at once. What the build took is written into it.

    Raises:
        TailorError: it is damaged.
    """
    from filelock import FileLock

    if target.is_dir():
        return _whole(target)
    home = target.parent
    home.mkdir(parents=True, exist_ok=True)
    with FileLock(home / f"{target.name}.lock"):
        if not target.is_dir():
            hit("artifact.before")
            building = Path(tempfile.mkdtemp(dir=home, prefix="building-"))
            try:
                with timed(building, spending):
                    build(building)
                hit("artifact.part")
                building.rename(target)
                hit("artifact.after")
            finally:
                shutil.rmtree(building, ignore_errors=True)
    return target


def _whole(folder: Path) -> Path:
    """The folder, once its JSON files are known to be whole: a failed disk may have cut them off.

    Weights are checked by who loads them.

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
