"""The replies of a batch as they are written: to each caller its own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Streams:
    """What ``generate`` tells of a whole batch; transformers' own streamers take one prompt.

    Args:
        tokenizer: of the model.
        told: by row, called with what is new of its reply, in whole words; None: nobody listens.
    """

    def __init__(self, tokenizer: Any, told: Sequence[Callable[[str], None] | None]) -> None:
        self._tokenizer = tokenizer
        self._told = told
        self._ids: list[list[int]] = [[] for _ in told]
        self._given = [0 for _ in told]
        self._prompts = True

    def put(self, value: Any) -> None:
        """The prompts, which are skipped, then the next token of every row."""
        if self._prompts:
            self._prompts = False
            return
        for row, token in enumerate(value.reshape(-1).tolist()):
            if self._told[row] is not None:
                self._ids[row].append(token)
                text = self._text(row)
                self._tell(row, text[: text.rfind(" ") + 1])

    def end(self) -> None:
        """Tell what is left of every reply."""
        for row, told in enumerate(self._told):
            if told is not None:
                self._tell(row, self._text(row))

    def _text(self, row: int) -> str:
        return str(self._tokenizer.decode(self._ids[row], skip_special_tokens=True))

    def _tell(self, row: int, text: str) -> None:
        told, new = self._told[row], text[self._given[row] :]
        if told is not None and new:
            self._given[row] = len(text)
            told(new)
