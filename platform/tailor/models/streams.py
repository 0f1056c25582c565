"""The replies of a batch as they are written: to each caller its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Stream:
    """One reply as it is written.

    Args:
        tokenizer: of the model.
        told: called with what is new, in whole words.
    """

    def __init__(self, tokenizer: Any, told: Callable[[str], None]) -> None:
        self._tokenizer = tokenizer
        self._told = told
        self._ids: list[int] = []
        self._given = 0

    def put(self, token: int) -> None:
        """The next token."""
        self._ids.append(token)
        text = self._text()
        self._tell(text[: text.rfind(" ") + 1])

    def end(self) -> None:
        """Tell what is left."""
        self._tell(self._text())

    def _text(self) -> str:
        return str(self._tokenizer.decode(self._ids, skip_special_tokens=True))

    def _tell(self, text: str) -> None:
        if new := text[self._given :]:
            self._given = len(text)
            self._told(new)


class Streams:
    """What ``generate`` tells of a whole batch; transformers' own streamers take one prompt.

    Args:
        tokenizer: of the model.
        told: by row, called with what is new of its reply, in whole words; None: nobody listens.
    """

    def __init__(self, tokenizer: Any, told: Sequence[Callable[[str], None] | None]) -> None:
        self._rows = [Stream(tokenizer, one) if one is not None else None for one in told]
        self._prompts = True

    def put(self, value: Any) -> None:
        """The prompts, which are skipped, then the next token of every row."""
        if self._prompts:
            self._prompts = False
            return
        for row, token in zip(self._rows, value.reshape(-1).tolist(), strict=True):
            if row is not None:
                row.put(token)

    def end(self) -> None:
        """Tell what is left of every reply."""
        for row in self._rows:
            if row is not None:
                row.end()
