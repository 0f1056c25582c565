"""Bytes to text by evidence: byte order mark, UTF-8, spelling, a declaration, byte statistics."""

import codecs
import io
import re
import unicodedata

from tailor.documents.readers import vietnamese
from tailor.documents.refusal import Refused
from tailor.text import nfc

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASK = "save it as UTF-8"
_BINARY = "binary data, not text"
_SAMPLE = 1 << 18
_ESCAPES = (
    (re.compile(rb"\x1b\$[@B]|\x1b\([JI]"), "iso2022_jp_2"),
    (re.compile(rb"\x1b\$\)C"), "iso2022_kr"),
)
_MULTI = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_TYPOGRAPHY = re.compile(rb"[\x80\x82\x84\x85\x91-\x97\x99\xa0\xa3\xa7\xa9\xab\xae\xb0\xb7\xbb]")
_USUAL = ("cp1252", "cp1251", "cp866", "mac_roman")
"""Of encodings that fit equally well, what most files are in."""

# In a right reading no word mixes Latin with Greek, Cyrillic, Hebrew or Arabic letters, or has
# signs in its middle.
_ODD_WORD = re.compile(
    "[A-Za-zÀ-ÖØ-öø-ɏ](?:[Ͱ-Ͽ\u0400-\u052f\u0590-\u06ff]|[¡¢¤¥¦¨¬¯²³´¶¸¹¼½¾¿×÷][A-Za-zÀ-ÖØ-öø-ɏ])"
)
# UTF-8 that was read as Windows-1252: a first byte's letter, then those of the bytes after it.
_WIDE = {c: bytes([c]).decode("cp1252", "replace") for c in range(0x80, 0xC0)}
_LATER = "".join({letter for letter in _WIDE.values() if letter != "\ufffd"} | {*map(chr, _WIDE)})
_GARBLED = re.compile(
    f"[\xc2-\xdf][{_LATER}]|[\xe0-\xef][{_LATER}]{{2}}|[\xf0-\xf4][{_LATER}]{{3}}"
)
_BYTE = {letter: code for code, letter in _WIDE.items()}


def decode(content: bytes, declared: str | None = None) -> tuple[str, str]:
    """The text in NFC, and a note for people where something had to be assumed (else "").

    Raises:
        Refused: binary data, or no encoding fits.
    """
    text, note = _decode(content, declared)
    if not note and (mended := _ungarbled(text)) != text:
        text, note = mended, "UTF-8 that had been read as Windows-1252 and saved again; put right"
    if _is_binary(text):
        raise Refused(_BINARY)
    text = nfc(text)
    if (lost := text.count("\ufffd")) and "\ufffd" not in note:
        note = "; ".join(filter(None, (note, f"{lost} letters are lost and stand as \ufffd")))
    return text, note


def _decode(content: bytes, declared: str | None) -> tuple[str, str]:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return _marked(content, encoding)
    if b"\0" in content:
        wide, encoding = _wide(content)
        return wide, f"read as {encoding}, without a byte order mark"
    for escape, encoding in _ESCAPES:
        if escape.search(content) and (text := _strict(content, encoding)) is not None:
            return text, f"read as {encoding} by its escape signs"
    if (text := _strict(content, "utf-8")) is not None:
        return text, ""
    return (
        _nearly_utf8(content)
        or _vietnamese(content)
        or _as_declared(content, declared)
        or _mixed(content)
        or _guessed(content)
    )


def _marked(content: bytes, encoding: str) -> tuple[str, str]:
    if (text := _strict(content, encoding)) is not None:
        return text, ""
    text = content.decode(encoding, "replace")
    if text.count("\ufffd") > 1 + len(text) / 1000:
        raise Refused(f"not decodable: broken {encoding}; {_ASK}")
    return text, f"broken {encoding}: what cannot be read stands as \ufffd"


