"""What lies in the knowledge folder: files that may be documents, and what is refused unopened."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from tailor.errors import TailorError
from tailor.text import nfc

RESERVED = ("benchmark.jsonl", "drafts.jsonl", "preferences.jsonl", "training.jsonl")
"""At the top of the knowledge folder: questions, never read as documents."""


@dataclass(frozen=True)
class File:
    """A file that was found, or a folder that cannot be listed."""

    path: str
    real: Path
    size: int = 0
    mtime_ns: int = 0
    refusal: str = ""
    """Why it is not even opened."""
    closed: bool = False
    """It is there and cannot be opened, so what was read there before stays."""


def files(knowledge: Path) -> Iterator[File]:
    """Everything below the folder that may be a document, or that is named as refused.

    Raises:
        TailorError: the folder itself is missing or cannot be listed.
    """
    if not knowledge.is_dir():
        raise TailorError(f"There is no folder {knowledge}: create it and put the documents there.")
    root = knowledge.resolve()
    seen: dict[str, Path] = {}
    failures: list[OSError] = []
    for folder, folders, names in os.walk(knowledge, onerror=failures.append):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted([*names, *linked]):
            if name.startswith((".", "~$")):
                continue
            real = Path(folder) / name
            path = nfc(real.relative_to(knowledge).as_posix())
            if path in RESERVED:
                continue
            if (shown := _shown(path)) != path:
                yield File(shown, real, refusal="its name is not UTF-8: rename it")
            elif seen.setdefault(path, real) != real:
                shown = ascii(str(real.relative_to(knowledge)))
                refusal = f"another file has the same name, {path}: rename it"
                yield File(shown, real, refusal=refusal)
            else:
                yield _file(path, real, root)
    for error in failures:
        real = Path(os.fsdecode(error.filename))
        if real == knowledge:
            raise TailorError(
                f"The folder {knowledge} cannot be opened ({error.strerror}): allow reading it, "
                "then run `tailor ingest` again."
            )
        if not isinstance(error, FileNotFoundError):
            shown = _shown(nfc(real.relative_to(knowledge).as_posix()))
            refusal = f"a folder that cannot be opened: {error.strerror}"
            yield File(shown, real, refusal=refusal, closed=True)


def _shown(path: str) -> str:
    """The path, with bytes that are not UTF-8 written out."""
    if any("\ud800" <= c <= "\udfff" for c in path):
        return os.fsencode(path).decode("utf-8", "backslashreplace")
    return path


def _file(path: str, real: Path, root: Path) -> File:
    try:
        if real.is_symlink():
            target = real.resolve()
            if not target.is_relative_to(root):
                return File(path, real, refusal="a link that leaves the knowledge folder")
            if target.is_dir():
                return File(path, real, refusal="a link to a folder")
            real = target
        status = os.stat(real, follow_symlinks=False)
    except (OSError, RuntimeError) as error:
        # A link without a target and a loop of links are known to lead to no document.
        closed = not isinstance(error, (FileNotFoundError, RuntimeError))
        refusal = f"cannot be opened: {getattr(error, 'strerror', error)}"
        return File(path, real, refusal=refusal, closed=closed)
    if not stat.S_ISREG(status.st_mode):
        return File(path, real, refusal="not a regular file (a pipe, socket or device)")
    if not os.access(real, os.R_OK):
        refusal = f"cannot be opened: {os.strerror(errno.EACCES)}"
        return File(path, real, refusal=refusal, closed=True)
    return File(path, real, status.st_size, status.st_mtime_ns)


def below(knowledge: Path, path: Path) -> str:
    """A path as given, absolute or below the current or the knowledge folder, as its name here."""
    candidates = [path] if path.is_absolute() else [path, knowledge / path]
    for candidate in candidates:
        absolute = Path(os.path.abspath(candidate))
        for root in (Path(os.path.abspath(knowledge)), knowledge.resolve()):
            if absolute.is_relative_to(root):
                return nfc(absolute.relative_to(root).as_posix())
    raise TailorError(f"{path} is not in {knowledge}: move it there, then ingest it.")


def concerns(file: File, only: Collection[str]) -> bool:
    """Whether it is one of these paths, lies below one, or is a closed folder around one."""
    return within(file.path, only) or (file.closed and any(within(o, [file.path]) for o in only))


def within(path: str, only: Collection[str]) -> bool:
    """Whether it is one of these paths or lies below one."""
    return any(name in only for name in around(path))


def around(path: str) -> tuple[str, ...]:
    """The path itself and the folders around it."""
    return (path, *map(str, PurePosixPath(path).parents))
