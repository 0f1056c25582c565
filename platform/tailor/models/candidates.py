"""Candidate answers: spans of the segments that share most with a question, and their features.

Everything is computed per token first; the features of all spans follow by array arithmetic.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.query import ASKS, Lexicon, Query
from tailor.models.segments import Segment, segments
from tailor.models.spans import (
    FIXED,
    KINDS,
    MARKS,
    Spans,
    inside,
    matrix,
    spans,
    value_after,
    value_before,
)

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

TOKENS_READ = 250

# Kinds that a question of this sort is answered by; others may be answered by anything.
_EXPECTED = {
    "address": "address",
    "percent": "percent",
    "money": "money number",
    "duration": "duration",
    "clock": "clock",
    "year": "year date",
    "date": "date year",
    "count": "number quantity",
    "person": "name",
}
_FITS = np.zeros((len(ASKS), len(KINDS)), dtype=np.float32)
for _asks, _fitting in _EXPECTED.items():
    _FITS[ASKS.index(_asks)] = -1
    _FITS[ASKS.index(_asks), [KINDS.index(kind) for kind in _fitting.split()]] = 1

ASKED = tuple(
    (
        "bound_before bound_after kind_fits asks keys share context titled line_share previous "
        "with_previous names_here names_absent passage_share pair_share missing_most "
        "missing_with_digits passage passages share_lead passage_lead near_left near_right "
        "left_distance right_distance left_marks right_marks share_before share_after "
        "share_inside words_inside key_share column_share head_inside head_before head_after "
        "head_column affinity kind_gap context_lead related related_lead related_left "
        "related_right related_inside related_label"
    ).split(" ")
)
FEATURES = FIXED + ASKED


@dataclass(frozen=True)
class Candidates:
    """Spans of several passages, one row each: passage, character offsets, kind, features."""

    passage: Ints
    start: Ints
    end: Ints
    kind: Ints
    features: Floats


@dataclass(frozen=True)
class _Rated:
    """A segment with the weighted shares of the question found in it and around it.

    `around` are the keys of the segment, its heading and its column headers.
    """

    segment: Segment
    keys: tuple[str, ...]
    around: frozenset[str]
    passage: int
    share: float
    context: float
    titled: float
    line_share: float
    previous: float
    with_previous: float
    passage_share: float


def _rate(question: Query, passages: Sequence[str]) -> list[_Rated]:
    rated = []
    for index, passage in enumerate(passages):
        parts = segments(passage)
        keyed = [tuple(question.key(word) for word in part.lower) for part in parts]
        title = set(keyed[0]) if keyed and len(keyed[0]) <= 14 else set()
        passage_share = question.share({key for keys in keyed for key in keys})
        lines: dict[int, set[str]] = {}
        for part, keys in zip(parts, keyed, strict=True):
            lines.setdefault(part.line, set()).update(keys)
        before: frozenset[str] = frozenset()
        for part, keys in zip(parts, keyed, strict=True):
            above = {word for line in (part.heading, *set(part.headers)) for word in line}
            here = frozenset(keys)
            around = here.union(question.key(word) for word in above)
            rated.append(
                _Rated(
                    part,
                    keys,
                    around,
                    index,
                    share=question.share(here),
                    context=question.share(around),
                    titled=question.share(around | title),
                    line_share=question.share(lines[part.line]),
                    previous=question.share(before),
                    with_previous=question.share(around | before),
                    passage_share=passage_share,
                )
            )
            before = here
    return rated


def candidates(question: Query, passages: Sequence[str], lexicon: Lexicon) -> Candidates | None:
    """Spans of the segments that share most with the question; None where nothing is shared."""
    rated = _rate(question, passages) if question.weights else []
    if not any(one.titled for one in rated):
        return None
    rated.sort(key=lambda one: -(one.share + one.context + one.line_share + one.passage_share))
    best_of = {one.passage: one.passage_share for one in rated}
    read = np.cumsum([0, *(len(one.keys) for one in rated)])
    rated = [one for one, before in zip(rated, read, strict=False) if before < TOKENS_READ]
    rated = [one for one in rated if len(spans(one.segment).first)]
    if not rated:
        return None
    related = [_relate(question, one, lexicon) for one in rated]
    blocks = []
    for one, words in zip(rated, related, strict=True):
        own = spans(one.segment)
        columns: dict[str, Any] = {
            **_shared_columns(question, one, lexicon),
            **_match_columns(question, one),
            **_related_columns(own, words),
            **_bound_columns(one.segment, lexicon),
            **_lead_columns(one, rated, best_of),
            "affinity": (question.kinds - lexicon.usual_kinds)[own.kind],
            "kind_fits": _FITS[question.asks][own.kind],
            "kind_gap": (question.kinds - question.kinds.max())[own.kind],
            "passages": len(passages),
            "related_lead": words.whole
            - max((other.whole for other in related if other is not words), default=0.0),
        }
        blocks.append(np.concatenate([own.fixed, matrix(columns, ASKED, len(own.first))], axis=1))
    parts = [(one, one.segment, spans(one.segment)) for one in rated]
    return Candidates(
        np.concatenate([np.full(len(own.first), one.passage) for one, _, own in parts]),
        np.concatenate([np.array(segment.starts)[own.first] for _, segment, own in parts]),
        np.concatenate([np.array(segment.ends)[own.last] for _, segment, own in parts]),
        np.concatenate([own.kind for _, _, own in parts]),
        np.concatenate(blocks),
    )


def _lead_columns(
    one: _Rated, rated: Sequence[_Rated], best_of: Mapping[int, float]
) -> dict[str, float]:
    """By how much a segment, and its passage, share more with the question than any other."""
    others = [other for other in rated if other is not one]
    rival = max(
        (share for passage, share in best_of.items() if passage != one.passage), default=0.0
    )
    return {
        "passage": one.passage,
        "share_lead": one.share - max((other.share for other in others), default=0.0),
        "context_lead": one.context - max((other.context for other in others), default=0.0),
        "passage_lead": one.passage_share - rival,
    }


def _shared_columns(question: Query, rated: _Rated, lexicon: Lexicon) -> dict[str, float]:
    """What is the same for all spans of a segment."""
    seen = set(rated.keys)
    missing = {key: weight for key, weight in question.weights.items() if key not in seen}
    pairs = question.pairs & set(pairwise(rated.keys))
    # Words the lexicon does not know are mostly names and codes: whom the question is about.
    names = {key: w for key, w in question.weights.items() if key not in lexicon.rows}
    return {
        "names_here": sum(weight for key, weight in names.items() if key in seen),
        "names_absent": sum(w for key, w in names.items() if key not in rated.around),
        "with_previous": rated.with_previous,
        "asks": question.asks,
        "keys": len(question.weights),
        "share": rated.share,
        "context": rated.context,
        "titled": rated.titled,
        "line_share": rated.line_share,
        "previous": rated.previous,
        "passage_share": rated.passage_share,
        "pair_share": len(pairs) / max(len(question.pairs), 1),
        "missing_most": max(missing.values(), default=0.0) * question.total,
        "missing_with_digits": sum(any(c.isdigit() for c in key) for key in missing),
    }


@dataclass(frozen=True)
class _Related:
    """How the meaning of a segment's words relates to the question, one number per token.

    These are products of word vectors: with the whole question (`asked`), with those of its words
    that do not stand in the segment (`rest`), and of the whole question with the token's column
    header or key (`labels`). `whole` sums up `rest`.
    """

    asked: Floats
    rest: Floats
    labels: Floats
    whole: float


def _relate(question: Query, rated: _Rated, lexicon: Lexicon) -> _Related:
    def vector(weights: Mapping[str, float]) -> Floats:
        shares = np.fromiter(weights.values(), dtype=np.float32, count=len(weights))
        return np.asarray(shares @ lexicon.vectors[lexicon.rows_of(weights)])

    part = rated.segment
    vectors = lexicon.vectors[lexicon.rows_of(rated.keys)]
    whole = vector(question.weights)
    asked = vectors @ whole
    absent = {key: w for key, w in question.weights.items() if key not in rated.around}
    rest = vectors @ vector(absent)
    labels = np.zeros(len(rated.keys), dtype=np.float32)
    for index, header in enumerate(part.headers):
        rows = lexicon.rows_of(question.key(word) for word in header)
        labels[index] = (lexicon.vectors[rows] @ whole).sum()
    for named, start, end in _named(part.words):
        labels[start:end] = asked[named].sum()
    return _Related(asked, rest, labels, float(rest.sum() / len(rest) ** 0.5))


def _related_columns(own: Spans, related: _Related) -> dict[str, Any]:
    """Features of the spans from the meaning of the words around and in them."""
    left, right = _decay(len(related.rest))
    return {
        "related": related.whole,
        "related_left": (left @ related.rest)[own.first],
        "related_right": (right @ related.rest)[own.last],
        "related_inside": inside(own.first, own.last, related.asked) / (own.last - own.first + 1),
        "related_label": related.labels[own.first],
    }


def _bound_columns(part: Segment, lexicon: Lexicon) -> dict[str, Any]:
    """Whether a span's ends cut through words that belong together."""
    pairs = [f"{one} {other}" in lexicon.bound for one, other in pairwise(part.lower)]
    cuts = np.array([False, *pairs, False])
    own = spans(part)
    return {"bound_before": cuts[own.first], "bound_after": cuts[own.last + 1]}


