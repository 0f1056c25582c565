"""Bytes made wrong: flipped, cut, spliced, repeated, with other lengths, entities and nesting."""

from __future__ import annotations

import copy
import re
import struct
import zipfile
from collections.abc import Callable, Mapping, Sequence
from random import Random

from lxml import etree
from seeds import Seed, compound, zipped

_NUMBERS = (
    b"0",
    b"-1",
    b"1",
    b"2",
    b"9",
    b"255",
    b"65536",
    b"99999",
    b"2147483647",
    b"4294967296",
    b"-2147483649",
    b"1e308",
    b"NaN",
    b"0x10",
    b"\xd9\xa3",
    b"\xc2\xb2",
    b"9" * 40,
    b"",
)
"""What a number in a text is replaced by; the signs are an Arabic three and a superscript."""
_WORDS = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFE, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
_TOKENS = (
    b"\0",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\r",
    b"\x0b",
    b"\x1b$B",
    b"&amp;",
    b"&x;",
    b"&#0;",
    b"&#x110000;",
    b"&#xD800;",
    b"]]>",
    b"<![CDATA[",
    b"<!--",
    b"-->",
    b"<?xml version='1.0' encoding='utf-7'?>",
    b"<?x?>",
    b"<!DOCTYPE a [<!ENTITY x 'y'>]>",
    b"<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>",
    b"<a:b/>",
    b"</p>",
    b"<table>",
    b"<td rowspan=99999 colspan=99999>",
    b"<svg>",
    b"<o:p>",
    b"<template>",
    b"xmlns:w='urn:x'",
    b"{\\rtf1",
    b"\\bin9999999 ",
    b"\\u-99999?",
    b"\\'zz",
    b"\\ud",
    b"{\\*\\",
    b"}",
    b"{",
    b"[",
    b"]",
    b"(",
    b")",
    b"stream\n",
    b"endobj",
    b" 0 R",
    b"/Length 9",
    b"/Parent 1 0 R",
    b"BT",
    b"ET",
    b'"',
    b"'",
    b"`",
    b"```",
    b"|",
    b"---\n",
    b"===\n",
    b".. csv-table::\n\n",
    b"::",
    b"#",
    b"\t",
    b"\n\n",
    b",",
    b";",
    b"=?utf-8?b?!?=",
    b"=?x?q?=ff?=",
    b"Content-Type: multipart/mixed\n",
    b"Content-Transfer-Encoding: base64\n",
    b'Content-Type: text/plain; charset="x"\n',
    b"charset=utf-16",
    b"null",
    b"true",
    b"NaN",
    b"1e999",
    b"{}",
    b"[]",
    b"{{",
    b"00:00:99,9 --> x",
)
_ELEMENT = re.compile(rb"<([A-Za-z][\w:.-]*)\b[^<>]{0,200}>")
_ATTRIBUTE = re.compile(rb"\s[\w:.-]+\s*=\s*(?:\"([^\"<>]*)\"|'([^'<>]*)')")
_DIGITS = re.compile(rb"\d+")
_LARGEST = 1 << 20


def mutated(seed: Seed, others: Sequence[Seed], random: Random) -> bytes:
    """A seed made wrong in one to four ways; where it is a container mostly inside of it."""
    deep = random.random() < 0.85
    if seed.packed is not None and deep:
        method = random.choice([zipfile.ZIP_DEFLATED] * 6 + [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2])
        content = zipped(_members(seed.packed, [s.packed or {} for s in others], random), method)
        return changed(content, [], random) if random.random() < 0.1 else content
    if seed.streams is not None and deep:
        streams = _members(seed.streams, [s.streams or {} for s in others], random)
        return compound(_closed(streams))
    return changed(seed.content, [other.content for other in others], random)


