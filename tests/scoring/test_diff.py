"""Word diffs: both texts can be put together again, and only words that differ are marked."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.scoring.diff import LIMIT, Piece, marked, words
from tailor.text import nfc

TEXT = st.text(alphabet=st.sampled_from("ab ễ,.1\n\tđ\u0301"), max_size=40)


@pytest.mark.parametrize(
    ("former", "latter", "shown"),
    [
        ("10 days of leave [1].", "12 days of paid leave [1].",
         "[-10-]{+12+} days of{+ paid+} leave [1]."),
        ("Nhân viên được nghỉ 12 ngày.", "Nhân viên được nghĩ 12 ngày phép.",
         "Nhân viên được [-nghỉ-]{+nghĩ+} 12 ngày{+ phép+}."),
        ("1,5 kg", "1,6 kg", "[-1,5-]{+1,6+} kg"),
        ("a  b", "a b", "a[-  -]{+ +}b"),
        ("b c", "a b c", "{+a +}b c"),
        ("", "new", "{+new+}"),
        ("same", "same", "same"),
        ("", "", ""),
    ],
)  # fmt: skip
def test_what_is_marked(former: str, latter: str, shown: str) -> None:
    assert marked(words(former, latter)) == shown


def test_two_unicode_forms_of_a_word_are_the_same() -> None:
    assert words("nghi\u0309 phe\u0301p", "nghỉ phép") == (Piece("nghỉ phép", "same"),)


def test_texts_with_little_in_common_are_replaced_as_a_whole() -> None:
    former = "The documents do not say."
    latter = "The warehouse in Hải Phòng is kept cold by two machines which run day and night."
    assert words(former, latter) == (Piece(former, "removed"), Piece(latter, "added"))


def test_long_texts_keep_what_they_share_at_both_ends() -> None:
    middle = " ".join(f"word{n}" for n in range(LIMIT + 1))
    ends = " ".join(f"end{n}" for n in range(LIMIT))
    pieces = words(f"{ends} {middle} {ends}", f"{ends} {middle.upper()} {ends}")
    assert [piece.kind for piece in pieces] == ["same", "removed", "added", "same"]
    assert pieces[0].text == f"{ends} "


@given(TEXT, TEXT)
def test_both_texts_can_be_put_together_again(former: str, latter: str) -> None:
    pieces = words(former, latter)
    assert "".join(p.text for p in pieces if p.kind != "added") == nfc(former)
    assert "".join(p.text for p in pieces if p.kind != "removed") == nfc(latter)
    kinds = [piece.kind for piece in pieces]
    assert all(piece.text for piece in pieces)
    assert all(one != other for one, other in pairwise(kinds))
    assert ("added", "removed") not in set(pairwise(kinds))
    assert pieces == words(former, latter)
