"""What changed between two texts, word by word."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from tailor.text import nfc

Kind = Literal["same", "removed", "added"]

LIMIT = 2000
"""Where more tokens than these differ, from the first to the last, they are replaced as a whole."""

ALIKE = 0.2
"""Texts that share less than this part of their words are replaced as a whole."""

# Space before a token belongs to it: 1,5 and 12:30 are one token, as are letters with loose marks.
_TOKEN = re.compile(r"(\s*)(\d\w*(?:[.,:/]\d\w*)*|[\w\u0300-\u036f]+|\S)")
_Token = tuple[str, str]


@dataclass(frozen=True)
class Piece:
    """A run of characters that is in both texts, only in the former or only in the latter."""

    text: str
    kind: Kind


def words(former: str, latter: str) -> tuple[Piece, ...]:
    """The pieces that turn one text into the other, in reading order, both in NFC.

    Same and removed pieces joined are the former text, same and added pieces the latter, white
    space included. Neighbours are of different kinds, and removed stands before added.
    """
    former, latter = nfc(former), nfc(latter)
    before, after = _TOKEN.findall(former), _TOKEN.findall(latter)
    pieces: list[Piece] = []
    for equal, left, right in _blocks(before, after):
        if equal:
            for one, other in zip(left, right, strict=True):
                pieces += [*_spaces(one[0], other[0]), Piece(one[1], "same")]
        else:
            pieces += _replaced(left, right)
    pieces += _spaces(_tail(former), _tail(latter))
    return tuple(_joined(pieces))


def marked(pieces: Sequence[Piece]) -> str:
    """The pieces as one text without colour: ``[-removed-]{+added+}``."""
    form = {"same": "{}", "removed": "[-{}-]", "added": "{{+{}+}}"}
    return "".join(form[piece.kind].format(piece.text) for piece in pieces)


def _blocks(
    before: list[_Token], after: list[_Token]
) -> Iterator[tuple[bool, list[_Token], list[_Token]]]:
    """Runs of tokens that are equal but for the space before them, and those between."""
    left, right = [token for _, token in before], [token for _, token in after]
    runs = _equal_runs(left, right)
    shared = _words([word for i, _, size in runs for word in left[i : i + size]])
    if shared < ALIKE * max(_words(left), _words(right)):
        runs = []
    i = j = 0
    for at, other, size in [*runs, (len(left), len(right), 0)]:
        yield False, before[i:at], after[j:other]
        i, j = at + size, other + size
        yield True, before[at:i], after[other:j]


def _equal_runs(left: list[str], right: list[str]) -> list[tuple[int, int, int]]:
    """Where tokens are equal: start in the left list, in the right list, and how many."""
    head = _shared(left, right)
    tail = _shared(left[head:][::-1], right[head:][::-1])
    i, j = len(left) - tail, len(right) - tail
    runs = [(0, 0, head), (i, j, tail)]
    if max(i, j) - head <= LIMIT:
        matcher = SequenceMatcher(None, left[head:i], right[head:j], autojunk=False)
        found = matcher.get_matching_blocks()
        runs[1:1] = [(head + m.a, head + m.b, m.size) for m in found]
    return runs


def _shared(left: Sequence[str], right: Sequence[str]) -> int:
    """How many tokens are equal from the start."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(left), len(right)))


def _words(tokens: Sequence[str]) -> int:
    return sum(token[0].isalnum() for token in tokens)


def _replaced(left: list[_Token], right: list[_Token]) -> list[Piece]:
    removed, added = ("".join(map("".join, side)) for side in (left, right))
    space = left[0][0] if left and right and left[0][0] == right[0][0] else ""
    return [
        Piece(space, "same"),
        Piece(removed[len(space) :], "removed"),
        Piece(added[len(space) :], "added"),
    ]


def _spaces(former: str, latter: str) -> list[Piece]:
    if former == latter:
        return [Piece(former, "same")]
    return [Piece(former, "removed"), Piece(latter, "added")]


def _tail(text: str) -> str:
    return text[len(text.rstrip()) :]


def _joined(pieces: list[Piece]) -> Iterator[Piece]:
    """Without empty pieces; between same ones first what is removed, then what is added."""
    full = [piece for piece in pieces if piece.text]
    for same, run in groupby(full, lambda piece: piece.kind == "same"):
        group = list(run)
        kinds: tuple[Kind, ...] = ("same",) if same else ("removed", "added")
        for kind in kinds:
            if text := "".join(piece.text for piece in group if piece.kind == kind):
                yield Piece(text, kind)
