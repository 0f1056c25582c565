r"""Rich Text Format 1.9: a unit per section, tables as rows, ``\u`` and all Windows code pages."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from langchain_core.documents import Document

from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import bars, one_line
from tailor.documents.readers.sections import Block, sections, tight_lists
from tailor.documents.refusal import Refused

_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\(.)|([{}])|[\r\n\0]+"
    rb"|([^\\{}\r\n\0]+)",
    re.DOTALL,
)
_CHARSETS = {77: "mac_roman", 128: "cp932", 129: "cp949", 130: "johab", 134: "gbk", 136: "big5",
             161: "cp1253", 162: "cp1254", 163: "cp1258", 177: "cp1255", 178: "cp1256",
             186: "cp1257", 204: "cp1251", 222: "cp874", 238: "cp1250", 254: "cp437",
             255: "cp437"}  # fmt: skip
_SIGNS = {"tab": "\t", "line": "\n", "lbr": "\n", "emdash": "—", "endash": "–", "lquote": "‘",
          "rquote": "’", "ldblquote": "“", "rdblquote": "”", "bullet": "•", "emspace": " ",
          "enspace": " ", "qmspace": " "}  # fmt: skip
_SYMBOLS = {b"~": "\u00a0", b"_": "-", b"\\": "\\", b"{": "{", b"}": "}", b"\t": "\t"}
_UNSEEN = frozenset(
    "colortbl info pict objdata fldinst listtable listoverridetable rsidtbl generator themedata "
    "xmlnstbl latentstyles datastore sn sv upr annotation atnid atnauthor nonshppict template "
    "revtbl filetbl pgdsctbl objclass objname bkmkstart bkmkend xe tc ftnsep ftnsepc aftnsep "
    "aftnsepc".split()
)
_EDGES = frozenset("header headerl headerr headerf footer footerl footerr footerf".split())
_KEPT = frozenset("shpinst shptxt shppict ud fldrslt result listtext pntext".split())
"""Groups that are read although they are marked as ones that may be passed over."""
_BULLET = re.compile(r"^[•·o§–\ufffd]?\s*\t\s*|^[•·§\ufffd]\s*")
_HEADING = re.compile(r"(?:heading|tiêu đề|überschrift|titre|título) ?(\d)", re.IGNORECASE)


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order, then what stands in headers and footers; comments are left out."""
        parser = parsed(self.content)
        if not parser.blocks and not parser.edges:
            raise _without_text(self.content, parser.closed)
        note = "" if parser.closed else "cut off: its end is missing"
        yield from sections(tight_lists(iter(parser.blocks)), note=note)
        if parser.edges:
            yield unit(parser.edges, "header and footer", note=note)


def _without_text(content: bytes, closed: bool) -> Refused:
    if not closed:
        return Refused("broken: cut off or damaged, and no text is left in it")
    if b"\\pict" in content or b"\\objdata" in content:
        return Refused("no text in it, only pictures or embedded files", "empty")
    return Refused("no text in it", "empty")


def parsed(content: bytes) -> Parser:
    """What a parser found: ``blocks``, ``edges`` and whether the file is ``closed``.

    Raises:
        Refused: it is no RTF.
    """
    if not content.lstrip().startswith(b"{\\rtf"):
        raise Refused("broken: the name says RTF but the content does not start with {\\rtf")
    parser = Parser()
    parser.run(content)
    return parser


@dataclass(frozen=True)
class _State:
    """What a group inherits and may change for itself."""

    group: str = ""
    """``fonttbl``, ``stylesheet``, ``footnote``, ``edge`` (header, footer), ``skipped``, text."""
    encoding: str = "cp1252"
    is_symbol: bool = False
    fallback: int = 1
    """Characters behind a Unicode one for programs that cannot read it."""
    hidden: bool = False


@dataclass
class _Paragraph:
    level: int = 0
    in_table: bool = False


