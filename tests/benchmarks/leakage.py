"""What the leakage guard catches, by how a test question was changed, and what it takes for a leak.

    python tests/benchmarks/leakage.py

On the sample company. The test questions are planted word for word and in forms that a program
can make; paraphrases in the same and translations into the other language were written by hand for
48 of them (tests/benchmarking/planted.jsonl). Each is planted with its evidence, and with nothing
but its answer. False alarms are counted on the train and dev questions as they are.
"""

from __future__ import annotations

import json
import random
import unicodedata
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tailor.benchmark import Benchmark, Question
from tailor.benchmarking.leakage import Guard
from tailor.initialize import sample_folder
from tailor.text import fold

PLANTED = Path(__file__).parents[1] / "benchmarking" / "planted.jsonl"


def reordered(text: str) -> str:
    """The words in another order, the same one every time."""
    given = text.split()
    random.Random(text).shuffle(given)
    return " ".join(given)


def wrapped(text: str) -> str:
    """The question inside a longer text."""
    return f"Please help me with the following, thank you: {text} Answer in one line."


def mistyped(text: str) -> str:
    """One letter in twelve left out."""
    draw = random.Random(text)
    return "".join(c for c in text if draw.random() > 1 / 12)


FORMS: dict[str, Callable[[str], str]] = {
    "exact": lambda text: text,
    "Unicode form (NFD)": lambda text: unicodedata.normalize("NFD", text),
    "letter case": str.upper,
    "white space": lambda text: "\n".join(text.split()),
    "no accents": fold,
    "reordered": reordered,
    "in a longer text": wrapped,
    "mistyped": mistyped,
}


def main() -> None:
    """Print the table."""
    questions = Benchmark.load(sample_folder() / "benchmark.jsonl").questions
    test = [q for q in questions if q.split == "test"]
    known = {q.id: q for q in test}
    guard = Guard(test)
    table = Table("planted", "n", "caught with evidence", "with the answer alone", "recognized as")
    for name, form in FORMS.items():
        row(table, guard, name, [replace(q, question=form(q.question)) for q in test])
    planted = [json.loads(line) for line in PLANTED.read_text("utf-8").splitlines()]
    for name in ("paraphrase", "translation"):
        items = [replace(known[p["id"]], question=p[name]) for p in planted]
        for lang in ("en", "vi"):
            row(table, guard, f"{name} of {lang}", [i for i in items if i.lang == lang])
    console = Console(width=140)
    console.print(table)
    others = [q for q in questions if q.split != "test"]
    for what, items in (
        ("as they are", others),
        ("their evidence taken away", [replace(q, evidence=()) for q in others]),
    ):
        alarms = guard.leaks(items)
        console.print(
            f"False alarms on {len(items)} train and dev questions, {what}: {len(alarms)} "
            f"({len(alarms) / len(items):.1%}). {', '.join(map(str, alarms))}"
        )


def row(table: Table, guard: Guard, name: str, items: Sequence[Question]) -> None:
    """One line: how many are caught with their evidence and without, and as what."""
    leaks = guard.leaks(items)
    alone = guard.leaks([replace(item, evidence=()) for item in items])
    kinds = Counter(leak.kind for leak in leaks).most_common(3)
    table.add_row(
        name,
        str(len(items)),
        f"{len(leaks) / len(items):.1%}",
        f"{len(alone) / len(items):.1%}",
        ", ".join(f"{count} {kind}" for kind, count in kinds),
    )


if __name__ == "__main__":
    main()
