"""Which passages filters admit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents.dated import HEAD, day
from tailor.documents.store import DocumentStore, database

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tailor.documents.filters import Filters

    Mask = NDArray[np.bool_]

_KEPT = 64
"""Masks that are remembered; then it starts anew."""


class Admitted:
    """Masks over passages by number; languages and dates are those of the last ingestion."""

    def __init__(self, documents: Sequence[str], store: Path) -> None:
        self._documents = documents
        self._store = store
        self._known: dict[str, tuple[str, str]] | None = None
        self._masks: dict[tuple[Filters, ...], Mask] = {}

    def __call__(self, filters: tuple[Filters, ...]) -> Mask:
        """Which passages are of documents that all these filters admit."""
        import numpy as np

        if (made := self._masks.get(filters)) is not None:
            return made
        known = {} if all(one.by_path for one in filters) else self.facts()
        admitted = {
            path: all(one.admits(path, *known.get(path, ("", ""))) for one in filters)
            for path in set(self._documents)
        }
        if len(self._masks) >= _KEPT:
            self._masks.clear()
        mask = np.array([admitted[path] for path in self._documents], dtype=bool)
        self._masks[filters] = mask
        return mask

    def facts(self) -> dict[str, tuple[str, str]]:
        """Language and date of each readable document, by path."""
        if self._known is None:
            with database(self._store) as connection:
                heads = DocumentStore(connection).heads(HEAD)
            self._known = {path: (code, day(text, at)) for path, code, at, text in heads}
        return self._known
