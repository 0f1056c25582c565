"""Spreadsheet cells: values as a person reads them, and merged cells written out."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

_LITERAL = re.compile(r'"([^"]*)"|\[\$([^\]-]*)[^\]]*\]|\\(.)|([$€£¥₫])|_.|\*.|\[[^\]]*\]')
_DIGITS = re.compile(r"[0#?][0#?,]*(?:\.([0#?]+))?(,*)")
_MOST_FILLED = 100_000
"""Cells that merged ranges of one sheet are written out to."""


def shown(value: object, form: str = "General") -> str:
    """A value under its number format: 1480, 12.5%, 2026-03-01, 95.00 EUR.

    Decimals and units are as shown. Dates are in ISO form and digits are not grouped, since
    ``1.480`` and ``1,480`` mean different numbers in English and Vietnamese.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, datetime.datetime):
        return _moment(value, form)
    if isinstance(value, datetime.timedelta):
        minutes, seconds = divmod(round(value.total_seconds()), 60)
        return f"{minutes // 60}:{minutes % 60:02d}" + (f":{seconds:02d}" if seconds else "")
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S" if value.second else "%H:%M")
    if isinstance(value, int | float):
        return _number(value, form)
    return str(value).strip()


def _moment(value: datetime.datetime, form: str) -> str:
    letters = _LITERAL.sub("", form).casefold()
    if "h" in letters and not set("dy") & set(letters):
        return shown(value.time())
    if value.time() == datetime.time(0):
        is_month = "d" not in letters and "y" in letters and "m" in letters
        return f"{value:%Y-%m}" if is_month and value.day == 1 else str(value.date())
    return str(value.replace(microsecond=0)).removesuffix(":00")


def _number(value: float, form: str) -> str:
    section = re.split(r';(?=(?:[^"]*"[^"]*")*[^"]*$)', form)[0]
    bare = _LITERAL.sub(lambda found: "\0" * len(found[0]), section)
    digits = _DIGITS.search(bare)
    if digits is None or "/" in bare or re.search(r"[eE][+-]", bare):
        return plain(value)
    scale = (100 if "%" in bare else 1) / 1000 ** len(digits[2] or "")
    before, after = _literal(section[: digits.start()]), _literal(section[digits.end() :])
    text = _fixed(value * scale, digits[1] or "")
    sign = "-" if text.startswith("-") else ""
    return " ".join(f"{sign}{before}{text.removeprefix('-')}{after}".split())


def _fixed(value: float, places: str) -> str:
    """Rounded to the format's places; those written ``#`` are dropped where they are zero."""
    exact = Decimal(format(value, ".15g")).quantize(Decimal(1).scaleb(-len(places)), ROUND_HALF_UP)
    text = format(exact, "f")
    for sign in reversed(places):
        if sign == "0" or not text.endswith("0"):
            break
        text = text[:-1]
    text = text.rstrip(".") if places else text
    return text if text.strip("-0.") else text.lstrip("-")


def _literal(part: str) -> str:
    """What a format writes beside the digits: units, currencies, blanks, the percent sign."""
    text = _LITERAL.sub(lambda found: "".join(filter(None, found.groups())) or " ", part)
    return re.sub(r"[()#?0@*_-]", "", text)


def plain(value: float) -> str:
    """Up to 12 significant digits, never with an exponent."""
    if isinstance(value, int):
        return str(value)
    text = format(Decimal(format(value, ".12g")), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Merged:
    """Cells that are shown as one; rows and columns from 0, the last ones included."""

    top: int
    left: int
    bottom: int
    right: int


def written_out(grid: list[list[str]], merged: Iterable[Merged]) -> list[list[str]]:
    """The grid with merged cells repeated where a reader sees them: down a column, over columns.

    Two header rows, of which the upper one spans columns, become one: ``Plan 2026``.
    """
    left = _MOST_FILLED
    ranges = list(merged)
    for cells in ranges:
        for row in range(cells.top + 1, min(cells.bottom, len(grid) - 1) + 1):
            value = _at(grid, cells.top, cells.left)
            if not value or left <= 0:
                break
            left -= 1
            grid[row] += [""] * (cells.left + 1 - len(grid[row]))
            grid[row][cells.left] = value
    for top in sorted({c.top for c in ranges if c.right > c.left and c.top + 1 < len(grid)}):
        spans = [c for c in ranges if c.top == top and c.right > c.left and c.bottom == top]
        if _is_double_header(grid, top, spans):
            grid[top + 1] = _joined(grid, top, spans)
            grid[top] = []
    return grid


def _is_double_header(grid: list[list[str]], top: int, spans: list[Merged]) -> bool:
    upper, lower = grid[top], grid[top + 1]
    if sum(map(bool, upper)) < 2 or any(re.search(r"\d{3}|\d[.,]\d", name) for name in lower):
        return False
    return bool(spans) and all(
        sum(bool(_at(grid, top + 1, column)) for column in range(span.left, span.right + 1)) > 1
        for span in spans
        if _at(grid, top, span.left)
    )


def _joined(grid: list[list[str]], top: int, spans: list[Merged]) -> list[str]:
    upper = list(grid[top])
    for span in spans:
        upper += [""] * (span.right + 1 - len(upper))
        upper[span.left : span.right + 1] = [upper[span.left]] * (span.right - span.left + 1)
    lower = [_at(grid, top + 1, column) for column in range(len(upper))] + grid[top + 1][
        len(upper) :
    ]
    upper += [""] * (len(lower) - len(upper))
    return [
        above if above == below else " ".join(filter(None, (below, above)))
        for above, below in zip(upper, lower, strict=True)
    ]


def tables(grid: list[list[str]]) -> list[list[list[str]]]:
    """Tables that stand side by side, from left to right; else the grid as it is.

    They are parted by an empty column and begin or end in different rows.
    """
    width = max(map(len, grid), default=0)
    used = {column for row in grid for column, cell in enumerate(row) if cell}
    full = [column in used for column in range(width)]
    starts = [c for c in range(width) if full[c] and (c == 0 or not full[c - 1])]
    ends = [next((e for e in range(start, width) if not full[e]), width) for start in starts]
    parts = [[row[a:b] for row in grid] for a, b in zip(starts, ends, strict=True)]
    if len(parts) < 2 or any(b - a < 2 for a, b in zip(starts, ends, strict=True)):
        return [grid]
    filled = [[number for number, row in enumerate(part) if any(row)] for part in parts]
    spans = {(rows[0], rows[-1]) for rows in filled}
    return parts if len(spans) == len(parts) else [grid]


def _at(grid: list[list[str]], row: int, column: int) -> str:
    return grid[row][column] if column < len(grid[row]) else ""
