"""The tokens that answers are compared by: Unicode words, and numbers read as numbers."""

import re
import unicodedata
from functools import cache, lru_cache

from tailor.text import fold, nfc

_UNITS = {
    "vnd": ("đồng", "vnd", "vnđ", "₫", "đ"),
    "eur": ("eur", "euro", "euros", "€"),
    "usd": ("usd", "us dollar", "us dollars", "dollar", "dollars", "đô la", "đô la mỹ", "us$", "$"),
    "gbp": ("gbp", "£"),
    "%": ("%", "percent", "per cent", "phần trăm"),
    "°c": ("°c", "° c", "℃", "độ c", "degrees c", "degree celsius", "degrees celsius"),
}
_BEFORE = ("vnd", "vnđ", "₫", "eur", "€", "usd", "us$", "us $", "$", "gbp", "£")
_SCALES = {
    3: ("k", "thousand", "nghìn", "ngàn"),
    6: ("million", "triệu", "tr"),
    9: ("billion", "bn", "tỷ", "tỉ"),
    12: ("trillion",),
}
# Measures often written without a space (20GB). Without s: model names end in it (FrostBox 120S).
_MEASURES = "kg g mg l ml km m cm mm gb mb kb tb w kw kwh v mah hz mhz ghz ms h".split()

# "An" only before a vowel, capital "A" only as the first word: Hội An, An Giang, Hall A are names.
_ARTICLE = re.compile(
    r"(?:\bthe|\ban(?=\s+(?:[aeiou]|hour|hono|heir))|(?-i:\ba)|^\W*a)\b(?=\s+\S)", re.IGNORECASE
)
_FOLDED_ARTICLE = re.compile(r"\bthe\b(?=\s+\S)")  # may have been "thẻ": dropped on both sides
_CLOCK = re.compile(r"\b([01]?[0-9]|2[0-3])h([0-5][0-9])\b", re.IGNORECASE)  # 8h30 is 8:30
_MINUS = re.compile(r"\b(?:minus|âm)\s+(?=[0-9])", re.IGNORECASE)
# hoà and hòa are two spellings of one syllable: in NFD the tone mark moves to the first vowel.
_TONE = re.compile(
    r"(o(?=[ae])|u(?=y))([aey])([\u0300\u0301\u0303\u0309\u0323])(?![\w\u0300-\u036f])"
)

_SPACE = " \u00a0\u202f"
_THOUSANDS = re.compile(
    rf"(?P<whole>[1-9][0-9]{{0,2}}(?P<mark>[.,'’{_SPACE}])[0-9]{{3}}(?:(?P=mark)[0-9]{{3}})*)"
    r"(?:(?!(?P=mark))[.,](?P<part>[0-9]+))?"
)
_DECIMAL = re.compile(r"(?P<whole>[0-9]*)(?:[.,](?P<part>[0-9]+))?")


def tokens(text: str, folded: bool = False) -> tuple[str, ...]:
    """The words and numbers of a text, case-folded, without punctuation and English articles.

    A number becomes one token in plain decimal notation, with words of scale applied
    (``1,5 triệu`` is ``1500000``), followed by its unit: đồng, VND and ₫ are ``vnd``, and likewise
    euro, dollar, pound, percent and degrees Celsius. How separators are read:

    - both ``.`` and ``,``: the last one is the decimal separator;
    - one of them, once: before exactly three digits it separates thousands (``1.940`` and
      ``1,940`` are 1940), unless the whole part is 0 or longer than three digits; else it is
      decimal (``8,5``, ``0.125``, ``1234.567``). A decimal such as 1.435 cannot be told from
      1,435 and is read as 1435;
    - one of them, several times: thousands if every group has three digits; else it is a date, a
      version or a list, and its parts are numbers of their own (``12.03.2026``);
    - spaces and apostrophes separate thousands in groups of three (``52 400 000``).

    Digits joined to letters are names (``120S``, ``E07``), as are digits with a leading zero from
    three digits on (``0905``); both stay as they are. A time is its parts: ``8h30`` is ``8:30``.
    Number words (four, bốn) stay words. The two spellings of a Vietnamese tone (hoà, hòa) are
    one. With ``folded``, accents are removed, and units and scales are known without them.
    """
    return _tokens(nfc(text), folded)