def _members(
    parts: Mapping[str, bytes], others: Sequence[Mapping[str, bytes]], random: Random
) -> dict[str, bytes]:
    found = dict(parts)
    for _ in range(random.choice([1, 1, 2, 3])):
        name = random.choice(sorted(found))
        kind = random.random()
        if kind < 0.85:
            same = [other[name] for other in others if name in other]
            found[name] = changed(found[name], same or [random.choice([*found.values()])], random)
        elif kind < 0.9 and len(found) > 1:
            del found[name]
        elif kind < 0.95:
            found[name] = found[random.choice(sorted(found))]
        else:
            found[random.choice(["x", f"{name}~", name.upper(), f"x/{name}"])] = found.pop(name)
    return found


def _closed(streams: Mapping[str, bytes]) -> dict[str, bytes]:
    """Without streams that would lie below another."""
    return {
        name: content
        for name, content in streams.items()
        if not any(other != name and name.startswith(f"{other}/") for other in streams)
    }


def changed(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Bytes made wrong in one to four ways; ``others`` are what may be spliced in."""
    ways = _WAYS
    if content[:200].lstrip().startswith(b"<") and random.random() < 0.7:
        ways = _WELL_FORMED
    for _ in range(random.choice([1, 1, 2, 4])):
        if content:
            content = random.choice(ways)(content, others, random)[:_LARGEST]
    return content


def _flip(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    made = bytearray(content)
    for _ in range(random.choice([1, 2, 8, 32])):
        made[random.randrange(len(made))] ^= 1 << random.randrange(8)
    return bytes(made)


def _noise(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at, size = random.randrange(len(content)), random.randrange(1, 30)
    end = at + random.choice([0, size])
    return content[:at] + random.randbytes(size) + content[end:]


def _length(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A binary number that says something else."""
    form = random.choice(["B", "<H", ">H", "<I", ">I", "<Q", ">Q"])
    word = random.choice(_WORDS) & ((1 << 8 * struct.calcsize(form)) - 1)
    raw = struct.pack(form, word)
    at = random.randrange(len(content))
    return content[:at] + raw + content[at + len(raw) :]


def _number(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A written number that says something else."""
    found = list(_DIGITS.finditer(content[: 1 << 18]))
    if not found:
        return _length(content, others, random)
    one = random.choice(found)
    return content[: one.start()] + random.choice(_NUMBERS) + content[one.end() :]


def _cut(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = random.randrange(len(content))
    return random.choice([content[:at], content[at:]])


def _gap(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = random.randrange(len(content))
    return content[:at] + content[at + random.choice([1, 2, 4, 16, 256]) :]


def _repeat(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    at = random.randrange(len(content))
    block = content[at : at + random.choice([1, 4, 20, 100, 1000])]
    times = random.choice([2, 3, 20, 300, 3000])
    return content[:at] + (block * times)[: 1 << 17] + content[at:]


def _flood(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Very much of one sign or block: what takes time by the square takes too long."""
    at = random.randrange(len(content))
    block = random.choice([random.choice(_TOKENS), content[at : at + random.choice([1, 2, 9, 60])]])
    return content[:at] + (block * (1 << 18))[: random.choice([1 << 14, 1 << 18])] + content[at:]


def _splice(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """The start of one document, the end of another; or a piece of it in the middle."""
    other = random.choice([*others, content]) or content
    at, behind = random.randrange(len(content)), random.randrange(len(other))
    if random.random() < 0.5:
        return content[:at] + other[behind:]
    return content[:at] + other[behind : behind + random.randrange(1, 500)] + content[at:]


def _token(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """A sign with a meaning in some format, once or nested deeply."""
    at = random.randrange(len(content) + 1)
    token = random.choice(_TOKENS) * random.choice([1, 1, 1, 2, 50, 5000])
    return content[:at] + token + content[at:]


def _element(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """An element of a marked-up text dropped, doubled, moved, nested, or renamed."""
    found = list(_ELEMENT.finditer(content[: 1 << 18]))
    if not found:
        return _token(content, others, random)
    one = random.choice(found)
    name = one[1]
    close = content.find(b"</" + name + b">", one.end())
    end = close + len(name) + 3 if close >= 0 else one.end()
    whole = content[one.start() : end]
    kind = random.randrange(6)
    if kind == 0:
        return content[: one.start()] + content[end:]
    if kind == 1:
        return content[:end] + whole * random.choice([1, 2, 50]) + content[end:]
    if kind == 2:
        other = random.choice(found)
        return content[: other.end()] + whole + content[other.end() :]
    if kind == 3:
        depth = random.choice([2, 20, 400, 4000])
        start = b"<" + name + b">"
        nested = start * depth + whole + (b"</" + name + b">") * depth
        return content[: one.start()] + nested + content[end:]
    if kind == 4:
        return (
            content[: one.start() + 1]
            + random.choice(found)[1]
            + content[one.start(1) + len(name) :]
        )
    return content[: one.end()] + content[close if close >= 0 else one.end() :]


def _tree(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """Well-formed XML that means something else: parts gone, doubled, moved, renamed, emptied."""
    try:
        root = etree.fromstring(content, etree.XMLParser(resolve_entities=False, huge_tree=True))
    except (etree.XMLSyntaxError, ValueError):
        return _element(content, others, random)
    found = [one for one in root.iter() if isinstance(one.tag, str)]
    one, other = random.choice(found), random.choice(found)
    kind = random.randrange(7)
    above = one.getparent()
    if kind == 0 and above is not None:
        above.remove(one)
    elif kind == 1 and above is not None:
        for _ in range(random.choice([1, 2, 40])):
            above.append(copy.deepcopy(one))
    elif kind == 2:
        other.insert(random.randrange(len(other) + 1), copy.deepcopy(one))
    elif kind == 3:
        one.tag = other.tag
    elif kind == 4:
        one.text = random.choice(
            [None, "", "x", "9" * 40, "-1", "²", "1e999", "\u202e", other.text]
        )
    elif kind == 5:
        for _ in range(random.choice([3, 60, 600])):
            inner = etree.SubElement(other, one.tag, dict(one.attrib))
            inner.text, other = one.text, inner
    elif one.attrib:
        name = random.choice([str(key) for key in one.attrib])
        value = random.choice(
            ["", "x", "-1", "0", "99999999999", "²", "1.5", "#", "../x", "A0:ZZZ9"]
        )
        if random.random() < 0.3:
            del one.attrib[name]
        else:
            one.set(name, value)
    return etree.tostring(root, encoding="UTF-8")


def _attribute(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    found = list(_ATTRIBUTE.finditer(content[: 1 << 18]))
    if not found:
        return _number(content, others, random)
    one, other = random.choice(found), random.choice(found)
    group = 1 if one[1] is not None else 2
    value = random.choice([b"", *_NUMBERS, other[1] or other[2] or b"x", b"../../x", b"#", b"%00"])
    if random.random() < 0.3:
        return content[: one.start()] + content[one.end() :]
    return content[: one.start(group)] + value + content[one.end(group) :]


def _recoded(content: bytes, others: Sequence[bytes], random: Random) -> bytes:
    """The same text in another encoding than it says."""
    text = content.decode("utf-8", "replace")
    form = random.choice(
        [
            "utf-16",
            "utf-16-le",
            "utf-16-be",
            "utf-32",
            "cp1258",
            "cp1252",
            "cp500",
            "utf-7",
            "utf-8-sig",
            "iso2022_jp_2",
            "gb18030",
        ]
    )
    return text.encode(form, "replace")


_Way = Callable[[bytes, Sequence[bytes], Random], bytes]
_WAYS: tuple[_Way, ...] = (
    _flip,
    _flip,
    _noise,
    _length,
    _length,
    _number,
    _number,
    _cut,
    _gap,
    _repeat,
    _splice,
    _token,
    _token,
    _element,
    _element,
    _attribute,
    _attribute,
    _recoded,
    _flood,
)
_WELL_FORMED: tuple[_Way, ...] = (_tree, _tree, _tree, _tree, _attribute, _number)
