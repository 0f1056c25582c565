"""Quotes are found as people write them, and missing ones are named."""

from __future__ import annotations

import unicodedata

import pytest

from tailor.benchmark import Evidence, Question
from tailor.documents.evidence import locate, spans

TEXT = (
    "# Leave\n\nNew staff get **12 days**\nof paid leave.\n\n"
    "| Destination | Limit |\n| Hà Nội | 350.000 |"
)


@pytest.mark.parametrize(
    ("quote", "found"),
    [
        ("New staff get", "New staff get"),
        ("12 days** of paid leave", "12 days**\nof paid leave"),
        ("get 12 days of paid", "get **12 days**\nof paid"),
        (unicodedata.normalize("NFD", "Hà Nội"), "Hà Nội"),
        ("hà nội 350.000", "Hà Nội | 350.000"),
    ],
)
def test_locate(quote: str, found: str) -> None:
    place = locate(quote, TEXT)
    assert place is not None
    assert TEXT[slice(*place)] == found


@pytest.mark.parametrize("quote", ["14 days", "", "  ", "***", "Ha Noi"])
def test_locate_nothing(quote: str) -> None:
    assert locate(quote, TEXT) is None


def test_spans_count_copies_once_and_name_what_is_missing() -> None:
    texts = {"a/leave.md": "12 days of leave", "b/leave.md": "12 days of leave"}
    question = Question(
        "q1",
        "?",
        ("12",),
        (
            Evidence("b/leave.md", "12 days"),
            Evidence("a/leave.md", "14 days"),
            Evidence("c.md", "12 days"),
        ),
    )
    found, missing = spans(question, texts)
    assert found == (("a/leave.md", 0, 7),)
    assert missing == (
        'q1: a/leave.md does not say "14 days".',
        "q1: there is no document c.md.",
    )
