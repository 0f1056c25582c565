"""Which questions belong together: those about the same document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tailor.benchmark import Question

FEWEST_GROUPS = 10
"""With fewer groups nothing can be told by drawing groups."""

CHAINED = 0.1
"""A group of more than this share of the questions was chained together by single questions."""


def groups(questions: Sequence[Question]) -> tuple[int, ...]:
    """The group of each question, numbered from 0 in order of appearance.

    Questions about one document are right or wrong together: as if independent, they would give
    intervals that are too narrow (Miller 2024, "Adding Error Bars to Evals", section 2.2). So the
    document is the group, and questions over several documents join theirs. Where that chains
    more than a tenth of the questions together, and no document has that many by itself, such a
    question counts with the first document that it names: larger but fewer groups make the
    spread itself uncertain (Cameron & Miller 2015, section VI). Where there are fewer than
    ``FEWEST_GROUPS`` documents they are taken as given, and questions that rest on the same
    quote belong together. A question without evidence is a group of its own.
    """
    documents = [[e.document for e in q.evidence] for q in questions]
    found = _connected([docs or [f"\n{i}"] for i, docs in enumerate(documents)])
    first = _connected([docs[:1] or [f"\n{i}"] for i, docs in enumerate(documents)])
    if _largest(found) > max(CHAINED * len(questions), _largest(first)):
        found = first
    if len(set(found)) < FEWEST_GROUPS:
        quotes = [[f"{e.document}\n{e.quote}" for e in q.evidence[:1]] for q in questions]
        found = _connected([quote or [f"\n{i}"] for i, quote in enumerate(quotes)])
    return found


def _largest(found: Sequence[int]) -> int:
    return max(Counter(found).values(), default=0)


def _connected(names: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Numbers of the connected components of items that share a name."""
    parent: dict[str, str] = {}

    def root(name: str) -> str:
        while parent.setdefault(name, name) != name:
            parent[name] = parent[parent[name]]
            name = parent[name]
        return name

    for of_one in names:
        for name in of_one:
            parent[root(name)] = root(of_one[0])
    roots = [root(of_one[0]) for of_one in names]
    number = {name: i for i, name in enumerate(dict.fromkeys(roots))}
    return tuple(number[name] for name in roots)
