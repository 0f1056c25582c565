"""What a server remembers of its model calls: replies of runs, and the last ones in memory.

Questions that are served do not enter ``answers.db``: whether and how long they are kept is
decided in one place, :mod:`tailor.serving.kept`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from tailor.answers import AnswerStore, Call
from tailor.spending import Spending, Use

MOST = 1000
"""Calls that are remembered."""


class ServedCalls(AnswerStore):
    """The workspace's answers; new calls are remembered in memory alone, the last ones."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._recent: OrderedDict[str, Call] = OrderedDict()

    def call(self, key: str) -> Call | None:
        """The call with this key, remembered or stored."""
        return self._recent.get(key) or super().call(key)

    def keep_call(self, key: str, call: Call) -> None:
        """Remember a call, and forget the oldest one where there are too many."""
        self._recent[key] = replace(call, request={})  # its key says enough
        while len(self._recent) > MOST:
            self._recent.popitem(last=False)


class Uncounted(Spending):
    """Spending without a list of all that was spent, which would grow for as long as it serves."""

    def used(self, use: Use) -> None:
        """Nothing: each answer says what it took."""
