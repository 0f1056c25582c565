"""A disk that is full or fails while an index is written, said in one sentence."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tailor.errors import TailorError


@contextmanager
def said(state: Path, part: Path) -> Iterator[None]:
    """Say what the disk refuses to ``part`` of the index in ``state``, whoever writes it.

    What was written of it is deleted then: it is of no use, and takes room.

    Raises:
        TailorError: it cannot be written.
    """
    try:
        yield
    except (OSError, sqlite3.OperationalError) as error:
        raise _unwritable(state, part, getattr(error, "strerror", None) or str(error)) from None
    except Exception as error:
        # Chroma says it so of its own SQLite; loading its errors takes a second.
        if type(error).__module__ != "chromadb.errors":
            raise
        raise _unwritable(state, part, str(error)) from None


def _unwritable(state: Path, part: Path, reason: str) -> TailorError:
    if part.is_dir():
        shutil.rmtree(part, ignore_errors=True)
    else:
        part.unlink(missing_ok=True)
    return TailorError(
        f"The new index in {state} cannot be written ({reason}); free disk space or permissions, "
        "then run `tailor ingest` again: until then the former index is searched."
    )
