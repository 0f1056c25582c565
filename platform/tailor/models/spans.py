"""The spans of a segment that may be an answer: kinds, and features that no question changes.

Everything is computed per token first; the features of all spans follow by array arithmetic.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tailor.models.query import FUNCTION_WORDS, word_set
from tailor.models.segments import Segment, segment_at

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]

LONGEST = 12

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
MARKS = word_set("| ; : =")
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


def _flags(values: Sequence[Any], test: Callable[[Any], Any]) -> NDArray[np.bool_]:
    return np.array([bool(test(value)) for value in values], dtype=bool)


@lru_cache(maxsize=4096)
def spans(part: Segment) -> Spans:
    """All spans of a segment that may be an answer."""
    words, lower = part.words, part.lower
    size = len(words)
    value_start, value_end = _values(words)
    is_word = _flags(words, lambda word: word[0].isalnum() or word[0] in "$€£¥₫")
    function = _flags(lower, FUNCTION_WORDS.__contains__)
    block = np.cumsum(_flags(words, MARKS.__contains__))
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
    return Spans(first, last, kind, matrix(fixed, FIXED, len(first)))


def matrix(columns: Mapping[str, Any], names: Sequence[str], rows: int) -> Floats:
    """The named columns side by side; a scalar fills its column."""
    result = np.empty((rows, len(names)), dtype=np.float32)
    for index, name in enumerate(names):
        result[:, index] = columns[name]
    return result


def _values(words: Sequence[str]) -> tuple[Ints, Ints]:
    """First and last token of the table cell or `key: value` value around each token, else -1."""
    size = len(words)
    starts, ends = np.full(size, -1), np.full(size, -1)
    marks = [index for index, word in enumerate(words) if word in MARKS]
    for mark, following in pairwise([*marks, size]):
        end = following - 1
        while end > mark and words[end] in ".;,":
            end -= 1
        starts[mark + 1 : end + 1], ends[mark + 1 : end + 1] = mark + 1, end
    return starts, ends


def inside(first: Ints, last: Ints, values: NDArray[Any]) -> NDArray[np.float64]:
    """Sum of a value per token over each span."""
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    result: NDArray[np.float64] = sums[last + 1] - sums[first]
    return result


def value_before(first: Ints, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
    """The value of the token before each span, `outside` at the segment's start."""
    return np.concatenate([[outside], values])[first]


def value_after(last: Ints, values: NDArray[Any], outside: float = 0.0) -> NDArray[Any]:
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
        return np.asarray(inside(first, last, flags) > 0, dtype=bool)

    def every(flags: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.asarray(inside(first, last, flags) == length, dtype=bool)

    opens = number | date | money
    numeric = some(number) & opens[first] & (length <= 6)
    plain = every(number | mark | scale)
    # The first that holds is the kind.
    tests = {
        "address": some(address),
        "date": some(date) & every(date | number | mark),
        "money": numeric & (some(money) | (some(money_column) & plain)),
        "percent": numeric & some(percent),
        "clock": every(_flags(words, _CLOCK.match) | mark),
        "duration": numeric & (some(unit) | (some(time_column) & plain)),
        "year": every(_flags(words, _YEAR.match)),
        "code": some(code) & every(code | digit),
        "number": some(number) & plain,
        "quantity": number[first],
        "name": capital[first] & every(capital | function | mark | digit),
        "mixed": capital[first],
    }
    kinds = [KINDS.index(name) for name in tests]
    kind = np.select(list(tests.values()), kinds, default=KINDS.index("text"))
    names = capital & ~np.concatenate([[False], capital[:-1]])
    continued = digit | unit | money | scale | percent
    return kind, {
        "kind": kind,
        "length": length,
        "digits": inside(first, last, digit),
        "capitals": inside(first, last, capital) / length,
        "functions": inside(first, last, function) / length,
        "marks": inside(first, last, mark),
        "codes": inside(first, last, code),
        "numbers_before": np.concatenate([[0], np.cumsum(number)])[first],
        "numbers_elsewhere": number.sum() - inside(first, last, number),
        "names_elsewhere": names.sum() - inside(first, last, names),
        "name_goes_on_before": value_before(first, capital) * capital[first],
        "name_goes_on_after": value_after(last, capital) * capital[last],
        "number_goes_on_before": value_before(first, digit | money | date_word) * number[first],
        "number_goes_on_after": value_after(last, continued) * number[last],
        "title_before": value_before(first, _flags(lower, TITLES.__contains__)),
    }


def _neighbours(
    part: Segment, first: Ints, last: Ints, function: NDArray[np.bool_]
) -> dict[str, NDArray[Any]]:
    """The words next to each span, as classes, and its place in the segment."""
    size = len(part.words)
    classes = np.array([_CLASS_OF.get(word, 0) for word in part.lower])
    return {
        "class_before": value_before(first, classes, _START),
        "class_two_before": np.concatenate([[_START, _START], classes])[first],
        "class_after": value_after(last, classes, _END),
        "class_two_after": np.concatenate([classes, [_END, _END]])[last + 2],
        "function_after": value_after(last, function),
        "starts_segment": first == 0,
        "ends_segment": last + 1 >= size - (part.words[-1] in ".!?;"),
        "place": first / size,
    }


FIXED = tuple(
    (
        "is_row segment_number segment_size kind length digits capitals functions marks codes "
        "numbers_before numbers_elsewhere names_elsewhere name_goes_on_before name_goes_on_after "
        "number_goes_on_before number_goes_on_after title_before class_before class_two_before "
        "class_after class_two_after function_after starts_segment ends_segment place whole_value"
    ).split(" ")
)


def kind_of(passage: str, start: int, end: int) -> int | None:
    """The kind of the candidate span at these characters, if it is one."""
    part = segment_at(passage, start)
    if part is None or start not in part.starts or end not in part.ends:
        return None
    first, last = part.starts.index(start), part.ends.index(end)
    own = spans(part)
    found = np.nonzero((own.first == first) & (own.last == last))[0]
    return int(own.kind[found[0]]) if len(found) else None
