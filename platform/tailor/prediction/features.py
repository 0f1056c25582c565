"""Features that people would think of: numbers read out of a text, in English or Vietnamese."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log1p
from pathlib import Path
from typing import TYPE_CHECKING

from tailor.text import fold, language, words

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

_N = r"(\d+(?:[.,]\d+)?)[\s-]*"


def _unit(*units: tuple[str, float]) -> Callable[[str], float]:
    """The greatest amount in a folded text, in the unit that counts 1; 0 where there is none."""
    patterns = [(re.compile(rf"{_N}(?:{unit})(?![a-z])"), factor) for unit, factor in units]

    def amount(text: str) -> float:
        return max(
            (
                float(found.replace(",", ".")) * factor
                for pattern, factor in patterns
                for found in pattern.findall(text)
            ),
            default=0.0,
        )

    return amount


def _any(pattern: str) -> Callable[[str], float]:
    found = re.compile(rf"\b(?:{pattern})\b")
    return lambda text: float(found.search(text) is not None)


def _log(amount: Callable[[str], float]) -> Callable[[str], float]:
    return lambda text: log1p(amount(text))


_pieces = _unit(("packs?|pcs?|pieces?|count|ct|sets?|chiec|cai|mieng|goi|hop", 1.0))
_packed = re.compile(r"\b(?:packs?|sets?|box|case|lots?|bo|combo|loc|thung|hop) (?:of |gom )?(\d+)")


def _pack(text: str) -> float:
    return max([_pieces(text), *(float(n) for n in _packed.findall(text))])


def _share_of_digits(text: str) -> float:
    found = words(text)
    return sum(any(map(str.isdigit, word)) for word in found) / max(1, len(found))


_WEIGHT = _unit(
    ("kg|kilograms?|kilo", 1000),
    ("g|gr|grams?|gam", 1),
    ("lbs?|pounds?", 453.6),
    ("oz|ounces?", 28.3),
)
_SIZE = _unit(
    ("cm", 1),
    ("mm", 0.1),
    ("m|met|meters?|metres?", 100),
    ('in|inch|inches|"|”|″', 2.54),
    ("ft|feet|foot", 30.5),
)
_VOLUME = _unit(
    ("ml", 1),
    ("l|lit|lit(?:er|re)s?", 1000),
    ("gal|gallons?", 3785),
    ("qt|quarts?", 946),
)

FEATURES: dict[str, Callable[[str], float]] = {
    "length": lambda text: log1p(len(words(text))),
    "share of numbers": _share_of_digits,
    "pack count": _log(_pack),
    "weight": _log(_WEIGHT),
    "size": _log(_SIZE),
    "volume": _log(_VOLUME),
    "power": _log(_unit(("w|watts?", 1), ("kw", 1000), ("hp|horsepower", 746))),
    "storage": _log(_unit(("gb", 1), ("tb", 1000), ("mb", 0.001))),
    "used": _any(
        "used|refurbished|renewed|pre owned|preowned|second hand|secondhand|open box|like new|"
        "da qua su dung|da su dung|hang cu|do cu|cu|nhu moi|tan trang"
    ),
    "replacement": _any("replacement|replaces|compatible|fits|spare|thay the|tuong thich|phu tung"),
    "premium": _any(
        "premium|professional|pro|luxury|deluxe|genuine|solid|oem|cao cap|chuyen nghiep|"
        "chinh hang|sang trong|nguyen khoi"
    ),
    "basic": _any("basic|simple|mini|small|economy|budget|co ban|don gian|nho|gia re"),
    "precious": _any("gold|silver|diamond|leather|silk|titanium|vang|bac|kim cuong|da that|lua"),
}  # fmt: skip
"""Of a folded text; amounts are logarithms of 1 + amount in g, cm, ml, W and GB."""

OWN = ("Vietnamese", "first word")
"""Features beside these: the language, and what items with the same first word cost on average."""
VIETNAMESE = {
    "length": "độ dài",
    "share of numbers": "tỷ lệ từ có chữ số",
    "pack count": "số lượng trong gói",
    "weight": "khối lượng",
    "size": "kích thước",
    "volume": "thể tích",
    "power": "công suất",
    "storage": "dung lượng lưu trữ",
    "used": "đã qua sử dụng",
    "replacement": "hàng thay thế",
    "premium": "cao cấp",
    "basic": "cơ bản",
    "precious": "vật liệu quý",
    "Vietnamese": "tiếng Việt",
    "first word": "từ đầu tiên",
}
"""What each is called in Vietnamese."""
HELD = 3.0
"""Items that the average of all counts as beside those with the same first word."""
_LABEL = re.compile(r"^\s*\w+\s*:\s*")


@dataclass(frozen=True)
class Features:
    """Standardized features; ``first`` holds what train items with a first word are worth."""

    first: dict[str, float]
    """Above or below the average of all, on the scale that is fitted."""
    mean: tuple[float, ...]
    spread: tuple[float, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What each column is."""
        return (*FEATURES, *OWN)

    def rows(self, texts: Sequence[str]) -> Floats:
        """Standardized values, (n, features)."""
        import numpy as np

        raw = np.array([[*_values(text), self.first.get(_first(text), 0.0)] for text in texts])
        found: Floats = (raw.reshape(len(texts), -1) - self.mean) / np.array(self.spread)
        return found

    def save(self, folder: Path) -> None:
        """Write all of it as JSON."""
        (folder / "features.json").write_text(
            json.dumps(self.__dict__, ensure_ascii=False), "utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> Features:
        """Read what :meth:`save` wrote."""
        value = json.loads((folder / "features.json").read_text("utf-8"))
        return cls(value["first"], tuple(value["mean"]), tuple(value["spread"]))


def fitted(texts: Sequence[str], values: Floats) -> tuple[Features, Floats]:
    """The features of these train items, and their rows.

    In the rows an item's own value says nothing about its first word, or it would give itself away.
    """
    import numpy as np

    middle = float(values.mean())
    firsts = [_first(text) for text in texts]
    sums: dict[str, float] = defaultdict(float)
    counts: dict[str, int] = defaultdict(int)
    for first, value in zip(firsts, values, strict=True):
        sums[first] += float(value) - middle
        counts[first] += 1
    without = [
        (sums[first] - (float(value) - middle)) / (counts[first] - 1 + HELD)
        for first, value in zip(firsts, values, strict=True)
    ]
    raw = np.column_stack([np.array([_values(text) for text in texts]), without])
    mean, spread = raw.mean(axis=0), raw.std(axis=0)
    spread[spread == 0] = 1.0
    known = {first: sums[first] / (counts[first] + HELD) for first in sums if counts[first] > 1}
    return Features(known, tuple(mean.tolist()), tuple(spread.tolist())), (raw - mean) / spread


def _values(text: str) -> list[float]:
    plain = fold(text)
    return [*(feature(plain) for feature in FEATURES.values()), float(language(text) == "vi")]


def _first(text: str) -> str:
    """The first word after a label such as ``Title:``."""
    return next(iter(words(fold(_LABEL.sub("", text)))), "")
