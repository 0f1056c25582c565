"""A process that parses, kept from one ingestion to the next: starting one is slow."""

from __future__ import annotations

from pathlib import Path

from tailor.documents import box
from tailor.documents.box import Box, Limits


class KeptBox(Box):
    """A box whose idle processes are taken over by the next one that is opened like it.

    What one file does to its process is as in any box: only those that wait for a file are kept.
    """

    _kept: list[tuple[object, box._Process]] = []  # noqa: RUF012

    def __init__(self, limits: Limits | None = None, processes: int | None = None) -> None:
        super().__init__(limits, processes)
        self._like = (self.limits, box._environment(Path()))
        former, self._kept[:] = self._kept[:], []
        for like, process in former:
            if like == self._like and process._process.poll() is None:
                self._idle.append(process)
                self._all.add(process)
            else:
                process.end()

    def close(self) -> None:
        """Keep one process that is idle, and end the others."""
        with self._changed:
            if self._idle and not self._kept:
                process = self._idle.pop()
                self._all.discard(process)
                self._kept.append((self._like, process))
        super().close()

    @classmethod
    def end_kept(cls) -> None:
        """End the process that is kept."""
        while cls._kept:
            cls._kept.pop()[1].end()
