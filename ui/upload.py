"""Uploaded files: copied into the knowledge folder under safe names, or refused by name."""

from __future__ import annotations

import os
import tempfile
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

from tailor.documents.document import LARGEST
from tailor.documents.readers.magic import binary, sniff
from tailor.documents.walk import RESERVED
from tailor.text import nfc

Outcome = Literal[
    "added", "replaced", "same", "too_large", "no_name", "hidden", "reserved", "other_kind",
    "no_document", "unwritable",
]  # fmt: skip

KEPT = ("added", "replaced", "same")
_LONGEST_NAME = 255
_HEAD = 4096
_NO_DOCUMENTS = ("a program", "a font", "a video", "a Flash film", "an icon", "an HDF5 file")


@dataclass(frozen=True)
class Saved:
    """What became of one uploaded file."""

    name: str
    outcome: Outcome
    detail: str = ""


def save(knowledge: Path, name: str, content: bytes, folders: bool = False) -> Saved:
    """Copy a file into the folder, whole or not at all; its name is kept in NFC.

    Only what its name, its size and its first bytes say is checked here; the rest is found out
    when it is read. With ``folders`` the folders that the name begins with are kept.
    """
    *above, last = [_cleaned(part) for part in nfc(name).replace("\\", "/").split("/")]
    above = [part for part in above if part] if folders else []
    shown = "/".join((*above, last))
    refusal = _refusal(last, content, inside=bool(above)) or _refused_folder(above)
    if refusal:
        return Saved(shown or name, refusal)
    try:
        return _put(_folder(knowledge, above), last, shown, content)
    except OSError as error:
        return Saved(shown, "unwritable", error.strerror or str(error))


def _put(folder: Path, name: str, shown: str, content: bytes) -> Saved:
    target = _existing(folder, name)
    there = target.is_file()
    if there and target.stat().st_size == len(content) and target.read_bytes() == content:
        return Saved(shown, "same")
    folder.mkdir(parents=True, exist_ok=True)
    handle, part = tempfile.mkstemp(dir=folder, prefix=".upload-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        Path(part).chmod(0o644)
        os.replace(part, target)
    except BaseException:
        Path(part).unlink(missing_ok=True)
        raise
    return Saved(shown, "replaced" if there else "added")


def _cleaned(part: str) -> str:
    """A part of a path without signs that cannot be seen."""
    return "".join(c for c in part if unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def _folder(knowledge: Path, above: Sequence[str]) -> Path:
    """Where the folders of a name lie, in whatever Unicode form, or where they are to lie."""
    folder = knowledge
    for part in above:
        folder = _existing(folder, part)
        if folder.is_symlink():
            raise OSError(f"{part} is a link")  # it may lead out of the workspace
    return folder


def _refused_folder(above: Sequence[str]) -> Outcome | None:
    if any(len(part.encode()) > _LONGEST_NAME for part in above):
        return "no_name"
    return "hidden" if any(part.startswith(".") for part in above) else None


def _refusal(name: str, content: bytes, inside: bool) -> Outcome | None:
    if not name or len(name.encode()) > _LONGEST_NAME:
        return "no_name"
    if name.startswith((".", "~$")):
        return "hidden"
    if name in RESERVED and not inside:
        return "reserved"
    if len(content) > LARGEST:
        return "too_large"
    suffix = PurePosixPath(name).suffix.lower()
    kind = sniff(content[:_HEAD], suffix)
    if kind in _NO_DOCUMENTS:
        return "no_document"
    return "other_kind" if content and binary(suffix) and not kind else None


def _existing(folder: Path, name: str) -> Path:
    """Where something of this name lies, in whatever Unicode form, or where it is to lie."""
    if folder.is_dir():
        for path in folder.iterdir():
            if nfc(path.name) == name and not path.is_symlink():
                return path
    return folder / name
