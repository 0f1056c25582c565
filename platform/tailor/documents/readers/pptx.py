"""Slides: a unit per slide with its shapes, tables, charts, diagrams and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pptx
from langchain_core.documents import Document

from tailor.documents.readers.cells import plain
from tailor.documents.readers.ooxml import DRAWING, Package
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import bars, one_line


class Reader(FileReader):
    """Yields one unit per slide with text; its place is ``slide 2`` or ``slide 2 (hidden)``."""

    def lazy_load(self) -> Iterator[Document]:
        """Slides in order."""
        package = Package(self.content)
        presentation = pptx.Presentation(package.usual())
        is_read = False
        for number, slide in enumerate(presentation.slides, 1):
            if parts := list(_parts(slide, package)):
                is_read = True
                unseen = " (hidden)" if slide.element.get("show") in ("0", "false") else ""
                yield unit("\n\n".join(parts), f"slide {number}{unseen}")
        if not is_read:
            raise package.without_text()


def _parts(slide: Any, package: Package) -> Iterator[str]:
    title = slide.shapes.title
    shapes = [s for s in slide.shapes if title is None or s.element is not title.element]
    yield from _texts([*([title] if title is not None else []), *shapes])
    for part in package.related(str(slide.part.partname).lstrip("/"), "diagramData"):
        root = package.xml(part)
        paragraphs = root.iter(f"{DRAWING}p") if root is not None else ()
        lines = [one_line("".join(t.text or "" for t in p.iter(f"{DRAWING}t"))) for p in paragraphs]
        if text := "\n".join(filter(None, lines)):
            yield text
    notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
    if notes is not None and (text := notes.text.strip()):
        yield f"Notes: {text}"


def _texts(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _texts(shape.shapes)
        elif getattr(shape, "has_table", False):
            if text := "\n".join(_rows(shape.table)):
                yield text
        elif getattr(shape, "has_chart", False):
            if text := "\n".join(_chart(shape.chart)):
                yield text
        elif shape.has_text_frame:
            lines = [p.text.replace("\v", "\n").strip() for p in shape.text_frame.paragraphs]
            if text := "\n".join(line for line in lines if line):
                yield text


def _rows(table: Any) -> Iterator[str]:
    """Rows; a merged cell stands once in a row, and again in each row it reaches down to."""
    above: dict[int, str] = {}
    for row in table.rows:
        texts: list[str] = []
        for column, cell in enumerate(row.cells):
            if cell._tc.hMerge:
                continue
            above[column] = above.get(column, "") if cell._tc.vMerge else cell.text
            texts += [*[""] * (column - len(texts)), above[column]]
        if any(text.strip() for text in texts):
            yield bars(texts)


def _chart(chart: Any) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield chart.chart_title.text_frame.text
    for plot in chart.plots:
        categories = [str(c) for c in plot.categories]
        for series in plot.series:
            pairs = zip(categories, series.values, strict=False)
            points = [f"{c} {plain(v)}" for c, v in pairs if v is not None]
            yield f"{series.name}: {', '.join(points)}"
