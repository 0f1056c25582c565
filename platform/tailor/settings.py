"""Settings: dataclass fields with a meaning, and values read into their types."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Literal, TypeVar

T = TypeVar("T")


def setting(
    default: T,
    meaning: str,
    low: float | None = None,
    high: float | None = None,
    empty: bool = False,
    long: bool = False,
    words: tuple[str, ...] = (),
) -> T:
    """A stage's setting: a dataclass field with its meaning in one line.

    ``low`` and ``high`` are the least and the greatest value, of a tuple those of each element.
    ``empty`` says that a tuple may have none, ``long`` that a text may have several lines,
    ``words`` what may stand in place of a number.
    """
    about = {
        "meaning": meaning, "low": low, "high": high, "empty": empty, "long": long, "words": words,
    }  # fmt: skip
    value: Any = field(default=default, metadata=about)
    return typing.cast(T, value)


def check(value: Any, low: float | None, high: float | None, empty: bool = False) -> None:
    """Refuse a value, or an element of a tuple, that is not within the bounds of its setting.

    Raises:
        ValueError: it is not; the message says which bound it breaks.
    """
    if isinstance(value, list | tuple) and not value and not empty:
        raise ValueError("name at least one value")
    if value is None or (low is None and high is None):
        return
    if isinstance(value, list | tuple):
        for element in value:
            check(element, low, high)
    elif isinstance(value, bool) or not isinstance(value, int | float) or math.isnan(value):
        raise ValueError(f"{value!r} is not a number")
    elif low is not None and value < low:
        raise ValueError(f"{value!r} is below {low}")
    elif high is not None and value > high:
        raise ValueError(f"{value!r} is above {high}")


def convert(value: Any, kind: Any) -> Any:
    """A value as it comes from TOML, JSON or the command line, in the type of its field.

    Raises:
        ValueError: it does not fit; the message says what would.
    """
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        none = value is None or (isinstance(value, str) and value.lower() in ("none", "null"))
        if none and type(None) in arguments:
            return None
        return _first(value, [a for a in arguments if a is not type(None)])
    if origin is Literal:
        for choice in arguments:
            if str(choice) == str(value):
                return choice
        raise ValueError(f"{value!r} is not one of {', '.join(map(str, arguments))}")
    if origin is tuple:
        parts = value
        if isinstance(value, str):
            parts = [part.strip() for part in value.split(",")] if value else []
        if not isinstance(parts, list | tuple):
            raise ValueError(f"{value!r} is not a list")
        return tuple(convert(part, arguments[0]) for part in parts)
    if kind is bool:
        word = str(value).lower() if isinstance(value, bool | str) else ""
        if word not in ("true", "false", "yes", "no", "1", "0", "on", "off"):
            raise ValueError(f"{value!r} is not true or false")
        return word in ("true", "yes", "1", "on")
    if kind in (int, float):
        what = "a whole number" if kind is int else "a number"
        try:
            number = kind(value)
        except (OverflowError, TypeError, ValueError):
            raise ValueError(f"{value!r} is not {what}") from None
        cut = kind is int and isinstance(value, float)
        endless = kind is float and not math.isfinite(number)
        if isinstance(value, bool) or cut or endless:
            raise ValueError(f"{value!r} is not {what}")
        return number
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a text")
    return value


def convert_table(values: Mapping[str, Any], kind: type[T]) -> T:
    """A table as this dataclass; what it does not name has its default.

    Raises:
        ValueError: it names what the dataclass does not have, or a value does not fit.
    """
    known = typing.get_type_hints(kind)
    if unknown := [name for name in values if name not in known]:
        raise ValueError(f"unknown key {unknown[0]!r}; known are {', '.join(known)}")
    return kind(**{name: convert(value, known[name]) for name, value in values.items()})


def _first(value: Any, kinds: list[Any]) -> Any:
    """The value in the first of the types that it fits."""
    refused = []
    for kind in kinds:
        try:
            return convert(value, kind)
        except ValueError as error:
            refused.append(str(error))
    raise ValueError(", and ".join(refused))
