"""What a document says by its form: tables, records, ``key: value`` lines, FAQs, definitions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Literal

from tailor.documents.document import Document, Place
from tailor.text import fold, language, words

Form = Literal["cell", "entry", "faq", "definition"]


@dataclass(frozen=True)
class Fact:
    """A value that a document gives for something."""

    form: Form
    document: str
    title: str
    section: str
    """Below the title; empty where there is none."""
    subject: str
    """What it is about: a row, a key, a term, or the question that the document asks itself."""
    attribute: str
    """The column; empty where there is none."""
    value: str
    quote: str
    """The characters of the document that say it."""
    lang: str
    label: str = ""
    """The name of the subject's column, where the subject says nothing without it."""


@dataclass(frozen=True)
class Table:
    """Rows that give several values for each subject."""

    section: str
    header: tuple[str, ...]
    rows: tuple[tuple[tuple[str, ...], str], ...]
    """The cells, and the line of the document that holds them; a cell may be empty."""


_NUMBERING = re.compile(
    r"^(?:[#>*_\s]*)(?:(?:Điều|Mục|Phần|Chương|Article|Section|Part)\s+)?\d+(?:\.\d+)*[.):]\s+"
)
_UNNAMED = re.compile(r"(?:page|slide|attachment) ?", re.IGNORECASE)
_LETTERHEAD = re.compile(r"(?:công ty|cộng h[oò][aà] xã hội|tập đoàn|company\b)", re.IGNORECASE)
_NAMED_BY_FILE = {".csv", ".tsv", ".xlsx", ".json", ".jsonl"}
_LONGEST_TITLE = 90

_RULE = re.compile(r"\|?[\s|:+=-]*-{2,}[\s|:+=-]*")
_FIELD = re.compile(r"(?:^|; )([^:;|]{1,60}): ")
_ATTRIBUTES = {
    "", "chi so", "thong so", "dac diem", "hang muc", "noi dung", "tieu chi", "property",
    "feature", "item", "indicator", "specification", "figure", "measure", "key figure",
}  # fmt: skip
"""Headers of first columns that name attributes, so that the other columns are the subjects."""
_NAMED = {
    "name", "full name", "product", "item name", "service", "employee", "ten", "ho ten",
    "ho va ten", "san pham", "ten hang", "ten san pham", "hang muc", "dich vu",
}  # fmt: skip
"""Headers of columns that say what a row is about better than a number before them."""
_MOST_ROWS = 200
"""Of one table; those between are left out."""
_NUMBERS_ROWS = {"stt", "tt", "no", "#", "nr", "number", "so thu tu"}

