"""Vietnamese as it was written before Unicode: Windows-1258, TCVN3 (ABC), VISCII and VNI.

Python knows only the first. Which one it was is decided by spelling: a wrong table gives letters
that form no Vietnamese syllables. Tables: TCVN 5712:1993 (VN1), RFC 1456 for VISCII; VNI writes a
vowel and behind it a sign for its mark.
"""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from tailor.text import nfc

_ONSETS = "b c ch d đ g gh gi h k kh l m n ng ngh nh p ph qu r s t th tr v x".split()
_RHYMES = (
    "a ac ach ai am an ang anh ao ap at au ay ă ăc ăm ăn ăng ăp ăt â âc âm ân âng âp ât âu ây "
    "e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ia ich iêc iêm iên iêng iêp iêt iêu im "
    "in inh ip it iu o oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oc "
    "oe oen oeo oet oi om on ong ooc oong op ot ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uân "
    "uâng uât uây uc uê uêch uênh ui um un ung uơ uôc uôi uôm uôn uông uôp uôt up ut uy uya uych "
    "uyên uyêt uynh uyt uyu ư ưa ưc ưi ưm ưn ưng ươc ươi ươm ươn ương ươp ươt ươu ưt ưu y ych yêm "
    "yên yêng yêt yêu ynh yt"
).split()
_SYLLABLE = re.compile(f"(?:{'|'.join(_ONSETS)})?(?:{'|'.join(_RHYMES)})")
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_STOPPED = ("c", "ch", "p", "t")
_OWN = re.compile("[ăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", re.IGNORECASE)
_WORD = re.compile("[A-Za-z\u0080-\U0010ffff]+")
_SIGNS = "\u0085\u00a0«»“”„‘’‚–—…•·°§€£©®™×±²³½¼¾\ufeff"
_NOT_LETTERS = str.maketrans(dict.fromkeys(_SIGNS, " "))
_FEWEST = 2
_LEAST_SHARE = 0.8
_SAMPLE = 200_000

_TCVN_HIGH = (
    "ÀẢÃÁẠẶẬÈẺẼÉẸỆÌỈĨÍỊÒỎÕÓỌỘỜỞỠỚỢÙỦŨ\u00a0ĂÂÊÔƠƯĐăâêôơưđẰ\u0323\u0300\u0309\u0303\u0301àảãáạẲằẳẵắẴ"
    "ẮẦẨẪẤỀặầẩẫấậèỂẻẽéẹềểễếệìỉỄẾỒĩíịòỔỏõóọồổỗốộờởỡớợùỖủũúụừửữứựỳỷỹýỵỐ"
)
_TCVN_LOW = {1: "Ú", 2: "Ụ", 4: "Ừ", 5: "Ử", 6: "Ữ", 17: "Ứ", 18: "Ự", 19: "Ỳ", 20: "Ỷ", 21: "Ỹ"}
_TCVN_LOW |= {22: "Ý", 23: "Ỵ"}
_VISCII_HIGH = (
    "ẠẮẰẶẤẦẨẬẼẸẾỀỂỄỆỐỒỔỖỘỢỚỜỞỊỎỌỈỦŨỤỲÕắằặấầẩậẽẹếềểễệốồổỗỠƠộờởịỰỨỪỬơớƯ"
    "ÀÁÂÃẢĂẳẵÈÉÊẺÌÍĨỳĐứÒÓÔạỷừửÙÚỹỵÝỡưàáâãảăữẫèéêẻìíĩỉđựòóôõỏọụùúũủýợỮ"
)
_VISCII_LOW = {2: "Ẳ", 5: "Ẵ", 6: "Ẫ", 20: "Ỷ", 25: "Ỹ", 30: "Ỵ"}
_TCVN = _TCVN_LOW | dict(enumerate(_TCVN_HIGH, 0x80))
_TCVN_FONT = {code: letter for code, letter in _TCVN.items() if code >= 0xA1}
_VISCII = _VISCII_LOW | dict(enumerate(_VISCII_HIGH, 0x80))

_VNI_MARKS = {
    **dict(zip("ùøûõï", "\u0301\u0300\u0309\u0303\u0323", strict=True)),
    **{"â": "\u0302", "á": "\u0302\u0301", "à": "\u0302\u0300", "å": "\u0302\u0309"},
    **{"ã": "\u0302\u0303", "ä": "\u0302\u0323", "ê": "\u0306", "é": "\u0306\u0301"},
    **{"è": "\u0306\u0300", "ú": "\u0306\u0309", "ü": "\u0306\u0303", "ë": "\u0306\u0323"},
}
_VNI_LETTERS = dict(zip("æóòîôöñÆÓÒÎÔÖÑ", "ỉĩịỵơưđỈĨỊỴƠƯĐ", strict=True))
_VNI = re.compile(
    "[ao][ùøûõïâáàåãä]|a[êéèúüë]|e[ùøûõïâáàåãä]|[uyôö][ùøûõï]|[æóòîôöñ]", re.IGNORECASE
)


