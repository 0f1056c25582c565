"""Prompt lookup decoding: guesses of what follows in a reply, by what followed the same before.

Replies that quote their prompt are written several tokens at a time: a model that reads guesses
tells which of them it would have written itself (Leviathan et al. 2023, arXiv:2211.17192; guesses
from the prompt: Saxena 2023, https://github.com/apoorvumang/prompt-lookup-decoding).
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence

_LONGEST = 3
"""Tokens that are looked for, at most."""
_MOST = 4
"""Tokens that are guessed at once; more seldom come true, and each has to be read."""


class Lookup:
    """A text that grows, and guesses of how it goes on.

    After guesses that were wrong, only what follows a longer match is guessed.
    """

    def __init__(self, ids: Sequence[int]) -> None:
        self._text = array("q", ids)
        self._wrong = 0

    def add(self, token: int) -> None:
        """The text goes on with this token."""
        self._text.append(token)

    def judged(self, right: bool) -> None:
        """Whether the last guess was right as far as its first token."""
        self._wrong = 0 if right else self._wrong + 1

    def guess(self, most: int) -> list[int]:
        """What followed the last tokens where they stand first, at most so many; may be empty."""
        text, size = self._text.tobytes(), self._text.itemsize
        shortest = min(1 + self._wrong, _LONGEST)
        for length in range(min(_LONGEST, len(self._text)), shortest - 1, -1):
            last = text[-length * size :]
            at = text.find(last)
            while at % size:  # not where a token begins
                at = text.find(last, at + 1)
            follows = at // size + length
            if follows < len(self._text):  # else it was found at the end itself
                return self._text[follows : follows + min(most, _MOST)].tolist()
        return []
