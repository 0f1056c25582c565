"""Which words of a passage are highlighted."""

from __future__ import annotations

import unicodedata

import pytest

from tailor.documents.highlight import highlights


@pytest.mark.parametrize(
    ("question", "text", "marked"),
    [
        ("How many days of leave?", "Leave is 14 DAYS; leaves fall.", ["Leave", "DAYS", "leaves"]),
        ("nghi phep nam", "được nghỉ phép năm 12 ngày", ["nghỉ phép năm"]),
        ("nghỉ phép năm", "duoc nghi phep nam 12 ngay", ["nghi phep nam"]),
        ("chó", "đi chợ cho chó", ["chó"]),
        ("Đà Nẵng", "kho đà nẵng\nvà Hà Nội", ["đà nẵng"]),
        ("của", "của tôi", ["của"]),
        ("của ai", "xe của ông Bình", ["của"]),
        ("policy", "two policies", ["policies"]),
        ("x+y", "a*b", []),
        ("", "text", []),
    ],
)
def test_ranges(question: str, text: str, marked: list[str]) -> None:
    assert [text[start:end] for start, end in highlights(question, text)] == marked


def test_a_text_whose_accents_stand_alone() -> None:
    text = unicodedata.normalize("NFD", "được nghỉ phép")
    ((start, end),) = highlights("nghỉ phép", text)
    assert unicodedata.normalize("NFC", text[start:end]) == "nghỉ phép"