_ENTRY = re.compile(
    r"^[ \t]*[-*•]?[ \t]*\*{0,2}([^\W\d_][^:|?!.;\n]{1,48}?)\*{0,2}:\*{0,2}[ \t]+(\S.*)$"
)
_INLINE = re.compile(
    r"(?:^|(?<=[.;] ))([A-ZĐÂÁ][^\W\d]*(?: [^\W\d]+){0,2}): ([^.;:\n]{2,80}?)(?=[.;](?:\s|$))",
    re.MULTILINE,
)
_NO_ENTRY = {
    "from", "to", "cc", "bcc", "date", "subject", "note", "notes", "example", "why", "how", "http",
    "https", "attachment", "at present", "today", "now", "so", "hien nay", "luu y", "ghi chu",
    "vi du", "tu", "den", "kinh gui", "nguoi gui", "nguoi nhan", "yes", "tip", "pro tip", "warning",
    "important", "todo", "q", "a", "modified", "new file", "goi y", "meo", "canh bao", "chu y",
}  # fmt: skip
_TERM = {
    "en": re.compile(
        r"(?:^|(?<=[.!?] ))(?:(?:The|An?) )?([A-Z][^,.;:!?()\n]{1,40}?) "
        r"(?:is (?=an? |the |any|every)|means |stands for |are (?=all |the ))"
        r"([^.!?\n]{8,110})[.](?=\s|$)",
        re.MULTILINE,
    ),
    "vi": re.compile(
        r"(?:^|(?<=[.!?] ))([A-ZĐÂÁÀẢÃẠÔƠƯ][^,.;:!?()\n]{1,40}?) "
        r"(?:là|nghĩa là|được hiểu là) ([^.!?\n]{5,110})[.](?=\s|$)",
        re.MULTILINE,
    ),
}
_NO_TERM = {
    "it", "this", "that", "there", "here", "he", "she", "they", "we", "you", "day", "nothing",
    "what", "one", "day la", "do", "khi do", "nay", "viec", "no", "neu", "trong", "ai", "dieu",
    "the", "a", "an", "cac", "nhung", "moi", "tat ca", "everything",
    "which", "who", "all", "cach", "theo", "so", "tin", "hai", "if", "when", "as", "since", "while",
    "because", "although", "whether", "once", "and", "but", "or", "for", "in", "on", "at", "by",
    "with", "not", "where", "how", "note", "these", "those", "khi", "vi", "va", "nhu",
    "co", "co the", "mac du", "tuy", "hay", "gia su", "neu nhu", "luu", "voi", "tai", "o", "de",
    "sau", "truoc", "ta", "chung", "ket", "mot", "ca", "thay", "boi",
    "dua", "below", "always", "tuc",
    "duoi", "ngoai", "hau", "phai", "nghia", "di nhien", "duong nhien",
}  # fmt: skip
_ASKING = {"what", "which", "who", "how", "why", "that", "if", "this", "rằng", "nếu", "mà", "này"}
"""Words that no term holds; a sentence with one goes on behind the verb."""
_CODE = re.compile(r"[\[\]{}=<>$\\`]|\w\(|^[^(]*\)|\w_\w")
"""Signs of program text and of formulas, which no person asks about."""
_FENCED = re.compile(r"^[ \t]*(```|~~~|\$\$)[^\n]*\n.*?^[ \t]*\1", re.MULTILINE | re.DOTALL)
_ASKED = re.compile(
    r"^[ \t]*(?P<mark>[-•+*] +)?[#*]*[ \t]*(?:(?:Q|Hỏi)\s*\d*[:.]\**\s*)?"
    r"(?P<question>[^\n|]{8,160}\?)[*\s]*\n+"
    r"[ \t]*(?:[-•+] *)?\**(?P<reply>(?:A|Đáp|Trả lời)\s*\d*[:.]\**\s*)?(?P<told>[^\n|#]+)",
    re.MULTILINE,
)
_POINTS = re.compile(r"\b(?:this|these|those|above|below|này|đó|ấy|trên đây)\b", re.IGNORECASE)
"""Words by which a question points to what stands around it."""
_LINKED = re.compile(r"(?:see|link|xem)\b", re.IGNORECASE)
_KIND = re.compile(
    r"(?:an?|the|any|every|all|một(?! trong| số)|các|những|tổng|loại|phương pháp|quá trình|"
    r"tập hợp|người|nơi|khoản|khoảng|thời gian|số|tỷ lệ|bộ phận|việc)\b",
    re.IGNORECASE,
)
"""How the value of a definition begins that is of a term which is no heading."""
_VAGUE = re.compile(
    r"\b(?:như vậy|như sau|như trên|dưới đây|as follows|such|below)\b", re.IGNORECASE
)
_LISTED = re.compile(r"[-•*+\d(:!\[]|see\b|xem\b|gợi ý|hint\b|https?:", re.IGNORECASE)
"""How what follows a question begins when it is a list or a link, not the answer."""
_LONGEST_VALUE, _LONGEST_SUBJECT = 14, 12
"""In words."""


def title(document: Document) -> str:
    """What people call the document: its first heading or line, else the file's name."""
    path = PurePosixPath(document.path)
    if path.suffix.lower() in _NAMED_BY_FILE:
        return path.name
    if subject := re.search(r"^Subject: (.+)$", document.text[:2000], re.MULTILINE):
        return subject[1].strip()
    lines = (line.strip(" #*_>=-") for line in document.text[:2000].split("\n"))
    told = (re.split(r"\s{2,}", line)[0] for line in lines if words(line))
    first = next((line for line in told if not _LETTERHEAD.match(line)), "")
    return first if 0 < len(first) <= _LONGEST_TITLE else path.name


