"""Changes to a benchmark file: the whole file or nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tailor.benchmark import Line
from tailor.errors import TailorError
from tailor.fault import hit


def edit(
    path: Path,
    changed: Iterable[tuple[Line, Mapping[str, Any] | None]] = (),
    added: Iterable[Mapping[str, Any]] = (),
) -> None:
    """Replace lines (None deletes one) and append others; all other lines stay byte by byte.

    Raises:
        TailorError: the file cannot be written, or a line is no longer what was read.
    """
    raw = path.read_bytes() if path.exists() else b""
    lines = raw.removeprefix(b"\xef\xbb\xbf").decode().split("\n")
    if lines and not lines[-1].strip():
        lines.pop()
    deleted = set()
    for line, item in changed:
        at = line.number - 1
        if at >= len(lines) or not _same(lines[at], line.item):
            raise TailorError(
                f"{path}:{line.number} changed meanwhile; run the same command again."
            )
        if item is None:
            deleted.add(at)
        else:
            lines[at] = _dump(item)
    kept = [text for at, text in enumerate(lines) if at not in deleted]
    write(path, "".join(f"{text}\n" for text in (*kept, *map(_dump, added))))


def write(path: Path, text: str) -> None:
    """Replace a text file as a whole: a reader sees the old one or the new one, whole.

    Raises:
        TailorError: the file cannot be written.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        hit("benchmark.before")
        path.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)  # a link would lead what is written elsewhere
        with part.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        hit("benchmark.part")
        os.replace(part, path)
        hit("benchmark.after")
    except OSError as error:
        part.unlink(missing_ok=True)
        raise TailorError(
            f"{path} cannot be written ({error.strerror}) and stays as it was; free disk space or "
            "permissions, then run the same command again."
        ) from None


def _same(text: str, item: Mapping[str, Any]) -> bool:
    try:
        return bool(json.loads(text) == item)
    except ValueError:
        return False


def _dump(item: Mapping[str, Any]) -> str:
    return json.dumps(item, ensure_ascii=False, allow_nan=False)
