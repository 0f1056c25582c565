"""Jupyter notebooks: the text by its headings, code as code, and what it printed."""

import json
from collections.abc import Iterator
from typing import Any

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.markdown import marked
from tailor.documents.readers.reader import FileReader, whole
from tailor.documents.readers.sections import Block, sections
from tailor.documents.refusal import Refused

_LONGEST_OUTPUT = 4000
"""Characters; of a longer output the start is kept and its length is said."""


class Reader(FileReader):
    """Yields one unit per section; its place is the heading path."""

    def lazy_load(self) -> Iterator[Document]:
        """Sections in order of the cells."""
        text, note = decode(self.content)
        try:
            notebook = json.loads(text)
        except json.JSONDecodeError as error:
            raise Refused(f"broken: not a notebook ({error.msg} in line {error.lineno})") from None
        return sections(_blocks(notebook), joint="\n", note=note)


def _blocks(notebook: Any) -> Iterator[Block]:
    if not isinstance(notebook, dict):
        raise Refused("broken: not a notebook")
    cells = notebook.get("cells")
    if cells is None:  # before format 4
        cells = [cell for sheet in notebook.get("worksheets", []) for cell in sheet["cells"]]
    about = notebook.get("metadata", {})
    language = about.get("kernelspec", {}).get("language") or "python"
    for cell in cells:
        source = _text(cell.get("source", cell.get("input", ""))).strip("\n")
        kind = cell.get("cell_type")
        if kind == "heading":
            source = f"{'#' * min(whole(str(cell.get('level')), 1), 6)} {source}"
        if kind == "code":
            if source:
                yield Block(f"```{language}\n{source}\n```")
            for output in cell.get("outputs", []):
                if printed := _printed(output):
                    yield Block(f"Output:\n```\n{printed}\n```")
        elif source:
            yield from marked(source)
        yield Block("")


def _printed(output: Any) -> str:
    """What a cell printed or gave, as plain text; an error by its name."""
    if output.get("output_type") in ("error", "pyerr"):
        return f"{output.get('ename', '')}: {output.get('evalue', '')}"
    shown = output.get("data", output)
    text = _text(output.get("text") or shown.get("text/plain") or "").strip("\n")
    if text.startswith("<") and text.endswith(">") and "\n" not in text:
        return ""  # the name of an object, of a figure mostly
    if len(text) > _LONGEST_OUTPUT:
        return f"{text[:_LONGEST_OUTPUT]}\n(of {len(text):,} characters)"
    return text


def _text(value: Any) -> str:
    return "".join(map(str, value)) if isinstance(value, list) else str(value)
