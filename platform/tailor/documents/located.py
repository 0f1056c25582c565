"""Where the evidence of all questions stands, found once for each state of the documents."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.assistant import digest
from tailor.errors import TailorError

if TYPE_CHECKING:
    from tailor.benchmark import Question
    from tailor.documents.evidence import Located

_VERSION = 1
"""Raised when the same quote is found at another place."""


def located(state: Path, questions: Sequence[Question]) -> dict[str, tuple[Located, ...]]:
    """The document and characters of each question's evidence, by question id.

    Kept in ``.tailor/evidence.json`` until the questions or ``documents.db`` change.

    Raises:
        TailorError: the documents cannot be read.
    """
    from tailor.run import write_json

    wanted = [[q.id, [[e.document, e.quote] for e in q.evidence]] for q in questions]
    about = digest([_VERSION, wanted, _stamp(state / "documents.db")])
    file = state / "evidence.json"
    with suppress(OSError, ValueError, TypeError, KeyError):
        kept = json.loads(file.read_text("utf-8"))
        if kept["about"] == about and kept["digest"] == digest(kept["spans"]):
            return {id: tuple((d, a, b) for d, a, b in own) for id, own in kept["spans"].items()}
    found = _located(state, questions)
    with suppress(TailorError):  # a workspace one may not write is read
        write_json(file, {"about": about, "digest": digest(found), "spans": found})
    return found


def _located(state: Path, questions: Sequence[Question]) -> dict[str, tuple[Located, ...]]:
    from tailor.documents.corpus import documents
    from tailor.documents.evidence import spans

    needed = any(q.evidence for q in questions) and (state / "documents.db").exists()
    texts: Mapping[str, str] = documents(state) if needed else {}
    return {q.id: spans(q, texts)[0] for q in questions}


def _stamp(path: Path) -> list[tuple[int, int]]:
    """Changes with every commit to a SQLite file, and at times without one."""
    found = []
    for file in (path, path.with_name(f"{path.name}-wal")):
        with suppress(OSError):
            stat = file.stat()
            if stat.st_size:
                found.append((stat.st_size, stat.st_mtime_ns))
    return found
