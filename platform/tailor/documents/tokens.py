"""Lengths in tokens of the embedder, cheap enough to ask for every border a passage could have."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate

_SPACES = [code for code in range(0x3001) if chr(code).isspace()]
_LONGEST = 256
"""Characters of a word; longer ones are counted in parts."""
_BYTES = 12
"""A word counts one token per so many bytes at least."""


@dataclass(frozen=True)
class Lengths:
    """How many tokens the text has up to each of its characters."""

    starts: Sequence[int]
    ends: Sequence[int]
    """Of pieces without white space, in order."""
    before: Sequence[int]
    """Tokens before each piece, and after the last one."""

    def at(self, position: int) -> float:
        """Tokens before this character; those of a piece are spread evenly over it."""
        piece = bisect_right(self.starts, position) - 1
        if piece < 0:
            return 0.0
        start, end = self.starts[piece], self.ends[piece]
        if position >= end:
            return float(self.before[piece + 1])
        tokens = self.before[piece + 1] - self.before[piece]
        return self.before[piece] + tokens * (position - start) / (end - start)

    def between(self, start: int, end: int) -> float:
        """Tokens from one character to another."""
        return self.at(end) - self.at(start)

    def word_before(self, position: int, tokens: int) -> int:
        """Where the first word starts from which there are at most so many tokens up to here."""
        piece = bisect_left(self.before, self.at(position) - tokens)
        return self.starts[piece] if piece < len(self.starts) else position


class TokenCounter:
    """Counts words once; a text's tokens are those of its words.

    Tokenizers of embedders part words at white space before anything else, so the sum is exact for
    those that keep no token for white space. A word counts one token per 12 bytes at least: words
    that an embedder does not know, and signs that it passes over, have a length too.
    """

    def __init__(self, count: Callable[[list[str]], list[int]]) -> None:
        """``count`` gives the number of tokens of each of several words."""
        self._count = count
        self._known: dict[str, int] = {}

    def lengths(self, text: str) -> Lengths:
        """The lengths of all beginnings of this text."""
        starts, ends = _words(text)
        pieces = text.split()  # at the same signs; many times as fast as by their places
        if len(pieces) != len(starts):  # a very long one was parted
            pieces = [text[start:end] for start, end in zip(starts, ends, strict=True)]
        known = self._known
        if new := sorted(set(pieces).difference(known)):
            for piece, tokens in zip(new, self._count(new), strict=True):
                known[piece] = max(tokens, -(-len(piece.encode()) // _BYTES))
        return Lengths(starts, ends, list(accumulate(map(known.__getitem__, pieces), initial=0)))


def _words(text: str) -> tuple[list[int], list[int]]:
    """Where runs without white space start and end; a very long one is parted."""
    import numpy as np

    codes = np.frombuffer(text.encode("utf-32-le"), dtype=np.uint32)
    table = np.zeros(_SPACES[-1] + 2, dtype=bool)
    table[_SPACES] = True
    space = table[np.minimum(codes, _SPACES[-1] + 1)]
    borders = np.flatnonzero(np.diff(space, prepend=True, append=True))
    starts, ends = borders[::2], borders[1::2]
    if not len(starts) or int((ends - starts).max()) <= _LONGEST:
        return starts.tolist(), ends.tolist()
    spans = [
        (at, min(at + _LONGEST, end))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True)
        for at in range(start, end, _LONGEST)
    ]
    return [start for start, _ in spans], [end for _, end in spans]
