"""Tables as text: each row readable on its own line."""

import re
from collections.abc import Iterable, Iterator, Sequence

Row = Sequence[str]

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
    grid = [[one_line(cell) for cell in row] for row in rows]
    header: list[str] | None = None
    seen = gap = False
    for index, row in enumerate(grid):
        filled = _filled(row)
        if not filled:
            gap = True
            continue
        if len(filled) == 1:
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
    names = [cell for cell in row if cell]
    return len(set(names)) == len(names) and not any(_NUMBER.fullmatch(n) for n in names)


def _starts_table(row: Row, header: Row | None, following: Sequence[Row]) -> bool:
    if not _is_header(row):
        return header is None or _filled(row)[-1] >= len(header)
    has_numbers = any(_NUMBER.fullmatch(cell) for r in following for cell in r if cell)
    return has_numbers or header is None or _filled(row) != _filled(header)
