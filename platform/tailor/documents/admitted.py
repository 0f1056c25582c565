"""Which passages filters admit."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.documents.dated import HEAD, day
from tailor.documents.enrichments import Enrichments
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

    def __init__(
        self, spans: Sequence[tuple[str, int, int]], store: Path, enrichments: Enrichments
    ) -> None:
        """``spans`` are the document, first and last character of each passage."""
        self._spans = spans
        self._documents = [document for document, _, _ in spans]
        self._store = store
        self._enrichments = enrichments
        self._known: dict[str, tuple[str, str]] | None = None
        self._masks: dict[tuple[Filters, ...], Mask] = {}

    def __call__(self, filters: tuple[Filters, ...]) -> Mask:
        """Which passages are of documents that all these filters admit, and hold what they ask for.

        Raises:
            UsageError: they ask for what no enricher looks for.
        """
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
        for one in filters:
            if one.where:
                mask &= self._enrichments.mask(one.where, self._spans)
        self._masks[filters] = mask
        return mask

    def facts(self) -> dict[str, tuple[str, str]]:
        """Language and date of each readable document, by path."""
        if self._known is None:
            with database(self._store) as connection:
                heads = DocumentStore(connection).heads(HEAD)
            self._known = {path: (code, day(text, at)) for path, code, at, text in heads}
        return self._known
