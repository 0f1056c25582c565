"""Tables in HTML: which of them hold data, and their rows with merged cells resolved."""

from collections.abc import Iterator

from lxml.html import HtmlElement

from tailor.documents.readers.rows import bars, one_line

_INLINE = frozenset(
    "a abbr b bdi bdo big cite code data del dfn em font i img input ins kbd label mark nobr q s "
    "samp small span strike strong sub sup time tt u var wbr button select option".split()
)
_ARRANGED = frozenset("table h1 h2 h3 h4 h5 h6 hr form dl".split())
_WIDEST = 1000
_TALLEST = 1000
_LONGEST_CELL = 1500


def is_inline(tag: HtmlElement) -> bool:
    """Whether it stands in a line of text; so do the tags that Word adds, as ``o:p``."""
    return tag.tag in _INLINE or ":" in tag.tag


def flat(tag: HtmlElement) -> str:
    """All text in it, a space between paragraphs."""
    parts = [tag.text or ""]
    for child in tag:
        parts.append(flat(child) if is_inline(child) else f" {flat(child)} ")
        parts.append(child.tail or "")
    return "".join(parts)


def is_layout(table: HtmlElement) -> bool:
    """Whether it only arranges the page: headings, lists or further tables stand in its cells."""
    inside = {tag.tag for tag in table.iterdescendants()}
    if table.get("role") in ("presentation", "none") or inside & _ARRANGED:
        return True
    if "th" in inside:
        return False
    lines = [list(row.iter("td")) for row in table.iter("tr")]
    if all(len(cells) <= 1 for cells in lines):
        return True
    return any(len(cell.text_content()) > _LONGEST_CELL for cells in lines for cell in cells)


def rows(table: HtmlElement) -> Iterator[str]:
    """Each row as ``| a | b |``; a cell over several rows is said in each of them."""
    above: dict[int, tuple[int, str]] = {}
    for row in table.iter("tr"):
        cells: list[str] = []
        for cell in row.iter("td", "th"):
            _fill(cells, above)
            text = one_line(flat(cell))
            if (tall := _span(cell, "rowspan", _TALLEST)) > 1:
                above[len(cells)] = (tall, text)
            cells += [text, *[""] * (_span(cell, "colspan", _WIDEST) - 1)]
        _fill(cells, above)
        above = {column: (left - 1, text) for column, (left, text) in above.items() if left > 1}
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield bars(cells[:_WIDEST])


def _fill(cells: list[str], above: dict[int, tuple[int, str]]) -> None:
    """Add cells that reach down from the rows above into this place."""
    while len(cells) in above:
        cells.append(above[len(cells)][1])


def _span(cell: HtmlElement, name: str, most: int) -> int:
    value = cell.get(name, "1").strip()
    return min(max(int(value), 1), most) if value.isdecimal() and len(value) < 6 else 1
