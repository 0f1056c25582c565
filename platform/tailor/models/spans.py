"""Candidate answers: spans of a passage's segments, and the numbers that tell good from bad.

Everything is computed per token first; the features of all spans follow by array arithmetic.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.query import ASKS, FUNCTION_WORDS, TOKEN, Lexicon, Query, word_set

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LONGEST = 12
TOKENS_READ = 250

_SEGMENT_END = re.compile(
    r"""(?<=[^\W\d_]{2}[.!?])(?<!\b(?:TS|Dr|Mr|Ms|TP|St|No|vs)\.)(?<!\b(?:Mrs|ThS|PGS)\.)
        ["”)]*\s+(?=\S)                       # a sentence end, not after an initial or a title
    |(?<=[\d%)"”][.!?])\s+                    # a sentence end after a number or bracket
    |\s*\n\s*""",
    re.VERBOSE,
)
_WORD = re.compile(r"\w")
_YEAR = re.compile(r"(?:1[5-9]|20)\d\d$")
_CODE = re.compile(r"(?=.*\d)(?=.*[^\W\d_])[\w./-]+$")
_DATE = re.compile(r"\d{1,4}[./-]\d{1,2}[./-]\d{2,4}$|\d{1,2}/\d{4}$")
_CLOCK = re.compile(r"\d{1,2}[:h]\d{0,2}$|\d{1,2}(?:am|pm)$", re.IGNORECASE)

MONTHS = word_set(
    "january february march april june july august september october november december "
    "jan feb apr jun jul aug sep sept oct nov dec"
)
TIME_UNITS = word_set(
    "second seconds minute minutes hour hours day days week weeks month months quarter quarters "
    "year years giây phút giờ tiếng ngày tuần tháng quý năm"
)
DATE_WORDS = word_set("ngày tháng năm quý mùng")
WEEKDAYS = word_set("monday tuesday wednesday thursday friday saturday sunday thứ")
MONEY_WORDS = word_set(
    "đồng vnd vnđ đ usd eur euro euros dollar dollars gbp pound pounds tỷ triệu nghìn ngàn yen đô"
)
SCALES = word_set("hundred thousand million billion dozen trăm nghìn ngàn triệu tỷ tỉ")
NUMBER_WORDS = word_set(
    "one two three four five six seven eight nine ten eleven twelve fifteen twenty thirty forty "
    "fifty half một hai ba bốn năm sáu bảy tám chín mười"
)
TITLES = word_set("ông bà anh chị cô mr mrs ms dr ts ths gs miss sir")

KINDS = (
    "text mixed name code number quantity duration percent money clock year date address"
).split(" ")
(
    TEXT,
    MIXED,
    NAME,
    CODE,
    NUMBER,
    QUANTITY,
    DURATION,
    PERCENT,
    MONEY,
    CLOCK,
    YEAR,
    DATE,
    ADDRESS,
) = range(len(KINDS))

# Kinds that a question of this sort is answered by; others may be answered by anything.
_EXPECTED: dict[str, tuple[int, ...]] = {
    "address": (ADDRESS,),
    "percent": (PERCENT,),
    "money": (MONEY, NUMBER),
    "duration": (DURATION,),
    "clock": (CLOCK,),
    "year": (YEAR, DATE),
    "date": (DATE, YEAR),
    "count": (NUMBER, QUANTITY),
    "person": (NAME,),
}
_FITS = np.zeros((len(ASKS), len(KINDS)), dtype=np.float32)
for _asks, _fitting in _EXPECTED.items():
    _FITS[ASKS.index(_asks)] = -1
    _FITS[ASKS.index(_asks), list(_fitting)] = 1

_NEIGHBOUR_CLASSES = (
    "^",
    "is are was were be là",
    ":",
    "|",
    ", ;",
    "( [ \" “ '",
    ". ! ? $",
    ") ] ”",
    "the a an",
    "in at within ở tại trong",
    "on vào ngày lúc",
    "by bởi do",
    "to đến tới cho",
    "from từ since kể",
    "of của",
    "for with với về",
    "and or và hoặc",
    "up over under most least than hơn thiểu đa quá dưới trên",
    "after before sau trước until",
    "that which who whom where mà khi if nếu",
    "has have had có gồm",
    "not không",
    "- – — * • /",
    "because vì",
    "mr mrs ms dr ông bà anh chị",
    "per mỗi một",
    "will must should may can phải sẽ được bị",
)
_CLASS_OF = {
    word: number
    for number, group in enumerate(_NEIGHBOUR_CLASSES, start=1)
    for word in group.split()
}
# What separates cells and keys from values; no span goes across.
_MARKS = word_set("| ; : =")
_START, _END = _CLASS_OF["^"], _CLASS_OF["$"]


@dataclass(frozen=True)
class Spans:
    """Candidate spans of one segment: first and last token, kind, and features.

    `fixed` holds the features that do not depend on a question, in the order of FIXED.
    """

    first: Ints
    last: Ints
    kind: Ints
    fixed: Floats


@dataclass(frozen=True)
class Segment:
    """A sentence, line or table row of a passage as tokens with character offsets.

    `heading` holds the words of the heading above; `headers`, for rows below a table's first,
    the words of each token's column header; `number` and `line` count segments and lines.
    """

    words: tuple[str, ...]
    lower: tuple[str, ...]
    starts: tuple[int, ...]
    ends: tuple[int, ...]
    heading: tuple[str, ...]
    headers: tuple[tuple[str, ...], ...]
    is_row: bool
    number: int
    line: int

    @cached_property
    def spans(self) -> Spans:
        """All candidate spans of this segment."""
        return _spans(self)


def _pieces(text: str) -> list[tuple[int, int]]:
    cuts = [0]
    for match in _SEGMENT_END.finditer(text):
        cuts += [match.start(), match.end()]
    cuts.append(len(text))
    return [(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=True) if _WORD.search(text[a:b])]


def _is_heading(text: str, start: int, end: int, words: Sequence[str]) -> bool:
    """Whether a piece is a short line of its own that states nothing."""
    alone = text[:start].strip(" ")[-1:] in ("", "\n") and text[end:].strip(" ")[:1] in ("", "\n")
    return alone and (
        words[0] == "#"
        or (
            len(words) <= 12
            and words[-1] not in (".", ";", "?", "!")
            and not {":", "=", "–"} & set(words[:-1])
            and (words[0][0].isalpha() or words[:2] == ("*", "*"))
        )
    )


@lru_cache(maxsize=128)
def segments(passage: str) -> tuple[Segment, ...]:
    """Split a passage at sentence ends and line ends."""
    result: list[Segment] = []
    heading: tuple[str, ...] = ()
    top_row: list[tuple[str, ...]] | None = None
    for start, end in _pieces(passage):
        found = list(TOKEN.finditer(passage, start, end))
        words = tuple(match[0] for match in found)
        lower = tuple(word.casefold() for word in words)
        separator = "|" if "|" in words else ";"
        is_row = separator == "|" or (
            ";" in words[:-1] and ":" not in words and words[-1] not in (".", ";")
        )
        headers: tuple[tuple[str, ...], ...] = ()
        if is_row:
            cells: list[list[str]] = [[]]
            column = []
            for index, word in enumerate(lower):
                if word == separator and index > 0:
                    cells.append([])
                elif word != separator:
                    cells[-1].append(word)
                column.append(len(cells) - 1)
            if top_row is None:
                top_row = [tuple(cell) for cell in cells]
            else:
                headers = tuple(top_row[c] if c < len(top_row) else () for c in column)
        else:
            top_row = None
        starts = tuple(match.start() for match in found)
        ends = tuple(match.end() for match in found)
        line = passage.count("\n", 0, start)
        result.append(
            Segment(words, lower, starts, ends, heading, headers, is_row, len(result), line)
        )
        if not is_row and _is_heading(passage, start, end, words):
            heading = lower
    return tuple(result)


def _flags(values: Sequence[Any], test: Callable[[Any], Any]) -> NDArray[np.bool_]:
    return np.array([bool(test(value)) for value in values], dtype=bool)


def _spans(part: Segment) -> Spans:
    words, lower = part.words, part.lower
    size = len(words)
    value_start, value_end = _values(words)
    is_word = _flags(words, lambda word: word[0].isalnum() or word[0] in "$€£¥₫")
    function = _flags(lower, FUNCTION_WORDS.__contains__)
    block = np.cumsum(_flags(words, _MARKS.__contains__))
    first, last = np.nonzero(np.triu(np.ones((size, size), dtype=bool)))
    whole = (value_start[first] == first) & (value_end[last] == last)
    chosen = (
        is_word[first]
        & is_word[last]
        & ((~function[first] & ~function[last]) | whole)
        & (block[first] == block[last])
        & (last - first < np.where(whole, 4 * LONGEST, LONGEST))
    )
    first, last = first[chosen], last[chosen]
    kind, measured = _kinds(part, first, last, function)
    fixed: dict[str, Any] = {**measured}
    fixed |= _neighbours(part, first, last, function)
    fixed["whole_value"] = whole[chosen]
    fixed |= {"is_row": part.is_row, "segment_number": part.number, "segment_size": size}
    return Spans(first, last, kind, _matrix(fixed, FIXED, len(first)))


def _matrix(columns: Mapping[str, Any], names: Sequence[str], rows: int) -> Floats:
    """The named columns side by side; a scalar fills its column."""
    result = np.empty((rows, len(names)), dtype=np.float32)
    for index, name in enumerate(names):
        result[:, index] = columns[name]
    return result


def _values(words: Sequence[str]) -> tuple[Ints, Ints]:
    """First and last token of the table cell or `key: value` value around each token, else -1."""
    size = len(words)
    starts, ends = np.full(size, -1), np.full(size, -1)
    marks = [index for index, word in enumerate(words) if word in _MARKS]
    for mark, following in pairwise([*marks, size]):
        end = following - 1
        while end > mark and words[end] in ".;,":
            end -= 1
        starts[mark + 1 : end + 1], ends[mark + 1 : end + 1] = mark + 1, end
    return starts, ends


def _inside(first: Ints, last: Ints, values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum of a value per token over each span."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    result: NDArray[np.float64] = sums[last + 1] - sums[first]
    return result


def _before(first: Ints, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
    """The value of the token before each span, `outside` at the segment's start."""
    return np.concatenate([[outside], values])[first]


def _after(last: Ints, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
    """The value of the token after each span, `outside` at the segment's end."""
    return np.concatenate([values, [outside]])[last + 1]


def _kinds(
    part: Segment, first: Ints, last: Ints, function: NDArray[np.bool_]
) -> tuple[Ints, dict[str, NDArray[Any]]]:
    """What kind of text each span is, and how it compares with the rest of its segment."""
    words, lower = part.words, part.lower
    length = last - first + 1
    mark = _flags(words, lambda word: not word[0].isalnum())
    digit = _flags(words, lambda word: any(c.isdigit() for c in word))
    # Vietnamese "năm" is five, a year, or the end of "phép năm" (annual leave) before a number.
    five = _flags(lower, "năm".__eq__)
    to_year = np.append(_flags(words, _YEAR.match)[1:], False)
    to_digit = np.append(digit[1:], False)
    number = digit | (_flags(lower, NUMBER_WORDS.__contains__) & ~(five & to_digit))
    capital = _flags(words, lambda word: word[0].isupper())
    date_word = _flags(lower, DATE_WORDS.__contains__) & np.where(five, to_year, to_digit)
    unit = _flags(lower, TIME_UNITS.__contains__) & ~date_word
    scale = _flags(lower, SCALES.__contains__)
    money = _flags(lower, lambda word: word in MONEY_WORDS or word[0] in "$€£¥₫")
    percent = _flags(lower, lambda word: word[-1] == "%" or word in ("percent", "phần"))
    code = _flags(words, _CODE.match)
    address = _flags(words, lambda word: "@" in word or word.startswith(("http", "www.")))
    date = date_word | _flags(words, lambda word: _DATE.match(word) or word in ("May", "Mar"))
    date |= _flags(lower, lambda word: word in MONTHS or word in WEEKDAYS)
    headers = part.headers or ((),) * len(words)
    money_column = _flags(headers, lambda header: not MONEY_WORDS.isdisjoint(header))
    time_column = _flags(headers, lambda header: not TIME_UNITS.isdisjoint(header))

    def some(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(_inside(first, last, flags) > 0, dtype=bool)

    def every(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(_inside(first, last, flags) == length, dtype=bool)

    opens = number | date | money
    numeric = some(number) & opens[first] & (length <= 6)
    plain = every(number | mark | scale)
    kind = np.select(
        [
            some(address),
            some(date) & every(date | number | mark),
            numeric & (some(money) | (some(money_column) & plain)),
            numeric & some(percent),
            every(_flags(words, _CLOCK.match) | mark),
            numeric & (some(unit) | (some(time_column) & plain)),
            every(_flags(words, _YEAR.match)),
            some(code) & every(code | digit),
            some(number) & plain,
            number[first],
            capital[first] & every(capital | function | mark | digit),
            capital[first],
        ],
        [ADDRESS, DATE, MONEY, PERCENT, CLOCK, DURATION, YEAR, CODE, NUMBER, QUANTITY, NAME, MIXED],
        default=TEXT,
    )
    names = capital & ~np.concatenate([[False], capital[:-1]])
    continued = digit | unit | money | scale | percent
    return kind, {
        "kind": kind,
        "length": length,
        "digits": _inside(first, last, digit),
        "capitals": _inside(first, last, capital) / length,
        "functions": _inside(first, last, function) / length,
        "marks": _inside(first, last, mark),
        "codes": _inside(first, last, code),
        "numbers_before": np.concatenate([[0], np.cumsum(number)])[first],
        "numbers_elsewhere": number.sum() - _inside(first, last, number),
        "names_elsewhere": names.sum() - _inside(first, last, names),
        "name_goes_on_before": _before(first, capital) * capital[first],
        "name_goes_on_after": _after(last, capital) * capital[last],
        "number_goes_on_before": _before(first, digit | money | date_word) * number[first],
        "number_goes_on_after": _after(last, continued) * number[last],
        "title_before": _before(first, _flags(lower, TITLES.__contains__)),
    }


def _neighbours(
    part: Segment, first: Ints, last: Ints, function: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """The words next to each span, as classes, and its place in the segment."""
    size = len(part.words)
    classes = np.array([_CLASS_OF.get(word, 0) for word in part.lower])
    return {
        "class_before": _before(first, classes, _START),
        "class_two_before": np.concatenate([[_START, _START], classes])[first],
        "class_after": _after(last, classes, _END),
        "class_two_after": np.concatenate([classes, [_END, _END]])[last + 2],
        "function_after": _after(last, function),
        "starts_segment": first == 0,
        "ends_segment": last + 1 >= size - (part.words[-1] in ".!?;"),
        "place": first / size,
    }


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
    rated = [one for one in rated if len(one.segment.spans.first)]
    related = [_relate(question, one, lexicon) for one in rated]
    blocks = []
    for one, words in zip(rated, related, strict=True):
        others = [other for other in rated if other is not one]
        rival_passage = max((s for p, s in best_of.items() if p != one.passage), default=0.0)
        columns: dict[str, Any] = {
            **_shared_columns(question, one, lexicon),
            **_match_columns(question, one),
            **_related_columns(one.segment.spans, words),
            **_bound_columns(one.segment, lexicon),
            "affinity": (question.kinds - lexicon.usual_kinds)[one.segment.spans.kind],
            "kind_fits": _FITS[question.asks][one.segment.spans.kind],
            "kind_gap": (question.kinds - question.kinds.max())[one.segment.spans.kind],
            "passage": one.passage,
            "passages": len(passages),
            "share_lead": one.share - max((other.share for other in others), default=0.0),
            "context_lead": one.context - max((other.context for other in others), default=0.0),
            "passage_lead": one.passage_share - rival_passage,
            "related_lead": words.whole
            - max((other.whole for other in related if other is not words), default=0.0),
        }
        rest = _matrix(columns, ASKED, len(one.segment.spans.first))
        blocks.append(np.concatenate([one.segment.spans.fixed, rest], axis=1))
    if not blocks:
        return None
    parts = [(one.segment, one.segment.spans, one.passage) for one in rated]
    return Candidates(
        np.concatenate([np.full(len(spans.first), passage) for _, spans, passage in parts]),
        np.concatenate([np.array(segment.starts)[spans.first] for segment, spans, _ in parts]),
        np.concatenate([np.array(segment.ends)[spans.last] for segment, spans, _ in parts]),
        np.concatenate([spans.kind for _, spans, _ in parts]),
        np.concatenate(blocks),
    )


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


def _related_columns(spans: Spans, related: _Related) -> dict[str, Any]:
    """Features of the spans from the meaning of the words around and in them."""
    left, right = _decay(len(related.rest))
    return {
        "related": related.whole,
        "related_left": (left @ related.rest)[spans.first],
        "related_right": (right @ related.rest)[spans.last],
        "related_inside": _inside(spans.first, spans.last, related.asked)
        / (spans.last - spans.first + 1),
        "related_label": related.labels[spans.first],
    }


def _bound_columns(part: Segment, lexicon: Lexicon) -> dict[str, Any]:
    """Whether a span's ends cut through words that belong together."""
    pairs = [f"{one} {other}" in lexicon.bound for one, other in pairwise(part.lower)]
    cuts = np.array([False, *pairs, False])
    return {"bound_before": cuts[part.spans.first], "bound_after": cuts[part.spans.last + 1]}


@lru_cache(maxsize=256)
def _decay(size: int) -> tuple[Floats, Floats]:
    """Weights by which tokens count for those to their right, and to their left."""
    steps = np.subtract.outer(np.arange(size), np.arange(size))
    decay = np.exp(-np.abs(steps) / 4).astype(np.float32)
    return np.where(steps > 0, decay, 0), np.where(steps < 0, decay, 0)


def _named(words: Sequence[str]) -> list[tuple[slice, int, int]]:
    """For each `key: value` of a segment, where the key stands and where the value does."""
    breaks = [index for index, word in enumerate(words) if word in _MARKS]
    bounds = zip([-1, *breaks], breaks, [*breaks[1:], len(words)], strict=False)
    return [
        (slice(before + 1, here), here + 1, after)
        for before, here, after in bounds
        if words[here] in ":="
    ]


def _match_columns(question: Query, rated: _Rated) -> dict[str, NDArray[Any]]:
    """Where the question's words stand in relation to each span."""
    part, keys = rated.segment, rated.keys
    first, last = part.spans.first, part.spans.last
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
        "share_inside": _inside(first, last, weights),
        "words_inside": _inside(first, last, weights > 0) / (last - first + 1),
        "key_share": key_share[first],
        "column_share": column_share[first],
        "head_inside": _inside(first, last, heads) > 0,
        "head_before": _before(first, heads),
        "head_after": _after(last, heads),
        "head_column": column_head[first],
    }


FIXED = tuple(
    (
        "is_row segment_number segment_size kind length digits capitals functions marks codes "
        "numbers_before numbers_elsewhere names_elsewhere name_goes_on_before name_goes_on_after "
        "number_goes_on_before number_goes_on_after title_before class_before class_two_before "
        "class_after class_two_after function_after starts_segment ends_segment place whole_value"
    ).split(" ")
)
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


def segment_at(passage: str, start: int) -> Segment | None:
    """The segment that holds a character."""
    for part in segments(passage):
        if part.starts[0] <= start < part.ends[-1]:
            return part
    return None


def surroundings(passage: str, start: int) -> tuple[str, ...]:
    """Case-folded words of the segment at a character, of its heading and its column header."""
    part = segment_at(passage, start)
    if part is None:
        return ()
    token = max(index for index, begin in enumerate(part.starts) if begin <= start)
    header = part.headers[token] if part.headers else ()
    return (*part.lower, *part.heading, *header)


def kind_of(passage: str, start: int, end: int) -> int | None:
    """The kind of the candidate span at these characters, if it is one."""
    part = segment_at(passage, start)
    if part is None or start not in part.starts or end not in part.ends:
        return None
    first, last = part.starts.index(start), part.ends.index(end)
    found = np.nonzero((part.spans.first == first) & (part.spans.last == last))[0]
    return int(part.spans.kind[found[0]]) if len(found) else None
