"""The samples a new workspace may be filled with, and what tailor.toml says of them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tailor.config import ladder_for
from tailor.task import Task

Sample = Literal["company", "prices", "tickets"]
"""Documents of a company with questions, products with prices, or requests with labels."""
TASKS: Mapping[Sample, Task] = {"company": "answer", "prices": "number", "tickets": "label"}


def items(sample: Sample) -> list[dict[str, Any]]:
    """The products or the requests, as lines of a benchmark."""
    if sample == "prices":
        from tailor.prediction.samples.prices import prices

        return prices()
    from tailor.prediction.samples.tickets import tickets

    return tickets()


def write(sample: Sample, path: Path) -> None:
    """Write the products or the requests, one a line."""
    lines = [json.dumps(item, ensure_ascii=False) + "\n" for item in items(sample)]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), "utf-8")


def settings(sample: Sample) -> Mapping[str, Any]:
    """What tailor.toml says of the sample: task, ladder, items, and what rows build on.

    Fine-tuning learns from the bare texts, as published with the price task, not from texts among
    similar items: its lessons and prompts are a third as long.
    """
    task = TASKS[sample]
    if task == "answer":
        return {}
    money = {"currency": "USD", "good_within": (40, 0.2), "fair_within": (80, 0.4)}
    return {
        "task": task,
        "ladder": ladder_for(task),
        **({"items": money} if task == "number" else {}),
        "builds_on": {"fine_tuning": "prompting", "retrieval_tuning": "retrieval"},
    }


def toml(sample: Sample) -> tuple[str, str]:
    """The same as lines of tailor.toml: those at its top, and the tables at its end."""
    values = settings(sample)
    if not values:
        return "", ""
    top = [f'task = "{values["task"]}"', "ladder = [", *_wrapped(values["ladder"]), "]"]
    end: list[str] = []
    for table in ("items", "builds_on"):
        if own := values.get(table):
            end += ["", f"[{table}]", *(f"{key} = {json.dumps(own[key])}" for key in own)]
    return "\n".join(top) + "\n", "".join(f"{line}\n" for line in end)


def _wrapped(rows: Sequence[str]) -> list[str]:
    """Rows of the ladder, four a line."""
    return [
        "    " + " ".join(f'"{row}",' for row in rows[at : at + 4]) for at in range(0, len(rows), 4)
    ]
