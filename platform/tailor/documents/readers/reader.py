"""What all readers share: the bytes of one file in, LangChain documents out."""

from langchain_core.document_loaders import BaseLoader
from langchain_core.documents import Document


class FileReader(BaseLoader):
    """A LangChain loader over the bytes of one file; subclasses are named ``Reader``."""

    def __init__(self, content: bytes, name: str = "") -> None:
        self.content = content
        self.name = name


def unit(text: str, place: str = "", rows: bool = False, note: str = "") -> Document:
    """One page, sheet, slide or section; ``rows``: each line is a table row, never torn."""
    return Document(page_content=text, metadata={"place": place, "rows": rows, "note": note})
