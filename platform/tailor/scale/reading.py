"""Strangers' files parsed on the workers of a cluster, there in a box as well."""

from __future__ import annotations

from functools import partial

from tailor.documents.box import Box, Limits
from tailor.documents.document import Document, Unread
from tailor.documents.refusal import Refused
from tailor.scale.cluster import LostWorker
from tailor.scale.place import Job, Place

Found = tuple[Document | Unread, ...]


class FarBox:
    """As a :class:`Box`; contents travel, so that workers need no folder of this machine."""

    def __init__(self, place: Place, limits: Limits | None = None) -> None:
        self._place = place
        self._job = Job(partial(Parser, limits), side_by_side=2)  # one waits while one is parsed
        self.processes = max(1, place.width(self._job))

    def read(self, name: str, content: bytes) -> Found:
        """As :meth:`Box.read`."""
        try:
            found: Found = self._place.away(self._job, (name, content))
        except LostWorker as error:
            raise Refused(f"its reading ended workers of the cluster: {error}") from None
        return found

    def close(self) -> None:
        """Nothing is to be ended here."""


class Parser:
    """A box on a worker, for names with contents."""

    def __init__(self, limits: Limits | None) -> None:
        self._box = Box(limits, processes=1)

    def __call__(self, value: tuple[str, bytes]) -> Found:
        """The documents in the content."""
        return self._box.read(*value)
