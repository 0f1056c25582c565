"""A number out of a text: what a model, a person or a table wrote, in English or Vietnamese.

Known are forms such as ``$1,299.00``, ``1.299.000 ₫``, ``1 299,50 €``, ``12k``, ``1,5 triệu``,
``3tr5``, ``1.2 million``, ranges (their middle), and words around. Counts and measures ("2-pack",
"15 inch") are no prices. Where there is no number there is none: never 0.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from tailor.text import fold, language

_SCALES = {
    "k": 1e3, "nghin": 1e3, "ngan": 1e3, "thousand": 1e3, "tr": 1e6, "trieu": 1e6, "m": 1e6,
    "mil": 1e6, "mn": 1e6, "million": 1e6, "ty": 1e9, "bn": 1e9, "billion": 1e9,
}  # fmt: skip
_SCALE = "|".join(sorted(_SCALES, key=len, reverse=True))
_SYMBOLS = "$€£¥₫₩₹฿"
_CODES = "usd|eur|gbp|jpy|vnd|krw|inr|thb|cny|aud|cad|sgd|chf"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w.,)\]])[-−](?=[\d.{_SYMBOLS}u]))?"
    rf"(?P<mark>(?:\b(?:us|{_CODES})\s?)?[{_SYMBOLS}]|\b(?:{_CODES}))?"
    r"\s?(?P<digits>(?<!\d)\d{1,3}(?: \d{3})+(?:[.,]\d{1,2})?(?!\d)|\d[\d.,]*\d|\d|(?<!\d)\.\d+)"
    r"(?P<power>e[-+]?\d+)?"
    rf"(?:\s?(?P<scale>{_SCALE})(?P<rest>\d{{1,3}})?(?![a-z\d])(?P<half> ruoi)?)?"
)
_MARKED = re.compile(
    rf"\s?(?:[{_SYMBOLS}]|(?:{_CODES}|dollars?|bucks|euros?|yen|dong|do la|do|d)\b)"
)
_COUNT = re.compile(
    r"(?:\s?[-x×]\s?|\s?)(?:[%\"'”″’′]|(?:packs?|pcs?|pieces?|count|ct|sets?|pairs?|inch(?:es)?|in|cm|"
    r"mm|m|ft|feet|foot|oz|ounces?|lbs?|pounds|kg|g|mg|ml|l|lit(?:er|re)s?|[gtm]b|mah|watts?|w|"
    r"volts?|v|hz|[gm]hz|mp|x|stars?|years?|months?|days?|hours?|hrs?|minutes?|mins?|seconds?|"
    r"th|st|nd|rd|of|cai|chiec|goi|hop|doi|tam|lit|nam|thang|ngay|gio|phut|tuoi|sao|phan tram)\b)"
)
_PACK = re.compile(r"(?:packs? of|set of|box of|case of|combo|model|no\.|#|[x×])\s?$")
_TO = re.compile(
    rf"\s?(?:[{_SYMBOLS}]|(?:{_CODES}|dollars?|dong|d)\b)?\s?(?:[-–—~]|to|den|toi|and|va)\s?$"
)
_BETWEEN = re.compile(r"\b(?:between|from|tu|khoang|giua)\s?$")

_AROUND = 40
"""Characters beside a number that can tell what it is."""
_LARGEST = 1e15
"""What is larger is no estimate, but a code, or a model that repeats itself."""


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    value: float
    scale: float
    rank: Literal[0, 1, 2]
    """2: marked as money or with the unit; 1: a bare number; 0: a count, a measure, a code."""


def number(text: str, currency: str = "", unit: str = "", lang: str = "") -> float | None:
    """The number that a text gives; None where it gives none.

    Of several the first that is marked with a currency or the unit counts, else the first that is
    no count or measure of something else; of a range the middle. ``1.299`` is 1299 where numbers
    are money (``currency``), or where the language, ``lang`` or that of the text, has dots between
    thousands; else it is 1.299.
    """
    plain = " ".join(fold(unicodedata.normalize("NFKC", text)).split())
    plain = re.sub(r"(?<=\d)[’'](?=\d{3})", "", plain)  # Swiss thousands
    lang = lang or language(text)
    found: list[_Found] = []
    for match in _NUMBER.finditer(plain):
        value = _value(match, bool(currency), lang)
        if value is not None and abs(value) < _LARGEST:
            rank = _rank(plain, match, fold(currency), fold(unit))
            scale = _SCALES.get(match["scale"] or "", 1.0)
            found.append(_Found(match.start(), match.end(), value, scale, rank))
    best = max((one.rank for one in found), default=0)
    if not best:
        return None
    return _middle(plain, found, next(at for at, one in enumerate(found) if one.rank == best))


def canonical(value: float) -> str:
    """A number as Tailor writes it: no signs between thousands, a decimal point.

    Three decimals get a fourth, so that :func:`number` never takes them for thousands.
    """
    if value == int(value) and abs(value) < 1e15:
        return str(int(value))
    text = repr(float(value))
    return f"{text}0" if len(text.partition(".")[2]) == 3 else text


def _value(match: re.Match[str], money: bool, lang: str) -> float | None:
    digits = match["digits"].replace(" ", "")
    scale = match["scale"] or ""
    scaled = scale != "m" or bool(match["mark"])  # 5 m are metres, $5m are millions
    value = _plain(digits, money or bool(match["mark"]), lang, bool(scale) and scaled)
    if value is None:
        return None
    if match["power"]:
        value *= float(f"1{match['power']}")
    if scale and scaled:
        rest = match["rest"]
        value += float(f"0.{rest}") if rest else 0.5 if match["half"] else 0.0
        value *= _SCALES[scale]
    return -value if match["sign"] else value


def _plain(digits: str, money: bool, lang: str, scaled: bool) -> float | None:
    """Digits with their separators; None where they are no number, but a date or a version."""
    kinds = [c for c in digits if c in ".,"]
    if not kinds:
        return float(digits)
    last = kinds[-1]
    if len(set(kinds)) == 2:
        if kinds.count(last) > 1:
            return None
        whole, _, part = digits.rpartition(last)
        return float(f"{whole.replace('.', '').replace(',', '')}.{part}")
    groups = digits.split(last)
    thousands = 1 <= len(groups[0]) <= 3 and all(len(group) == 3 for group in groups[1:])
    if len(groups) > 2:
        return float("".join(groups)) if thousands else None
    dotted = (last == ".") == (lang == "vi")
    if thousands and not scaled and int(groups[0]) and (money or dotted):
        return float("".join(groups))
    return float(f"{groups[0] or 0}.{groups[1]}")


def _rank(plain: str, match: re.Match[str], currency: str, unit: str) -> Literal[0, 1, 2]:
    before = plain[max(0, match.start() - _AROUND) : match.start()]
    after = plain[match.end() : match.end() + _AROUND]
    if match["mark"] or _MARKED.match(after):
        return 2
    for own in filter(None, (currency, unit)):
        if after.lstrip().startswith(own) or before.rstrip().endswith(own):
            return 2
    glued = before[-1:].isalpha() and match.start("digits") == match.start()
    if glued or (after[:1].isalpha() and not match["scale"]):
        return 0
    other = _COUNT.match(after) or _PACK.search(before)
    return 0 if other and (currency or unit) else 1


def _middle(plain: str, found: Sequence[_Found], at: int) -> float:
    """The number at this place, or the middle of the range that it is an end of."""
    for low, high in ((at, at + 1), (at - 1, at)):
        if low < 0 or high >= len(found):
            continue
        one, other = found[low], found[high]
        if one.scale == 1 < other.scale:  # "2-3 triệu"
            one = replace(one, value=one.value * other.scale)
        between = plain[one.end : other.start]
        joined = _TO.fullmatch(between) is not None
        if re.search(r"\b(?:and|va)\b", between):
            before = plain[max(0, one.start - _AROUND) : one.start]
            joined = joined and _BETWEEN.search(before) is not None
        if joined and 0 <= one.value < other.value and min(found[low].rank, other.rank) > 0:
            return (one.value + other.value) / 2
    return found[at].value
