"""A passage in segments: sentences, lines and table rows, as tokens with character offsets."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from tailor.models.query import TOKEN

_SEGMENT_END = re.compile(
    r"""(?<=[^\W\d_]{2}[.!?])(?<!\b(?:TS|Dr|Mr|Ms|TP|St|No|vs)\.)(?<!\b(?:Mrs|ThS|PGS)\.)
        ["”)]*\s+(?=\S)                       # a sentence end, not after an initial or a title
    |(?<=[\d%)"”][.!?])\s+                    # a sentence end after a number or bracket
    |\s*\n\s*""",
    re.VERBOSE,
)
_WORD = re.compile(r"\w")


@dataclass(frozen=True, eq=False)
class Segment:
    """A sentence, line or table row of a passage as tokens with character offsets.

    `heading` holds the words of the heading above; `headers`, for rows below a table's first,
    the words of each token's column header; `number` and `line` count segments and lines.
    """

    words: tuple[str, ...]
    lower: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    heading: tuple[str, ...]
    headers: tuple[tuple[str, ...], ...]
    is_row: bool
    number: int
    line: int


@lru_cache(maxsize=128)
def segments(passage: str) -> tuple[Segment, ...]:
    """Split a passage at sentence ends and line ends."""
    result: list[Segment] = []
    heading: tuple[str, ...] = ()
    top_row: list[tuple[str, ...]] | None = None
    for start, end in _pieces(passage):
        found = list(TOKEN.finditer(passage, start, end))
        words = tuple(match[0] for match in found)
        lower = tuple(word.casefold() for word in words)
        separator = "|" if "|" in words else ";"
        is_row = separator == "|" or (
            ";" in words[:-1] and ":" not in words and words[-1] not in (".", ";")
        )
        headers: tuple[tuple[str, ...], ...] = ()
        if is_row:
            cells, column = _cells(lower, separator)
            if top_row is None:
                top_row = cells
            else:
                headers = tuple(top_row[c] if c < len(top_row) else () for c in column)
        else:
            top_row = None
        starts = tuple(match.start() for match in found)
        ends = tuple(match.end() for match in found)
        line = passage.count("\n", 0, start)
        result.append(
            Segment(words, lower, starts, ends, heading, headers, is_row, len(result), line)
        )
        if not is_row and _is_heading(passage, start, end, words):
            heading = lower
    return tuple(result)


def _cells(words: Sequence[str], separator: str) -> tuple[list[tuple[str, ...]], list[int]]:
    """The words of each cell of a row, and the column of each word."""
    cells: list[list[str]] = [[]]
    column = []
    for index, word in enumerate(words):
        if word == separator and index > 0:
            cells.append([])
        elif word != separator:
            cells[-1].append(word)
        column.append(len(cells) - 1)
    return [tuple(cell) for cell in cells], column


def _pieces(text: str) -> list[tuple[int, int]]:
    cuts = [0]
    for match in _SEGMENT_END.finditer(text):
        cuts += [match.start(), match.end()]
    cuts.append(len(text))
    return [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=True) if _WORD.search(text[a:b])]


def _is_heading(text: str, start: int, end: int, words: Sequence[str]) -> bool:
    """Whether a piece is a short line of its own that states nothing."""
    alone = text[:start].strip(" ")[-1:] in ("", "\n") and text[end:].strip(" ")[:1] in ("", "\n")
    return alone and (
        words[0] == "#"
        or (
            len(words) <= 12
            and words[-1] not in (".", ";", "?", "!")
            and not {":", "=", "–"} & set(words[:-1])
            and (words[0][0].isalpha() or words[:2] == ("*", "*"))
        )
    )


def segment_at(passage: str, start: int) -> Segment | None:
    """The segment that holds a character."""
    for part in segments(passage):
        if part.starts[0] <= start < part.ends[-1]:
            return part
    return None


def surroundings(passage: str, start: int) -> tuple[str, ...]:
    """Case-folded words of the segment at a character, of its heading and its column header."""
    part = segment_at(passage, start)
    if part is None:
        return ()
    token = max(index for index, begin in enumerate(part.starts) if begin <= start)
    header = part.headers[token] if part.headers else ()
    return (*part.lower, *part.heading, *header)
