"""Likely secrets and personal data in a text: found and counted, shown only in part."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "private_key", "api_key", "token", "password",
    "card", "iban", "bank_account", "identity", "phone", "email",
]  # fmt: skip

SECRETS: tuple[Kind, ...] = ("private_key", "api_key", "token", "password")
PERSONAL: tuple[Kind, ...] = ("card", "iban", "bank_account", "identity", "phone", "email")


Check = Callable[[re.Match[str]], bool]
_Row = tuple[Kind, re.Pattern[str], Check, Callable[[str], str], tuple[str, ...]]


@dataclass(frozen=True)
class Sensitive:
    """One place that looks like a secret or like personal data."""

    kind: Kind
    line: int
    """Of the text, from 1."""
    start: int
    end: int
    shown: str
    """What may be printed of it."""


def sensitive(text: str) -> tuple[Sensitive, ...]:
    """Everything found in a text, in order; no character belongs to two findings.

    Patterns with a checksum, a fixed prefix or a word before them go first. Examples, as
    ``<your key>``, ``you@example.com`` or the test numbers of card companies, do not count.
    """
    found: list[Sensitive] = []
    lowered = text.casefold()
    rows = [row for row in _PATTERNS if not row[4] or any(word in lowered for word in row[4])]
    start = 0
    for number, line in enumerate(text.split("\n"), 1):
        found += _in_line(line, number, start, rows)
        start += len(line) + 1
    for match in _PEM.finditer(text) if "-----BEGIN" in text else ():
        number = text.count("\n", 0, match.start()) + 1
        found.append(Sensitive("private_key", number, *match.span(), _PEM_SHOWN))
    return tuple(sorted(found, key=lambda item: item.start))


def _in_line(line: str, number: int, offset: int, rows: Iterable[_Row]) -> list[Sensitive]:
    found: list[Sensitive] = []
    lowered = line.casefold()
    digits = _DIGITS.search(line) is not None
    for kind, pattern, check, shown, needed in rows:
        if not (any(word in lowered for word in needed) if needed else digits):
            continue
        for start, end in _matches(pattern, line, check):
            first, last = offset + start, offset + end
            if all(last <= other.start or first >= other.end for other in found):
                found.append(Sensitive(kind, number, first, last, shown(line[start:end])))
    return found


def masked(text: str) -> str:
    """The text with everything sensitive in it shown only in part."""
    if not text:
        return text
    for item in reversed(sensitive(text)):
        text = text[: item.start] + item.shown + text[item.end :]
    return text


def _matches(pattern: re.Pattern[str], text: str, check: Check) -> Iterator[tuple[int, int]]:
    for match in pattern.finditer(text):
        if check(match):
            yield match.span(1) if pattern.groups else match.span()


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def _varied(text: str) -> bool:
    """Not the same few characters over and over, as in examples: 0000 1111, 12345678."""
    digits = _digits(text)
    return len(set(digits)) > 2 and digits not in "01234567890123456789"


# Secrets. The prefixes are those the services themselves document.
_KEYS = re.compile(
    r"(?<![\w-])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{22,}|glpat-[\w-]{20,}"
    r"|xox[abeprs]-[A-Za-z0-9-]{10,}|AIza[\w-]{35}|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}"
    r"|sk-(?:proj-|ant-|svcacct-)?[A-Za-z0-9_-]{20,}|hf_[A-Za-z0-9]{30,}|npm_[A-Za-z0-9]{36}"
    r"|SG\.[\w-]{22}\.[\w-]{43}|pypi-[\w-]{50,}|dop_v1_[0-9a-f]{64}"
    r"|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})(?![\w-])"
)
_KEY_WORDS = (
    "akia", "asia", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat", "glpat", "xox", "aiza",
    "k_live", "k_test", "sk-", "hf_", "npm_", "sg.", "pypi-", "dop_", "eyj",
)  # fmt: skip
_PEM = re.compile(r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----[^-]{40,}")
_PEM_SHOWN = "-----BEGIN … PRIVATE KEY-----"
_IN_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://[^\s/:@<>]+:([^\s/:@<>]{4,})@[\w.-]+")
_SAYS = r"""["']?[ \t*_`]*(?:=>|[:=|]|\bis\b|\blà\b)[ \t*_`]*["']?([^\s"'`,;<>()\[\]{}|]{6,200})"""
_PASSWORD = re.compile(
    r"(?i)(?<![\w-])(?:[\w-]*password|passwd|passphrase|pwd|passcode|mật khẩu)" + _SAYS
)
_TOKEN = re.compile(
    r"(?i)(?<![\w-])[\w-]*(?:secret|api[_ -]?key|access[_ -]?key|(?<!\w)token|[_-]token)" + _SAYS
)
_PLACEHOLDER = re.compile(
    r"(?i)^[$%]|[$%][({]|%$|\*\*|xxx|\.\.\.|…|your|example|sample|change|placeholder|dummy"
    r"|redacted|^secret$|passw|env|foobar|\b(?:todo|none|null|true|false)\b|://|^[./~#-]|\\"
)


def _real(match: re.Match[str]) -> bool:
    """Letters and digits, and neither a placeholder nor the name of a variable."""
    value = match[1].rstrip(".:!?")
    named = re.fullmatch(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+|[a-z]+(_[a-z]+)+\d?", value)
    mixed = re.search(r"[^\W\d_]", value) and re.search(r"\d", value)
    return bool(mixed) and not named and not _PLACEHOLDER.search(value)


def _random(match: re.Match[str]) -> bool:
    """A real value, long and irregular enough for a key."""
    value = match[1]
    return len(value) >= 16 and _real(match) and _entropy(value) > 3.2


def _entropy(text: str) -> float:
    """Bits per character."""
    shares = [count / len(text) for count in Counter(text).values()]
    return -sum(share * math.log2(share) for share in shares)


# Personal data.
_DIGITS = re.compile(r"\d(?:[ ().-]{0,3}\d){6}")
_CARD = re.compile(r"(?<![\w.,/=+-])\d(?:[ -]?\d){13,18}(?![\w/-]|[.,]\d)")
_TEST_CARDS = {
    "4242424242424242", "4111111111111111", "4012888888881881", "5555555555554444",
    "5105105105105100", "378282246310005", "371449635398431", "6011111111111117",
    "3530111333300000", "4000056655665556", "2223003122003222",
}  # fmt: skip
_ISSUERS = re.compile(
    r"4(\d{15}|\d{18})|5[1-5]\d{14}|2[2-7]\d{14}|3[47]\d{13}|35\d{14}|6(011|5\d\d)\d{12}"
    r"|62\d{14,17}|9704\d{12}(\d{3})?"
)


def _is_card(match: re.Match[str]) -> bool:
    digits = _digits(match[0])
    total = 0
    for at, digit in enumerate(map(int, reversed(digits))):
        doubled = digit * 2 if at % 2 else digit
        total += doubled - 9 if doubled > 9 else doubled
    issued = _ISSUERS.fullmatch(digits) and digits not in _TEST_CARDS
    return total % 10 == 0 and bool(issued) and _varied(digits)


_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b")
_IBAN_LENGTHS = {
    "AT": 20, "BE": 16, "BG": 22, "CH": 21, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "EE": 20,
    "ES": 24, "FI": 18, "FR": 27, "GB": 22, "GR": 27, "HR": 21, "HU": 28, "IE": 22, "IL": 23,
    "IS": 26, "IT": 27, "LI": 21, "LT": 20, "LU": 20, "LV": 21, "MC": 27, "MT": 31, "NL": 18,
    "NO": 15, "PL": 28, "PT": 25, "RO": 24, "SA": 24, "SE": 24, "SI": 19, "SK": 24, "TR": 26,
    "AE": 23,
}  # fmt: skip


def _is_iban(match: re.Match[str]) -> bool:
    iban = match[0].replace(" ", "")
    if _IBAN_LENGTHS.get(iban[:2]) != len(iban):
        return False
    return int("".join(str(int(c, 36)) for c in iban[4:] + iban[:4])) % 97 == 1


_ACCOUNT = re.compile(
    r"(?i)(?:\bstk\b|số (?:tài khoản|tk)\b|\baccount (?:number|no\b)|\bbank account\b)"
    r"[^\n\d]{0,20}(?<!\d)(\d[\d ]{6,18}\d)(?!\d)"
)
_CITIZEN = re.compile(r"(?<![\w.,/+-])0\d{11}(?![\w]|[.,/-]\d)")
_PROVINCES = frozenset(
    "001 002 004 006 008 010 011 012 014 015 017 019 020 022 024 025 026 027 030 031 033 034 035 "
    "036 037 038 040 042 044 045 046 048 049 051 052 054 056 058 060 062 064 066 067 068 070 072 "
    "074 075 077 079 080 082 083 084 086 087 089 091 092 093 094 095 096".split()
)
_IDENTITY_WORDS = (
    "cccd", "cmnd", "cmtnd", "căn cước", "chứng minh", "hộ chiếu", "passport", "bhxh", "bảo hiểm",
    "social security", "ssn", "identity card", "id card",
)  # fmt: skip
_NAMED_IDENTITY = re.compile(
    r"(?i)(?:\bcccd\b|\bcmt?nd\b|căn cước|chứng minh nhân dân|hộ chiếu|\bpassport\b|\bbhxh\b"
    r"|bảo hiểm xã hội|social security|\bssn\b|\bidentity card\b|\bid card\b)"
    r"[^\n\d]{0,30}?\b([A-Z]{0,2}\d(?:[ .-]?\d){6,11})\b"
)
_SSN = re.compile(r"(?<![\w-])(?!000|666|9)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?![\w-])")


def _is_citizen(match: re.Match[str]) -> bool:
    """A Vietnamese identity number: province, century and sex (0 to 3), year, six digits."""
    number = match[0]
    return number[:3] in _PROVINCES and number[3] in "0123" and _varied(number)


_PHONE = re.compile(
    r"(?<![\w.,/=+-])(?:"
    # Vietnam: mobile, then landline
    r"(?:0|\+84[ .-]?(?:\(0\) ?)?)(?:3[2-9]|5[25689]|7[06-9]|8[1-9]|9\d)(?:[ .-]?\d){7}"
    r"|\(?(?:0|\+84[ .-]?(?:\(0\) ?)?)2\d{1,2}\)?(?:[ .-]?\d){7,8}"
    # the rest of the world, in international form; North America also without its code
    r"|\+(?!84)[1-9]\d{0,2}(?:[ .-]?\(\d{1,4}\)|[ .-]?\d){2,4}(?:[ .-]?\d){4,9}"
    r"|\(?[2-9]\d{2}\)?[ .-][2-9]\d{2}[.-]\d{4}"
    r")(?![\w]|[.,/-]\d)"
)
_PHONE_WORDS = ("tel", "phone", "mobile", "đt", "điện thoại", "di động", "zalo", "whatsapp")
_NAMED_PHONE = re.compile(
    r"(?i)(?<!\w)(?:tel|phone|mobile|sđt|đt|điện thoại|di động|zalo|whatsapp)\b\.?"
    r"(?:[ :.*_|]|số|number|no\b){0,12}(\+?\(?\d[\d ().-]{6,16}\d)(?!\d)"
)
_NO_PHONE = re.compile(r"(?i)(?:mst|mã số thuế|tax (?:code|id)|mã (?:đơn|số|hàng))\W{0,3}$")
# North America's fictional exchange 555, its free numbers, and area codes there are none of
_NO_PERSONS = re.compile(r"1?([2-9]\d\d555\d{4}|8(00|33|44|55|66|77|88)\d{7})|1[01]\d{9}")


def _is_phone(match: re.Match[str]) -> bool:
    written = match[match.lastindex or 0]
    digits = _digits(re.sub(r"\(0\)", "", written))
    before = match.string[max(0, match.start() - 25) : match.start()]
    if not _varied(digits) or _NO_PHONE.search(before) or _NO_PERSONS.fullmatch(digits):
        return False
    if written.lstrip("(").startswith("0") and len(digits) not in (10, 11):
        return bool(match.lastindex) and 8 <= len(digits) <= 12
    return 8 <= len(digits) <= 15


_EMAIL = re.compile(
    r"(?<![\w.+/:@-])[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![\w-]|\.\w)"
    r"|(?<=mailto:)[A-Za-z0-9][\w.+-]*@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,24}(?![\w-]|\.\w)"
)
_NOBODY = re.compile(
    r"(?i)(?:[\w.+-]*[.+_-])?(?:your?|you|name|user(?:name)?|someone|somebody|email|me|test|foo|bar|"
    r"git|svn|no-?reply|ubuntu|ec2|"
    # what belongs to a role is nobody's personal data
    r"info|support|sales|contact|hello|hi|admin|security|hr|help|helpdesk|team|ops|press|media|"
    r"careers|jobs|billing|invoices?|legal|privacy|office|marketing|feedback|postmaster|root|"
    r"webmaster|abuse|accounting|lienhe|hotro|kinhdoanh|tuyendung|cskh|ketoan|nhansu|baohanh)"
    r"(?:[.+_-][\w.+-]*)?@.*|.*@(?:.*\.)?(?:example(?:\.\w+)?|test|invalid|localhost"
    r"|(?:your-?)?(?:domain|company)\.com)|.*\.(?:png|jpe?g|gif|svg|webp|js|css|md|py|git|local)"
)


def _is_persons(match: re.Match[str]) -> bool:
    return not _NOBODY.fullmatch(match[0])


def _digits_vary(match: re.Match[str]) -> bool:
    return _varied(match[match.lastindex or 0])


def _key_varies(match: re.Match[str]) -> bool:
    return not re.search(r"(?i)x{4}|your|example|random|sample|dummy|fake|(.)\1{5}|1234", match[0])


def _beginning(text: str) -> str:
    return f"{text[:4]}… ({len(text)} characters)"


def _nothing(text: str) -> str:
    return f"•••••• ({len(text)} characters)"


def _ending(text: str) -> str:
    return f"…{re.sub(r'[^0-9A-Za-z]', '', text)[-3:]}"


def _domain(text: str) -> str:
    return f"…@{text.rpartition('@')[2]}"


_PATTERNS: tuple[_Row, ...] = (
    ("api_key", _KEYS, _key_varies, _beginning, _KEY_WORDS),
    ("password", _IN_URL, _real, _nothing, ("://",)),
    ("password", _PASSWORD, _real, _nothing, ("passw", "passp", "passc", "pwd", "mật khẩu")),
    ("token", _TOKEN, _random, _beginning, ("token", "secret", "key")),
    ("iban", _IBAN, _is_iban, _ending, ()),
    ("card", _CARD, _is_card, _ending, ()),
    ("bank_account", _ACCOUNT, _digits_vary, _ending, ("account", "tài khoản", "tk")),
    ("identity", _NAMED_IDENTITY, _digits_vary, _ending, _IDENTITY_WORDS),
    ("identity", _CITIZEN, _is_citizen, _ending, ()),
    ("identity", _SSN, _digits_vary, _ending, ()),
    ("phone", _NAMED_PHONE, _is_phone, _ending, _PHONE_WORDS),
    ("phone", _PHONE, _is_phone, _ending, ()),
    ("email", _EMAIL, _is_persons, _domain, ("@",)),
)
"""What is looked for, in this order: pattern, check, what is shown, and words one of which a line
must hold for the pattern to be tried; without any, a line must hold seven digits."""
