"""JSON: readable ``key: value`` lines; each object of a list is a block of its own."""

import json
from collections.abc import Iterator
from typing import Any

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.refusal import Refused


class Reader(FileReader):
    """Yields the scalars at the top as one unit, then a unit per list of objects."""

    def lazy_load(self) -> Iterator[Document]:
        """Units whose place is the path of the list in the file."""
        text, note = decode(self.content)
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            values = _line_by_line(text)
            if len(values) < 2:
                raise Refused(f"broken: not JSON ({error.msg} in line {error.lineno})") from None
            value = values
        return units(value, note=note)


def _line_by_line(text: str) -> list[Any]:
    """The values of JSON Lines under another name; empty where a line is not JSON."""
    try:
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except json.JSONDecodeError:
        return []


def units(value: Any, path: str = "", note: str = "") -> Iterator[Document]:
    """The readable units of a JSON value."""
    own, lists = _lines(value, "")
    if own:
        yield unit("\n".join(own), path, note=note)
    for name, objects in lists:
        place = f"{path} > {name}" if path and name else path or name
        yield unit("\n\n".join(filter(None, map(block, objects))), place, note=note)


def block(value: Any) -> str:
    """One object as lines, nested lists of objects after its own lines."""
    own, lists = _lines(value, "")
    for name, objects in lists:
        for number, item in enumerate(objects, 1):
            inner = block(item).splitlines()
            own += [f"{name} {number}" if name else str(number), *(f"  {line}" for line in inner)]
    return "\n".join(own)


def _lines(value: Any, path: str) -> tuple[list[str], list[tuple[str, list[Any]]]]:
    """``path: value`` lines, and the lists of objects with their paths."""
    label = f"{path}: " if path else ""
    if isinstance(value, dict):
        lines: list[str] = []
        lists: list[tuple[str, list[Any]]] = []
        for key, item in value.items():
            inner = _lines(item, f"{path}.{key}" if path else str(key))
            lines += inner[0]
            lists += inner[1]
        return lines, lists
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            return [], [(path, value)]
        return ([f"{label}{', '.join(map(scalar, value))}"] if value else []), []
    return ([] if value is None or value == "" else [f"{label}{scalar(value)}"]), []


def scalar(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return "" if value is None else str(value).strip()
