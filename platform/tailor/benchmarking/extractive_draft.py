"""Questions made from the form of documents, without a model: by templates, in both languages."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from tailor.assistant import digest
from tailor.benchmark import Evidence, Question
from tailor.benchmarking.stated import Fact, title, unambiguous
from tailor.benchmarking.structure import facts
from tailor.documents.document import Document
from tailor.scoring.tokens import tokens
from tailor.text import fold, words

KINDS = ("direct", "number", "table", "comparison")
"""What can be drafted without a model."""

_UNIT = re.compile(r"^(?P<name>.+?)\s*\((?P<unit>[^()\d]{1,12})\)$")
_NUMBER = re.compile(r"[±+−-]?\s?\d[\d.,'’ ]*")
_DATE = re.compile(
    r"\d{1,2}/\d{1,2}(?:/\d{4})?|\d{4}-\d{2}-\d{2}|\d{1,2} [A-Z][a-z]+ \d{4}|[A-Z][a-z]+ \d{4}"
)
_IDENTITY = re.compile(
    r"\b(?:id|rma|code|no|nr|number|extension|phone|e-?mail|date|serial|year|revision|version|"
    r"ma|so may|so phieu|so dien thoai|dien thoai|ngay|nam|han|noi bo|may le|gio|time|ky|lo)\b"
)
_NO_NOUN = {
    "en": re.compile(
        r"^(?:what|who|how|where|when|which|why|due|mean|by|to|for|in|on|at|from|with|since|until|"
        r"after|before|is|are|can|must|may|needs?|\w+ed|\w+est)\b|\b(?:do|by|in|on|at|to|with)$",
        re.IGNORECASE,
    ),
    "vi": re.compile(
        r"^(?:làm|cần|phải|khi|nếu|ai|ở|từ|đến|được|có|xử lý|cách|do|trên|dưới|vì|để|suýt|chưa|đã|"
        r"không)\b",
        re.IGNORECASE,
    ),
}
_PEOPLE = re.compile(
    r"^(?:ai|người|chủ trì|thư ký|ký|đại diện|phụ trách|trưởng|thủ kho|quản lý)", re.IGNORECASE
)


def candidates(documents: Sequence[Document], lang: str | None) -> Iterator[tuple[str, Question]]:
    """Document paths with the questions that can be made from them, the plainest kinds mixed."""
    titles = unambiguous({d.path: title(d) for d in documents})
    for document in documents:
        found = [f for f in facts(document, titles[document.path]) if lang in (None, f.lang)]
        for fact in found:
            if (question := _question(fact)) is not None:
                yield document.path, question
        yield from ((document.path, question) for question in _comparisons(found))


def _question(fact: Fact) -> Question | None:
    asked = _ASK[fact.lang](fact)
    answers = _answers(fact)
    if not words(fact.value):
        return None  # a formula's signs
    if any(f" {' '.join(words(a))} " in f" {' '.join(words(asked))} " for a in answers):
        return None
    kind = "table" if fact.form == "cell" else "direct"
    number = ("number",) if _NUMBER.match(answers[0]) else ()
    return _made(asked, answers, (fact.quote,), fact, (kind, *number))


def _made(
    asked: str, answers: tuple[str, ...], quotes: Sequence[str], fact: Fact, kinds: tuple[str, ...]
) -> Question:
    return Question(
        id=f"draft-{digest([asked, fact.document])[:8]}",
        question=asked,
        answers=answers,
        evidence=tuple(Evidence(fact.document, quote) for quote in quotes),
        lang=fact.lang,
        tags=(*kinds, "drafted", "extractive"),
    )


def _answers(fact: Fact) -> tuple[str, ...]:
    """The value, with the unit that its column names in front of the bare one."""
    named = _UNIT.match(fact.attribute)
    if named and _NUMBER.fullmatch(fact.value.strip()):
        return f"{fact.value} {named['unit']}", fact.value
    return (fact.value,)


def _english(fact: Fact) -> str:
    source = _source(fact)
    if fact.form == "faq":
        return f"According to {source}, {_lowered(fact.subject)}"
    if fact.form == "definition":
        return f"According to {source}, what is meant by “{fact.subject}”?"
    if fact.form == "entry":
        return f"According to {source}, what is the entry for “{fact.subject}”?"
    attribute = _attribute(fact, " in ")
    if not _noun(fact):
        what = "the value of" if _wanted(fact) == "bao nhiêu" else "given as"
        return f"According to {source}, what is {what} “{attribute}” for {_subject(fact)}?"
    verb = "are" if _PLURAL.search(fact.attribute) else "is"
    return f"According to {source}, what {verb} the {_lowered(attribute)} for {_subject(fact)}?"


def _vietnamese(fact: Fact) -> str:
    source = _source(fact)
    if fact.form == "faq":
        return f"Theo {source}, {_lowered(fact.subject)}"
    wanted = _wanted(fact)
    if fact.form == "entry" and wanted == "gì" and len(words(fact.value)) > 5:
        return f"Theo {source}, tài liệu ghi gì về “{fact.subject}”?"
    if fact.form in ("definition", "entry"):
        verb = "" if wanted.startswith("như") else "là "
        return f"Theo {source}, “{fact.subject}” {verb}{wanted}?"
    attribute = _attribute(fact, " tính bằng ")
    shown = _lowered(attribute) if _noun(fact) else f"“{attribute}”"
    verb = "" if wanted.startswith("như") else "là "
    return f"Theo {source}, {shown} của {_subject(fact)} {verb}{wanted}?"


_ASK = {"en": _english, "vi": _vietnamese}


_PLURAL = re.compile(r"^people\b|(?<![su])s(?: \w+)?$|^\w+(?<![su])s\b", re.IGNORECASE)


def _noun(fact: Fact) -> bool:
    """Whether the attribute can stand in a sentence as it is."""
    first, *later = _UNIT.sub(r"\g<name>", fact.attribute).split()
    name = any(map(str.isdigit, first)) or any(w[0].isupper() and not w.isupper() for w in later)
    return not _NO_NOUN[fact.lang].search(fact.attribute) and not name


def _subject(fact: Fact) -> str:
    return f"{_lowered(fact.label)} “{fact.subject}”" if fact.label else f"“{fact.subject}”"


def _attribute(fact: Fact, joint: str) -> str:
    named = _UNIT.match(fact.attribute)
    if named and _NUMBER.fullmatch(fact.value.strip()):
        return named["name"] + (f"{joint}{named['unit']}" if named["unit"] != "%" else "")
    return fact.attribute


def _wanted(fact: Fact) -> str:
    """The Vietnamese word that asks for a value of this kind."""
    name = fact.attribute or fact.subject
    if _PEOPLE.match(name) or re.match(r"(?:ông|bà|anh|chị) ", fact.value, re.IGNORECASE):
        return "ai"
    if _DATE.match(fact.value):
        return "ngày nào"
    if re.search(r"(?:một|mỗi|/) ?(?:lần|năm|tháng|tuần|ngày)", fact.value):
        return "như thế nào"
    if re.match(r"\d{1,2}[:h]\d{2}", fact.value):
        return "mấy giờ"
    return "bao nhiêu" if _quantity(fact.value) else "gì"


def _quantity(value: str) -> bool:
    number = _NUMBER.match(value)
    return (
        number is not None
        and len(words(value)) < 9
        and not re.match(r"[\w/:-]*[A-Za-z/:-]\d|:\d", value[number.end() :])
    )


def _lowered(text: str) -> str:
    """With a small first letter, unless the first word is an abbreviation or a name."""
    first = text.split(maxsplit=1)[0]
    name = first == "I" or any(c.isupper() or c.isdigit() for c in first[1:]) or first in _NAMES
    return text if name else text[:1].lower() + text[1:]


_NAMES = frozenset("Marlen VAT TideLine Android iOS".split())


def _comparisons(found: Sequence[Fact]) -> Iterator[Question]:
    """Which of two rows has the larger figure in a column."""
    columns: defaultdict[tuple[str, str, str], list[tuple[Decimal, Fact]]] = defaultdict(list)
    for fact in found:
        figure = _figure(fact)
        if figure is not None:
            unit, value = figure
            columns[fact.section, fact.attribute, unit].append((value, fact))
    for rows in columns.values():
        for (a, one), (b, other) in pairwise(rows):
            if a != b and fold(one.subject) != fold(other.subject):
                yield _compared(one, other, larger=one if a > b else other)


def _figure(fact: Fact) -> tuple[str, Decimal] | None:
    if fact.form != "cell" or _IDENTITY.search(fold(fact.attribute)) or _DATE.match(fact.value):
        return None
    told = tokens(fact.value)
    try:
        value = Decimal(told[0]) if told else None
    except InvalidOperation:
        return None
    single = sum(any(c.isdigit() for c in token) for token in told) == 1
    if value is None or not single or len(told) > 3 or not value.is_finite():
        return None
    return " ".join(told[1:]), value


def _compared(one: Fact, other: Fact, larger: Fact) -> Question:
    attribute = _UNIT.sub(r"\g<name>", one.attribute)
    if one.lang == "vi":
        shown = _lowered(attribute) if _noun(one) else f"“{attribute}”"
        asked = (
            f"Theo {_source(one)}, {shown} của {_subject(one)} hay của {_subject(other)} lớn hơn?"
        )
    else:
        plain = _noun(one) and not _PLURAL.search(attribute)
        shown = _lowered(attribute) if plain else f"value of “{attribute}”"
        asked = (
            f"According to {_source(one)}, which has the larger {shown}, {_subject(one)} or "
            f"{_subject(other)}?"
        )
    quotes = dict.fromkeys((one.quote, other.quote))
    return _made(asked, (larger.subject,), tuple(quotes), one, ("comparison", "table"))


def _source(fact: Fact) -> str:
    section = "mục" if fact.lang == "vi" else "section"
    return f"“{fact.title}”" + (f", {section} “{fact.section}”" if fact.section else "")
