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
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())
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
    path = knowledge / FILE
    try:
        text = path.read_text("utf-8", errors="replace")
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise TailorError(f"{path} cannot be read ({error.strerror}).") from None
    found = []
    for line in filter(str.strip, text.split("\n")):
        try:
            item = json.loads(line)
            sides = _choice(item["chosen"]), _choice(item["rejected"])
            found.append(Preference(str(item["question"]), *sides, str(item["at"])))
        except (ValueError, TypeError, KeyError):
            continue
    return tuple(found)


def _choice(item: Mapping[str, Any]) -> Choice:
    prompt = tuple((str(role), str(content)) for role, content in item["prompt"])
    return Choice(item["row"], item["model"], item["text"], prompt)
