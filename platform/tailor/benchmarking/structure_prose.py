"""Facts that documents state in running text: ``key: value``, FAQs and definitions."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from tailor.benchmarking.stated import Fact, section_at, usable
from tailor.documents.document import Document, Place
from tailor.text import fold, language, words

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
    "dua", "below", "always", "tuc", "ban", "thoat", "another", "ultimately", "just",
    "duoi", "ngoai", "hau", "phai", "nghia", "di nhien", "duong nhien",
}  # fmt: skip
_ASKING = {
    "what", "which", "who", "how", "why", "that", "if", "this", "where", "rằng", "nếu", "mà", "này",
}  # fmt: skip
"""Words that no term holds; a sentence with one goes on behind the verb."""
_ADVERBS = {
    "từng", "chỉ", "nên", "đây", "sẽ", "đã", "cũng", "vẫn", "chính", "luôn", "vốn", "đều", "lại",
    "it", "there", "here", "also", "only",
}  # fmt: skip
"""Words that no term ends with: it ends before them, and the sentence is no definition."""
_CODE = re.compile(r"[\[\]{}=<>$\\`]|\w\(|^[^(]*\)|\w_\w")
"""Signs of program text and of formulas, which no person asks about."""
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
_LISTED = re.compile(
    r"[-•*+\d(:!\[]|see\b|xem\b|gợi ý|hint\b|https?:|hãy\b|thử\b|let[’']s\b|let us\b|"
    r"(?:consider|imagine|suppose|giả sử|xét)\b",
    re.IGNORECASE,
)
"""How what follows a question begins when it is a list, a link or an invitation to think, not the
answer."""
_ENDED = re.compile(r"[.!?…][*_\"”’')\]]*$")


def in_prose(document: Document, called: str, place: Place) -> Iterator[Fact]:
    """Entries, questions with their answers, and definitions, in the text of a place."""
    yield from _entries(document, called, place)
    yield from _asked(document, called, place)
    yield from _definitions(document, called, place)


def _entries(document: Document, called: str, place: Place) -> Iterator[Fact]:
    text = document.text[place.start : place.end]
    found: list[Fact] = []
    at = 0
    lines = [*text.split("\n"), ""]
    for before, line, after in zip(["", *lines], lines, lines[1:], strict=False):
        wrapped = _runs_on(before, line) or _runs_on(line, after)
        for pair in _pairs(line) if at + place.start and not wrapped else ():  # not in the title
            key, value = pair[1].strip(), pair[2].strip().rstrip(".")
            plain = (
                fold(key) not in _NO_ENTRY
                and not re.search(r"[.!?] |  ", f"{key} {value}")
                and not (value.islower() and len(words(value)) == 1)  # rather a heading
                and not _CODE.search(f"{key} {value}")
                and not value.endswith((",", ";", ":"))
                and not _LINKED.match(value)
            )
            if plain and len(words(key)) <= 7 and usable(key, value):
                section = section_at(document, place, at, called)
                lang = language(f"{key} {section}") if document.language == "en" else "vi"
                found.append(Fact("entry", document.path, called, section, key, "", value,
                                  pair[0].strip(), lang))  # fmt: skip
        at += len(line) + 1
    keys = Counter((fold(fact.section), fold(fact.subject)) for fact in found)
    yield from (f for f in found if keys[fold(f.section), fold(f.subject)] == 1)


def _runs_on(line: str, after: str) -> bool:
    """Whether a sentence goes on in the next line."""
    told = line.strip()
    ends = not told or told.startswith("#") or told.endswith(":") or _ENDED.search(told)
    both = _ENTRY.match(line) and _ENTRY.match(after)  # keys in small letters
    return after.lstrip()[:1].islower() and not ends and not both


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
        if sentence == told and not _ENDED.search(told):
            whole &= not re.match(r"\n[ \t]*\S", text[match.end() :])  # it goes on below
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
            and words(term)[-1] not in _ADVERBS
            and (
                _KIND.match(match[0][len(match[1]) :].split(maxsplit=1)[1]) or fold(term) in heading
            )
        )
        if plain and len(words(term)) <= 5 and first not in _NO_TERM and "|" not in match[0]:
            yield Fact("definition", document.path, called, section, term, "", value,
                       match[0].strip(), lang)  # fmt: skip
