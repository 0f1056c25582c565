"""Lines that many documents share: headers, footers, disclaimers, menus."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

LEAST_DOCUMENTS = 3
LEAST_SHARE = 0.05
"""Of all documents; a line in fewer is no boilerplate."""
_LEAST_WORDS = 3


@dataclass(frozen=True)
class Repeated:
    """A line, or neighbouring lines, that stand in many documents."""

    text: str
    documents: int
    example: str
    """The first document in which it stands."""
    line: int
    """Where it begins there, from 1."""

    @property
    def characters(self) -> int:
        """What its repetitions add up to, the first one left out."""
        return len(self.text) * (self.documents - 1)


def boilerplate(texts: Mapping[str, str]) -> tuple[Repeated, ...]:
    """What repeats over many documents, that with the most repeated characters first.

    Numbers do not count, so that ``page 3 of 9`` equals ``page 4 of 9``. Lines of fewer than three
    words do not count: headings like *Contact* are no burden.
    """
    held: dict[str, set[int]] = defaultdict(set)
    for number, text in enumerate(texts.values()):
        for _, key, _ in _lines(text):
            held[key].add(number)
    least = max(LEAST_DOCUMENTS, LEAST_SHARE * len(texts))
    often = {key: frozenset(numbers) for key, numbers in held.items() if len(numbers) >= least}
    found: dict[str, Repeated] = {}
    for path, text in texts.items():
        for first, keys, block in _blocks(text, often):
            name = "\n".join(keys)
            if name not in found:
                found[name] = Repeated(block, len(often[keys[0]]), path, first)
    return tuple(sorted(found.values(), key=lambda item: (-item.characters, item.text)))


def _lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Number, key and text of the lines that say something."""
    for number, line in enumerate(text.split("\n"), 1):
        key = re.sub(r"\d+", "0", " ".join(line.casefold().split()))
        if len(re.findall(r"[^\W\d_]+", key)) >= _LEAST_WORDS:
            yield number, key, line.strip()


def _blocks(text: str, often: Mapping[str, frozenset[int]]) -> Iterator[tuple[int, list[str], str]]:
    """Neighbouring repeated lines that the same documents share: first line, keys, text."""
    first, last, keys, lines = 0, 0, list[str](), list[str]()
    for at, (number, key, line) in enumerate(_lines(text)):
        repeated = key in often
        joins = repeated and keys and at == last + 1 and often[key] == often[keys[0]]
        if keys and not joins:
            yield first, keys, "\n".join(lines)
            keys, lines = [], []
        if repeated:
            first = first if keys else number
            last = at
            keys.append(key)
            lines.append(line)
    if keys:
        yield first, keys, "\n".join(lines)
