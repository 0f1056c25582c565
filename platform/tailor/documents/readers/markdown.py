"""Markdown: a unit per section, the text as it was written."""

import re
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.sections import Block, sections

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*")
_FENCE = re.compile(r" {0,3}(```+|~~~+)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*")


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order; lines and markup are kept."""
        text, note = decode(self.content)
        return sections(blocks(text.splitlines()), joint="\n", note=note)


def blocks(lines: list[str]) -> Iterator[Block]:
    """Each line as a block; headings are recognised outside of code and front matter."""
    fence = ""
    skip = 0
    if lines and lines[0].strip() == "---" and "---" in (closing := [s.strip() for s in lines[1:]]):
        skip = closing.index("---") + 2
    for index, line in enumerate(lines):
        if index < skip:
            if line.strip() != "---":
                yield Block(line)
            continue
        if match := _FENCE.match(line):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence) and not line.strip(" `~"):
                fence = ""
            yield Block(line)
        elif not fence and (match := _HEADING.fullmatch(line)):
            yield Block(line, len(match[1]), plain(match[2]))
        elif not fence and _is_underlined(lines, index):
            level = 1 if lines[index + 1].strip()[0] == "=" else 2
            yield Block(line, level, plain(line.strip()))
        else:
            yield Block(line)


def plain(heading: str) -> str:
    """A heading without emphasis, code marks and link targets."""
    heading = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    return re.sub(r"[*_`]{1,3}(\S(?:.*?\S)?)[*_`]{1,3}", r"\1", heading).strip()


def _is_underlined(lines: list[str], index: int) -> bool:
    line = lines[index]
    if index + 1 >= len(lines) or not re.match(r" {0,3}\w", line):
        return False
    return (
        _UNDERLINE.fullmatch(lines[index + 1]) is not None
        and len(lines[index + 1].strip()) >= 3
        and (index == 0 or not lines[index - 1].strip())
    )
