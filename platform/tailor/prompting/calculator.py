"""Arithmetic on text, by a parser of its own: nothing is run as code, and all is bounded."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Context, Decimal, InvalidOperation
from fractions import Fraction
from typing import Literal

Language = Literal["en", "vi"]

LONGEST = 500
"""Characters of an expression."""
DEEPEST = 40
"""Parentheses, signs and powers in one another."""
BITS = 2048
"""Of the numerator and the denominator of any number on the way."""

_SPACES = " \u00a0\u202f"
_NUMBER = re.compile(
    rf"\d{{1,3}}(?:[{_SPACES}]\d{{3}})+(?![\d])(?:[.,]\d+)?|\d+(?:[.,]\d+)*|[.,]\d+"
)
_SIGNS = str.maketrans({"×": "*", "÷": "/", ":": "/", "·": "*", "−": "-", "–": "-"})
_CURRENCY = re.compile(r"[$€£¥₫]")


class CalculationError(ValueError):
    """What cannot be calculated, a sentence for whoever wrote the expression."""


def calculate(expression: str, language: str = "en") -> Fraction:
    """The value of an expression of numbers, ``+ - * / ^ %`` and parentheses, exactly.

    ``%`` before a number or a parenthesis is the remainder; else it is percent, and of the
    number on the left after ``+`` and ``-``, as on a desk calculator: ``200 + 10%`` is 220, and
    ``5% + 10%`` is 0.15. ``^`` binds tighter than a sign before it and goes from right to left. A
    power that is no whole number is rounded to 30 digits. Signs of currency are passed over; no
    other unit is. How numbers are written depends on the language, see :func:`number`.

    Raises:
        CalculationError: it is no such expression, divides by 0, or its numbers grow too large.
    """
    if len(expression) > LONGEST:
        raise CalculationError(f"The expression is longer than {LONGEST} characters.")
    text = _CURRENCY.sub("", expression.translate(_SIGNS).replace("²", "^2").replace("**", "^"))
    parser = _Parser(_tokens(text, "vi" if language == "vi" else "en"))
    value = parser.sum().value
    if parser.left:
        raise CalculationError(f"{parser.left!r} was not expected there.")
    return value


def number(text: str, language: str = "en") -> Fraction:
    """A number as people write it: ``1,940.5``, ``1.940,5``, ``52 400 000``.

    Of two kinds of separators the last one is the decimal one; one kind that comes several times
    separates thousands. A single one before exactly three digits separates thousands where that is
    the language's custom (``1,940`` in English, ``1.940`` in Vietnamese); else it is decimal.

    Raises:
        CalculationError: it is no number.
    """
    digits = re.sub(f"[{_SPACES}]", "", text)
    kinds = set(re.findall(r"[.,]", digits))
    if len(kinds) == 2:
        thousands = "," if digits.rindex(".") > digits.rindex(",") else "."
    elif kinds:
        (mark,) = kinds
        grouped = re.fullmatch(rf"[1-9]\d{{0,2}}(?:\{mark}\d{{3}})+", digits)
        custom = mark == ("." if language == "vi" else ",")
        many = digits.count(mark) > 1
        thousands = mark if grouped and (many or custom) else ""
    else:
        thousands = ""
    plain = digits.replace(thousands, "") if thousands else digits
    try:
        return Fraction(plain.replace(",", "."))
    except ValueError:
        raise CalculationError(f"{text!r} is no number.") from None


def written(value: Fraction, language: str = "en") -> str:
    """A value in plain decimal notation, to at most ten decimals, without thousands' marks.

    A value that is not 0 keeps at least ten digits that count.
    """
    if value.denominator == 1:
        return str(value.numerator)
    places = 10
    while value and abs(value) * 10 ** (places - 9) < 1:
        places += 1
    scaled = round(value * 10**places)
    whole, part = divmod(abs(scaled), 10**places)
    decimals = str(part).rjust(places, "0").rstrip("0")
    mark = "," if language == "vi" else "."
    sign = "-" if scaled < 0 else ""
    return f"{sign}{whole}{mark}{decimals}" if decimals else f"{sign}{whole}"


def _tokens(text: str, language: Language) -> list[Fraction | str]:
    out: list[Fraction | str] = []
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif found := _NUMBER.match(text, at):
            out.append(_bounded(number(found[0], language)))
            at = found.end()
        elif text[at] in "+-*/^%()":
            out.append(text[at])
            at += 1
        else:
            word = re.match(r"\w+|.", text[at:])
            raise CalculationError(
                f"{word[0] if word else text[at]!r} is not part of a calculation: write numbers "
                "without units, + - * / ^ % and parentheses."
            )
    return out


@dataclass(frozen=True)
class _Term:
    value: Fraction
    percent: bool = False
    """A bare percentage, which after + and - is one of what stands on the left."""


class _Parser:
    """Recursive descent: sum > product > signed > power > percent > atom."""

    def __init__(self, tokens: list[Fraction | str]) -> None:
        self.tokens = tokens
        self.at = 0
        self.depth = 0

    @property
    def left(self) -> str:
        """The next token as text; empty at the end."""
        if self.at == len(self.tokens):
            return ""
        token = self.tokens[self.at]
        return token if isinstance(token, str) else written(token)

    def sum(self) -> _Term:
        """Products added and subtracted."""
        total = self.product()
        while sign := self._take("+", "-"):
            term = self.product()
            more = term.value
            if term.percent and not total.percent:
                more = _bounded(total.value * more)
            value = total.value + more if sign == "+" else total.value - more
            total = _Term(_bounded(value), total.percent and term.percent)
        return total

    def product(self) -> _Term:
        """Powers multiplied and divided."""
        term = self.signed()
        while (sign := self._take("*", "/")) or (self._remainder() and (sign := self._take("%"))):
            other = self.signed().value
            if sign != "*" and not other:
                raise CalculationError("It divides by 0.")
            if sign == "*":
                value = term.value * other
            elif sign == "/":
                value = term.value / other
            else:
                value = term.value % other
            term = _Term(_bounded(value))
        return term

    def signed(self) -> _Term:
        """A power with any signs before it."""
        if sign := self._take("+", "-"):
            term = self._deeper(self.signed)
            return _Term(-term.value if sign == "-" else term.value, term.percent)
        return self.power()

    def power(self) -> _Term:
        """A number or a parenthesis, perhaps raised to a power."""
        base = self.percent()
        if self._take("^"):
            return _Term(_power(base.value, self._deeper(self.signed).value))
        return base

    def percent(self) -> _Term:
        """A number or a parenthesis, perhaps a percentage."""
        value, percent = self.atom(), False
        while not self._remainder() and self._take("%"):
            value, percent = _bounded(value / 100), True
        return _Term(value, percent)

    def atom(self) -> Fraction:
        """A number or a parenthesis."""
        if self._take("("):
            value = self._deeper(self.sum).value
            if not self._take(")"):
                raise CalculationError("A parenthesis is not closed.")
            return value
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if not isinstance(token, Fraction):
            before = repr(token) if token else "the end"
            raise CalculationError(f"A number is missing before {before}.")
        self.at += 1
        return token

    def _take(self, *signs: str) -> str:
        if self.at < len(self.tokens) and self.tokens[self.at] in signs:
            self.at += 1
            return str(self.tokens[self.at - 1])
        return ""

    def _remainder(self) -> bool:
        """Whether a ``%`` stands here with a number or a parenthesis after it."""
        here = self.tokens[self.at : self.at + 2]
        return (
            len(here) == 2 and here[0] == "%" and (isinstance(here[1], Fraction) or here[1] == "(")
        )

    def _deeper(self, part: Callable[[], _Term]) -> _Term:
        self.depth += 1
        if self.depth > DEEPEST:
            raise CalculationError(f"More than {DEEPEST} parentheses or signs are in one another.")
        value = part()
        self.depth -= 1
        return value


def _bounded(value: Fraction) -> Fraction:
    if value.numerator.bit_length() > BITS or value.denominator.bit_length() > BITS:
        raise CalculationError("Its numbers grow too large.")
    return value


def _power(base: Fraction, exponent: Fraction) -> Fraction:
    if not base and exponent < 0:
        raise CalculationError("It divides by 0.")
    if exponent.denominator == 1:
        bits = max(base.numerator.bit_length(), base.denominator.bit_length())
        if base not in (0, 1, -1) and abs(exponent) * bits > 2 * BITS:
            raise CalculationError("Its numbers grow too large.")
        whole = (
            int(exponent) if base not in (0, 1, -1) else int(exponent) % 2 or (2 if exponent else 0)
        )
        return _bounded(Fraction(base**whole))
    if base < 0:
        raise CalculationError("A negative number has no such power.")
    context = Context(prec=30, Emax=600, Emin=-600)
    try:
        numbers = (
            context.divide(Decimal(value.numerator), Decimal(value.denominator))
            for value in (base, exponent)
        )
        return _bounded(Fraction(context.power(*numbers)))
    except (InvalidOperation, ArithmeticError):
        raise CalculationError("Its numbers grow too large.") from None
