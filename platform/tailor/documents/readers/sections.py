"""Blocks with headings to sections under a heading path."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from langchain_core.documents import Document

from tailor.documents.readers.reader import unit


@dataclass(frozen=True)
class Block:
    """A paragraph, list item, table or heading; ``level`` is 1 to 9 for a heading, else 0."""

    text: str
    level: int = 0
    name: str = ""
    """A heading as it stands in the path, where that differs from its text."""
    item: bool = False
    """A list item, with the sign or number before it."""


def sections(blocks: Iterable[Block], joint: str = "\n\n", note: str = "") -> Iterator[Document]:
    """One unit per section, its heading inside; headings without text go with what follows."""
    path: list[tuple[int, str]] = []
    held: list[str] = []
    has_body = False

    def flush() -> Iterator[Document]:
        if text := joint.join(held).strip("\n"):
            yield unit(text, " > ".join(name for _, name in path), note=note)
        held.clear()

    for block in blocks:
        if block.level:
            if has_body:
                yield from flush()
                has_body = False
            while path and path[-1][0] >= block.level:
                path.pop()
            path.append((block.level, block.name or block.text))
        elif block.text.strip():
            has_body = True
        held.append(block.text)
    yield from flush()


def tight_lists(blocks: Iterable[Block]) -> Iterator[Block]:
    """Neighbouring list items as one block, a line each."""
    items: list[str] = []
    for block in blocks:
        if block.item:
            items.append(block.text)
            continue
        if items:
            yield Block("\n".join(items))
            items = []
        yield block
    if items:
        yield Block("\n".join(items))
