"""The calculator: exact, in both languages' numbers, bounded, and never anything but arithmetic."""

import operator
from collections.abc import Callable
from contextlib import suppress
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tailor.prompting.calculator import CalculationError, calculate, number, written


@pytest.mark.parametrize(
    ("expression", "language", "value"),
    [
        ("1 + 2 * 3", "en", "7"),
        ("(1 + 2) * 3", "en", "9"),
        ("2 ^ 3 ^ 2", "en", "512"),
        ("-2 ^ 2", "en", "-4"),
        ("2 ** -3", "en", "0.125"),
        ("7 − 10 ÷ 4 × 2", "en", "2"),
        ("200 + 10%", "en", "220"),
        ("200 - 10%", "en", "180"),
        ("15% * 2000", "en", "300"),
        ("5% + 10%", "en", "0.15"),
        ("17 % 5", "en", "2"),
        ("1,234.5 * 2", "en", "2469"),
        ("1.234,5 * 2", "vi", "2469"),
        ("1.940 * 2", "vi", "3880"),
        ("1,940 * 2", "en", "3880"),
        ("12,5 + 0,25", "vi", "12,75"),
        ("52 400 000 / 2", "vi", "26200000"),
        ("1.000.000 + 1", "en", "1000001"),
        ("$1,200 * 3", "en", "3600"),
        ("1 / 3", "en", "0.3333333333"),
        ("2 ^ 0.5", "en", "1.4142135624"),
        ("1 / 3 * 3", "en", "1"),
        ("0.1 + 0.2", "en", "0.3"),
        ("1 ^ 99999999999", "en", "1"),
    ],
)
def test_what_an_expression_is_worth(expression: str, language: str, value: str) -> None:
    assert written(calculate(expression, language), language) == value


@pytest.mark.parametrize(
    ("expression", "says"),
    [
        ("", "A number is missing"),
        ("1 +", "A number is missing"),
        ("(1 + 2", "not closed"),
        ("1 2", "was not expected"),
        ("1)", "was not expected"),
        ("1 / 0", "divides by 0"),
        ("5 % (1 - 1)", "divides by 0"),
        ("0 ^ -1", "divides by 0"),
        ("12 days * 3", "'days' is not part of a calculation"),
        ("__import__('os').system('true')", "'__import__' is not part"),
        ("(-8) ^ 0.5", "no such power"),
        ("9 ^ 9 ^ 9", "too large"),
        ("9 ^ 99999", "too large"),
        ("(" * 100 + "1" + ")" * 100, "in one another"),
        ("-" * 100 + "1", "in one another"),
        ("1+" * 400 + "1", "longer than"),
        ("1e5", "not part of a calculation"),
    ],
)
def test_what_is_no_calculation_is_one_sentence(expression: str, says: str) -> None:
    with pytest.raises(CalculationError, match=says) as caught:
        calculate(expression)
    assert str(caught.value).endswith(".")


Tree = Any
WAYS: dict[str, Callable[[Fraction, Fraction], Fraction]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}
TREES = st.recursive(
    st.integers(0, 10_000),
    lambda inner: st.tuples(inner, st.sampled_from(sorted(WAYS)), inner),
    max_leaves=12,
)


def _said(tree: Tree) -> str:
    return str(tree) if isinstance(tree, int) else f"({_said(tree[0])} {tree[1]} {_said(tree[2])})"


def _value(tree: Tree) -> Fraction:
    if isinstance(tree, int):
        return Fraction(tree)
    return WAYS[tree[1]](_value(tree[0]), _value(tree[2]))


@given(TREES)
def test_it_is_exact(tree: Tree) -> None:
    try:
        wanted = _value(tree)
    except ZeroDivisionError:
        with pytest.raises(CalculationError, match="divides by 0"):
            calculate(_said(tree))
    else:
        assert calculate(_said(tree)) == wanted


@given(st.text(alphabet="0123456789.,+-*/^%() \u00a0$€x", max_size=60))
def test_it_ends_with_a_value_or_a_sentence(expression: str) -> None:
    with suppress(CalculationError):
        assert isinstance(calculate(expression), Fraction)


@given(st.integers(0, 10**15), st.integers(0, 99), st.sampled_from(["en", "vi"]))
def test_a_number_is_read_as_each_language_writes_it(whole: int, cents: int, language: str) -> None:
    text = f"{whole:,}.{cents:02d}"
    told = text.translate(str.maketrans(",.", ".,")) if language == "vi" else text
    assert number(told, language) == whole + Fraction(cents, 100)


@given(st.fractions(max_denominator=10**6), st.sampled_from(["en", "vi"]))
def test_what_is_written_is_read_back(value: Fraction, language: str) -> None:
    told = written(value, language)
    assert told.startswith("-") == (value < 0)
    assert abs(number(told.lstrip("-"), language) - abs(value)) <= Fraction(1, 10**10)
