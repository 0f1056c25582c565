"""Train, dev and test: questions shared out so that no fact stands on two sides."""

from __future__ import annotations

import hashlib
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from tailor.benchmarking.facts import same_answer
from tailor.benchmarking.similar import pairs
from tailor.text import fold, words

if TYPE_CHECKING:
    from tailor.benchmark import Question, Split
    from tailor.task import Task

By = Literal["document", "quote"]
"""What must not stand on two sides: a document with all its facts, or only each fact."""
SHARES: Mapping[Split, float] = {"train": 0.3, "dev": 0.2, "test": 0.5}
"""How questions without a split are shared out."""
ITEM_SHARES: Mapping[Split, float] = {"train": 0.7, "dev": 0.1, "test": 0.2}
"""How items are: most are to learn from."""
NEAR, SAME = 0.75, 0.9
"""Share of common words that joins questions with the same answer, and any questions."""
_RUN = 8
"""Words of a question that give it away where another one holds them in a row."""
_PULL: tuple[Split, ...] = ("test", "dev", "train")
_RESTARTS, _WORK = 6, 40_000
_FEW = 80
"""Groups of which each may also be swapped with each other one."""
_SIZE = 20.0
"""How much the size of a split weighs against how even one tag or language is in it."""


def shares_of(task: Task) -> Mapping[Split, float]:
    """How what has no split is shared out, by what the workspace asks for."""
    return SHARES if task == "answer" else ITEM_SHARES


def draw(
    questions: Iterable[Question],
    unassigned: set[str],
    seed: int = 0,
    shares: Mapping[Split, float] = SHARES,
) -> tuple[Question, ...]:
    """Give a split to the questions named in ``unassigned``, each group of :func:`groups` together.

    A group takes the split that its questions have already (of several: test before dev before
    train), which itself never changes. Any other group is drawn by ``shares`` with a hash of its
    name, so that a new question moves others only where it joins their group to another. The
    shares hold on average; :func:`allot` keeps them closely, but moves what is not recorded.
    """
    questions = list(questions)
    if not unassigned:
        return tuple(questions)
    names = groups(questions)
    given = _given(questions, names, unassigned)
    return tuple(
        replace(q, split=given.get(name) or _drawn(f"{seed} {name}", shares))
        if q.id in unassigned
        else q
        for q, name in zip(questions, names, strict=True)
    )