@lru_cache(maxsize=256)
def _decay(size: int) -> tuple[Floats, Floats]:
    """Weights by which tokens count for those to their right, and to their left."""
    steps = np.subtract.outer(np.arange(size), np.arange(size))
    decay = np.exp(-np.abs(steps) / 4).astype(np.float32)
    return np.where(steps > 0, decay, 0), np.where(steps < 0, decay, 0)


def _named(words: Sequence[str]) -> list[tuple[slice, int, int]]:
    """For each `key: value` of a segment, where the key stands and where the value does."""
    breaks = [index for index, word in enumerate(words) if word in MARKS]
    bounds = zip([-1, *breaks], breaks, [*breaks[1:], len(words)], strict=False)
    return [
        (slice(before + 1, here), here + 1, after)
        for before, here, after in bounds
        if words[here] in ":="
    ]


def _match_columns(question: Query, rated: _Rated) -> dict[str, NDArray[Any]]:
    """Where the question's words stand in relation to each span."""
    part, keys = rated.segment, rated.keys
    own = spans(part)
    first, last = own.first, own.last
    size = len(keys)
    weights = np.array([question.weights.get(key, 0.0) for key in keys])
    position = np.arange(size)
    left, right = _decay(size)
    matched = np.where(weights > 0, position, -99)
    last_match = np.concatenate([[-99], np.maximum.accumulate(matched)])[first]
    reverse = np.where(weights > 0, position, 99)[::-1]
    next_match = np.concatenate([np.minimum.accumulate(reverse)[::-1], [99]])[last + 1]
    marks = np.concatenate([[0], np.cumsum([word in ",;()" for word in part.words])])
    heads = np.array([key == question.head for key in keys])
    key_share = np.zeros(size)
    for named, start, end in _named(part.words):
        key_share[start:end] = question.share(keys[named])
    column_share = np.zeros(size)
    column_head = np.zeros(size, dtype=bool)
    for index, header in enumerate(part.headers):
        above = {question.key(word) for word in header}
        column_share[index] = question.share(above)
        column_head[index] = question.head in above
    cumulative = np.concatenate([[0.0], np.cumsum(weights)])
    return {
        "near_left": (left @ weights)[first],
        "near_right": (right @ weights)[last],
        "left_distance": np.minimum(first - last_match, 30),
        "right_distance": np.minimum(next_match - last, 30),
        "left_marks": marks[first] - marks[np.maximum(last_match, 0)],
        "right_marks": marks[np.minimum(next_match, size)] - marks[last + 1],
        "share_before": cumulative[first],
        "share_after": cumulative[-1] - cumulative[last + 1],
        "share_inside": inside(first, last, weights),
        "words_inside": inside(first, last, weights > 0) / (last - first + 1),
        "key_share": key_share[first],
        "column_share": column_share[first],
        "head_inside": inside(first, last, heads) > 0,
        "head_before": value_before(first, heads),
        "head_after": value_after(last, heads),
        "head_column": column_head[first],
    }
