"""A text as several tokenizers see it, token by token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from tailor.errors import TailorError
from tailor.selection.tokenizer import Piece, decomposed, tokenizer
from tailor.text import nfc, words


@dataclass(frozen=True)
class Inspected:
    """One tokenizer's view; where it cannot be had, only ``problem`` says something."""

    name: str
    kind: str = ""
    vocabulary: int | None = None
    pieces: tuple[Piece, ...] = ()
    """Of the text in its usual form (NFC), which is what Tailor sends."""
    tokens_per_word: float | None = None
    decomposed: int = 0
    """Tokens of the same text with accents as signs of their own (NFD)."""
    specials: tuple[str, ...] = ()
    template: str = ""
    """The chat template with a sample question."""
    problem: str = ""

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Inspected:
        """What :meth:`to_json` wrote."""
        pieces = tuple(Piece(**piece) for piece in value["pieces"])
        return cls(**{**value, "pieces": pieces, "specials": tuple(value["specials"])})


def inspect(text: str, names: Sequence[str]) -> tuple[Inspected, ...]:
    """The text under each of these tokenizers, in their order."""
    return tuple(_inspected(nfc(text), name) for name in names)


def _inspected(text: str, name: str) -> Inspected:
    try:
        known = tokenizer(name)
    except TailorError as error:
        return Inspected(name, problem=str(error))
    pieces = tuple(known.pieces(text))
    count = len(words(text))
    return Inspected(
        name,
        kind=known.kind,
        vocabulary=known.vocabulary,
        pieces=pieces,
        tokens_per_word=len(pieces) / count if count else None,
        decomposed=known.count([decomposed(text)]),
        specials=known.specials,
        template=known.rendered(),
    )
