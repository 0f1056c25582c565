"""Plain text as it is: .txt .log, and settings as .yaml .toml .ini."""

from collections.abc import Iterator

from langchain_core.documents import Document

from tailor.documents.readers.decoding import decode
from tailor.documents.readers.reader import FileReader, unit


class Reader(FileReader):
    """Yields the whole text as one unit."""

    def lazy_load(self) -> Iterator[Document]:
        """One unit without a place."""
        text, note = decode(self.content)
        yield unit(text, note=note)
