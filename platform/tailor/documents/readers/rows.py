"""Tables as text: each row readable on its own line."""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

Row = Sequence[str]

_YEAR = re.compile(r"(?:19|20)\d\d")
_NUMBER = re.compile(r"[-+(]?[^\w\s]?\d[\d\s.,:/%-]*\D{0,4}\)?")


def one_line(text: str) -> str:
    """A cell's text without line breaks."""
    return " ".join(text.split())


def bars(row: Row) -> str:
    """A row as ``| a | b |``."""
    return f"| {' | '.join(one_line(cell).replace('|', '/') for cell in row)} |"


def labelled(rows: Iterable[Row]) -> Iterator[str]:
    """Rows as ``Header1: v1; Header2: v2``; rows above the header and lone cells as they are.

    The header is the first row with two or more cells if all of them are names. After blank rows
    a second table may follow, with a header of its own.
    """
    grid = _single_headers([[one_line(cell) for cell in row] for row in rows])
    header: list[str] | None = None
    seen = gap = False
    for index, row in enumerate(grid):
        filled = _filled(row)
        if not filled:
            gap = True
            continue
        if row == header:
            continue  # repeated, as on each printed page
        if len(filled) == 1 and (gap or header is None or filled[0] == 0):
            yield row[filled[0]]
        elif not seen or (gap and _starts_table(row, header, grid[index + 1 : index + 2])):
            header = row if _is_header(row) else None
            following = next((r for r in grid[index + 1 :] if len(_filled(r)) > 1), None)
            if header is None or following is None:
                yield _line(row, None)
            seen = True
        else:
            yield _line(row, header)
        gap = False


def _single_headers(grid: list[list[str]]) -> list[list[str]]:
    """Headers over two rows as one row.

    The lower one names what the upper one leaves open, and the row of numbers below begins where
    the upper one does: ``| 2026 | | Sales | Costs |`` is no pair of rows.
    """
    for index in range(len(grid) - 2):
        upper, lower = _filled(grid[index]), _filled(grid[index + 1])
        if not 1 < len(upper) < len(lower) or upper[0] >= lower[0]:
            continue
        below = next((row for row in grid[index + 2 : index + 5] if any(row)), [])
        if (
            _is_header(grid[index])
            and _is_header(grid[index + 1])
            and _filled(below)[:1] == upper[:1]
            and any(_NUMBER.fullmatch(cell) for cell in below if cell)
        ):
            width = max(len(grid[index]), len(grid[index + 1]))
            pair = [row + [""] * (width - len(row)) for row in grid[index : index + 2]]
            joined = [" ".join(filter(None, names)) for names in zip(*pair, strict=True)]
            grid[index : index + 2] = [[], joined]
    return grid


def _line(row: Row, header: Row | None) -> str:
    names = header or []
    pairs = []
    for column in _filled(row):
        name = names[column].rstrip(" :") if column < len(names) else ""
        pairs.append(f"{name}: {row[column]}" if name else row[column])
    return "; ".join(pairs)


def _filled(row: Row) -> list[int]:
    return [column for column, cell in enumerate(row) if cell]


def _is_header(row: Row) -> bool:
    """Whether a row's cells are names; consecutive years are."""
    names = [cell for cell in row if cell]
    years = [int(name) for name in names if _YEAR.fullmatch(name)]
    are_names = len(years) > 1 and all(abs(b - a) == 1 for a, b in pairwise(years))
    return len(set(names)) == len(names) and not any(
        _NUMBER.fullmatch(name) and not (are_names and _YEAR.fullmatch(name)) for name in names
    )


def _starts_table(row: Row, header: Row | None, following: Sequence[Row]) -> bool:
    if not _is_header(row):
        return header is None or _filled(row)[-1] >= len(header)
    has_numbers = any(_NUMBER.fullmatch(cell) for r in following for cell in r if cell)
    return has_numbers or header is None or _filled(row) != _filled(header)