def allot(
    questions: Sequence[Question],
    unassigned: set[str],
    shares: Mapping[Split, float] = SHARES,
    seed: int = 0,
    by: By = "document",
) -> tuple[Question, ...]:
    """Give a split to the questions named in ``unassigned``, groups together, shares kept closely.

    A group takes the split that its questions have already, as in :func:`draw`. All others are
    placed so that sizes are near the shares and languages, tags and unanswerable questions are
    spread alike: from several seeded orders, the largest groups first, then by moving and swapping
    groups as long as that helps. No split stays empty where there are as many groups as splits.
    """
    names = groups(questions, by)
    given = _given(questions, names, unassigned)
    traits: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for q, name in zip(questions, names, strict=True):
        null = () if q.answerable else ("null",)
        traits[name].update(["", f"lang {q.lang}", *(f"tag {t}" for t in q.tags), *null])
    loose = [name for name in traits if name not in given]
    table = _Table(traits, shares)
    best: tuple[float, dict[str, Split]] | None = None
    for restart in range(max(1, min(_RESTARTS, _WORK // max(1, len(loose))))):
        placed = table.place(given, loose, random.Random(f"{seed} {restart}"))
        cost = table.cost(placed)
        if best is None or cost < best[0]:
            best = cost, placed
    assert best
    return tuple(
        replace(q, split=best[1][name]) if q.id in unassigned else q
        for q, name in zip(questions, names, strict=True)
    )


def groups(questions: Sequence[Question], by: By = "document") -> list[str]:
    """For each question the name of its group: joined by documents or by nearly the same words.

    Questions are one group when a chain of shared documents (or quotes, one within the other)
    joins them, and of near-duplicates, which are those with the same answer, with hardly another
    word, or with a question of eight or more words inside.
    """
    parents: dict[str, str] = {}

    def root(name: str) -> str:
        while (above := parents.setdefault(name, name)) != name:
            parents[name] = parents[above]  # shortens the way for the next time
            name = above
        return name

    def join(one: str, other: str) -> None:
        # The first name by the alphabet becomes the root, whatever the order of the questions.
        low, high = sorted((root(one), root(other)))
        parents[high] = low

    firsts = []
    for q in questions:
        first, *others = _subjects(q, by)
        firsts.append(first)
        root(first)
        for other in others:
            join(first, other)
    if by == "quote":
        for one, other in _nested({name for q in questions for name in _subjects(q, by)}):
            join(one, other)
    for a, b, overlap in pairs([q.question for q in questions], NEAR):
        if overlap >= SAME or same_answer(questions[a], questions[b]):
            join(firsts[a], firsts[b])
    for a, b in _quoting([q.question for q in questions]):
        join(firsts[a], firsts[b])
    return [root(first) for first in firsts]


def _quoting(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of questions of which one holds all words of the other in a row."""
    asked = [tuple(words(fold(text))) for text in texts]
    begun: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, own in enumerate(asked):
        if len(own) >= _RUN:
            begun[own[:_RUN]].append(at)
    for at, own in enumerate(asked):
        for start in range(len(own) - _RUN + 1):
            for other in begun.get(own[start : start + _RUN], ()):
                if other != at and own[start : start + len(asked[other])] == asked[other]:
                    yield at, other


def _subjects(q: Question, by: By) -> list[str]:
    """What a question is about: its documents or quotes, else nothing but itself."""
    if q.evidence and by == "quote":
        return sorted({f"{e.document}\n{' '.join(words(fold(e.quote)))}" for e in q.evidence})
    if q.evidence:
        return sorted({f"document {e.document}" for e in q.evidence})
    numbered = re.fullmatch(r"line-\d+", q.id)  # such an id changes with every line above it
    return [f"question {q.question if numbered else q.id}"]


def _nested(names: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Pairs of quotes of one document of which one holds the other."""
    quotes: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        document, newline, quote = name.partition("\n")
        if newline:
            quotes[document].append(quote)
    for document, own in quotes.items():
        holders: defaultdict[str, list[str]] = defaultdict(list)
        for quote in own:
            for word in set(quote.split()):
                holders[word].append(quote)
        for one in own:
            # What holds it holds its rarest word, too.
            rarest = min((holders[word] for word in one.split()), key=len, default=[])
            for other in rarest:
                if other != one and f" {one} " in f" {other} ":
                    yield f"{document}\n{one}", f"{document}\n{other}"


def _given(
    questions: Sequence[Question], names: Sequence[str], unassigned: set[str]
) -> dict[str, Split]:
    """The split of each group of which a question has one."""
    taken: defaultdict[str, set[Split]] = defaultdict(set)
    for q, name in zip(questions, names, strict=True):
        if q.id not in unassigned:
            taken[name].add(q.split)
    return {name: next(s for s in _PULL if s in own) for name, own in taken.items()}


def _drawn(text: str, shares: Mapping[Split, float]) -> Split:
    """A split by these shares, always the same for the same text."""
    raw = hashlib.sha256(text.encode(errors="surrogatepass")).digest()
    rest = int.from_bytes(raw[:6], "big") / 2**48
    for name, share in shares.items():
        if rest < share:
            return name
        rest -= share
    return name


class _Table:
    """How many questions with each trait a split should hold, and what it costs not to."""

    def __init__(self, traits: Mapping[str, Counter[str]], shares: Mapping[Split, float]) -> None:
        self.traits = traits
        self.names: list[Split] = [name for name, share in shares.items() if share > 0]
        total: Counter[str] = sum(traits.values(), Counter())
        whole = sum(shares.values())
        self.wanted = {
            (name, trait): shares[name] / whole * n
            for name in self.names
            for trait, n in total.items()
        }

    def place(
        self, given: Mapping[str, Split], loose: Sequence[str], rng: random.Random
    ) -> dict[str, Split]:
        """A split for each group: the largest first, each where it costs least, then improved."""
        placed: dict[str, Split] = dict(given)
        held: Counter[tuple[Split, str]] = Counter()
        for group, split in given.items():
            self._add(held, group, split, 1)
        order = list(loose)
        rng.shuffle(order)
        order.sort(key=lambda group: -self.traits[group][""])
        for group in order:
            placed[group] = min(self.names, key=lambda s: self._change(held, group, s, 1))
            self._add(held, group, placed[group], 1)
        while self._improve(placed, held, order):
            pass
        return placed

    def cost(self, placed: Mapping[str, Split]) -> float:
        """How far splits are from what they should hold."""
        held: Counter[tuple[Split, str]] = Counter()
        for group, split in placed.items():
            self._add(held, group, split, 1)
        return sum(self._one(key, held[key]) for key in self.wanted)

    def _improve(
        self, placed: dict[str, Split], held: Counter[tuple[Split, str]], order: Sequence[str]
    ) -> bool:
        better = False
        for group in order:
            best = self._best(held, group, placed[group])
            if best != placed[group]:
                self._add(held, group, placed[group], -1)
                self._add(held, group, best, 1)
                placed[group] = best
                better = True
        return better or (len(order) <= _FEW and self._swap(placed, held, order))

    def _best(self, held: Counter[tuple[Split, str]], group: str, now: Split) -> Split:
        away = self._change(held, group, now, -1)
        costs = {s: away + self._change(held, group, s, 1) for s in self.names if s != now}
        split = min(costs, key=lambda s: costs[s], default=now)
        return split if costs and costs[split] < -1e-9 else now

    def _swap(
        self, placed: dict[str, Split], held: Counter[tuple[Split, str]], order: Sequence[str]
    ) -> bool:
        """Swap the first two groups that are better in each other's place."""
        for at, one in enumerate(order):
            for two in order[at + 1 :]:
                a, b = placed[one], placed[two]
                if a == b:
                    continue
                cost = 0.0
                steps = ((one, a, -1), (two, b, -1), (one, b, 1), (two, a, 1))
                for group, split, sign in steps:
                    cost += self._change(held, group, split, sign)
                    self._add(held, group, split, sign)
                if cost < -1e-9:
                    placed[one], placed[two] = b, a
                    return True
                for group, split, sign in steps:
                    self._add(held, group, split, -sign)
        return False

    def _change(
        self, held: Counter[tuple[Split, str]], group: str, split: Split, sign: int
    ) -> float:
        total = 0.0
        for trait, n in self.traits[group].items():
            key = (split, trait)
            now = held[key]
            total += self._one(key, now + sign * n) - self._one(key, now)
        return total

    def _one(self, key: tuple[Split, str], n: int) -> float:
        wanted = self.wanted.get(key, 0.0)
        cost = (n - wanted) ** 2 / (wanted + 1)
        if key[1]:
            return cost
        return _SIZE * cost + (1e6 if n == 0 else 0.0)  # an empty split is worst

    def _add(self, held: Counter[tuple[Split, str]], group: str, split: Split, sign: int) -> None:
        for trait, n in self.traits[group].items():
            held[split, trait] += sign * n
