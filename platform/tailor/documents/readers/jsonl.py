"""JSON Lines: one block per line."""

import json
from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.json import block
from tailor.documents.readers.reader import FileReader, unit
from tailor.documents.refusal import Refused


class Reader(FileReader):
    """Yields all lines as one unit, a blank line between them."""

    def lazy_load(self) -> Iterator[Document]:
        """One unit without a place."""
        text, note = decode(self.content)
        blocks = []
        for number, line in enumerate(text.split("\n"), 1):
            if not line.strip():
                continue
            try:
                blocks.append(block(json.loads(line)))
            except json.JSONDecodeError as error:
                raise Refused(f"broken: line {number} is not JSON ({error.msg})") from None
        yield unit("\n\n".join(filter(None, blocks)), note=note)