@dataclass
class Parser:
    """Reads the tokens of one text."""

    blocks: list[Block] = field(default_factory=list)
    closed: bool = False
    _state: _State = field(default_factory=_State)
    _outer: list[_State] = field(default_factory=list)
    _encoding: str = "cp1252"
    _fonts: dict[int, str] = field(default_factory=dict)
    _font: int = 0
    _levels: dict[int, int] = field(default_factory=dict)
    _style: int = 0
    _name: str = ""
    _text: list[str] = field(default_factory=list)
    _bytes: bytearray = field(default_factory=bytearray)
    _note: list[str] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _told: int = 0
    _cells: list[str] = field(default_factory=list)
    _rows: list[str] = field(default_factory=list)
    _paragraph: _Paragraph = field(default_factory=_Paragraph)
    _is_item: bool = False
    _to_skip: int = 0
    _starred: bool = False
    _opened: bool = False
    """The token before opened a group: only there a star has its meaning."""
    _edge: list[str] = field(default_factory=list)

    def run(self, content: bytes) -> None:
        """Read all tokens."""
        position = 0
        while match := _TOKEN.match(content, position):
            position = match.end()
            word, number, hexa, symbol, brace, text = match.groups()
            if word == b"bin":
                position += max(0, int(number or 0))
            elif word is not None:
                self._control(word.decode(), int(number) if number is not None else None)
            elif hexa is not None:
                self._put_bytes(bytes.fromhex(hexa.decode()))
            elif symbol is not None:
                self._symbol(symbol)
                continue
            elif brace is not None:
                self._brace(brace)
                if self.closed:
                    break
            elif text is not None:
                self._put_bytes(text)
            else:
                continue  # line ends are nothing, also between a group's brace and its star
            self._opened = brace == b"{"
        self._end_paragraph()
        self._end_table()

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self._to_skip = 0
        if brace == b"{":
            self._outer.append(self._state)
            self._starred = False
            return
        if self._state.group == "footnote" and self._outer[-1].group != "footnote":
            self._notes.append(one_line("".join(self._note)))
            self._note.clear()
        if self._outer:
            self._state = self._outer.pop()
        self.closed = not self._outer

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self._starred = self._opened
        elif symbol in b"\r\n":
            self._end_paragraph()
        elif symbol in _SYMBOLS:
            self._put(_SYMBOLS[symbol])

    def _control(self, word: str, number: int | None) -> None:
        starred, self._starred = self._starred, False
        state = self._state
        if word == "u" and number is not None:
            sign = chr(number % 0x10000)
            self._put("•" if "\uf020" <= sign <= "\uf0ff" else sign)  # of a symbol font
            self._to_skip = state.fallback
        elif word in _UNSEEN or (starred and word not in _KEPT):
            self._enter("skipped")
        elif word in ("fonttbl", "stylesheet", "footnote"):
            self._enter(word)
            if word == "footnote":
                self._text.append(f"[{len(self._notes) + 1}]")
        elif word in _EDGES:
            self._enter("edge")
        elif word == "ud":  # stands beside what it replaces, in a group that is passed over
            self._enter(self._outer[-2].group if len(self._outer) > 1 else "")
        elif state.group == "fonttbl":
            self._font_table(word, number)
        elif state.group == "stylesheet":
            self._style_table(word, number)
        elif word in _SIGNS:
            self._put(_SIGNS[word])
        else:
            self._format(word, number)

    def _enter(self, group: str) -> None:
        self._flush()
        self._state = replace(self._state, group=group)

    def _font_table(self, word: str, number: int | None) -> None:
        if word == "f" and number is not None:
            self._font = number
            self._fonts.setdefault(number, "")
        elif word == "fcharset" and number == 2:
            self._fonts[self._font] = "symbol"
        elif word == "fcharset" and number in _CHARSETS:
            self._fonts[self._font] = _CHARSETS[number]
        elif word == "cpg" and number and _known(f"cp{number}"):
            self._fonts[self._font] = f"cp{number}"

    def _style_table(self, word: str, number: int | None) -> None:
        if word == "s" and number is not None:
            self._style = number
        elif word == "outlinelevel" and number is not None and number < 9:
            self._levels[self._style] = number + 1

    def _format(self, word: str, number: int | None) -> None:
        """Control words that change how the text that follows is to be read."""
        paragraph = self._paragraph
        on = number != 0
        if word in ("par", "sect", "page", "column"):
            self._end_paragraph()
        elif word == "pard":
            self._paragraph = _Paragraph()
        elif word in ("cell", "nestcell"):
            self._end_cell(word == "nestcell")
        elif word == "row":
            self._end_row()
        elif word == "intbl":
            paragraph.in_table = True
        elif word == "s":
            paragraph.level = self._levels.get(number or 0, 0)
        elif word == "outlinelevel" and number is not None and number < 9:
            paragraph.level = number + 1
        elif word in ("listtext", "pntext"):
            self._is_item = True
        elif word == "uc" and number is not None:
            self._change(fallback=max(0, number))
        elif word in ("v", "deleted", "htmlrtf"):
            self._change(hidden=on)
        elif word == "plain":
            self._change(hidden=False)
        elif word == "f":
            form = self._fonts.get(number or 0, "")
            self._change(encoding=form or self._encoding, is_symbol=form == "symbol")
        elif word in ("ansicpg", "mac", "pc", "pca"):
            named = {"mac": "mac_roman", "pc": "cp437", "pca": "cp850"}.get(word, f"cp{number}")
            self._encoding = named if _known(named) else self._encoding
            self._change(encoding=self._encoding)

    def _change(self, **fields: str | bool | int) -> None:
        self._flush()
        self._state = replace(self._state, **fields)  # type: ignore[arg-type]

    def _put_bytes(self, raw: bytes) -> None:
        passed = min(self._to_skip, len(raw))
        self._to_skip -= passed
        self._bytes += raw[passed:]

    def _flush(self) -> None:
        if self._bytes:
            raw = bytes(self._bytes)
            self._bytes.clear()
            if self._state.is_symbol:
                self._put("•" if raw.strip() else " ")
            else:
                self._put(raw.decode(self._state.encoding, "replace"))

    def _put(self, text: str) -> None:
        self._flush()
        group = self._state.group
        if group == "stylesheet":
            self._name += text
            if ";" in self._name:
                self._name_style(self._name.strip("; "))
                self._name = ""
        elif group == "footnote" and not self._state.hidden:
            self._note.append(text)
        elif group == "edge":
            self._edge.append(text)
        elif group == "" and not self._state.hidden:
            self._text.append(text)

    @property
    def edges(self) -> str:
        """Headers and footers, each line once."""
        lines = map(one_line, "".join(self._edge).split("\n"))
        return "\n".join(dict.fromkeys(line for line in lines if any(map(str.isalpha, line))))

    def _name_style(self, name: str) -> None:
        if match := _HEADING.fullmatch(name):
            self._levels[self._style] = int(match[1]) + 1
        elif name.casefold() == "title":
            self._levels[self._style] = 1
        self._style = 0

    def _taken(self) -> str:
        self._flush()
        units = "".join(self._text)
        self._text.clear()
        joined = units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return joined.strip(" \t\n")

    def _end_paragraph(self) -> None:
        self._flush()
        if self._state.group:
            self._put(" " if self._state.group == "footnote" else "\n")
            return
        if self._paragraph.in_table:
            self._text.append("\n")
            return
        text, item = self._taken(), self._is_item
        self._is_item = False
        self._end_table()
        if text and self._paragraph.level:
            self.blocks.append(Block(one_line(text), self._paragraph.level))
        elif text:
            if item:
                text = _BULLET.sub("- ", text).replace("\t", " ", 1)
            self.blocks.append(Block(text, item=item))
        self._end_notes()

    def _end_cell(self, nested: bool) -> None:
        if self._state.group:
            return
        self._flush()
        if nested:
            self._text.append(" / ")
        else:
            self._cells.append(self._taken())

    def _end_row(self) -> None:
        if any(self._cells):
            self._rows.append(bars(self._cells))
        self._cells.clear()
        self._text.clear()

    def _end_table(self) -> None:
        if self._cells:
            self._end_row()
        if self._rows:
            self.blocks.append(Block("\n".join(self._rows)))
            self._rows.clear()
            self._end_notes()

    def _end_notes(self) -> None:
        """Footnotes stand behind the paragraph or table that refers to them."""
        for note in self._notes[self._told :]:
            self._told += 1
            self.blocks.append(Block(f"[{self._told}] {note}"))


def _known(encoding: str) -> bool:
    try:
        codecs.lookup(encoding)
    except LookupError:
        return False
    return True
