"""Bytes to text by evidence: a byte order mark, UTF-8, a declared encoding, byte statistics."""

import codecs
import re
import unicodedata

from tailor.documents.refusal import Refused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASK = "save it as UTF-8"
_BINARY = "binary data, not text"


def decode(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text, and a note for people where the encoding had to be guessed (else "").

    Raises:
        Refused: binary data, or no encoding fits.
    """
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _strict(content, encoding), ""
    if b"\0" in content:
        encoding = _utf16_without_mark(content)
        text = _strict(content, encoding)
        if any(unicodedata.category(c) == "Cc" and not c.isspace() for c in text):
            raise Refused(_BINARY)
        return text, f"read as {encoding}, without a byte order mark"
    try:
        return content.decode("utf-8"), ""
    except UnicodeDecodeError:
        pass
    if declared:
        try:
            return content.decode(declared), ""
        except (LookupError, UnicodeDecodeError):
            pass
    if (vietnamese := _vietnamese_windows(content)) is not None:
        return vietnamese, f"not UTF-8; read as windows-1258 (Vietnamese); {_ASK} to be sure"
    from charset_normalizer import from_bytes

    guess = from_bytes(content).best()
    if guess is None:
        raise Refused(f"not decodable: neither UTF-8 nor another known encoding; {_ASK}")
    return str(guess), f"not UTF-8; read as {guess.encoding} by its bytes; {_ASK} to be sure"


def _strict(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        raise Refused(f"not decodable: broken {encoding}; {_ASK}") from None


def _utf16_without_mark(content: bytes) -> str:
    """UTF-16 text in Latin letters has zeros at every second byte; anything else is binary."""
    even, odd = content[0::2].count(0), content[1::2].count(0)
    if odd > 0.4 * len(content) / 2 and even < odd / 10:
        return "utf-16-le"
    if even > 0.4 * len(content) / 2 and odd < even / 10:
        return "utf-16-be"
    raise Refused(_BINARY)


def _vietnamese_windows(content: bytes) -> str | None:
    """Windows-1258 if it gives Vietnamese: đ, ơ, ư and tone marks that sit on vowels."""
    try:
        text = unicodedata.normalize("NFC", content.decode("cp1258"))
    except UnicodeDecodeError:
        return None
    own = {letter for letter in "đơư" if letter in text.casefold()}
    toned = re.findall("[ảạấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]", text, re.IGNORECASE)
    stray = sum(unicodedata.combining(c) != 0 for c in text)
    return text if len(own) >= 2 and toned and stray <= len(toned) / 20 else None
