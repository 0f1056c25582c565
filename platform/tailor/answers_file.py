"""A file of rows with their answers, taken from one machine to another; JSON, one value a line.

    head      where it comes from, and digests of the questions and documents it is about
    row       the record of a run, without what only its own machine has
    answer    to a question of the benchmark, as it was stored; after its row
    end       a digest of all lines before, so that a cut file is known

What is read is somebody else's: every value is checked before anything is done with it.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from tailor.assistant import Answer
from tailor.errors import TailorError
from tailor.newer import of_json
from tailor.run import Step

VERSION = 1
"""Of the file; raised when an older Tailor would misread it."""
_LONGEST = 16 << 20
"""Bytes of a line."""
_LONGEST_NAME = 300
_MOST_REPEATS = 1000
_LARGEST = 1 << 53
_ROW = re.compile(r"\w+(:[\w-]+)?")
_DIGEST = re.compile("[0-9a-f]{16}")
T = TypeVar("T")


@dataclass(frozen=True)
class Head:
    """Where the rows come from, and what they are about."""

    origin: str
    """What the machine is called."""
    task: str
    benchmark: str
    """Digest of all questions and their accepted answers."""
    documents: str | None
    """Digest of the documents that were searched; None where no row searched any."""
    versions: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A run's record, as far as it says something on another machine."""

    row: str
    model: str
    previous: str | None
    base: str | None
    on: str
    lineage: tuple[Step, ...]
    fingerprint: str
    position: int
    started: str
    versions: Mapping[str, str]
    notes: tuple[str, ...]
    repeats: int
    chosen_by: int | None
    retrieves: bool
    """Whether it searched the documents."""
    seconds: float
    """Wall time of asking."""
    answers: int
    """How many follow."""


@dataclass(frozen=True)
class Given:
    """One answer of the row before it."""

    question: str
    """Its id."""
    repeat: int
    answer: Answer


Line = Head | Row | Given
_KINDS: Mapping[str, type] = {"head": Head, "row": Row, "answer": Given}


def write(path: Path, lines: Iterable[Line]) -> None:
    """Write a file as a whole, or not at all.

    Raises:
        TailorError: it cannot be written.
    """
    names = {kind: name for name, kind in _KINDS.items()}
    seen = hashlib.sha256()
    part = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, part = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with os.fdopen(handle, "wb") as file:
            for line in lines:
                version = {"schema_version": VERSION} if isinstance(line, Head) else {}
                raw = _dump({"kind": names[type(line)], **version, **asdict(line)})
                seen.update(raw)
                file.write(raw)
            file.write(_dump({"kind": "end", "sha256": seen.hexdigest()}))
        Path(part).chmod(0o644)
        os.replace(part, path)
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); free disk space or permissions, then "
            "run the same command again."
        ) from None
    finally:
        if part:
            with suppress(OSError):
                os.unlink(part)


def read(path: Path) -> Iterator[Line]:
    """The head, then each row with its answers behind it.

    Raises:
        TailorError: there is no such file, a value in it is not what it should be, or, once all
            that is there was given, it is cut off or was changed.
        NewerVersion: a newer version of Tailor wrote it.
    """
    seen = hashlib.sha256()
    number = 0
    try:
        with path.open("rb") as file:
            while raw := file.readline(_LONGEST + 1):
                number += 1
                told = _told(raw)
                if told["kind"] == "end" and number > 1:
                    if told.get("sha256") != seen.hexdigest() or file.read(1):
                        raise ValueError("the lines before it are not those that were written")
                    return
                seen.update(raw)
                yield _line(told, number, path)
    except OSError as error:
        raise TailorError(f"{path} cannot be read ({error.strerror}); see to its path.") from None
    except (ValueError, RecursionError) as error:
        reason = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise TailorError(
            f"{path}:{number}: these are no answers that `tailor export answers` has written, or "
            f"they were changed since ({reason[:200]}): export and copy them again."
        ) from None
    raise TailorError(
        f"{path} ends in the middle, after line {number}: copy it again, whole, or export it anew."
    )


