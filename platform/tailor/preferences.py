"""Which of two answers a person found better: kept to learn from, beside the benchmark."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tailor.errors import TailorError
from tailor.fault import hit

FILE = "preferences.jsonl"


@dataclass(frozen=True)
class Choice:
    """One of the two answers."""

    row: str
    model: str
    text: str
    prompt: tuple[tuple[str, str], ...] = ()
    """What the model was given, as (role, content); empty where no chat model was asked."""


@dataclass(frozen=True)
class Preference:
    """A question with the better and the worse of two answers."""

    question: str
    chosen: Choice
    rejected: Choice
    at: str = ""
    """ISO 8601, UTC."""


def prefer(knowledge: Path, question: str, chosen: Choice, rejected: Choice) -> Preference:
    """Append a person's preference to ``knowledge/preferences.jsonl``; a later one may differ.

    Raises:
        TailorError: the file cannot be written.
    """
    from filelock import FileLock

    preference = Preference(
        question, chosen, rejected, datetime.now(UTC).isoformat(timespec="seconds")
    )
    path = knowledge / FILE
    line = json.dumps(asdict(preference), ensure_ascii=False) + "\n"
    try:
        knowledge.mkdir(parents=True, exist_ok=True)
        state = knowledge.parent / ".tailor"
        state.mkdir(exist_ok=True)
        with FileLock(state / "preferences.lock"), path.open("ab+") as file:
            if file.seek(0, os.SEEK_END):
                file.seek(-1, os.SEEK_END)
                # Else this line would be lost with one that was half written.
                line = line if file.read(1) == b"\n" else f"\n{line}"
            hit("preference.before")
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
            hit("preference.after")
    except OSError as error:
        raise TailorError(
            f"{path} cannot be written ({error.strerror}); free disk space or permissions, then "
            "choose again."
        ) from None
    return preference


def preferences(knowledge: Path) -> tuple[Preference, ...]:
    """All preferences in the order they were given; a half-written line is left out.

    Raises:
        TailorError: the file cannot be read.
    """
    return tuple(one for one in _lines(knowledge) if isinstance(one, Preference))


def unreadable(knowledge: Path) -> tuple[int, ...]:
    """The numbers of the lines that hold no whole preference.

    Raises:
        TailorError: the file cannot be read.
    """
    return tuple(one for one in _lines(knowledge) if isinstance(one, int))


def _lines(knowledge: Path) -> tuple[Preference | int, ...]:
    """The preference of each line that is not empty; its number where it holds none."""
    path = knowledge / FILE
    try:
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise TailorError(f"{path} cannot be read ({error.strerror}).") from None
    found: list[Preference | int] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            item = json.loads(line)
            sides = _choice(item["chosen"]), _choice(item["rejected"])
            found.append(Preference(str(item["question"]), *sides, str(item.get("at", ""))))
        except (ValueError, TypeError, KeyError):
            found.append(number)
    return tuple(found)


def _choice(item: Mapping[str, Any]) -> Choice:
    prompt = tuple((str(role), str(content)) for role, content in item.get("prompt", ()))
    return Choice(item["row"], item["model"], item["text"], prompt)
