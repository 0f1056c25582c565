"""Numbers out of texts, in English and Vietnamese."""

import pytest

from tailor.prediction.parsing import canonical, number

PRICES = {
    "$1,299.00": 1299,
    "1.299.000 ₫": 1_299_000,
    "2-pack, $30": 30,
    "$20-$30": 25,
    "$20 - 30": 25,
    "20 to 30 dollars": 25,
    "between $20 and $40": 30,
    "about 30-40": 35,
    "từ 2-3 triệu đồng": 2_500_000,
    "The price is about $45.99, I think.": 45.99,
    "**$129.99**": 129.99,
    "Model 5, pack of 3: 19,99 €": 19.99,
    "12 oz bottle: 8.5": 8.5,
    "$30.00 per 2-pack": 30,
    "Was $50, now $40": 50,
    "1,5 triệu": 1_500_000,
    "12k": 12_000,
    "350K VND": 350_000,
    "3 tr": 3_000_000,
    "3tr5": 3_500_000,
    "2 triệu rưỡi": 2_500_000,
    "500 nghìn đồng": 500_000,
    "1,2 tỷ": 1_200_000_000,
    "1.2 million": 1_200_000,
    "$1.2m": 1_200_000,
    "1.299 triệu": 1_299_000,
    "USD 30": 30,
    "30USD": 30,
    "30 đô": 30,
    "Giá khoảng 250.000đ": 250_000,
    "1 299,50 €": 1299.5,
    "1.299,50 €": 1299.5,
    "$1,234,567.89": 1_234_567.89,
    "1’299.00": 1299,
    "1.299": 1299,
    "1,299": 1299,
    "0.299": 0.299,
    ".5": 0.5,
    "45.": 45,
    "-5": -5,
    "1e3": 1000,
    "１２９": 129,
}  # fmt: skip


@pytest.mark.parametrize("text", PRICES)
def test_a_price_is_found(text):
    assert number(text, "USD") == pytest.approx(PRICES[text])


@pytest.mark.parametrize(
    "text",
    [
        "", "none", "NaN", "I cannot tell the price of the 2-pack", "15 inch", "100%", "T12Sub",
        "five", "12.05.2024", "không rõ", "$",
        "1" * 40,
    ],
)  # fmt: skip
def test_no_number_is_none_and_never_zero(text):
    assert number(text, "USD") is None


def test_without_a_currency_the_language_says_what_a_separator_means():
    assert number("1.299") == 1.299
    assert number("1,299") == 1299
    assert number("khoảng 1.299") == 1299
    assert number("khoảng 1,299") == 1.299
    assert number("1.299", lang="vi") == 1299
    assert number("12 inch") == 12


def test_the_unit_marks_the_number_that_is_meant():
    assert number("2-pack in 90 minutes", unit="minutes") == 90
    assert number("12 hours", unit="minutes") is None
    assert number("1,5 minutes", unit="minutes") == 1.5


@pytest.mark.parametrize("value", [45.123, 1e14, 0.1, 1299, 1 / 3, -4.5, 1e-7, 1234.567, 0.001, 0])
def test_what_tailor_writes_is_read_again(value):
    assert number(canonical(value), "USD") == value
    assert number(canonical(value), lang="vi") == value