def decoded(content: bytes, evidence: bytes) -> tuple[str, str] | None:
    """The text and the name of its encoding, where the bytes spell Vietnamese in one of them.

    ``evidence`` is a part of the content that has bytes beyond ASCII.
    """
    best, share = None, 0.0
    for name, read in _ENCODINGS:
        spelling = Spelling.of(read(evidence))
        if spelling.is_vietnamese and spelling.share > share:
            best, share = (name, read), spelling.share
    return None if best is None else (nfc(best[1](content)), best[0])


def fonts(text: str) -> str:
    """``TCVN3`` or ``VNI`` where Unicode text was typed for such fonts, as ``Céng hoµ``."""
    if text.isascii() or len(set(_RARE.findall(text))) < _FEWEST:
        return ""
    doubtful = "\n".join(line for line in text.split("\n") if _OWN.search(line) is None)
    best, share = "", _LEAST_SHARE
    for name, read in _FONTS.items():
        spelling = Spelling.of(read(doubtful[:_SAMPLE]), _OWN)
        if spelling.valid >= 3 * _FEWEST and spelling.share > share:
            best, share = name, spelling.share
    return best


def restored(text: str, fonts: str) -> str:
    """Text that was typed for these fonts as it was meant.

    Lines that are Vietnamese as they stand, or in another language, stay as they are.
    """
    return "\n".join(_line(line, _FONTS[fonts]) for line in text.split("\n"))


@dataclass(frozen=True)
class Spelling:
    """How many different words with letters beyond ASCII are Vietnamese syllables."""

    valid: int
    own: int
    """Those with letters that no other language has."""
    words: int

    @classmethod
    def of(cls, text: str, pattern: re.Pattern[str] | None = None) -> "Spelling":
        """Count in a sample; ``pattern``: only among words in which it is found."""
        plain = nfc(text[:_SAMPLE]).translate(_NOT_LETTERS)
        # A single letter is a syllable in every reading and so tells nothing.
        found = {w.casefold() for w in _WORD.findall(plain) if not w.isascii() and len(w) > 1}
        if pattern is not None:
            found = {word for word in found if pattern.search(word)}
        good = [word for word in found if is_syllable(word)]
        return cls(len(good), sum(_OWN.search(w) is not None for w in good), len(found))

    @property
    def share(self) -> float:
        """The syllables among the words."""
        return self.valid / max(1, self.words)

    @property
    def is_vietnamese(self) -> bool:
        """Enough to rule out chance and other languages."""
        return self.own >= _FEWEST and self.share >= _LEAST_SHARE


def is_syllable(word: str) -> bool:
    """Whether a word is spelled as a Vietnamese syllable, with at most one tone."""
    parts = unicodedata.normalize("NFD", word.casefold())
    tones = _TONES.findall(parts)
    base = nfc(_TONES.sub("", parts))
    if len(tones) > 1 or _SYLLABLE.fullmatch(base) is None:
        return False
    return not base.endswith(_STOPPED) or tones in (["\u0301"], ["\u0323"])


def _windows_1252(content: bytes) -> str:
    """The five bytes that it leaves undefined become control characters."""
    return content.decode("latin-1").translate(_WINDOWS_1252)


_WINDOWS_1252 = {
    code: bytes([code]).decode("cp1252")
    for code in range(0x80, 0xA0)
    if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)
}


def _from_tcvn(text: str) -> str:
    return _capitals(text.translate(_TCVN_FONT))


def _capitals(text: str) -> str:
    """TCVN3 has capital fonts instead of capital letters with marks: ``CéNG`` is CỘNG."""
    return re.sub(r"[^\n]+", lambda line: _capital_line(line[0]), text)


def _capital_line(line: str) -> str:
    capitals = re.findall("[A-Z]", line)
    if len(capitals) >= 3 and re.search("[a-z]", line) is None:
        return line.upper()
    return re.sub(r"\w+", lambda word: _capital_word(word[0]), line)


def _capital_word(word: str) -> str:
    are_capitals = len(re.findall("[A-Z]", word)) > 1 and re.search("[a-z]", word) is None
    return word.upper() if are_capitals else word


def _from_vni(text: str) -> str:
    def letter(found: re.Match[str]) -> str:
        base, mark = found[0][0], found[0][1:]
        return nfc(_VNI_LETTERS.get(base, base) + _VNI_MARKS.get(mark.lower(), ""))

    return _VNI.sub(letter, text)


_ENCODINGS: tuple[tuple[str, Callable[[bytes], str]], ...] = (
    ("windows-1258", lambda content: content.decode("cp1258", "replace")),
    ("TCVN3", lambda content: _from_tcvn(_windows_1252(content))),
    ("TCVN3", lambda content: content.decode("latin-1").translate(_TCVN)),
    ("VISCII", lambda content: content.decode("latin-1").translate(_VISCII)),
    ("VNI", lambda content: _from_vni(_windows_1252(content))),
)
_FONTS: dict[str, Callable[[str], str]] = {"TCVN3": _from_tcvn, "VNI": _from_vni}
_RARE = re.compile("[µ¸¶·¹®¾»¼½ÆÇËÑÖØÜÞøûïåäëüÛÏÅÄñæ]")
"""Characters that such text has in nearly every line, and Vietnamese in Unicode nowhere."""


def _line(line: str, read: Callable[[str], str]) -> str:
    if line.isascii() or _OWN.search(line):
        return line
    changed = read(line)
    return changed if Spelling.of(changed).share >= 0.5 else line