def facts(document: Document, called: str) -> Iterator[Fact]:
    """Every value in the document's tables, entries, own questions and definitions, code aside."""
    document = replace(document, text=_FENCED.sub(_blank, document.text))
    for table in tables(document, called):
        yield from _cells(document, called, table)
    for place in document.places:
        if not place.rows:
            yield from _entries(document, called, place)
            yield from _asked(document, called, place)
            yield from _definitions(document, called, place)


def _blank(match: re.Match[str]) -> str:
    """Spaces in place of what matched, so that every other character stays where it is."""
    return re.sub(r"[^\n]", " ", match[0])


def tables(document: Document, called: str) -> Iterator[Table]:
    """Tables with bars, rows of ``column: value; …``, and blocks of lines with the same keys."""
    for place in document.places:
        text = document.text[place.start : place.end]
        if place.rows:
            section = "" if _UNNAMED.match(place.name) else place.name.removeprefix("sheet ")
            found = _records(section, [(line, line) for line in text.split("\n")], _FIELD)
        else:
            yield from _barred(document, place, called)
            blocks = [block.strip() for block in text.split("\n\n")]
            line = re.compile(r"(?:^|\n)([^:\n]{1,40}): ")
            found = _records(section_at(document, place, 0, called), [(b, b) for b in blocks], line)
        if found is not None:
            yield found


def section_at(document: Document, place: Place, offset: int, called: str) -> str:
    """The heading that a character of a place stands under."""
    name = place.name.rsplit(" > ", 1)[-1]
    if not name or _UNNAMED.match(name):
        lines = ["", *document.text[place.start : place.end].split("\n"), ""]
        until = document.text.count("\n", place.start, place.start + offset) + 1
        name = next((lines[at] for at in range(until, 0, -1) if _heads(lines, at)), "")
    name = " ".join(_NUMBERING.sub("", name.strip(" #*_>:")).strip(" #*_>:").split())
    known = fold(name) in (fold(called), fold(title(document)))
    return "" if known or len(name) > _LONGEST_TITLE else name


def _heads(lines: Sequence[str], at: int) -> bool:
    """Whether a line stands like a heading: after a gap, and before one, a list or a table."""
    line, after = lines[at], lines[at + 1]
    bare = line.strip(" #*_")
    return (
        0 < len(bare) <= 80
        and not lines[at - 1].strip()
        and (not after.strip() or after.startswith((" ", "\t", "-", "|", "•")))
        and not line.startswith((" ", "\t", "-", "|", "•"))
        and ": " not in bare
        and bare[-1:] not in ".;,!?"
    )


def _barred(document: Document, place: Place, called: str) -> Iterator[Table]:
    text = document.text[place.start : place.end]
    for block in re.finditer(r"(?:^[ \t]*\|.*(?:\n|\Z))+", text, re.MULTILINE):
        lines = [
            line for line in block[0].split("\n") if line.strip() and not _RULE.fullmatch(line)
        ]
        cells = [
            tuple(cell.strip(" *") for cell in line.strip().strip("|").split("|")) for line in lines
        ]
        if len(cells) < 2 or len(cells[0]) < 2 or any(_figure(name) for name in cells[0]):
            continue
        rows = [(c, line.strip()) for c, line in zip(cells[1:], lines[1:], strict=True)]
        rows = [(c, line) for c, line in rows if len(c) == len(cells[0])]
        yield Table(section_at(document, place, block.start(), called), cells[0], tuple(rows))