def _told(raw: bytes) -> dict[str, Any]:
    if len(raw) > _LONGEST:
        raise ValueError("the line is too long")
    if not raw.endswith(b"\n"):
        raise ValueError("the line is cut off")
    told = json.loads(raw.decode("utf-8"), parse_constant=_no_number)
    if not isinstance(told, dict) or told.get("kind") not in (*_KINDS, "end"):
        raise ValueError("it is of no kind that is known")
    return told


def _line(told: dict[str, Any], number: int, path: Path) -> Line:
    kind = _KINDS.get(told.pop("kind"))
    if kind is None or (kind is Head) != (number == 1):
        raise ValueError("it stands in the wrong place")
    if kind is Head:
        line: Line = _as(Head, of_json(told, VERSION, path))
    else:
        line = _as(kind, told)
    if isinstance(line, Row):
        _row(line)
    elif isinstance(line, Given):
        _given(line)
    return line


def _row(row: Row) -> None:
    names = [row.row, *(step.row for step in row.lineage), *filter(None, [row.previous])]
    stages = [step.stage for step in row.lineage]
    prints = [row.fingerprint, *filter(None, [row.base])]
    if not stages or not all(map(_ROW.fullmatch, (*names, *stages))):
        raise ValueError("it names no row")
    if not all(map(_DIGEST.fullmatch, prints)):
        raise ValueError("a fingerprint is none")
    if not 0 < len(row.model) <= _LONGEST_NAME or not row.model.isprintable():
        raise ValueError("it names no model")
    if not 1 <= row.repeats <= _MOST_REPEATS or min(row.answers, row.position, row.seconds) < 0:
        raise ValueError("a number is out of bounds")


def _given(given: Given) -> None:
    own = given.answer
    amounts = own.input_tokens, own.output_tokens, own.seconds, own.cost_usd or 0, own.dropped
    spans = [(passage.start, passage.end) for passage in own.passages]
    if min(*amounts, given.repeat) < 0 or any(not 0 <= start <= end for start, end in spans):
        raise ValueError("a number is out of bounds")


def _as(kind: type[T], told: object) -> T:
    """The value as this dataclass, each field of the type it is declared with."""
    # mypy has no name for "a dataclass", which each kind is.
    known = {field.name: field for field in fields(kind)}  # type: ignore[arg-type]
    needed = {name for name, field in known.items() if field.default is MISSING}
    if not isinstance(told, dict) or not needed <= told.keys() <= known.keys():
        raise ValueError(f"it is no {kind.__name__.lower()} as this version writes it")
    hints = get_type_hints(kind)
    return kind(**{name: _typed(own, hints[name], name) for name, own in told.items()})


def _typed(value: Any, hint: Any, name: str) -> Any:
    origin, arguments = get_origin(hint), get_args(hint)
    if hint is Any:
        _dump(value)  # half a character cannot be stored
        return value
    if origin in (Union, UnionType):
        if value is None and type(None) in arguments:
            return None
        return _typed(value, next(a for a in arguments if a is not type(None)), name)
    if origin is tuple and isinstance(value, list):
        return tuple(_typed(one, arguments[0], name) for one in value)
    if origin in (dict, Mapping) and isinstance(value, dict):
        return {_typed(key, str, name): _typed(v, arguments[1], name) for key, v in value.items()}
    if origin is Literal and value in arguments:
        return value
    if is_dataclass(hint):
        return _as(hint, value)  # type: ignore[arg-type]  # is_dataclass admits instances, too
    if hint is str and isinstance(value, str):
        value.encode()
        return value
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if hint is float and number and abs(value) < _LARGEST:  # neither NaN nor infinite
        return float(value)
    if (hint is int and number and isinstance(value, int) and abs(value) < _LARGEST) or (
        hint is bool and isinstance(value, bool)
    ):
        return value
    raise ValueError(f"{name} is {value!r:.60}")


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


def _dump(value: object) -> bytes:
    return f"{json.dumps(value, ensure_ascii=False, allow_nan=False)}\n".encode()
