"""Numbers as people read them, in English and Vietnamese; the same on every surface.

Vietnamese has a decimal comma and dots between thousands. What is not known (None) is a dash.
"""

import math
from datetime import date

UNKNOWN = "–"
_NO_CENTS = ("IDR", "JPY", "KRW", "VND")


def percent(x: float | None, lang: str = "en") -> str:
    """A share with one decimal: ``61.3%``, ``61,3%``."""
    return UNKNOWN if x is None else f"{_decimal(100 * x, 1, lang)}%"


def points(x: float | None, lang: str = "en") -> str:
    """A difference of shares in percentage points, signed: ``+31.0``, ``-2,5``, ``0.0``."""
    return UNKNOWN if x is None else _decimal(100 * x, 1, lang, "+")


def seconds(x: float | None, lang: str = "en") -> str:
    """A duration: ``4 ms``, ``0.21 s``, ``3.4 s``, ``34 s``, ``2 min 5 s``, ``1 h 4 min``."""
    if x is None:
        return UNKNOWN
    second, minute, hour = ("giây", "phút", "giờ") if lang == "vi" else ("s", "min", "h")
    if round(x, 4) == 0:
        return f"0 {second}"
    if x < 0.0095:
        return f"{max(1, round(1000 * x))} ms"
    if x < 9.95:
        return f"{_decimal(x, 2 if x < 0.995 else 1, lang)} {second}"
    whole = round(x)
    if whole < 60:
        return f"{whole} {second}"
    if whole < 3600:
        return f"{whole // 60} {minute} {whole % 60} {second}"
    return f"{count(whole // 3600, lang)} {hour} {whole % 3600 // 60} {minute}"


def usd(x: float | None, lang: str = "en") -> str:
    """An amount of US dollars: ``$12.40``, ``12,40 USD``; two digits where less than a cent."""
    if x is None:
        return UNKNOWN
    small = 1e-8 <= abs(x) < 0.01
    amount = _decimal(x, 1 - math.floor(math.log10(abs(x))) if small else 2, lang)
    return f"{amount} USD" if lang == "vi" else f"${amount}"


def amount(
    x: float | None, currency: str = "", unit: str = "", lang: str = "en", bare: bool = False
) -> str:
    """A number of task ``number``: ``$12.40``, ``299,000 VND``, ``299.000 ₫``, ``7.50 minutes``.

    Amounts of a currency without cents, and numbers from 1,000 on, have no decimals. ``bare``
    leaves out the currency or the unit.
    """
    if x is None:
        return UNKNOWN
    whole = currency in _NO_CENTS or (not currency and abs(x) >= 1000)
    figure = _decimal(x, 0 if whole else 2, lang)
    if bare:
        return figure
    if (currency, lang) == ("USD", "en"):
        return f"${figure}"
    sign = "₫" if (currency, lang) == ("VND", "vi") else currency or unit
    return f"{figure} {sign}".rstrip()


def count(n: int | None, lang: str = "en") -> str:
    """A whole number: ``91,000``, ``91.000``."""
    return UNKNOWN if n is None else _decimal(n, 0, lang)


def p_value(p: float | None, lang: str = "en") -> str:
    """A p value with three decimals: ``0.042``, ``0,042``, ``< 0.001``."""
    if p is None:
        return UNKNOWN
    return f"< {_decimal(0.001, 3, lang)}" if p < 0.001 else _decimal(p, 3, lang)


def number(x: float | None, lang: str = "en") -> str:
    """A figure without a unit, such as a loss, with two decimals: ``1.24``, ``1,24``."""
    return UNKNOWN if x is None else _decimal(x, 2, lang)


def rate(x: float | None, lang: str = "en") -> str:
    """A small figure such as a learning rate, to two digits: ``5.0e-4``, ``5,0e-4``."""
    if not x:
        return UNKNOWN if x is None else "0"
    exponent = math.floor(math.log10(abs(x)))
    return f"{_decimal(x / 10**exponent, 1, lang)}e{exponent}"


def memory(x: int | None, lang: str = "en") -> str:
    """Bytes as people read them: ``812 MiB``, ``5.4 GiB``, ``5,4 GiB``."""
    if x is None:
        return UNKNOWN
    if x < 2**30:
        return f"{round(x / 2**20)} MiB"
    return f"{_decimal(x / 2**30, 1, lang)} GiB"


def day(x: date, lang: str = "en") -> str:
    """A date: ``2026-11-21``, ``21/11/2026``."""
    return x.strftime("%d/%m/%Y" if lang == "vi" else "%Y-%m-%d")


def _decimal(x: float, places: int, lang: str, sign: str = "-") -> str:
    text = f"{x:{sign}z,.{places}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("+")
    return text.translate(str.maketrans(",.", ".,")) if lang == "vi" else text
