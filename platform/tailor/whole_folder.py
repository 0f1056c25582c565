"""A folder that is there as a whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from tailor.errors import TailorError
from tailor.fault import hit

T = TypeVar("T")


def written(target: Path, fill: Callable[[Path], T]) -> T:
    """What ``fill`` returns, which fills a new folder; ``target`` appears once it has ended.

    Raises:
        TailorError: there is such a folder already, or it cannot be written.
    """
    if target.exists():
        raise TailorError(f"{target} is there already: name another folder.")
    try:
        hit("folder.before")
        target.parent.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}-"))
        try:
            made = fill(part)
            part.chmod(0o755)
            hit("folder.part")
            part.rename(target)
            hit("folder.after")
        finally:
            shutil.rmtree(part, ignore_errors=True)
    except OSError as error:
        raise TailorError(
            f"{target} cannot be written ({error.strerror or error}); free disk space or "
            "permissions, then run the same command again."
        ) from None
    return made
