"""What leaves Tailor: the text of an answer, in which no address, image or tag is alive.

A document may order the model to put secrets into the address of an image or a link, which a
program that shows the answer would then fetch. So wherever an answer is shown or sent, its text
goes through here. An address that stands in a passage stays readable, though it cannot be
followed; one that stands in none, which the model has made up or filled in, is taken out. That it
stands in a passage is no reason to trust it: the passage may be the very one that was planted.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from urllib.parse import urlsplit

from tailor.assistant import Answer
from tailor.documents.passages import Passage
from tailor.framing import neutral
from tailor.text import language

REMOVED = {"en": "[address removed]", "vi": "[đã gỡ địa chỉ]"}

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_HIDDEN = re.compile("[\u00ad\u200c\u200d\u200e\u200f\u061c\u180e]")
_PART = r"[^\s<>\"'`)\]}|]"
_HOST = r"(?:[\w-]+\.)+[^\W\d_]{2,24}"
_ADDRESS = re.compile(
    rf"\b[a-z][a-z0-9+.-]{{1,30}}:[/\\]{{1,3}}{_PART}*"
    rf"|\b(?:javascript|vbscript|mailto|blob|view-source):{_PART}+|\bdata:[\w/+.-]*[;,]{_PART}*"
    rf"|\bwww\.{_PART}+"
    rf"|(?<![:\w/\\])[/\\]{{2}}(?:{_HOST}|\d+(?:\.\d+){{3}}){_PART}*"
    rf"|(?<![\w@./\\-])(?:{_HOST}|\d+(?:\.\d+){{3}})(?::\d+)?/{_PART}*",
    re.IGNORECASE,
)
_MAIL = re.compile(rf"(?<![\w.+-])[\w.+-]+@{_HOST}", re.IGNORECASE)
_STOPS = ".,;:!?*_~…"
_TAG = re.compile(r"<(?=[a-z/!?|])", re.IGNORECASE)
_IMAGE = re.compile(r"!\[(?=[^\]]*\]\s*[(\[:])")
_DEFINITION = re.compile(r"^([ \t>*+-]*\[[^\]\n]+\]):", re.MULTILINE)
_FILE = re.compile(
    r"^[^/]*\.(?:md|txt|pdf|docx?|xlsx?|pptx?|csv|html?|eml|msg|json|zip|tar|gz|7z|od[tsp])/",
    re.IGNORECASE,
)


def shown(answer: Answer, trusted: Collection[str] = ()) -> str:
    """The text of an answer as people and other programs get it, with the citations it has."""
    return defused(answer.with_citations or answer.text, answer.seen, trusted)


def defused(text: str, passages: Sequence[Passage] = (), trusted: Collection[str] = ()) -> str:
    """The text without live addresses, images and tags; its words stay.

    ``https://a.example/b`` of a passage becomes ``https[:]//a[.]example/b``; one of no passage is
    taken out. ``trusted`` are hosts whose addresses stay as they are, and those of hosts below
    them. E-mail addresses stay where they stand in a passage.
    """
    said = text

    def known(found: str) -> bool:
        return any(found in p.source or found in p.text for p in passages)

    def gone() -> str:
        return REMOVED[language(said)]

    def address(found: re.Match[str]) -> str:
        whole = found[0]
        plain = whole.rstrip(_STOPS)
        rest = whole[len(plain) :]
        if _FILE.match(plain) and "://" not in plain and not plain.startswith(("/", "\\")):
            return whole
        if _trusted(plain, trusted):
            return whole
        if known(plain):
            return plain.replace(".", "[.]").replace(":", "[:]") + rest
        return gone() + rest

    def mail(found: re.Match[str]) -> str:
        return found[0] if known(found[0]) else gone()

    text = neutral(_HIDDEN.sub("", _CONTROLS.sub("", text)))
    text = _MAIL.sub(mail, _ADDRESS.sub(address, text))
    text = _TAG.sub("‹", text)
    text = _IMAGE.sub("! [", text).replace("](", "] (")
    return _DEFINITION.sub(r"\1 :", text)


def _trusted(address: str, trusted: Collection[str]) -> bool:
    """Whether it leads to a trusted host, and cannot be read as leading elsewhere."""
    if not trusted or not address.isascii() or "\\" in address or "@" in address:
        return False
    try:
        parts = urlsplit(address if "//" in address else f"//{address}")
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.scheme not in ("", "http", "https"):
        return False
    return any(host == one.lower() or host.endswith(f".{one.lower()}") for one in trusted)
