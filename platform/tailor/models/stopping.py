"""Replies up to a stop sequence, whole or as they are written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from langchain_core.messages import AIMessage


def settled(pieces: Iterable[str], stop: list[str] | None) -> Iterator[str]:
    """The pieces of a stripped text up to a stop sequence; what may still be cut is held back."""
    hold = max((len(s) for s in stop or ()), default=1) - 1
    written, given = "", 0
    for piece in pieces:
        written = (written + piece).lstrip() if not given else written + piece
        if (cut := _cut(written, stop)) is not None:
            yield written[:cut].rstrip()[given:]
            return
        sure = len(written[: len(written) - hold].rstrip())
        if sure > given:
            yield written[given:sure]
            given = sure
    yield written.rstrip()[given:]


def _cut(text: str, stop: list[str] | None) -> int | None:
    return min((at for s in stop or () if (at := text.find(s)) >= 0), default=None)


def stopped(reply: AIMessage, stop: list[str] | None) -> AIMessage:
    """The reply, cut before the first stop sequence."""
    text = str(reply.text)
    cut = _cut(text, stop)
    return reply if cut is None else reply.model_copy(update={"content": text[:cut].rstrip()})