@lru_cache(maxsize=8192)
def _tokens(text: str, folded: bool) -> tuple[str, ...]:
    pattern, scales, units = _lexicon(folded)
    text = _CLOCK.sub(r"\1:\2", _MINUS.sub("-", _ARTICLE.sub(" ", text)))
    if folded:
        text = _FOLDED_ARTICLE.sub(" ", fold(text))
    else:
        text = nfc(_TONE.sub(r"\1\3\2", unicodedata.normalize("NFD", text.casefold())))
    out: list[str] = []
    for match in pattern.finditer(text):
        if match["number"] is None:
            out.append(re.sub(r"['’]", "", match[0]))
            continue
        shift = sum(scales[word] for word in match["scale"].split())
        sign = "-" if match["minus"] else ""
        out += _numbers(sign, match["number"], shift)
        unit = match["unit"] or match["before"]
        out += [units[" ".join(unit.split())]] if unit else []
        out += [match["measure"]] if match["measure"] else []
    return tuple(out)


def _numbers(sign: str, literal: str, shift: int) -> list[str]:
    """The numbers a literal stands for, times ten to the ``shift``; more than one for a date.

    Digits stay text throughout: no precision is lost, however long the number.
    """
    match = _THOUSANDS.fullmatch(literal) or _DECIMAL.fullmatch(literal)
    if match is None:
        first, *others = re.split(r"[^0-9]+", literal)
        return [*_numbers(sign, first, shift), *(n for o in others for n in _numbers("", o, shift))]
    whole = re.sub(r"[^0-9]", "", match["whole"])
    if match["part"] is None and len(whole) >= 3 and whole.startswith("0"):
        return [sign + whole]
    part = (match["part"] or "").ljust(shift, "0")
    whole, part = (whole + part[:shift]).lstrip("0") or "0", part[shift:].rstrip("0")
    number = f"{whole}.{part}" if part else whole
    return [number if number == "0" else sign + number]


@cache
def _lexicon(folded: bool) -> tuple[re.Pattern[str], dict[str, int], dict[str, str]]:
    """The pattern of one token, the scales and the units; ``folded``: all without accents."""

    def form(word: str) -> str:
        return fold(word) if folded else word

    def any_of(entries: list[str]) -> str:
        longest_first = sorted(map(form, entries), key=len, reverse=True)
        return "|".join(re.escape(entry).replace(r"\ ", r"\s+") for entry in longest_first)

    scales = {form(word): power for power, entries in _SCALES.items() for word in entries}
    units = {form(word): unit for unit, entries in _UNITS.items() for word in entries}
    units[form("us $")] = "usd"
    pattern = re.compile(
        r"(?P<mail>(?<![\w.+-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+)"
        # A minus sign, not a hyphen or the dash of a range: no word, number or unit before it.
        rf"|(?:(?<![\w.,)%₫€$£℃])(?<![0-9][{_SPACE}])(?P<minus>[-−–]))?"
        rf"(?:(?P<before>{any_of(list(_BEFORE))})\s*)?"
        rf"(?P<number>(?>(?<![0-9][{_SPACE}])[0-9]{{1,3}}(?:[{_SPACE}'’][0-9]{{3}})+"
        rf"(?:[.,][0-9]+)?(?![{_SPACE}.,]?[0-9])|[0-9]+(?:[.,][0-9]+)*|(?<![\w.])\.[0-9]+))"
        rf"(?P<scale>(?:\s*(?:{any_of(list(scales))})(?!\w))*)"
        rf"(?:\s*(?P<unit>{any_of(list(units))})(?!\w)|(?P<measure>{any_of(_MEASURES)})(?!\w))?"
        r"(?!\w)"
        r"|\w*[0-9]\w*(?:[.,][0-9]\w*)*"
        r"|\w+(?:['’]\w+)*"
    )
    return pattern, scales, units
