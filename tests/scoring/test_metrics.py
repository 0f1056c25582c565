import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.scoring.metrics import contains, exact_match, f1

METRICS = (exact_match, f1, contains)
texts = st.one_of(st.text(), st.text("abc đồng12.,% -"))


def test_known_values():
    assert exact_match("12 days", ["12 days"]) == 1
    assert exact_match("It is 12 days.", ["12 days"]) == 0
    # tokens it is 12 days | 12 days: precision 2/4, recall 2/2
    assert f1("It is 12 days.", ["12 days"]) == pytest.approx(2 / 3)
    assert f1("Nhân viên được nghỉ 14 ngày", ["14 ngày"]) == pytest.approx(2 * 2 / (6 + 2))
    assert contains("It is 12 days.", ["12 days"]) == 1
    assert contains("days: 12", ["12 days"]) == 0
    assert f1("one two", ["three four"]) == 0


def test_the_best_accepted_answer_counts():
    assert f1("Pieter Hoekstra", ["the CTO", "Pieter Hoekstra"]) == 1
    assert f1("anything", []) == 0


def test_another_number_gets_nothing():
    assert f1("14 days", ["12 days"]) == 0
    assert f1("39.900.000 VND", ["52.400.000 VND"]) == 0
    assert f1("FrostBox 120", ["FrostBox 120S"]) == 0
    assert contains("It costs 11,940 EUR.", ["1,940 EUR"]) == 0
    assert contains("21 days", ["1 day", "2"]) == 0
    # without a number nothing is contradicted, and with one in common the rest is compared
    assert f1("some days", ["12 days"]) == pytest.approx(0.5)
    assert f1("5 March 2026", ["6 March 2026"]) == pytest.approx(2 / 3)


def test_wrong_accents_do_not_score_like_right_ones():
    right, wrong = "nhân viên được nghỉ phép", "nhẫn viện đuọc nghĩ phèp"
    assert exact_match(right, [right]) == f1(right, [right]) == 1
    assert exact_match(wrong, [right]) == f1(wrong, [right]) == contains(wrong, [right]) == 0
    assert exact_match(wrong, [right], folded=True) == f1(wrong, [right], folded=True) == 1


def test_punctuation_alone_is_compared_as_it_is():
    assert exact_match("±", ["±"]) == f1("±", ["±"]) == contains("±", ["±"]) == 1
    assert exact_match("±", ["+"]) == exact_match("", [""]) == exact_match("", ["?"]) == 0


@given(texts, st.lists(texts, max_size=3), st.booleans())
def test_between_0_and_1_and_order_is_irrelevant(text, accepted, folded):
    for metric in METRICS:
        value = metric(text, accepted, folded)
        assert 0 <= value <= 1
        assert metric(text, accepted[::-1], folded) == value


@given(texts, texts, st.booleans())
def test_decomposed_input_scores_the_same(text, answer, folded):
    nfd = unicodedata.normalize("NFD", text)
    nfc = unicodedata.normalize("NFC", text)
    for metric in METRICS:
        assert metric(nfd, [answer], folded) == metric(nfc, [answer], folded)


@given(texts, texts)
def test_the_metrics_agree_with_each_other(text, answer):
    assert f1(text, [answer]) == f1(answer, [text])
    if exact_match(text, [answer]):
        assert f1(text, [answer]) == contains(text, [answer]) == 1
    if text.strip():
        assert exact_match(text, [text]) == 1
