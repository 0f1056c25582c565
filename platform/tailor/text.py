"""Text as Unicode: one normal form, words, the accent-folded form, and the language of a text."""

import re
import unicodedata

_WORD = re.compile(r"\w+")
_MARKS = re.compile("[\u0300-\u034e\u0350-\u036f]+")
_FURTHER = re.compile("[\u0483-\u1fff\u20d0-\U0001efff]")  # where all other combining marks are
# Letters that occur in Vietnamese and in no other language Tailor is likely to meet.
_LETTERS = "ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ"
# Faster than ignoring case; ``gì`` asks in many questions that hold no other such letter.
_VIETNAMESE = re.compile(rf"[{_LETTERS}{_LETTERS.upper()}]|\b(?:[gG]ì|GÌ)\b")
# Frequent Vietnamese syllables as typed without accents; none is a frequent English word.
_VIETNAMESE_UNACCENTED = frozenset(
    "nhung khong duoc nhieu cua cho nguoi ngay thang nam gia bao nhan vien cong ty nghi phep "
    "luong quy dinh hop dong khach hang may gio nao dau phai mot hai bon sau bay chin muoi tien "
    "trong ngoai thi voi tai theo den tu khi nhu vay la va cac nhom phong ban truong kho hang "
    "lanh thung dien thoai dia chi lich bieu mua gui tra bao hanh".split()
)


def nfc(text: str) -> str:
    """The canonical composed form; every text is brought into it as soon as it is decoded."""
    return unicodedata.normalize("NFC", text)


def whole(text: str) -> str:
    """Half characters (lone surrogates), as JSON may hold and UTF-8 may not, become U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def shown(name: str) -> str:
    """A name on one line: characters that break it or change its direction are written out."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def visible(text: str) -> str:
    """Text for a terminal: what steers it or hides is written out; lines, tabs, spaces stay."""
    if text.isprintable():
        return text
    return "".join(c if c in "\n\t" or unicodedata.category(c) == "Zs" else shown(c) for c in text)


def fold(text: str) -> str:
    """Case-folded, without combining marks, đ as d: what is left when accents are not typed."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFD", text.casefold())
    bare = _MARKS.sub("", decomposed)
    bare = _FURTHER.sub(_unless_combining, bare)
    return unicodedata.normalize("NFC", bare.replace("đ", "d"))


def _unless_combining(found: re.Match[str]) -> str:
    return "" if unicodedata.combining(found[0]) else found[0]


def words(text: str) -> list[str]:
    """Unicode word tokens, case-folded, in order."""
    return _WORD.findall(nfc(text).casefold())


def language(text: str) -> str:
    """``"vi"`` or ``"en"``: Vietnamese letters decide, else the share of unaccented syllables."""
    if not text.isascii() and _VIETNAMESE.search(nfc(text)):
        return "vi"
    tokens = words(fold(text))
    hits = sum(token in _VIETNAMESE_UNACCENTED for token in tokens)
    return "vi" if tokens and hits / len(tokens) >= 0.4 else "en"
