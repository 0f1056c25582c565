"""Markdown without the tags, comments and components that stand in it; code is left alone."""

import html
import re
from collections.abc import Callable

_BRACES = r"\{(?:[^{}]|\{(?:[^{}]|\{[^{}]*\})*\})*\}"
_VALUE = rf"\"[^\"]*\"|'[^']*'|{_BRACES}|[^\s\"'{{}}<>=`]+"
_TAG = re.compile(
    rf"<(?P<end>/?)(?P<name>[A-Za-z][\w.:-]*)"
    rf"(?P<rest>(?:\s+(?:{_BRACES}|[\w:@.-]+(?:\s*=\s*(?:{_VALUE}))?))*)\s*/?>"
)
_SAID = re.compile(r"\s(?:alt|title|label|caption|summary)\s*=\s*(?:\"([^\"]*)\"|'([^']*)')")
_HTML = frozenset(
    "a abbr address article aside audio b big blockquote body br button caption center cite code "
    "col colgroup dd del details dfn div dl dt em embed figcaption figure font footer form h1 h2 "
    "h3 h4 h5 h6 header hr i iframe img input ins kbd label li link main mark meta nav nobr object "
    "ol p picture pre q s samp section small source span strike strong sub summary sup svg table "
    "tbody td tfoot th thead time tr track tt u ul var video wbr".split()
)
_WITH_CONTENT = ("style", "script", "svg", "iframe", "object", "video", "audio")
_START = re.compile(
    r"^[ \t>]*(?P<fence>`{3,}|~{3,})|(?P<template>\{`)|(?P<ticks>`+)"
    r"|(?P<comment><!--)|(?P<note>\{/\*)"
    r"|(?P<data>data:[\w/+.-]{1,60};base64,)|(?P<esm>^(?:import|export)\b)"
    rf"|<(?P<block>table|{'|'.join(_WITH_CONTENT)})\b|(?P<tag></?[A-Za-z])",
    re.MULTILINE | re.IGNORECASE,
)
_SIGN = re.compile("[`~<{]")
_ESM = re.compile(
    r"import\s+(?:[\w*{][^;\n]*?(?:\n[^;\n]+)*?\sfrom\s+)?['\"][^'\"\n]+['\"];?[ \t]*(?:\n|\Z)"
    r"|export\s+(?:const|let|var|function|class|default|async|\{|\*).*?(?:\n[ \t]*\n|\Z)",
    re.DOTALL,
)
_LONGEST_ROW = 2000
_BASE64 = re.compile(r"[A-Za-z0-9+/=%]*")


def untagged(text: str, components: bool = False) -> str:
    """Markdown as a reader sees it: tables in HTML as rows, no comments, no pictures in base64.

    ``components``: it is MDX, so imports, exports and tags of components go too; what their
    ``title``, ``label`` or ``alt`` says stays.
    """
    out: list[str] = []
    missing: set[str] = set()
    anywhere = components or ";base64," in text.lower()
    at = 0
    while found := _START.search(text, at) if anywhere else _signed(text, at):
        out.append(_unescaped(text[at : found.start()]))
        piece, end = _replaced(text, found, components, missing)
        out.append(piece)
        at = max(end, found.start() + 1)
        if end <= found.start():
            out.append(text[found.start() : at])
    out.append(_unescaped(text[at:]))
    return "".join(out)


def _signed(text: str, at: int) -> re.Match[str] | None:
    """The next thing that is no import and no picture: what starts with a sign is found faster."""
    while sign := _SIGN.search(text, at):
        first = sign.start()
        if text.startswith(("```", "~~~"), first):
            line = text.rfind("\n", max(0, at - 1), first) + 1
            if line >= at and (fence := _START.match(text, line)):
                return fence
        if found := _START.match(text, first):
            return found
        at = first + 1
    return None


def _replaced(
    text: str, found: re.Match[str], components: bool, missing: set[str]
) -> tuple[str, int]:
    """What stands for the thing that starts here, and where it ends; its start: leave it."""
    start = found.start()

    def until(closing: str, after: int) -> int:
        """Where ``closing`` ends, else ``start``; what is missing once is not looked for again."""
        if closing in missing:
            return start
        if (position := text.find(closing, after)) < 0:
            missing.add(closing)
            return start
        return position + len(closing)

    if found["fence"]:
        end = _fence_end(text, found)
        return text[start:end], end
    if found["template"]:
        end = until("`}", found.end()) if components else start
        return f"\n```\n{text[found.end() : end - 2]}\n```\n" if end > start else "", end
    if found["ticks"]:
        end = _code_end(text, found, missing)
        return text[start:end], end
    if found["comment"] or found["note"]:
        if found["note"] and not components:
            return "", start
        return "", until("-->" if found["comment"] else "*/}", found.end())
    if found["data"]:
        picture = _BASE64.match(text, found.end())
        return "data", picture.end() if picture else found.end()
    if found["esm"]:
        statement = _ESM.match(text, start) if components else None
        return "", statement.end() if statement else start
    if found["block"] and (name := found["block"].lower()):
        end = until(f"</{name}>", found.end())
        if end > start:
            return (_rows(text[start:end]) if name == "table" else ""), end
    return _tag(text, start, components)


def _fence_end(text: str, found: re.Match[str]) -> int:
    fence = found["fence"]
    closing = re.compile(rf"^[ \t>]*{re.escape(fence)}[`~]*[ \t]*$", re.MULTILINE)
    line_end = text.find("\n", found.end())
    if fence[0] == "`" and "`" in text[found.end() : line_end if line_end >= 0 else len(text)]:
        return found.end()  # code within a line
    end = closing.search(text, found.end())
    return end.end() if end else len(text)


def _code_end(text: str, found: re.Match[str], missing: set[str]) -> int:
    """Code within a paragraph ends at as many ticks; without them the ticks are a text."""
    ticks, start = found["ticks"], found.end()
    if ticks in missing:
        return start
    end = re.compile(rf"(?<!`){ticks}(?!`)").search(text, start)
    if end is None:
        missing.add(ticks)
        return start
    return end.end() if text.find("\n\n", start, end.start()) < 0 else start


def _rows(table: str) -> str:
    from tailor.documents.readers.html import blocks

    return "\n\n" + "\n\n".join(block.text for block in blocks(table)) + "\n\n"


def _tag(text: str, start: int, components: bool) -> tuple[str, int]:
    tag = _TAG.match(text, start)
    if tag is None or (tag["name"].lower() not in _HTML and not components):
        return "", start
    name, said = tag["name"].lower(), _SAID.search(tag["rest"])
    line = text.rfind("\n", max(0, start - _LONGEST_ROW), start) + 1
    in_row = text[line:start].lstrip().startswith("|")
    heading = re.fullmatch("h([1-6])", name)
    piece = ""
    if heading and not in_row:
        piece = "\n" if tag["end"] else f"\n{'#' * int(heading[1])} "
    elif name == "br":
        piece = " " if in_row else "\n"
    elif name == "li" and not tag["end"] and not in_row:
        piece = "\n- "
    elif said and not tag["end"] and (name == "img" or tag["name"][0].isupper()):
        piece = said[1] or said[2] or ""
    return piece, tag.end()


_unescaped: Callable[[str], str] = html.unescape
