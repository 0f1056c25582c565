"""Train questions that give away dev or test questions, and dev questions test ones."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

from tailor.benchmark import Line, Question
from tailor.benchmarking.facts import shared
from tailor.benchmarking.finding import Finding
from tailor.benchmarking.leakage import Guard
from tailor.text import nfc


def leaks(
    lines: Sequence[Line], of: Collection[int] | None = None, items: bool = False
) -> Iterator[Finding]:
    """What the leakage guard finds between the splits, then facts that stand on both sides.

    With ``of`` only what one of the lines of these numbers has to do with. ``items``: see `Guard`.
    """
    numbers = {line.question.id: line.number for line in lines}
    by_split = {
        name: [line.question for line in lines if line.question.split == name]
        for name in ("train", "dev", "test")
    }
    told: set[str] = set()
    held = [*by_split["test"], *by_split["dev"]]
    sides = [(by_split["train"], held), (by_split["dev"], by_split["test"])]
    if of is not None:
        sides = [part for one, other in sides for part in _with(one, other, numbers, of)]
    for asked, held_out in sides:
        for leak in Guard(held_out, items).leaks(asked):
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
                and (of is None or numbers[question.id] in of or numbers[other.id] in of)
                and any(nfc(e.document) in documents for e in other.evidence)
                and shared(question, other) == "fact"
            ):
                told.add(question.id)
                values = {"split": "train", "held": other.split, "other": numbers[other.id]}
                yield Finding("same_fact", numbers[question.id], question.id, values)


def _with(
    items: Sequence[Question],
    against: Sequence[Question],
    numbers: Mapping[str, int],
    of: Collection[int],
) -> Iterator[tuple[list[Question], list[Question]]]:
    """The same comparison in two parts that leave out pairs of which no line is ``of`` these."""
    own = [q for q in items if numbers[q.id] in of]
    if own:
        yield own, list(against)
    held = [q for q in against if numbers[q.id] in of]
    if held:
        yield [q for q in items if numbers[q.id] not in of], held
