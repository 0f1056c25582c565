"""What Word keeps apart from the text: which styles are headings, and how lists are numbered."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, field

from lxml import etree

from tailor.documents.readers.reader import whole

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_BULLET = "-"
_MOST_LETTERS = 780
"""Word counts to here with letters, 30 times the same at last."""
_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"),
          (40, "xl"), (10, "x"), (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip


@dataclass(frozen=True)
class Style:
    """A paragraph style with all that it inherits."""

    name: str = ""
    """As Word's own language calls it, lower case: ``heading 1`` in every translation."""
    outline: int | None = None
    """0 for the highest heading."""
    list: str | None = None
    depth: int = 0

    @property
    def level(self) -> int:
        """1 for the title, 2 for the highest heading, and so on; 0 for text."""
        if self.name == "title":
            return 1
        if match := re.fullmatch(r"heading (\d)", self.name):
            return int(match[1]) + 1
        return self.outline + 2 if self.outline is not None else 0


def styles(root: etree._Element | None) -> dict[str, Style]:
    """Styles by their identifier; "" is the one of paragraphs that name none."""
    found: dict[str, Style] = {"": Style()}
    if root is None:
        return found
    elements = {style.get(f"{W}styleId", ""): style for style in root.iter(f"{W}style")}

    def resolved(name: str, below: frozenset[str] = frozenset()) -> Style:
        if name not in found:
            element = elements.get(name)
            if element is None or name in below:
                return Style()
            base = resolved(_value(element, "basedOn"), below | {name})
            number, depth = numbering_of(element.find(f"{W}pPr"))
            outline = _value(element, f"pPr/{W}outlineLvl")
            found[name] = Style(
                _value(element, "name").casefold(),
                _outline(outline) if outline else base.outline,
                number if number is not None else base.list,
                depth if number is not None else base.depth,
            )
        return found[name]

    for name, element in elements.items():
        style = resolved(name)
        if element.get(f"{W}type") == "paragraph" and element.get(f"{W}default") in ("1", "true"):
            found[""] = style
    return found


def numbering_of(properties: etree._Element | None) -> tuple[str | None, int]:
    """The list that a paragraph names, and its depth there."""
    if properties is None:
        return None, 0
    number = _value(properties, f"numPr/{W}numId")
    depth = _value(properties, f"numPr/{W}ilvl")
    return number or None, whole(depth, 0)


def outline_of(properties: etree._Element | None) -> int | None:
    """The outline level that a paragraph states itself."""
    value = _value(properties, "outlineLvl") if properties is not None else ""
    return _outline(value) if value else None


def _outline(value: str) -> int | None:
    level = whole(value, 9)
    return level if level < 9 else None


@dataclass(frozen=True)
class _Level:
    form: str = "decimal"
    text: str = ""
    start: int = 1


@dataclass
class Numbering:
    """Counts the numbered paragraphs of one document, in reading order."""

    levels: dict[str, dict[int, _Level]]
    """By list."""
    shared: dict[str, str]
    """Lists that count on together, to what they share."""
    counts: dict[str, dict[int, int]] = field(default_factory=lambda: defaultdict(dict))

    @classmethod
    def of(cls, root: etree._Element | None) -> Numbering:
        """From ``numbering.xml``."""
        abstract: dict[str, dict[int, _Level]] = {}
        lists: dict[str, dict[int, _Level]] = {}
        shared: dict[str, str] = {}
        for element in root.iter(f"{W}abstractNum") if root is not None else ():
            abstract[element.get(f"{W}abstractNumId", "")] = _levels(element)
        for element in root.iter(f"{W}num") if root is not None else ():
            number, base = element.get(f"{W}numId", ""), _value(element, "abstractNumId")
            own = _levels(element)
            restarts = element.find(f".//{W}startOverride") is not None
            lists[number] = abstract.get(base, {}) | own
            shared[number] = number if own or restarts else f"abstract {base}"
        return cls(lists, shared)

    def label(self, number: str | None, depth: int) -> str:
        """``- ``, ``3. `` or ``2.1 `` before the next paragraph of a list; "" outside lists."""
        if number is None or number == "0" or number not in self.levels:
            return ""
        levels = self.levels[number]
        level = levels.get(depth, _Level("bullet"))
        counts = self.counts[self.shared[number]]
        for deeper in [d for d in counts if d > depth]:
            del counts[deeper]
        counts[depth] = counts.get(depth, level.start - 1) + 1
        if level.form == "bullet":
            return f"{_BULLET} "

        def counted(match: re.Match[str]) -> str:
            at = int(match[1]) - 1
            other = levels.get(at, _Level())
            form = other.form if other.form != "bullet" else "decimal"
            return written(counts.get(at, other.start), form)

        text = re.sub(r"%(\d)", counted, level.text).strip()
        return f"{text} " if text and level.form != "none" else ""


def _levels(element: etree._Element) -> dict[int, _Level]:
    return {
        whole(level.get(f"{W}ilvl", "0"), 0): _Level(
            _value(level, "numFmt") or "decimal",
            _value(level, "lvlText"),
            whole(_value(level, "start"), 1),
        )
        for level in element.iter(f"{W}lvl")
    }


def written(count: int, form: str) -> str:
    """A number as the list counts: 3, 03, c, C, iii, III."""
    if form in ("lowerLetter", "upperLetter") and 0 < count <= _MOST_LETTERS:
        letters = chr(97 + (count - 1) % 26) * ((count - 1) // 26 + 1)
        return letters.upper() if form == "upperLetter" else letters
    if form in ("lowerRoman", "upperRoman") and 0 < count < 4000:
        roman = ""
        for value, sign in _ROMAN:
            roman += sign * (count // value)
            count %= value
        return roman.upper() if form == "upperRoman" else roman
    return f"{count:02d}" if form == "decimalZero" else str(count)


def _value(element: etree._Element, path: str) -> str:
    found = element.find(f"{W}{path}")
    return found.get(f"{W}val", "") if found is not None else ""
