"""Tables in passages: rows picked by what stands in their columns, and reckoned with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from tailor.documents.passages import Passage
from tailor.prompting.calculator import CalculationError, number, written
from tailor.text import fold, nfc

How = Literal["sum", "average", "min", "max", "count", "list"]
Operator = Literal["=", "!=", "<", "<=", ">", ">=", "contains"]

MOST = 200
"""Rows that are told one by one."""

_PAIR = re.compile(r"\s*([^:;|]{1,80}?):\s+(.+)")
_RULE = re.compile(r"[\s|:+-]+")
_VALUE = re.compile(r"[-−–]?\s*\d[\d.,\u00a0\u202f ]*")
_WAYS: Mapping[str, How] = {
    **{way: way for way in get_args(How)},
    "avg": "average", "mean": "average", "minimum": "min", "maximum": "max",
    "tong": "sum", "trung binh": "average", "nho nhat": "min", "lon nhat": "max", "dem": "count",
    "liet ke": "list",
}  # fmt: skip
_QUERY = re.compile(
    r"\s*(?P<how>[^\W\d_]+(?: [^\W\d_]+)?)\s*\((?P<column>[^()]*(?:\([^()]*\)[^()]*)*)\)"
    r"(?:\s*(?:\bwhere\b|\bwith\b|\bvới\b|\bkhi\b|\bvoi\b)\s*(?P<where>.+))?\s*",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+(?:and|và|va)\s+|\s*;\s*", re.IGNORECASE)
_CONDITION = re.compile(
    r"\s*(?P<column>.+?)\s*(?P<operator><=|>=|!=|≠|≤|≥|=|<|>|\bcontains\b|\bchứa\b|\bchua\b)\s*"
    r"(?P<value>.+?)\s*",
    re.IGNORECASE,
)
_OPERATORS: Mapping[str, Operator] = {"≠": "!=", "≤": "<=", "≥": ">=", "chua": "contains"}

Row = Mapping[str, str]
"""What stands in each column, by the column's name."""


class TableError(ValueError):
    """What cannot be looked up, a sentence for whoever asked."""


@dataclass(frozen=True)
class Condition:
    """What a row must have in one column."""

    column: str
    operator: Operator
    value: str


@dataclass(frozen=True)
class LookUp:
    """What is wanted of a table: how the values of a column are put together, of which rows."""

    how: How
    column: str = ""
    """Not needed to count or to list rows."""
    where: tuple[Condition, ...] = ()


def read(text: str) -> LookUp:
    """A look-up as it is written: ``sum(Price) where Site = Huế and Year >= 2025``.

    Raises:
        TableError: it is not.
    """
    found = _QUERY.fullmatch(nfc(text).strip().rstrip("."))
    how = _WAYS.get(fold(found["how"])) if found else None
    if found is None or how is None:
        raise TableError(
            f"{text.strip()[:80]!r} is no look-up: write sum, average, min, max, count or list, "
            "then (COLUMN), then perhaps where COLUMN = VALUE and COLUMN > NUMBER."
        )
    conditions = []
    for part in _AND.split(found["where"]) if found["where"] else []:
        if (one := _CONDITION.fullmatch(part)) is None:
            raise TableError(f"{part[:80]!r} is no condition: write COLUMN = VALUE.")
        sign = fold(one["operator"])
        conditions.append(
            Condition(one["column"], _OPERATORS.get(sign, sign), one["value"].strip("\"'“”"))  # type: ignore[arg-type]
        )
    return LookUp(how, found["column"].strip(" *"), tuple(conditions))


def rows(passages: Sequence[Passage]) -> list[Row]:
    """The rows of all tables in the passages, each once, in order.

    A row is a line ``Column: value; Column: value``, or one between bars under a line of names.
    """
    found: dict[tuple[object, ...], Row] = {}
    for passage in passages:
        at = passage.start
        names: list[str] | None = None
        for line in passage.text.splitlines(keepends=True):
            row, names = _row(line.strip(), names)
            if row:
                found.setdefault((passage.document, at, *row.items()), row)
            at += len(line)
    return list(found.values())