def _wide(content: bytes) -> tuple[str, str]:
    """UTF-16 or UTF-32 without a mark: the reading with most letters, if nearly all are of one."""
    best, name, share = "", "", 0.0
    for encoding in ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be"):
        width = 4 if "32" in encoding else 2
        text = _strict(content[: len(content) // width * width], encoding)
        if text is None:
            continue
        sample = text[:_SAMPLE]
        common = sum(c < "\u0250" or "\u1e00" <= c < "\u2122" for c in sample)
        if (found := common / max(1, len(sample))) > share and "\0" not in sample:
            best, name, share = text, encoding, found
    if share < 0.7:
        raise Refused(_BINARY)
    return best, name


def _nearly_utf8(content: bytes) -> tuple[str, str] | None:
    """UTF-8 cut off in a character, or with few bytes that are broken."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data" and error.end == len(content):
            if _MULTI.search(content):
                text = content[: error.start].decode("utf-8")
                return text, "UTF-8, cut off in the middle of the last character"
            return None
    whole = len(_MULTI.findall(content))
    text = content.decode("utf-8", "replace")
    broken = text.count("\ufffd") - content.count("\ufffd".encode())
    if broken * 50 > whole:
        return None
    line = text[: text.index("\ufffd")].count("\n") + 1
    many = "1 byte is" if broken == 1 else f"{broken} bytes are"
    return text, f"UTF-8, but {many} broken and stand as \ufffd, the first in line {line}"


def _vietnamese(content: bytes) -> tuple[str, str] | None:
    if (found := vietnamese.decoded(content, _evidence(content))) is None:
        return None
    text, encoding = found
    return text, f"not UTF-8; read as {encoding} (Vietnamese) by its spelling; {_ASK} to be sure"


def _as_declared(content: bytes, declared: str | None) -> tuple[str, str] | None:
    if not declared:
        return None
    try:
        encoding = codecs.lookup(declared).name
    except (LookupError, ValueError):
        return None
    if encoding in ("iso8859-1", "ascii"):
        encoding = "cp1252"  # what browsers take both for
    text = _strict(content, encoding)
    return None if text is None or _is_binary(text) else (text, "")


def _mixed(content: bytes) -> tuple[str, str] | None:
    """Files that grew together: lines of UTF-8, and lines of one older encoding."""
    lines = content.split(b"\n")
    doubtful = [number for number, line in enumerate(lines) if _strict(line, "utf-8") is None]
    whole = dict.fromkeys(doubtful, b"")
    for number in doubtful[:1]:  # where they meet
        whole[number] = _utf8_start(lines[number])
    known = set(doubtful)
    rest_free = [line for number, line in enumerate(lines) if number not in known]
    if not any(map(_MULTI.search, [*rest_free, *whole.values()])):
        return None
    old = b"\n".join(lines[number].removeprefix(whole[number]) for number in doubtful)
    text, encoding = vietnamese.decoded(old, _evidence(old)) or _by_statistics(old)
    if text.count("\n") != old.count(b"\n"):  # a damaged byte has taken a line's end with it
        return None
    read = dict(zip(doubtful, text.split("\n"), strict=True))
    joined = (
        whole[n].decode() + read[n] if n in known else line.decode() for n, line in enumerate(lines)
    )
    shown = _numbers([number + 1 for number in doubtful])
    return "\n".join(joined), f"UTF-8, but {shown} read as {encoding}; {_ASK} to be sure"


def _utf8_start(line: bytes) -> bytes:
    """The words of a line before the first that is no UTF-8, if they show that it is."""
    try:
        line.decode("utf-8")
    except UnicodeDecodeError as error:
        start = line[: line.rfind(b" ", 0, error.start) + 1]
        return start if _MULTI.search(start) else b""
    return line


def _guessed(content: bytes) -> tuple[str, str]:
    text, encoding = _by_statistics(content)
    return text, f"not UTF-8; read as {encoding} by its bytes; {_ASK} to be sure"


def _by_statistics(content: bytes) -> tuple[str, str]:
    from charset_normalizer import from_bytes

    sample = _evidence(content)
    if not re.search(rb"[\x80-\xff]", _TYPOGRAPHY.sub(b"", sample)):
        return content.decode("cp1252"), "windows-1252"
    matches = sorted(
        from_bytes(sample), key=lambda m: (m.chaos, -m.coherence, m.encoding not in _USUAL)
    )
    names = [
        next((usual for usual in _USUAL if usual in match.could_be_from_charset), match.encoding)
        for match in matches
    ]
    no_language = not matches or matches[0].coherence == 0
    names.insert(0 if no_language and _is_latin(sample) else len(names), "cp1252")
    for name in names:
        text = _strict(content, name)
        if text is not None and not _is_binary(text) and not _ODD_WORD.search(text[:_SAMPLE]):
            return text, f"windows-{name[2:]}" if re.fullmatch(r"cp125\d", name) else name
    raise Refused(f"not decodable: neither UTF-8 nor another known encoding; {_ASK}")


def _is_latin(content: bytes) -> bool:
    """Whether most words with letters beyond ASCII have ASCII letters too."""
    found = [word for word in re.findall(rb"[A-Za-z\x80-\xff]+", content) if not word.isascii()]
    return sum(re.search(rb"[A-Za-z]", word) is not None for word in found) > len(found) / 2


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except (UnicodeError, LookupError):
        return None


def _is_binary(text: str) -> bool:
    """Whether control characters other than those that old programs leave are frequent."""
    sample = text[:_SAMPLE]
    odd = len(re.findall("[\x00-\x06\x0e-\x19\x1c-\x1f\x80-\x84\x86-\x9f]", sample))
    unassigned = sum(unicodedata.category(c) == "Cn" for c in set(sample))
    return odd > 2 + len(sample) / 200 or unassigned > 8


def _ungarbled(text: str) -> str:
    """With letters put right that were UTF-8 and had been read byte by byte, as ``Ã©`` for é."""
    found = _GARBLED.findall(text)
    if sum(len(letters) - 1 for letters in found) < 2:
        return text

    def letter(garbled: re.Match[str]) -> str:
        content = bytes(_BYTE.get(c, ord(c) & 0xFF) for c in garbled[0])
        return content.decode("utf-8", "ignore") or garbled[0]

    return _GARBLED.sub(letter, text)


def _evidence(content: bytes) -> bytes:
    """The first lines with bytes beyond ASCII."""
    lines: list[bytes] = []
    size = _SAMPLE
    for line in io.BytesIO(content):
        if line.isascii():
            continue
        lines.append(line[:size])
        size -= len(lines[-1])
        if size <= 0:
            break
    return b"".join(lines)


def _numbers(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]} was"
    return f"{len(lines)} lines from line {lines[0]} to {lines[-1]} were"
