"""The items of tasks ``number`` and ``label``: rows of a table or a dataset as questions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tailor.benchmark import Benchmark, Line, Problem, Question, Split, as_line
from tailor.config import Items
from tailor.errors import TailorError
from tailor.prediction.parsing import canonical, number
from tailor.task import Task

_TEXT = ("question", "text", "description", "title")
_ANSWER = ("answer", "number", "price", "label")
_SPLITS: Mapping[str, Split] = {
    "train": "train", "training": "train", "dev": "dev", "val": "dev", "valid": "dev",
    "validation": "dev", "test": "test",
}  # fmt: skip


def load(root: Path, task: Task, items: Items) -> Benchmark:
    """The items that tailor.toml names, as questions whose answer is the number or the label.

    Those that cannot be used are named in ``problems``. Items without a split are given one by
    `tailor.benchmarking.splitting.ITEM_SHARES`, nearly the same texts together.

    Raises:
        TailorError: the file or dataset cannot be read, lacks a column, or holds no usable item.
        UsageError: it is of no kind that is read.
    """
    path, lines, problems = read(root, task, items)
    return Benchmark.of(path, lines, problems, task)


def read(root: Path, task: Task, items: Items) -> tuple[Path, list[Line], list[Problem]]:
    """Where the items are, each as a line of a benchmark, and those that cannot be used.

    Raises:
        TailorError: the file or dataset cannot be read, lacks a column, or holds no usable item.
        UsageError: it is of no kind that is read.
    """
    from tailor.benchmarking.rows import rows

    path = root / items.path
    entries = list(rows(items.dataset or str(path), named=True))
    path = Path(items.dataset) if items.dataset else path
    seen = list(dict.fromkeys(name for _, entry in entries for name in entry))
    text = _column(path, seen, items.text, _TEXT, "text")
    answer = _column(path, seen, items.answer, _ANSWER, "answer")
    lines: list[Line] = []
    problems: list[Problem] = []
    for at, entry in entries:
        try:
            lines.append(_line(at, entry, text, answer, task, items))
        except ValueError as error:
            problems.append(Problem(path, at, str(error)))
    return path, lines, problems


def truth(question: Question) -> float:
    """The number that an item stands for."""
    return float(question.answers[0])


def _column(path: Path, seen: Sequence[str], named: str, usual: Sequence[str], setting: str) -> str:
    if named in seen:
        return named
    if not named and (found := next((name for name in usual if name in seen), None)):
        return found
    if not seen:
        raise TailorError(f"{path} holds no items: write one a line.")
    raise TailorError(
        f"{path} has no column {named or ' or '.join(usual)!r}; it has {', '.join(seen)}: set "
        f"items.{setting} in tailor.toml."
    )


def _line(
    at: int, entry: Mapping[str, Any], text: str, answer: str, task: Task, items: Items
) -> Line:
    wording = entry.get(text)
    written: dict[str, Any] = {"question": wording.strip() if isinstance(wording, str) else wording}
    lang = entry.get(items.lang)
    if lang:
        written["lang"] = lang
    value = entry.get(answer)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    written["answer"] = (
        _number(value, items, str(lang or "")) if task == "number" else _label(value)
    )
    if (id := entry.get(items.id)) not in (None, ""):
        written["id"] = id
    if named := str(entry.get(items.split) or "").casefold():
        if named not in _SPLITS:
            raise ValueError(f'"{items.split}" is {named!r}; it must be train, dev or test')
        written["split"] = _SPLITS[named]
    if tags := entry.get("tags") or entry.get("category"):
        written["tags"] = tags if isinstance(tags, list) else [str(tags)]
    if status := entry.get("status"):
        written["status"] = status
    return as_line(written, at)


def _number(value: Any, items: Items, lang: str) -> str:
    if isinstance(value, str):
        found = number(value, items.currency, items.unit, lang)
    else:
        found = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    if found is None or not abs(found) < float("inf"):
        raise ValueError(f"{value!r} is not a number")
    return canonical(found)


def _label(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise ValueError(f"{value!r} is not a label")
    return str(value).strip()
