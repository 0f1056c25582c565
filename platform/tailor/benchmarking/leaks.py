"""Train questions that give away dev or test questions, and dev questions test ones."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tailor.benchmark import Line
from tailor.benchmarking.facts import shared
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.leakage import Guard
from tailor.text import nfc


def leaks(lines: Sequence[Line]) -> Iterator[Finding]:
    """What the leakage guard finds between the splits, then facts that stand on both sides."""
    numbers = {line.question.id: line.number for line in lines}
    by_split = {
        name: [line.question for line in lines if line.question.split == name]
        for name in ("train", "dev", "test")
    }
    told: set[str] = set()
    held = [*by_split["test"], *by_split["dev"]]
    for items, against in ((by_split["train"], held), (by_split["dev"], by_split["test"])):
        for leak in Guard(against).leaks(items):
            kind = "leak_meaning" if leak.kind == "meaning" else "leak"
            told.add(leak.item.id)
            values = {
                "split": leak.item.split,
                "held": leak.held.split,
                "other": numbers[leak.held.id],
                "how": leak.kind,
            }
            yield Finding(kind, numbers[leak.item.id], leak.item.id, values)
    for question in by_split["train"]:
        documents = {nfc(e.document) for e in question.evidence}
        for other in held:
            if (
                question.id not in told
                and any(nfc(e.document) in documents for e in other.evidence)
                and shared(question, other) == "fact"
            ):
                told.add(question.id)
                values = {"split": "train", "held": other.split, "other": numbers[other.id]}
                yield Finding("same_fact", numbers[question.id], question.id, values)
