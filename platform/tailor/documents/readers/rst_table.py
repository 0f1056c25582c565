"""Tables in reStructuredText as rows ``| a | b |``."""

import csv
import re
from collections.abc import Iterator, Mapping

from tailor.documents.readers.rows import bars

_BORDER = re.compile(r"\+(?:[-=]+\+)+")
_RULE = re.compile(r"=+(?: +=+)+")


def is_grid(lines: list[str], at: int) -> bool:
    """Whether a table drawn with ``+---+`` starts here."""
    return _BORDER.fullmatch(lines[at].strip()) is not None


def is_simple(lines: list[str], at: int) -> bool:
    """Whether a table between ``=== ===`` starts here."""
    return _RULE.fullmatch(lines[at].strip()) is not None


def grid(lines: list[str], at: int) -> tuple[list[str], int]:
    """The rows of a drawn table, and where it ends; a cell's lines become one."""
    rows: list[str] = []
    cells: list[str] = []
    while at < len(lines) and lines[at].strip().startswith(("+", "|")):
        line = lines[at].strip()
        if line.startswith("+"):
            if any(cells):
                rows.append(bars(cells))
            cells = []
        else:
            parts = line.strip("|").split("|")
            cells += [""] * (len(parts) - len(cells))
            cells = [f"{cell} {part}" for cell, part in zip(cells, parts, strict=False)]
        at += 1
    if any(cells):
        rows.append(bars(cells))
    return rows, at


def simple(lines: list[str], at: int) -> tuple[list[str], int]:
    """The rows between rules of ``===``, and where they end; without a first cell a row goes on."""
    starts = [match.start() for match in re.finditer(r"=+", lines[at])]
    spans = list(zip(starts, [*starts[1:], None], strict=True))
    rows: list[list[str]] = []
    at += 1
    while at < len(lines):
        line = lines[at]
        at += 1
        if _RULE.fullmatch(line.strip()):
            if at >= len(lines) or not lines[at].strip():
                break
        elif line.strip() and not re.fullmatch(r"[-\s]+", line):
            cells = [line[start:end].strip() for start, end in spans]
            if cells[0] or not rows:
                rows.append(cells)
            else:
                rows[-1] = [f"{a} {b}" for a, b in zip(rows[-1], cells, strict=True)]
    return [bars(row) for row in rows], at


def csv_table(body: list[str], options: Mapping[str, str]) -> Iterator[str]:
    """The rows of a ``csv-table``, its header first."""
    delimiter = {"tab": "\t", "space": " "}.get(options.get("delim", ""), options.get("delim", ","))
    lines = filter(str.strip, [options.get("header", ""), *body])
    for row in csv.reader(lines, delimiter=delimiter or ",", skipinitialspace=True):
        yield bars(row)


def list_table(body: list[str], options: Mapping[str, str]) -> Iterator[str]:
    """The rows of a ``list-table``: lists of cells in a list."""
    del options
    rows: list[list[str]] = []
    for line in body:
        if match := re.match(r"\* +- ?(.*)", line):
            rows.append([match[1]])
        elif rows and (match := re.match(r" +- ?(.*)", line)):
            rows[-1].append(match[1])
        elif rows and line.strip():
            rows[-1][-1] += f" {line.strip()}"
    for row in rows:
        yield bars(row)
