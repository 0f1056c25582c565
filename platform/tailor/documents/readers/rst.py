"""reStructuredText: a unit per section; directives as what they say, tables as rows."""

import re
import textwrap
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.rst_table import (
    csv_table,
    grid,
    is_grid,
    is_simple,
    list_table,
    simple,
)
from tailor.documents.readers.sections import Block, sections

_ADORNMENT = re.compile(r"([!-/:-@\[-`{-~])\1*\s*")
_DIRECTIVE = re.compile(
    r"\.\. (?:\|(?P<name_of>[^|]+)\| )?(?P<name>[\w:+.-]+?)::(?:\s+(?P<said>.*))?"
)
_FOOTNOTE = re.compile(r"\.\. (\[[^\]]+\]) ?(.*)")
_OPTION = re.compile(r":([\w-]+):(?: (.*))?")
_CODE = frozenset(
    "code code-block sourcecode literal parsed-literal math doctest prompt highlight-code".split()
)
_TABLES = frozenset(["csv-table", "list-table", "table"])
_UNSAID = frozenset(
    "autoclass autofunction automodule contents currentmodule default-role highlight include index "
    "literalinclude meta module raw role sectnum tabularcolumns title toctree unicode".split()
)
_LABELS = {
    **{name: name.capitalize() for name in ("note", "tip", "warning", "caution", "important")},
    **{name: name.capitalize() for name in ("attention", "danger", "error", "hint")},
    **{"admonition": "Note", "seealso": "See also", "todo": "To do"},
    **{"versionadded": "New in version", "versionchanged": "Changed in version"},
    **{"deprecated": "Deprecated since"},
}
_DEEPEST = 20
_INLINE = (
    (re.compile(r":[\w:+.-]+:`~?!?([^`<]+?)\s*<[^`>]*>`"), r"\1"),
    (re.compile(r":[\w:+.-]+:`[~!]?([^`]+)`"), r"\1"),
    (re.compile(r"`([^`<]+?)\s*<([^`>]*)>`__?"), r"\1 (\2)"),
    (re.compile(r"(?<!`)`([^`]+)`__?"), r"\1"),
    (re.compile(r"``(.+?)``"), r"`\1`"),
    (re.compile(r"\\([*`|_\\ ])"), r"\1"),
)


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order."""
        text, note = decode(self.content)
        lines = text.expandtabs(8).replace("\r\n", "\n").split("\n")
        return sections(_Parser(lines).blocks(lines), joint="\n", note=note)


class _Parser:
    """Headings get their levels, and substitutions their texts, in the order of the whole file."""

    def __init__(self, lines: list[str]) -> None:
        self.styles: list[tuple[str, bool]] = []
        self.texts = {
            match["name_of"]: match["said"]
            for line in lines
            if (match := _DIRECTIVE.match(line))
            and match["name"] == "replace"
            and match["name_of"]
            and match["said"]
        }

    def blocks(self, lines: list[str], depth: int = 0) -> Iterator[Block]:
        """Each line as a block, of headings, directives and tables what they say."""
        at = 0
        while at < len(lines):
            line = lines[at].rstrip()
            if (heading := self._heading(lines, at)) is not None:
                yield heading[0]
                at = heading[1]
            elif line.lstrip() == ".." or line.lstrip().startswith((".. ", "__ ")):
                end = _block_end(lines, at)
                yield from self._explicit([line.lstrip(), *lines[at + 1 : end]], depth)
                at = end
            elif is_grid(lines, at) or is_simple(lines, at):
                table, at = grid(lines, at) if is_grid(lines, at) else simple(lines, at)
                yield from (Block(self._plain(row)) for row in ("", *table, ""))
            elif line.endswith("::") and not line.lstrip().startswith(":"):
                text = "" if line.strip() == "::" else line[:-1]
                yield Block(self._plain(text))
                end = _block_end(lines, at)
                yield from (Block(code.rstrip()) for code in lines[at + 1 : end])
                at = end
            else:
                field = _OPTION.fullmatch(line)
                yield Block(self._plain(f"{field[1]}: {field[2] or ''}" if field else line))
                at += 1

    def _heading(self, lines: list[str], at: int) -> tuple[Block, int] | None:
        over = _is_adornment(lines, at) and _is_adornment(lines, at + 2)
        title_at = at + 1 if over else at
        if title_at + 1 >= len(lines) or not _is_adornment(lines, title_at + 1):
            return None
        title, rule = lines[title_at].strip(), lines[title_at + 1].strip()
        if not title or _is_adornment(lines, title_at) or len(rule) < min(len(title), 4):
            return None
        if not over and (lines[title_at][:1].isspace() or (at and lines[at - 1].strip())):
            return None
        style = (rule[0], over)
        if style not in self.styles:
            self.styles.append(style)
        level = min(self.styles.index(style) + 1, 9)
        return Block(self._plain(title), level), title_at + 2

    def _explicit(self, lines: list[str], depth: int) -> Iterator[Block]:
        """A directive or footnote; comments, targets and substitutions say nothing here."""
        if footnote := _FOOTNOTE.fullmatch(lines[0].rstrip()):
            rest = " ".join(line.strip() for line in lines[1:] if line.strip())
            yield Block(self._plain(f"{footnote[1]} {footnote[2]} {rest}".strip()))
            return
        match = _DIRECTIVE.fullmatch(lines[0].rstrip())
        if match is None or match["name_of"] or match["name"] in _UNSAID or depth > _DEEPEST:
            return
        name, said = match["name"].split(":")[-1], match["said"] or ""
        body = textwrap.dedent("\n".join(lines[1:])).split("\n")
        options: dict[str, str] = {}
        while body and (option := _OPTION.fullmatch(body[0].strip())):
            options[option[1]] = option[2] or ""
            body.pop(0)
        yield Block("")
        if name in _CODE:
            yield from map(Block, body)
        elif name in ("image", "figure"):
            yield Block(self._plain(options.get("alt", "")))
            yield from self.blocks(body, depth + 1)
        elif name in _TABLES:
            yield Block(self._plain(said))
            made = {"csv-table": csv_table, "list-table": list_table}.get(name)
            if made is None:
                yield from self.blocks(body, depth + 1)
            else:
                yield from (Block(self._plain(row)) for row in made(body, options))
        else:
            yield Block(self._plain(f"{_LABELS[name]}: {said}" if name in _LABELS else said))
            yield from self.blocks(body, depth + 1)

    def _plain(self, text: str) -> str:
        """A line without roles, link targets and escapes, its substitutions put in."""
        if "|" in text and self.texts:
            text = re.sub(r"\|([^|\s][^|]*)\|_?", lambda m: self.texts.get(m[1], m[0]), text)
        if "`" in text or "\\" in text:
            for pattern, replacement in _INLINE:
                text = pattern.sub(replacement, text)
        return text


def _is_adornment(lines: list[str], at: int) -> bool:
    if at >= len(lines):
        return False
    line = lines[at].rstrip()
    return len(line) >= 3 and _ADORNMENT.fullmatch(line) is not None


def _block_end(lines: list[str], at: int) -> int:
    """Behind the lines that are indented more than this one, and the blank ones between them."""
    indent = len(lines[at]) - len(lines[at].lstrip())
    end = at = at + 1
    while at < len(lines):
        line = lines[at].rstrip()
        at += 1
        if line and len(line) - len(line.lstrip()) <= indent:
            break
        if line:
            end = at
    return end