def look_up(passages: Sequence[Passage], wanted: LookUp, lang: str = "en") -> str:
    """What a look-up gives over the rows in the passages, as text in a language.

    Columns and values are compared without case and accents, numbers as numbers.

    Raises:
        TableError: there is no table, no such column, no such row, or no number in the column.
    """
    table = rows(passages)
    if not table:
        raise TableError("The passages hold no table.")
    columns = list(dict.fromkeys(name for row in table for name in row))
    conditions = [(_column(c.column, columns), c) for c in wanted.where]
    kept = [row for row in table if all(_meets(row, name, c) for name, c in conditions)]
    if wanted.how == "count":
        return str(len(kept))
    if not kept:
        raise TableError("No row of the passages' tables is like that.")
    if wanted.how == "list":
        told = "\n".join("; ".join(f"{k}: {v}" for k, v in row.items()) for row in kept[:MOST])
        return told if len(kept) <= MOST else f"{told}\n(… {len(kept)})"
    column = _column(wanted.column, columns)
    cells = (_number(row.get(column, "")) for row in kept)
    values = [value for value in cells if value is not None]
    if not values:
        raise TableError(f"Column {column!r} holds no numbers in these rows.")
    if wanted.how == "sum":
        value = sum(values, Fraction(0))
    elif wanted.how == "average":
        value = sum(values, Fraction(0)) / len(values)
    else:
        value = (min if wanted.how == "min" else max)(values)
    rows_of = "trên {n} hàng" if lang == "vi" else "of {n} rows"
    return f"{written(value, lang)} ({rows_of.format(n=len(values))})"


def _row(line: str, names: list[str] | None) -> tuple[Row | None, list[str] | None]:
    """The row in a line, and the names of the columns for the lines that follow."""
    if line.startswith("|"):
        cells = [cell.strip() for cell in line[1:].removesuffix("|").split("|")]
        if _RULE.fullmatch(line):
            return None, names
        if names is None or len(names) != len(cells):
            return None, cells
        return {n: c for n, c in zip(names, cells, strict=True) if n and c}, names
    return dict(_pairs(line)) or None, None


def _pairs(line: str) -> Iterator[tuple[str, str]]:
    pairs = [found for part in line.split("; ") if (found := _PAIR.fullmatch(part))]
    if len(pairs) > 1:
        yield from ((pair[1].strip(), pair[2].strip()) for pair in pairs)


def _column(wanted: str, columns: Sequence[str]) -> str:
    """The column of that name, or the only one whose name holds it."""
    name = fold(nfc(wanted)).strip()
    same = [c for c in columns if fold(c) == name]
    like = same or [c for c in columns if name and name in fold(c)]
    if len(like) != 1:
        raise TableError(f"There is no column {wanted!r}; there are {', '.join(columns[:30])}.")
    return like[0]


def _meets(row: Row, column: str, condition: Condition) -> bool:
    cell, value = row.get(column), condition.value
    if cell is None:
        return False
    if condition.operator == "contains":
        return fold(nfc(value)) in fold(cell)
    left, right = _number(cell), _number(value)
    if left is None or right is None:
        same = fold(nfc(value)).strip() == fold(cell).strip()
        return same if condition.operator == "=" else condition.operator == "!=" and not same
    return {
        "=": left == right, "!=": left != right, "<": left < right,
        "<=": left <= right, ">": left > right, ">=": left >= right,
    }[condition.operator]  # fmt: skip


def _number(cell: str) -> Fraction | None:
    """The number that a cell holds, alone or with a unit; None where it holds none or several.

    Before exactly three digits a mark separates thousands, as where answers are scored.
    """
    found = [one[0].strip() for one in _VALUE.finditer(cell)]
    if len(found) != 1 or re.search(r"\w" + re.escape(found[0]), cell):
        return None
    negative = found[0][0] in "-−–"
    try:
        digits = found[0].lstrip("-−– ").rstrip(".,")
        value = number(digits, "vi" if "." in digits else "en")
    except CalculationError:
        return None
    return -value if negative else value