def _records(
    section: str, texts: Sequence[tuple[str, str]], field: re.Pattern[str]
) -> Table | None:
    """Texts of the form ``key: value`` with the same keys, as a table; None where there are few."""
    read: list[tuple[dict[str, str], str]] = []
    for text, line in texts:
        marks = list(field.finditer(text))
        if not marks or marks[0].start():
            continue
        ends = [mark.start() for mark in marks[1:]] + [len(text)]
        pairs = {
            mark[1].strip(): text[mark.end() : end].strip(" ;\n")
            for mark, end in zip(marks, ends, strict=True)
        }
        read.append((pairs, line))
    counts = Counter(key for pairs, _ in read for key in pairs)
    header = tuple(key for key, count in counts.items() if 2 * count > len(read) and count > 1)
    if len(header) < 2 or not read or header[0] != next(iter(read[0][0]), None):
        return None
    rows = [(tuple(pairs.get(key, "") for key in header), line) for pairs, line in read]
    return Table(section, header, tuple((cells, line) for cells, line in rows if cells[0]))


def _cells(document: Document, called: str, table: Table) -> Iterator[Fact]:
    at = _key(table)
    turned = fold(table.header[at]).strip() in _ATTRIBUTES or _things(table.header)
    keys = Counter(fold(cells[at]) for cells, _ in table.rows)
    lang = _language_of(table.header, document)
    for cells, line in table.rows[:: 1 + len(table.rows) // _MOST_ROWS]:
        key = cells[at]
        if keys[fold(key)] > 1 or not words(key):
            continue
        label = "" if turned or _telling(key) else table.header[at].replace("_", " ")
        for name, value in zip(table.header[at + 1 :], cells[at + 1 :], strict=True):
            subject, attribute = (name, key) if turned else (key, name)
            torn = re.search(r"\)\s+\w", name)  # two columns that the reader took for one
            if not torn and _usable(subject, value) and 0 < len(words(attribute)) <= 10:
                quote = line if len(line) <= 400 else _part(line, name, value)
                yield Fact("cell", document.path, called, table.section, subject,
                           attribute.replace("_", " "), value, quote, lang, label)  # fmt: skip


def _key(table: Table) -> int:
    """The column that says what the rows are about: the first, or a name after a number."""
    first = 1 if fold(table.header[0]).strip(". ") in _NUMBERS_ROWS else 0
    for at in range(first, min(first + 3, len(table.header) - 1)):
        values = [fold(cells[at]) for cells, _ in table.rows]
        if fold(table.header[at]).strip() in _NAMED and len(set(values)) == len(values):
            return at
    return first


def _things(header: Sequence[str]) -> bool:
    """Whether all columns but the first are things or years, so that rows are their attributes."""
    others = [re.findall(r"\w+", name) for name in header[1:]]
    return len(others) > 1 and all(
        any(any(c.isdigit() for c in word) for word in name)
        and not any(word[0].islower() for word in name)
        for name in others
    )


def _telling(key: str) -> bool:
    """Whether a key holds a word rather than a code, a letter or a number."""
    return any(sum(c.islower() for c in word) > 1 for word in re.findall(r"[^\W\d_]+", key))


def _part(line: str, name: str, value: str) -> str:
    """Of a long record, the field itself."""
    field = re.search(rf"{re.escape(name)}:\s*{re.escape(value)}", line)
    return field[0] if field else line


def _language_of(header: Sequence[str], document: Document) -> str:
    names = " ".join(header).replace("_", " ")
    if language(names) == "vi":
        return "vi"
    return "en" if document.language == "en" or _english(names) else document.language


def _english(names: str) -> bool:
    told = set(words(names))
    return bool(told & {"name", "title", "date", "price", "product", "number", "customer", "item"})


def _entries(document: Document, called: str, place: Place) -> Iterator[Fact]:
    text = document.text[place.start : place.end]
    found: list[Fact] = []
    at = 0
    for line in text.split("\n"):
        for pair in _pairs(line) if at + place.start else ():  # not in the title
            key, value = pair[1].strip(), pair[2].strip().rstrip(".")
            plain = (
                fold(key) not in _NO_ENTRY
                and not re.search(r"[.!?] |  ", f"{key} {value}")
                and not (value.islower() and len(words(value)) == 1)  # rather a heading
                and not _CODE.search(f"{key} {value}")
                and not value.endswith((",", ";", ":"))
                and not _LINKED.match(value)
            )
            if plain and len(words(key)) <= 7 and _usable(key, value):
                section = section_at(document, place, at, called)
                lang = language(f"{key} {section}") if document.language == "en" else "vi"
                found.append(Fact("entry", document.path, called, section, key, "", value,
                                  pair[0].strip(), lang))  # fmt: skip
        at += len(line) + 1
    keys = Counter((fold(fact.section), fold(fact.subject)) for fact in found)
    yield from (f for f in found if keys[fold(f.section), fold(f.subject)] == 1)


def _pairs(line: str) -> Iterator[re.Match[str]]:
    """``key: value``, as a whole line or as a sentence in it."""
    if whole := _ENTRY.match(line):
        yield whole
    elif not line.lstrip().startswith("|"):
        yield from _INLINE.finditer(line)


def _asked(document: Document, called: str, place: Place) -> Iterator[Fact]:
    """Questions the document asks itself, as an FAQ does; the answer is what follows first."""
    text = document.text[place.start : place.end]
    for match in _ASKED.finditer(text):
        question, told = match["question"].strip(" *#"), match["told"].strip()
        if match["mark"] and not match["reply"]:
            continue  # a list of questions
        sentences = re.split(r"(?<=[.!?])\s+", told)
        short = len(words(sentences[0])) < 3
        sentence = (
            told[: told.find(sentences[1]) + len(sentences[1])]
            if (short and len(sentences) > 1)
            else sentences[0]
        )
        value = sentence.rstrip(".")
        whole = value.count("(") == value.count(")") and not value.endswith((":", "e.g", "i.e"))
        if re.search(r"[.!?]\s", question) or told.endswith("?") or len(words(value)) > 25:
            continue
        alone = len(words(question)) > 3 and not _POINTS.search(question)
        if not whole or not alone or _LISTED.match(told):
            continue
        if _CODE.search(question) or re.search(r"\]\(|\$", value):
            continue
        yield Fact("faq", document.path, called, "", question, "", value, sentence,
                   language(f"{question} {value}"))  # fmt: skip


def _definitions(document: Document, called: str, place: Place) -> Iterator[Fact]:
    text = document.text[place.start : place.end]
    lang = "vi" if document.language == "vi" else "en"
    for match in _TERM[lang].finditer(text):
        term, value = match[1].strip(), match[2].strip()
        first = fold(term).split()[0]
        section = section_at(document, place, match.start(), called)
        heading = fold(f"{called} {section}")
        plain = (
            not _CODE.search(f"{term} {value}")
            and not _VAGUE.search(value)
            and not set(words(term)) & _ASKING
            and (
                _KIND.match(match[0][len(match[1]) :].split(maxsplit=1)[1]) or fold(term) in heading
            )
        )
        if plain and len(words(term)) <= 5 and first not in _NO_TERM and "|" not in match[0]:
            yield Fact("definition", document.path, called, section, term, "", value,
                       match[0].strip(), lang)  # fmt: skip


def _usable(subject: str, value: str) -> bool:
    given = words(value)
    return (
        0 < len(given) <= _LONGEST_VALUE
        and 0 < len(words(subject)) <= _LONGEST_SUBJECT
        and fold(value).strip(" .") not in {"none", "n/a", "no", "yes", "khong", "co", "nothing"}
        and not set(given) <= set(words(subject))
        and "://" not in f"{subject} {value}"
        and "](" not in value
    )


def _figure(name: str) -> bool:
    return not any(c.isalpha() for c in name) and any(c.isdigit() for c in name)


def unambiguous(titles: dict[str, str]) -> dict[str, str]:
    """Titles by path, with the file's name where several documents have the same title."""
    counts = Counter(fold(name) for name in titles.values())
    return {
        path: PurePosixPath(path).name if counts[fold(name)] > 1 else name
        for path, name in titles.items()
    }
