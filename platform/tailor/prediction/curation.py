"""Curation of items: what is kept, what is left out and why, and what the kept ones are like."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import TYPE_CHECKING, Any, Literal

from tailor.benchmark import Question
from tailor.prediction.cleaning import Change, clean, tells
from tailor.text import fold, words

if TYPE_CHECKING:
    from tailor.benchmark import Benchmark
    from tailor.task import Task

SCHEMA_VERSION = 1
Reason = Literal["unusable", "short", "long", "bounds", "outlier", "duplicate", "near"]
REASONS: tuple[Reason, ...] = (
    "unusable", "short", "long", "bounds", "outlier", "duplicate", "near",
)  # fmt: skip
BINS = 24
"""Bars of a picture of lengths or numbers."""


@dataclass(frozen=True)
class Rules:
    """What an item must be like to be kept."""

    shortest: int = 3
    """Words."""
    longest: int = 600
    """Words."""
    least: float | None = None
    """The smallest number that is kept; None: any."""
    most: float | None = None
    """The largest number that is kept; None: any."""
    outliers: float = 4.0
    """A number is an outlier where its logarithm is so many (robust) standard deviations from the
    median; 0 keeps all."""
    alike: float = 0.9
    """Of texts that share so much of their word runs the first is kept; 1 keeps all."""


@dataclass(frozen=True)
class Left:
    """An item that was left out."""

    id: str
    reason: Reason
    told: str
    """In words: the line's problem, its length, its number, or the item it is like."""


