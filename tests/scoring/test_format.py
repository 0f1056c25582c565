from datetime import date

import pytest

from tailor.scoring.format import count, day, p_value, percent, points, seconds, usd


@pytest.mark.parametrize(
    ("form", "x", "en", "vi"),
    [
        (percent, 0.925, "92.5%", "92,5%"),
        (percent, 1.0, "100.0%", "100,0%"),
        (points, 0.31, "+31.0", "+31,0"),
        (points, -0.025, "-2.5", "-2,5"),
        (points, 0.0, "0.0", "0,0"),
        (points, -0.0001, "0.0", "0,0"),
        (seconds, 0.0, "0 s", "0 giây"),
        (seconds, 0.004, "4 ms", "4 ms"),
        (seconds, 0.21, "0.21 s", "0,21 giây"),
        (seconds, 0.999, "1.0 s", "1,0 giây"),
        (seconds, 3.44, "3.4 s", "3,4 giây"),
        (seconds, 34.4, "34 s", "34 giây"),
        (seconds, 59.9, "1 min 0 s", "1 phút 0 giây"),
        (seconds, 125, "2 min 5 s", "2 phút 5 giây"),
        (seconds, 3840, "1 h 4 min", "1 giờ 4 phút"),
        (usd, 0.0, "$0.00", "0,00 USD"),
        (usd, 12.4, "$12.40", "12,40 USD"),
        (usd, 1234.5, "$1,234.50", "1.234,50 USD"),
        (usd, 0.00042, "$0.00042", "0,00042 USD"),
        (usd, 0.05, "$0.05", "0,05 USD"),
        (count, 91000, "91,000", "91.000"),
        (count, 7, "7", "7"),
        (p_value, 0.0421, "0.042", "0,042"),
        (p_value, 0.0001, "< 0.001", "< 0,001"),
        (p_value, 1.0, "1.000", "1,000"),
        (day, date(2026, 1, 9), "2026-01-09", "09/01/2026"),
    ],
)
def test_both_languages(form, x, en, vi):
    assert form(x) == en
    assert form(x, "vi") == vi


@pytest.mark.parametrize("form", [percent, points, seconds, usd, count, p_value])
def test_unknown_is_a_dash_and_never_zero(form):
    assert form(None) == form(None, "vi") == "–"
