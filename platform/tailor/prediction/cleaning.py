"""The text of an item made clean: no markup, no addresses, no price written in it."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Literal

from tailor.prediction.parsing import canonical
from tailor.text import nfc

Change = Literal["markup", "addresses", "spaces", "price"]
"""What was taken out of a text."""

_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<!--.*?-->", re.DOTALL)
_ADDRESS = re.compile(r"(?:https?://|www\.)\S+")
_AMOUNT = r"\d[\d.,]*(?:\s?(?:k|tr|triệu|nghìn|ngàn|million|thousand)\b)?"
_PRICE = re.compile(
    r"(?:\b(?:list|our|sale|regular|price|msrp|rrp|only|just|now|for|giá|bán|chỉ|còn|niêm yết)\b"
    r"\s?[:=]?\s?){0,3}"
    rf"(?:(?:us|\b(?:usd|eur|gbp|vnd))?\s?[$€£¥₫]\s?{_AMOUNT}|\b(?:usd|eur|gbp|vnd)\s?{_AMOUNT}"
    rf"|(?<![\w.,])\d[\d.,]*(?:\s?(?:k|tr|triệu|nghìn|ngàn))?\s?(?:[$€£¥₫]|(?:usd|eur|gbp|vnd|vnđ"
    r"|dollars?|euros?|đồng|đô la|đô|đ)(?!\w)))",
    re.IGNORECASE,
)
_NAMED = re.compile(
    rf"\b(?:price|msrp|rrp|giá(?: bán)?)\s?[:=]\s?{_AMOUNT}(?![\w%])", re.IGNORECASE
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:[.,]\d{3})*[.,]\d{1,2}(?![\w.,]?\d)")


def clean(text: str, truth: float | None = None) -> tuple[str, tuple[Change, ...]]:
    """The text in composed Unicode without what does not belong, and what was taken out.

    With ``truth``, the number it stands for, amounts of money and the number itself (where it has
    decimals, so that no size is taken for it) are taken out, too.
    """
    changes: list[Change] = []

    def step(change: Change, before: str, after: str) -> str:
        if before != after:
            changes.append(change)
        return after

    text = nfc(text)
    text = step("markup", text, html.unescape(_TAG.sub(" ", text)))
    text = step("addresses", text, _ADDRESS.sub(" ", text))
    if truth is not None:
        text = step("price", text, _without_price(text, truth))
    return step("spaces", text, _spaced(text)), tuple(changes)


def tells(text: str, truth: float) -> bool:
    """Whether a number in the text is just the one that it stands for."""
    wanted = {form.replace(".", "") for form in (canonical(truth), f"{truth:.2f}")}
    found = re.findall(r"\d+(?:[.,]\d+)*", text)
    return any(re.sub(r"[.,]", "", n).lstrip("0") in wanted for n in found)


def _without_price(text: str, truth: float) -> str:
    without = _NAMED.sub(" ", _PRICE.sub(" ", text))
    text = text if without == text else re.sub(r"[ \t]+(?=[,.;!?])", "", without)
    if truth == int(truth):
        return text
    forms = {f"{truth:.2f}", f"{truth:,.2f}", f"{truth:.1f}", canonical(truth)}
    forms |= {form.translate(str.maketrans(",.", ".,")) for form in forms}
    return _NUMBER.sub(lambda found: " " if found[0] in forms else found[0], text)


def _spaced(text: str) -> str:
    """Without control characters, and without spaces beside spaces; lines stay lines."""
    kept = (" " if unicodedata.category(c) in ("Cc", "Cf", "Zs") and c != "\n" else c for c in text)
    lines = (" ".join(line.split()) for line in "".join(kept).split("\n"))
    return "\n".join(line for line in lines if line)
