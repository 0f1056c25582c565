"""Slides: a unit per slide with its shapes, tables and notes."""

from collections.abc import Iterator
from typing import Any

import pptx
from langchain_core.documents import Document

from tailor.documents.readers.archive import opened
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.readers.rows import bars


class Reader(FileReader):
    """Yields one unit per slide with text; its place is ``slide 2``."""

    def lazy_load(self) -> Iterator[Document]:
        """Slides in order."""
        presentation = pptx.Presentation(opened(self.content))
        for number, slide in enumerate(presentation.slides, 1):
            title = slide.shapes.title
            shapes = [s for s in slide.shapes if title is None or s.element is not title.element]
            parts = list(_texts([*([title] if title is not None else []), *shapes]))
            notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
            if notes is not None and (text := notes.text.strip()):
                parts.append(f"Notes: {text}")
            if parts:
                yield unit("\n\n".join(parts), f"slide {number}")


def _texts(shapes: Any) -> Iterator[str]:
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _texts(shape.shapes)
        elif getattr(shape, "has_table", False):
            rows = [bars([cell.text for cell in row.cells]) for row in shape.table.rows]
            if text := "\n".join(row for row in rows if row.strip("| ")):
                yield text
        elif getattr(shape, "has_chart", False):
            if text := "\n".join(_chart(shape.chart)):
                yield text
        elif shape.has_text_frame:
            lines = [p.text.replace("\v", "\n").strip() for p in shape.text_frame.paragraphs]
            if text := "\n".join(line for line in lines if line):
                yield text


def _chart(chart: Any) -> Iterator[str]:
    if chart.has_title and chart.chart_title.has_text_frame:
        yield chart.chart_title.text_frame.text
    for plot in chart.plots:
        categories = [str(c) for c in plot.categories]
        for series in plot.series:
            pairs = zip(categories, series.values, strict=False)
            points = [f"{c} {v:g}" for c, v in pairs if v is not None]
            yield f"{series.name}: {', '.join(points)}"
