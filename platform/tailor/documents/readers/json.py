"""JSON: readable ``key: value`` lines; each object of a list is a block of its own."""

import html
import json
import re
from collections.abc import Iterator
from typing import Any

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.refusal import Refused

_MOST_NUMBERS = 50
"""A longer list of nothing but numbers, as a vector, is no text: its length is told."""
_SPACE = re.compile(r"\s*")
_MARKUP = re.compile(r"</(?:p|div|span|b|i|a|li|ul|td|table|strong|em|h[1-6])>|<br */?>", re.I)
_LINE_END = re.compile(r"<br */?>|</(?:p|div|li|tr|table|h[1-6])>", re.I)
_CELL_END = re.compile(r"</t[dh]>", re.I)
_HIDDEN = re.compile(r"<(script|style)\b.*?</\1>|<!--.*?-->", re.I | re.S)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>")
_DATA = re.compile(r"(?:data:[\w/+.-]+;base64,)?[A-Za-z0-9+/_=\r\n-]{400,}")


class Reader(FileReader):
    """Yields the scalars at the top as one unit, then a unit per list of objects."""

    def lazy_load(self) -> Iterator[Document]:
        """Units whose place is the path of the list in the file."""
        text, note = decode(self.content)
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            value = _several(text)
            if len(value) < 2:
                raise Refused(f"broken: not JSON ({error.msg} in line {error.lineno})") from None
        except RecursionError:
            raise _too_deep() from None
        try:
            yield from list(units(value, note=note))
        except RecursionError:
            raise _too_deep() from None


def _too_deep() -> Refused:
    return Refused("it is nested too deeply to be read; split it")


def _several(text: str) -> list[Any]:
    """The values of a file in which one follows another; empty where something is no JSON."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    rest = len(text) - len(text.lstrip())
    try:
        while rest < len(text):
            value, end = decoder.raw_decode(text, rest)
            values.append(value)
            space = _SPACE.match(text, end)
            rest = space.end() if space else end
    except json.JSONDecodeError:
        return []
    return values


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
            inner = _lines(item, f"{path}.{key}" if path and key else path or str(key))
            lines += inner[0]
            lists += inner[1]
        return lines, lists
    if isinstance(value, list):
        if any(isinstance(item, dict | list) for item in value):
            return [], [(path, value)]
        if len(value) > _MOST_NUMBERS and all(isinstance(item, int | float) for item in value):
            return [f"{label}({len(value):,} numbers)"], []
        return ([f"{label}{', '.join(map(scalar, value))}"] if value else []), []
    return ([] if value is None or value == "" else [f"{label}{scalar(value)}"]), []


def scalar(value: Any) -> str:
    """A value as a person reads it."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, str) and _DATA.fullmatch(value):
        return f"({len(value):,} characters of data)"
    if isinstance(value, str) and _MARKUP.search(value):
        return without_markup(value)
    return "" if value is None else str(value).strip()


def without_markup(value: str) -> str:
    """The text of a value in HTML, as exports of web pages hold."""
    value = _CELL_END.sub(" | ", _LINE_END.sub("\n", _HIDDEN.sub("", value)))
    lines = (" ".join(line.split()) for line in html.unescape(_TAG.sub("", value)).split("\n"))
    return "\n".join(line.removesuffix(" |") for line in lines if line)
