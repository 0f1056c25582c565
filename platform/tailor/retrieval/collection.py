"""Collections: named parts of the documents, searched beside one another and joined by ranks."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, get_type_hints

from tailor.documents.filters import Filters
from tailor.documents.passages import Passage
from tailor.errors import UsageError
from tailor.retrieval.ranking import RANK_CONSTANT
from tailor.settings import check, convert


@dataclass(frozen=True)
class Collection:
    """A part of the documents under a name, and what it counts in a search of several."""

    name: str
    filters: Filters = field(default_factory=Filters)
    weight: float = 1.0
    """A passage at rank r of this collection scores ``weight / (60 + r)``."""
    quota: int = 0
    """How many of the passages come from it at most; 0: no limit."""


def joined(searched: Sequence[tuple[Collection, Sequence[Passage]]], k: int) -> tuple[Passage, ...]:
    """The k best passages of several collections, each given with what was found in it.

    A passage that lies in several of them has the sum of what it scores there, and counts against
    the quota of the one where it scores most.
    """
    scores: defaultdict[tuple[str, int, int], float] = defaultdict(float)
    home: dict[tuple[str, int, int], tuple[float, Collection]] = {}
    known: dict[tuple[str, int, int], Passage] = {}
    for collection, found in searched:
        for rank, passage in enumerate(found, 1):
            key = (passage.document, passage.start, passage.end)
            score = collection.weight / (RANK_CONSTANT + rank)
            scores[key] += score
            known.setdefault(key, passage)
            if key not in home or score > home[key][0]:
                home[key] = (score, collection)
    taken: Counter[str] = Counter()
    out: list[Passage] = []
    for key in sorted(known, key=lambda key: (-scores[key], key)):
        collection = home[key][1]
        if len(out) < k and (not collection.quota or taken[collection.name] < collection.quota):
            taken[collection.name] += 1
            out.append(replace(known[key], score=round(scores[key], 6)))
    return tuple(out)


def collections(tables: Mapping[str, Mapping[str, Any]]) -> dict[str, Collection]:
    """The collections that ``[collections.NAME]`` of tailor.toml describe, by name.

    A table has keys of :class:`~tailor.documents.filters.Filters`, ``weight`` and ``quota``.

    Raises:
        ValueError: one is not well formed; the message says what is wrong.
    """
    if not isinstance(tables, dict) or not all(isinstance(t, dict) for t in tables.values()):
        raise ValueError("write [collections.NAME] with folders, languages, since, until, ...")
    return {name: _collection(name, table) for name, table in tables.items()}


def _collection(name: str, table: Mapping[str, Any]) -> Collection:
    if re.fullmatch(r"\w[\w -]{0,60}", name) is None:
        raise ValueError(f"{name!r} is no name; take letters, digits and hyphens")
    kinds = {**get_type_hints(Filters), "weight": float, "quota": int}
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in kinds:
            raise ValueError(f"[collections.{name}] has no key {key!r}; known: {', '.join(kinds)}")
        try:
            values[key] = convert(value, kinds[key])
            check(values[key], 0 if key in ("weight", "quota") else None, None, empty=True)
        except ValueError as error:
            raise ValueError(f"[collections.{name}]: {key}: {error}") from None
    own = {f.name: values.pop(f.name) for f in fields(Filters) if f.name in values}
    try:
        return Collection(name, Filters(**own), **values)
    except UsageError as error:
        raise ValueError(f"[collections.{name}]: {error}") from None
