"""Reads files of JSON lines."""

import json
from pathlib import Path
from typing import Any


def read_lines(path: Path) -> list[dict[str, Any]]:
    """The values of a file; a text in them may hold other ends of lines, such as U+2028."""
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]
