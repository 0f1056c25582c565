"""Tables for other programs, CSV and Markdown, in which no text of a document or model acts."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tailor.benchmark import Split
    from tailor.run import Run
    from tailor.scoring.comparison import Comparison, SideBySide

Cell = str | int | float | None
Table = Sequence[Mapping[str, Cell]]
"""Lines with the same columns, in the same order."""

# What a spreadsheet takes for the start of a formula, also in full width; behind a semicolon, a
# tab or a line's end too, where a spreadsheet of another country sees the start of a cell.
_SPACE = "[\\s\u200b-\u200f\u2060\ufeff\x00-\x1f]"
_START = f"^|;|(?<!{_SPACE})(?:(?![\t\r\n]){_SPACE})*+[\t\r\n]"
_FORMULA = re.compile(f"((?:{_START}){_SPACE}*+)('*+[-=+@＝＋－＠])")
_BLANK = re.compile("^'*[\t\r]")
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?", re.ASCII)
_ACTIVE = re.compile(r"[\\`*_\[\]<>|~&$]|(?<=:)/|(?<=www)\.", re.IGNORECASE)
_ADDRESS = re.compile(r"@(?=[^\W\d_])")


def rows(comparison: Comparison) -> list[dict[str, Any]]:
    """One line per row; ``f1``, ``f1_low`` and ``f1_high`` for each metric."""
    lines = [_flat(row.to_json()) | {"stale": row.stale} for row in comparison.rows]
    columns = dict.fromkeys(name for line in lines for name in line)
    return [{name: line.get(name) for name in columns} for line in lines]


def told(comparison: Comparison, lang: str = "en") -> list[dict[str, Cell]]:
    """The rows with the columns and words of the table that is printed."""
    columns = comparison.table(lang).columns
    lines = zip(*([str(cell) for cell in column.cells] for column in columns), strict=True)
    names = [str(column.header) for column in columns]
    return [dict(zip(names, line, strict=True)) for line in lines]


def answers(runs: Sequence[Run], split: Split = "test") -> list[dict[str, Cell]]:
    """One line per row and question: what was asked, expected and answered, and its scores."""
    lines: list[dict[str, Cell]] = []
    for run in runs:
        scored, given = run.scored(split), run.answers(split)
        for question in scored.questions:
            answer, graded = given.get(question.id), scored.answers.get(question.id)
            lines.append(
                {
                    "row": run.row,
                    "model": run.model,
                    "split": split,
                    "id": question.id,
                    "question": question.question,
                    "expected": " / ".join(question.answers),
                    "lang": question.lang,
                    "tags": ", ".join(question.tags),
                    "outcome": answer.outcome if answer else "not asked",
                    "answer": answer.text if answer else None,
                    "error": answer.error if answer else None,
                    "sources": "; ".join(p.source for p in answer.passages) if answer else None,
                    "seconds": answer.seconds if answer else None,
                    "input_tokens": answer.input_tokens if answer else None,
                    "output_tokens": answer.output_tokens if answer else None,
                    "cost_usd": answer.cost_usd if answer else None,
                    "stale": run.stale(),
                    **(graded.scores if graded else {}),
                }
            )
    columns = dict.fromkeys(name for line in lines for name in line)
    return [{name: line.get(name) for name in columns} for line in lines]


def pairs(items: Sequence[SideBySide], base: str, candidate: str) -> list[dict[str, Cell]]:
    """One line per question with the answers of two rows."""
    from tailor.scoring.changes import change

    return [
        {
            "id": item.question.id,
            "question": item.question.question,
            "expected": " / ".join(item.question.answers),
            "change": change(item),
            "delta": item.delta,
            f"{base} answer": item.base.text if item.base else None,
            f"{base} score": item.base_score,
            f"{candidate} answer": item.candidate.text if item.candidate else None,
            f"{candidate} score": item.candidate_score,
        }
        for item in items
    ]


def to_csv(table: Table) -> str:
    """The table as CSV (RFC 4180): None is empty, numbers are numbers, texts stay texts.

    A text that a spreadsheet would run as a formula gets an apostrophe before the sign that starts
    it, at the beginning of a cell and of each line and part within; plain numbers do not.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if table:
        writer.writerow([harmless(name) for name in table[0]])
        writer.writerows([harmless(cell) for cell in line.values()] for line in table)
    return out.getvalue()


def harmless(cell: Cell) -> Cell:
    """A cell that no spreadsheet runs."""
    if not isinstance(cell, str) or _NUMBER.fullmatch(cell):
        return cell
    return _BLANK.sub(r"'\g<0>", _FORMULA.sub(r"\1'\2", cell))


def to_markdown(table: Table) -> str:
    """The table in Markdown, every text shown letter by letter: no link, picture or HTML acts."""
    if not table:
        return ""
    head = [_line(table[0]), _line(["---" for _ in table[0]], as_is=True)]
    return "\n".join([*head, *(_line(line.values()) for line in table)]) + "\n"


def _line(cells: Any, as_is: bool = False) -> str:
    return "| " + " | ".join(cell if as_is else _shown(cell) for cell in cells) + " |"


def _shown(cell: Cell) -> str:
    if cell is None:
        return ""
    if not isinstance(cell, str):
        return f"{cell:.6g}" if isinstance(cell, float) else str(cell)
    parts = [_ACTIVE.sub(r"\\\g<0>", part.strip()) for part in cell.splitlines()]
    return _ADDRESS.sub("@<!-- -->", "<br>".join(parts))  # no address or name becomes a link


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    """An entry of ``stages`` in the JSON as one line of cells."""
    metrics, step = entry.pop("metrics"), entry.pop("vs_previous")
    line: dict[str, Any] = {}
    for name, value in entry.items():
        line |= {name: value} if not isinstance(value, dict) else _named(name, value)
    for name, value in metrics.items():
        line |= _interval(name, "mean", value)
    if step is None:
        return line | dict.fromkeys(("vs_row", "delta", "delta_low", "delta_high", "p", "verdict"))
    told = {name: step[name] for name in ("p", "verdict")}
    return line | {"vs_row": step["row"]} | _interval("delta", "delta", step) | told


def _named(name: str, value: dict[str, Any]) -> dict[str, Any]:
    """A value with parts: ``latency_s_p50``, ``outcomes_refused_count``."""
    if "ci95" in value:
        return _interval(name, "mean", value)
    line: dict[str, Any] = {}
    for part, own in value.items():
        full = f"{name}_{part}"
        line |= _named(full, own) if isinstance(own, dict) else {full: own}
    return line


def _interval(name: str, middle: str, value: dict[str, Any]) -> dict[str, Any]:
    low, high = value["ci95"] or (None, None)
    return {name: value[middle], f"{name}_low": low, f"{name}_high": high}
