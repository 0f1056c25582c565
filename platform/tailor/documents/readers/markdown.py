"""Markdown and MDX: a unit per section, the text as it was written, without tags."""

import re
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader
from tailor.documents.readers.sections import Block, sections
from tailor.documents.readers.tags import untagged

_HEADING = re.compile(r" {0,3}(#{1,6})\s+(.*?)\s*#*\s*")
_LONGEST_HEADING = 1000
"""Characters; longer lines are none."""
_FENCE = re.compile(r"[ \t]*(```+|~~~+)")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)\s*")
_FRONT = re.compile(r"\s*(---|\+\+\+)[ \t]*\n(.*?)\n\1[ \t]*(?:\n|\Z)", re.DOTALL)
_ADMONITION = re.compile(r"[ \t]*:::+[ \t]*(?:(\w+)[ \t]*(?:\[(.*)\]|(.*)))?[ \t]*")


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order; lines and emphasis are kept."""
        text, note = decode(self.content)
        components = self.name.lower().endswith(".mdx")
        return sections(marked(text, components), joint="\n", note=note)


def marked(text: str, components: bool = False) -> Iterator[Block]:
    """Front matter as ``key: value``, then each line as a block; ``components``: it is MDX."""
    text = text.replace("\r\n", "\n")
    front = _FRONT.match(text)
    if front and re.match(r"[\w\"'-]+\s*[:=]", front[2].lstrip()):
        yield from map(Block, [*front_matter(front[2]), ""])
        text = text[front.end() :]
    yield from blocks(untagged(text, components).split("\n"))


def front_matter(text: str) -> list[str]:
    """The lines of YAML or TOML front matter as ``key: value``; lists in one line."""
    lines: list[str] = []
    for raw in text.split("\n"):
        line = raw.rstrip()
        item = re.fullmatch(r"\s*-\s+(.*)", line)
        pair = re.fullmatch(r"(\s*[\w.\"' -]+?)\s*[:=](?:\s+(.*))?", line)
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        if item and lines and ":" not in (value := _bare(item[1])):
            lines[-1] += f"{' ' if lines[-1].endswith(':') else ', '}{value}"
        elif pair:
            lines.append(f"{_bare(pair[1])}: {_bare(pair[2] or '')}".rstrip())
        else:
            lines.append(line.strip())
    return [line for line in lines if not line.endswith(":")]


def _bare(value: str) -> str:
    value = value.strip()
    if value[:1] == "[" and value[-1:] == "]":
        return ", ".join(_bare(part) for part in value[1:-1].split(","))
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return "" if value in ("null", "~", "|", ">", "|-", ">-") else value


def blocks(lines: list[str]) -> Iterator[Block]:
    """Each line as a block; headings are recognised outside of code."""
    fence = ""
    for index, line in enumerate(lines):
        if match := _FENCE.match(line):
            if not fence:
                fence = match[1]
            elif match[1].startswith(fence) and not line.strip(" \t`~"):
                fence = ""
            yield Block(line)
        elif fence or len(line) > _LONGEST_HEADING:
            yield Block(line)
        elif match := _HEADING.fullmatch(line):
            yield Block(line, len(match[1]), plain(match[2]))
        elif _is_underlined(lines, index):
            level = 1 if lines[index + 1].strip()[0] == "=" else 2
            yield Block(line, level, plain(line.strip()))
        elif match := _ADMONITION.fullmatch(line):
            kind, title = match[1] or "", match[2] or match[3] or ""
            yield Block(f"{kind.capitalize()}: {title}" if kind else "")
        else:
            yield Block(line)


def plain(heading: str) -> str:
    """A heading without emphasis, code marks, link targets and its anchor."""
    heading = re.sub(r"\s*\{#[^}]*\}\s*$", "", heading)
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
