"""Uploaded files: copied into the knowledge folder under safe names, or refused by name."""

from __future__ import annotations

import os
import tempfile
import unicodedata
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


def save(knowledge: Path, name: str, content: bytes) -> Saved:
    """Copy a file into the folder, whole or not at all; its name is kept in NFC.

    Only what its name, its size and its first bytes say is checked here; the rest is found out
    when it is read.
    """
    shown = _cleaned(name)
    if refusal := _refusal(shown, content):
        return Saved(shown or name, refusal)
    target = _existing(knowledge, shown)
    there = target.is_file()
    if there and target.stat().st_size == len(content) and target.read_bytes() == content:
        return Saved(shown, "same")
    try:
        knowledge.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=knowledge, prefix=".upload-")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            Path(part).chmod(0o644)
            os.replace(part, target)
        except BaseException:
            Path(part).unlink(missing_ok=True)
            raise
    except OSError as error:
        return Saved(shown, "unwritable", error.strerror or str(error))
    return Saved(shown, "replaced" if there else "added")


def _cleaned(name: str) -> str:
    """The last part of a name in NFC, without signs that cannot be seen."""
    last = nfc(name).replace("\\", "/").rsplit("/", 1)[-1]
    return "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs")).strip()


def _refusal(name: str, content: bytes) -> Outcome | None:
    if not name or len(name.encode()) > _LONGEST_NAME:
        return "no_name"
    if name.startswith((".", "~$")):
        return "hidden"
    if name in RESERVED:
        return "reserved"
    if len(content) > LARGEST:
        return "too_large"
    suffix = PurePosixPath(name).suffix.lower()
    kind = sniff(content[:_HEAD], suffix)
    if kind in _NO_DOCUMENTS:
        return "no_document"
    return "other_kind" if content and binary(suffix) and not kind else None


def _existing(knowledge: Path, name: str) -> Path:
    """Where a file of this name lies, in whatever Unicode form, or where it is to lie."""
    if knowledge.is_dir():
        for path in knowledge.iterdir():
            if nfc(path.name) == name and not path.is_symlink():
                return path
    return knowledge / name