@dataclass(frozen=True)
class Bin:
    """How many values lie from ``low`` (inclusive) to ``high``."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Category:
    """The items of a tag or, of task ``label``, with a label."""

    name: str
    count: int
    median: float | None
    """Of their numbers; None for labels."""


@dataclass(frozen=True)
class Curated:
    """Items that are kept, cleaned, and what was left out of all."""

    task: Task
    items: tuple[Question, ...]
    left: tuple[Left, ...]
    cleaned: Mapping[Change, int]
    """How many texts had something taken out, by what."""
    telling: tuple[str, ...]
    """Kept items whose text still holds just their number, maybe by chance: a size, say."""

    @property
    def counts(self) -> dict[str, int]:
        """Items left out, by reason."""
        found = Counter(one.reason for one in self.left)
        return {reason: found[reason] for reason in REASONS if found[reason]}

    @property
    def lengths(self) -> tuple[Bin, ...]:
        """Words of the kept texts."""
        return histogram([len(words(item.question)) for item in self.items])

    @property
    def numbers(self) -> tuple[Bin, ...]:
        """The kept numbers, in bins of equal ratio; none for labels."""
        if self.task != "number":
            return ()
        return histogram([float(item.answers[0]) for item in self.items], ratio=True)

    @property
    def categories(self) -> tuple[Category, ...]:
        """Tags, or labels, the most frequent first."""
        groups: defaultdict[str, list[Question]] = defaultdict(list)
        for item in self.items:
            for name in item.answers if self.task == "label" else item.tags:
                groups[name].append(item)
        found = [
            Category(
                name,
                len(own),
                median(float(i.answers[0]) for i in own) if self.task == "number" else None,
            )
            for name, own in groups.items()
        ]
        return tuple(sorted(found, key=lambda one: (-one.count, one.name)))

    def to_json(self) -> dict[str, Any]:
        """What ``tailor benchmark curate --json`` prints."""
        by = {
            name: dict(Counter(getattr(i, name) for i in self.items)) for name in ("split", "lang")
        }
        return {
            "schema_version": SCHEMA_VERSION,
            "task": self.task,
            "kept": len(self.items),
            "left_out": self.counts,
            "left": [vars(one) for one in self.left],
            "cleaned": dict(self.cleaned),
            "telling": list(self.telling),
            "splits": by["split"],
            "languages": by["lang"],
            "lengths": [vars(one) for one in self.lengths],
            "numbers": [vars(one) for one in self.numbers],
            "categories": [vars(one) for one in self.categories],
        }


def curate(benchmark: Benchmark, rules: Rules | None = None) -> Curated:
    """Clean the items and leave out those that the rules do not admit; nothing is written."""
    rules = rules or Rules()
    left = [Left(f"line {p.line}", "unusable", p.message) for p in benchmark.problems]
    cleaned: Counter[Change] = Counter()
    items = []
    for question in benchmark.questions:
        truth = float(question.answers[0]) if benchmark.task == "number" else None
        text, changes = clean(question.question, truth)
        cleaned.update(changes)
        items.append(replace(question, question=text))
    for keep in (_by_length, _by_number, _by_text):
        out = {one.id: one for one in keep(items, rules, benchmark.task)}
        left += out.values()
        items = [item for item in items if item.id not in out]
    number = benchmark.task == "number"
    telling = [i.id for i in items if number and tells(i.question, float(i.answers[0]))]
    return Curated(benchmark.task, tuple(items), tuple(left), cleaned, tuple(telling))


def lines(curated: Curated) -> str:
    """The kept items as lines of a benchmark, ready to be written."""
    import json

    def line(item: Question) -> str:
        answer: Any = item.answers[0]
        if curated.task == "number":
            answer = float(answer) if "." in answer else int(answer)
        value = {
            "id": item.id,
            "question": item.question,
            "answer": answer,
            "lang": item.lang,
            **({"tags": list(item.tags)} if item.tags else {}),
            "split": item.split,
        }
        return json.dumps(value, ensure_ascii=False) + "\n"

    return "".join(map(line, curated.items))


def histogram(values: Sequence[float], ratio: bool = False) -> tuple[Bin, ...]:
    """Values counted in bins of equal width or, where all are above 0, of equal ratio."""
    if not values:
        return ()
    ratio = ratio and min(values) > 0
    there, back = (math.log, math.exp) if ratio else (float, float)
    low, high = there(min(values)), there(max(values))
    if low == high:
        return (Bin(float(min(values)), float(max(values)), len(values)),)
    n = min(BINS, len(set(values)))
    width = (high - low) / n
    found = Counter(min(n - 1, int((there(value) - low) / width)) for value in values)
    return tuple(Bin(back(low + at * width), back(low + (at + 1) * width), found[at])
                 for at in range(n))  # fmt: skip


def _by_length(items: Iterable[Question], rules: Rules, task: Task) -> list[Left]:
    out = []
    for item in items:
        n = len(words(item.question))
        if n < rules.shortest:
            out.append(Left(item.id, "short", f"{n} words"))
        elif n > rules.longest:
            out.append(Left(item.id, "long", f"{n} words"))
    return out


def _by_number(items: Sequence[Question], rules: Rules, task: Task) -> list[Left]:
    if task != "number" or not items:
        return []
    values = {item.id: float(item.answers[0]) for item in items}
    least = -math.inf if rules.least is None else rules.least
    most = math.inf if rules.most is None else rules.most
    out = {
        id: Left(id, "bounds", f"{value:g}")
        for id, value in values.items()
        if not least <= value <= most
    }
    if rules.outliers and all(value > 0 for value in values.values()):
        logs = {id: math.log(value) for id, value in values.items()}
        middle = median(logs.values())
        # 1.4826 times the median distance is the standard deviation of a normal distribution.
        spread = 1.4826 * median(abs(log - middle) for log in logs.values())
        far = [id for id, log in logs.items() if abs(log - middle) > rules.outliers * spread > 0]
        out |= {id: Left(id, "outlier", f"{values[id]:g}") for id in far if id not in out}
    return list(out.values())


def _by_text(items: Sequence[Question], rules: Rules, task: Task) -> list[Left]:
    from tailor.documents.duplicates import near_duplicates

    first: dict[str, str] = {}
    out: dict[str, Left] = {}
    for item in items:
        known = first.setdefault(fold(item.question), item.id)
        if known != item.id:
            out[item.id] = Left(item.id, "duplicate", f"like {known}")
    if rules.alike < 1:
        texts = {item.id: item.question for item in items if item.id not in out}
        order = {id: at for at, id in enumerate(texts)}
        for pair in near_duplicates(texts, rules.alike):
            one, other = sorted((pair.first, pair.second), key=order.__getitem__)
            if one not in out and other not in out:
                told = f"{100 * pair.similarity:.0f}% like {one}"
                out[other] = Left(other, "near", told)
    return list(out.values())
